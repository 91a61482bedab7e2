"""COCO's AP through MMPose's metric, for people of any category id and for pictures where nobody is found."""
from typing import Dict, Optional, Sequence

from mmengine.logging import print_log
from mmpose.evaluation.metrics import CocoMetric

from cid_mmpose.datasets.annotations import labelled_joints, person_category, read_annotations
from cid_mmpose.errors import BadInput
from cid_mmpose.registry import METRICS

PERSON = 1  # category id where no annotation file says otherwise


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
        CocoMetric.dataset_meta.fset(self, dataset_meta)
        for annotation in self.coco.anns.values() if self.coco else ():
            annotation.setdefault('iscrowd', 0)
            annotation.setdefault('num_keypoints', labelled_joints(annotation))
            if self.use_area and 'area' not in annotation:
                raise BadInput(f"{self._source}: annotation {annotation['id']}: field 'area' is missing; "
                               'set use_area=False of the metric to estimate it from the box')

    @property
    def _source(self) -> str:
        return self.ann_file or 'annotation file of the test data set'

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
        return {name: 0.0 for name in ('AP', 'AP .5', 'AP .75', 'AP (M)', 'AP (L)', 'AR')}
