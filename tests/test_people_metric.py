"""CocoPeopleMetric: COCO's AP where it can be worked out by hand, and the gaps of people's own files."""
import json
import math

import numpy as np
import pytest
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from pictures import coco, data_set, person, shared, without, write_coco

from cid_mmpose.datasets import CocoPeople
from cid_mmpose.errors import BadInput
from cid_mmpose.evaluation import CocoPeopleMetric

FAR = 1000  # px, a prediction so far off is wrong


def prediction(item: dict, keypoints: np.ndarray, scores=None) -> PoseDataSample:
    """What a model hands over for one picture: people (N, 17, 2) and their scores."""
    scores = np.ones(len(keypoints)) if scores is None else np.array(scores, float)
    boxes = np.concatenate([keypoints.min(1), keypoints.max(1)], 1)
    found = InstanceData(keypoints=keypoints, keypoint_scores=np.ones(keypoints.shape[:2]), bboxes=boxes,
                         bbox_scores=scores)
    sample = PoseDataSample(metainfo=dict(id=item['id'], img_id=item['img_id'], ori_shape=item['ann_shape'],
                                          raw_ann_info=item['raw_ann_info']))
    sample.pred_instances, sample.gt_instances = found, InstanceData()
    return sample


def evaluate(items: CocoPeople, predict, batch: int = 2, **options) -> dict:
    """The figures for ``predict(item) -> (keypoints, scores)`` on all pictures of a data set."""
    metric = CocoPeopleMetric(**options)
    metric.dataset_meta = items.metainfo
    samples = [prediction(item, *predict(item)) for item in map(items.get_data_info, range(len(items)))]
    for start in range(0, len(samples), batch):
        metric.process({}, [sample.to_dict() for sample in samples[start:start + batch]])
    return {name.split('/')[1]: value for name, value in metric.evaluate(len(samples)).items()}


def truth(item: dict) -> tuple:
    return item['keypoints'], None


def nobody(item: dict) -> tuple:
    return np.zeros((0, 17, 2)), None


def items_of(folder, people: list, pictures: int = 1, **options) -> CocoPeople:
    return data_set(write_coco(folder, coco(people, pictures, size=(200, 200), **options)), test_mode=True)


def crowd_of(number: int) -> list:
    """People in as many pictures, 60 x 60 px each (medium size for COCO)."""
    return [person(i, i, box=(20, 30, 60, 60)) for i in range(1, number + 1)]


@pytest.mark.parametrize('path', ['coco_mini/annotations/person_keypoints_val2017.json',
                                  'mmpose_samples/ochuman/test_ochuman.json'])
@pytest.mark.parametrize('batch', [1, 4])
def test_the_annotations_of_real_people_as_predictions_give_ap_1(path, batch):
    figures = evaluate(CocoPeople(ann_file=str(shared(path)), test_mode=True), truth, batch)
    assert figures['AP'] == pytest.approx(1) and figures['AR'] == pytest.approx(1)


def test_crowdpose_has_no_areas_and_takes_them_from_the_boxes():
    items = CocoPeople(ann_file=str(shared('mmpose_samples/crowdpose/test_crowdpose.json')), test_mode=True,
                       metainfo=dict(from_file='configs/_base_/datasets/crowdpose.py'))
    with pytest.raises(BadInput, match=r"test_crowdpose.json: annotation \d+: field 'area' is missing; set use_area=F"):
        evaluate(items, truth)
    assert evaluate(items, truth, use_area=False)['AP'] == pytest.approx(1)


def test_half_of_the_people_found_gives_recall_half_and_ap_51_of_101(tmp_path):
    def first_two(item):
        return truth(item) if item['img_id'] < 3 else nobody(item)

    figures = evaluate(items_of(tmp_path, crowd_of(4), 4), first_two)
    assert figures['AR'] == pytest.approx(0.5)
    assert figures['AP'] == pytest.approx(51 / 101)  # precision 1 at the recalls 0, 0.01 ... 0.5


def test_a_wrong_person_of_higher_score_halves_the_precision(tmp_path):
    def wrong_first(item):
        return np.concatenate([item['keypoints'] + FAR, item['keypoints']]), [0.9, 0.3]

    def right_first(item):
        return np.concatenate([item['keypoints'] + FAR, item['keypoints']]), [0.3, 0.9]

    items = items_of(tmp_path, crowd_of(1))
    assert evaluate(items, wrong_first)['AP'] == pytest.approx(0.5)
    assert evaluate(items, right_first)['AP'] == pytest.approx(1)


@pytest.mark.parametrize('category', [1, 7])
def test_any_category_id_gives_ap_1_for_the_annotations_themselves(tmp_path, category):
    people = [dict(p, category_id=category) for p in crowd_of(3)]
    categories = [dict(id=3, name='dog'), dict(id=category, name='person')] if category == 7 else [dict(id=1, name='x')]
    assert evaluate(items_of(tmp_path, people, 3, categories=categories), truth)['AP'] == pytest.approx(1)


def test_annotations_of_other_categories_need_no_joints(tmp_path):
    dog = without(person(9, category_id=3), 'keypoints', 'num_keypoints', 'iscrowd')
    categories = [dict(id=1, name='person'), dict(id=3, name='dog')]
    assert evaluate(items_of(tmp_path, [*crowd_of(2), dog], 2, categories=categories), truth)['AP'] == pytest.approx(1)


def test_nobody_found_anywhere_is_ap_0_under_the_usual_names(tmp_path):
    items = items_of(tmp_path, crowd_of(2), 2)
    figures = evaluate(items, nobody)
    assert set(figures) == set(evaluate(items, truth)) and set(figures.values()) == {0.0}
    crowded = evaluate(items, nobody, iou_type='keypoints_crowd')
    assert list(crowded) == ['AP', 'AP .5', 'AP .75', 'AR', 'AR .5', 'AR .75', 'AP(E)', 'AP(M)', 'AP(H)']


def test_missing_counts_and_crowd_flags_are_filled(tmp_path):
    people = [without(p, 'iscrowd', 'num_keypoints') for p in crowd_of(2)]
    assert evaluate(items_of(tmp_path, people, 2), truth)['AP'] == pytest.approx(1)


def test_a_crowd_without_joints_or_box_is_not_asked_for(tmp_path):
    crowd = without(person(9, iscrowd=1), 'keypoints', 'bbox', 'num_keypoints')
    assert evaluate(items_of(tmp_path, [*crowd_of(2), crowd], 2), truth)['AP'] == pytest.approx(1)


@pytest.mark.parametrize('bad', [dict(keypoints=[math.nan] * 51), dict(keypoints=[1, 1, 2] * 14), dict(keypoints=[]),
                                 dict(bbox=[20, 30, 0, 60])], ids=['not a number', '14 joints', 'no joints', 'no size'])
def test_people_whom_the_data_set_skips_are_not_asked_for(tmp_path, bad):
    path = write_coco(tmp_path, coco([*crowd_of(2), person(3, 1, **bad)], 2, size=(200, 200)))
    assert evaluate(data_set(path, test_mode=True, bad_annotations='skip'), truth)['AP'] == pytest.approx(1)


def test_a_missing_area_names_the_annotation_and_the_option(tmp_path):
    items = items_of(tmp_path, [person(1), without(person(2), 'area')])
    with pytest.raises(BadInput, match="people.json: annotation 2: field 'area' is missing; set use_area=False"):
        evaluate(items, truth)
    assert evaluate(items, truth, use_area=False)['AP'] > 0


def test_a_file_of_its_own_is_checked_and_used(tmp_path):
    items = items_of(tmp_path, crowd_of(2), 2)
    other = tmp_path / 'other.json'
    other.write_text(json.dumps(coco(crowd_of(1), 2)))
    assert evaluate(items, lambda item: truth(item), ann_file=str(other))['AP'] == pytest.approx(1)
    with pytest.raises(BadInput, match='gone.json: no such annotation file'):
        CocoPeopleMetric(ann_file=str(tmp_path / 'gone.json'))


def test_results_are_written_where_asked(tmp_path):
    evaluate(items_of(tmp_path, crowd_of(2), 2), truth, outfile_prefix=str(tmp_path / 'out'))
    written = json.loads((tmp_path / 'out.keypoints.json').read_text())
    assert [p['image_id'] for p in written] == [1, 2] and len(written[0]['keypoints']) == 51
