"""Predictions and their figures, for the tests of the evaluation: by our metric, by xthotcoco and by pycocotools."""

import contextlib
import io
import warnings

import numpy as np
import pytest
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from cid_mmpose.data import CocoPeople
from cid_mmpose.evaluation import CocoPeopleMetric


def prediction(item: dict, keypoints: np.ndarray, scores=None) -> PoseDataSample:
    """What a model hands over for one image: people (N, K, 2) and their scores (N,)."""
    scores = np.ones(len(keypoints)) if scores is None else np.array(scores, float)
    boxes = np.concatenate([keypoints.min(1), keypoints.max(1)], 1)
    found = InstanceData(
        keypoints=keypoints, keypoint_scores=np.ones(keypoints.shape[:2]), bboxes=boxes, bbox_scores=scores
    )
    sample = PoseDataSample(
        metainfo=dict(
            id=item['id'], img_id=item['img_id'], ori_shape=item['ann_shape'], raw_ann_info=item['raw_ann_info']
        )
    )
    sample.pred_instances, sample.gt_instances = found, InstanceData()
    return sample


def run(metric: CocoPeopleMetric, items: CocoPeople, predict, batch: int = 2) -> dict:
    """What the metric says of ``predict(item) -> (keypoints, scores)`` on all images of a data set."""
    metric.dataset_meta = items.metainfo
    samples = [prediction(item, *predict(item)) for item in map(items.get_data_info, range(len(items)))]
    for start in range(0, len(samples), batch):
        metric.process({}, [sample.to_dict() for sample in samples[start : start + batch]])
    return metric.evaluate(len(samples))


def evaluate(items: CocoPeople, predict, batch: int = 2, **options) -> dict:
    """As ``run`` for a metric with these options; the figures without their prefix."""
    figures = run(CocoPeopleMetric(**options), items, predict, batch)
    return {name.split('/')[1]: value for name, value in figures.items()}


def truth(item: dict) -> tuple:
    """Everybody as annotated."""
    return item['keypoints'], None


def rows(items: CocoPeople, predict, category: int = 1) -> list:
    """The same predictions in COCO's format for results."""
    made = []
    for item in map(items.get_data_info, range(len(items))):
        keypoints, scores = predict(item)
        poses = np.concatenate([keypoints, np.ones_like(keypoints[..., :1])], -1).astype(float)
        scores = np.ones(len(poses)) if scores is None else scores
        made += [
            dict(image_id=item['img_id'], category_id=category, keypoints=pose.ravel().tolist(), score=float(score))
            for pose, score in zip(poses, scores)
        ]
    return made


def by_xthotcoco(data: dict, results: list, sigmas: list, iou_type: str = 'keypoints', use_area: bool = True) -> list:
    """The figures of an evaluation in Rust; as xtcocotools', in the order of MMPose's names."""
    xthotcoco = pytest.importorskip('xthotcoco')
    judge = xthotcoco.COCOeval(xthotcoco.COCO(ann_data=data), results, iou_type, sigmas, use_area)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter('ignore')  # that sigmas other than COCO's are no longer COCO's figures
        return list(judge.run())


def by_pycocotools(data: dict, results: list, sigmas: list, images=None) -> np.ndarray:
    """COCO's own ten figures; of some images only, if they are given."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = data
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(results), 'keypoints')
        judge.params.kpt_oks_sigmas = np.array(sigmas)
        if images is not None:
            judge.params.imgIds = images
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return judge.stats
