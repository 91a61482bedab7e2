"""COCO's AP through MMPose's metric, for people of any category id and for pictures where nobody is found."""
from typing import Dict, Optional, Sequence

from mmengine.logging import MessageHub, print_log
from mmpose.evaluation.metrics import CocoMetric

from cid_mmpose.datasets.annotations import labelled_joints, person_category, problem_of, read_annotations
from cid_mmpose.errors import BadInput
from cid_mmpose.registry import METRICS

PERSON = 1  # category id where no annotation file says otherwise
STATS = {  # names of MMPose's metric
    'keypoints': ('AP', 'AP .5', 'AP .75', 'AP (M)', 'AP (L)', 'AR', 'AR .5', 'AR .75', 'AR (M)', 'AR (L)'),
    'keypoints_crowd': ('AP', 'AP .5', 'AP .75', 'AR', 'AR .5', 'AR .75', 'AP(E)', 'AP(M)', 'AP(H)'),
}


@METRICS.register_module()
class CocoPeopleMetric(CocoMetric):
    """MMPose's ``CocoMetric`` with what people's own data need.

    Predictions get the category id of the annotated people (MMPose gives them 1, and AP 0 where the file says
    otherwise); a run that finds nobody anywhere has AP 0 (MMPose stops); missing counts of labelled joints are filled.
    ``CIDHead`` scores people and drops duplicates itself, so neither is done again here.

    Args:
        ann_file: annotation file; by default the one of the test data set.
        use_area: take 'area' from the file; False estimates it from the box (CrowdPose).
        Others as MMPose's metric.

    Raises:
        BadInput: the file cannot be read, or has no 'area' although ``use_area``.
    """

    def __init__(self, *, ann_file: Optional[str] = None, score_mode: str = 'bbox', nms_mode: str = 'none',
                 **kwargs) -> None:
        if ann_file is not None:
            read_annotations(ann_file)
        super().__init__(ann_file=ann_file, score_mode=score_mode, nms_mode=nms_mode, **kwargs)

    @property
    def dataset_meta(self) -> Optional[dict]:
        """Meta information of the data set under test; setting it also prepares the annotations."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict) -> None:
        num_keypoints = dataset_meta['num_keypoints']  # of the file; a ``gt_converter`` changes what the meta says
        CocoMetric.dataset_meta.fset(self, dataset_meta)
        for annotation in self.coco.anns.values() if self.coco else ():
            self._complete(annotation, num_keypoints)

    def _complete(self, annotation: dict, num_keypoints: int) -> None:
        """Adds what COCO's evaluation reads and the file lacks, so that a crowd, or a person whom the data set left
        out (``bad_annotations='skip'``), is not asked for."""
        annotation.setdefault('iscrowd', 0)
        if problem_of(annotation, num_keypoints) or 'keypoints' not in annotation:
            annotation.update(keypoints=[0] * 3 * num_keypoints, num_keypoints=0)
        annotation.setdefault('bbox', [0, 0, 0, 0])
        annotation.setdefault('num_keypoints', labelled_joints(annotation))
        if self.use_area and 'area' not in annotation:
            raise BadInput(f"{self._source}: annotation {annotation['id']}: field 'area' is missing; "
                           'set use_area=False of the metric to estimate it from the box')

    @property
    def _source(self) -> str:
        """The annotation file; the data set under test leaves the name of its own with mmengine."""
        name = f"{self.dataset_meta['dataset_name']}_ann_file"
        return self.ann_file or MessageHub.get_current_instance().get_info(name)

    def process(self, data_batch: Sequence[dict], data_samples: Sequence[dict]) -> None:
        """As MMPose's, with the category id of the annotated people."""
        category = PERSON
        if self.coco is not None:
            category = person_category(self.coco.loadCats(self.coco.getCatIds()), self._source)
        super().process(data_batch, [dict(sample, category_id=category) for sample in data_samples])

    def compute_metrics(self, results: list) -> Dict[str, float]:
        """As MMPose's; zeros where no picture has a person in the predictions."""
        if self.format_only or any(len(prediction['keypoints']) for prediction, _ in results):
            return super().compute_metrics(results)
        print_log('Nobody was found in any picture: AP is 0', 'current', 30)
        return dict.fromkeys(STATS[self.iou_type], 0.0)
