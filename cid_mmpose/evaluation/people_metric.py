"""COCO's AP through MMPose's metric, for people of any category id and for images where nobody is found."""

import logging
import os.path as osp
from collections.abc import Sequence

from mmengine.logging import MessageHub, print_log
from mmpose.evaluation.metrics import CocoMetric

from cid_mmpose.data.annotations import keypoint_names, read_annotations
from cid_mmpose.errors import BadInput
from cid_mmpose.registry import METRICS

from .finite import check_prediction
from .ground_truth import prepare
from .submission import check_keypoint_count, check_submission, submission_rows, write_submission

PERSON = 1  # category id where no annotation file says otherwise
STATS = {  # names of MMPose's metric
    'keypoints': ('AP', 'AP .5', 'AP .75', 'AP (M)', 'AP (L)', 'AR', 'AR .5', 'AR .75', 'AR (M)', 'AR (L)'),
    'keypoints_crowd': ('AP', 'AP .5', 'AP .75', 'AR', 'AR .5', 'AR .75', 'AP(E)', 'AP(M)', 'AP(H)'),
}


@METRICS.register_module()
class CocoPeopleMetric(CocoMetric):
    """MMPose's ``CocoMetric`` with what people's own data need.

    Predictions get the category id of the annotated people (MMPose gives them 1, and AP 0 where the file says
    otherwise); other categories are left out of the mean; a run that finds nobody anywhere has AP 0 (MMPose stops);
    missing counts of labelled keypoints are filled. ``CIDHead`` scores people and drops duplicates itself, so neither
    is done again here. Which settings give the published figures of COCO, CrowdPose and OCHuman: docs/evaluation.md.

    Several processes hand their results to the first one through torch, not by files in the current folder, unless
    ``collect_device='cpu'`` asks for files.

    Args:
        ann_file: annotation file; by default the one of the test data set.
        submission: path of a zip for COCO's evaluation server, named
            person_keypoints_test-dev2017_NAME_results.zip. With it that file is written, annotations are not used
            and no figure is computed.
        use_area: take 'area' from the file; False estimates it from the box (CrowdPose).
        score_mode: how MMPose's metric scores people; 'bbox' keeps the scores of ``CIDHead``.
        nms_mode: how MMPose's metric drops duplicates; 'none' keeps the people of ``CIDHead``.
        **kwargs: as MMPose's metric.

    Raises:
        BadInput: the annotation file cannot be read, holds other keypoints or images than the data set under test, has
            no 'area' although ``use_area``, or no 'crowdIndex' although ``iou_type`` is 'keypoints_crowd'; the
            submission cannot be written, or is of other keypoints than COCO's 17; a prediction is NaN or infinite.
    """

    def __init__(
        self,
        *,
        ann_file: str | None = None,
        submission: str | None = None,
        score_mode: str = 'bbox',
        nms_mode: str = 'none',
        **kwargs,
    ) -> None:
        if submission is not None:
            check_submission(submission)
            ann_file = None
            kwargs.update(format_only=True, outfile_prefix=submission)
        if ann_file is not None:
            read_annotations(ann_file)
        kwargs.setdefault('collect_device', 'gpu')  # mmengine's word for torch's own exchange, on any device
        self.submission = submission
        self.category = PERSON
        super().__init__(ann_file=ann_file, score_mode=score_mode, nms_mode=nms_mode, **kwargs)

    @property
    def dataset_meta(self) -> dict | None:
        """Meta information of the data set under test; setting it also prepares the annotations."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict) -> None:
        names = keypoint_names(dataset_meta)  # of the file; a ``gt_converter`` changes what the meta says
        CocoMetric.dataset_meta.fset(self, dataset_meta)
        if self.submission is not None:
            check_keypoint_count(self.submission, len(names))
        elif self.coco is not None:
            crowd = self.iou_type == 'keypoints_crowd'
            self.category = prepare(self.coco, self._source, names, use_area=self.use_area, crowd=crowd)

    @property
    def _source(self) -> str:
        """The annotation file; the data set under test leaves the name of its own with mmengine."""
        if self.ann_file:
            return self.ann_file

        name = f'{self._dataset_meta["dataset_name"]}_ann_file'
        hub = MessageHub.get_current_instance()
        return hub.get_info(name)

    def process(self, data_batch: Sequence[dict], data_samples: Sequence[dict]) -> None:
        """As MMPose's, with the category id of the annotated people."""
        for sample in data_samples:
            if self.coco is not None and sample['img_id'] not in self.coco.imgs:
                raise BadInput(
                    f"{self._source}: field 'images' has no id {sample['img_id']}, which is an image of "
                    'the data set under test; leave ann_file of the metric out, to take that of the data '
                    'set'
                )
            check_prediction(sample['pred_instances'], sample['img_id'])

        with_category = [dict(sample, category_id=self.category) for sample in data_samples]
        super().process(data_batch, with_category)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """As MMPose's; zeros where no image has a person in the predictions, nothing for a submission."""
        found = any(len(prediction['keypoints']) for prediction, _ in results)
        if not found:
            print_log('Nobody was found in any image', 'current', logging.WARNING)
        if found or self.format_only:
            return super().compute_metrics(results)
        return dict.fromkeys(STATS[self.iou_type], 0.0)

    def results2json(self, keypoints: dict[int, list], outfile_prefix: str) -> None:
        """Writes the people found: the submission, or the file that MMPose evaluates.

        Args:
            keypoints: image id -> people.
            outfile_prefix: the file's name less its ending, for MMPose's.
        """
        if self.submission is None:
            super().results2json(keypoints, outfile_prefix)
        else:
            number = write_submission(self.submission, submission_rows(keypoints))
            print_log(f'{number} people written to {osp.abspath(self.submission)}', 'current')
