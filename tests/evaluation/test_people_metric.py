"""CocoPeopleMetric: the gaps of people's own files. AP by hand is in agreement/test_known_answers.py."""

import json
import math

import numpy as np
import pytest

from cid_mmpose.data import CocoPeople
from cid_mmpose.errors import BadInput
from cid_mmpose.evaluation import CocoPeopleMetric
from tests.helpers.evaluating import evaluate, truth
from tests.helpers.images import coco, data_set, person, shared, without, write_coco


def nobody(item: dict) -> tuple:
    return np.zeros((0, 17, 2)), None


def items_of(folder, people: list, images: int = 1, **options) -> CocoPeople:
    return data_set(write_coco(folder, coco(people, images, size=(200, 200), **options)), test_mode=True)


def crowd_of(number: int) -> list:
    """People in as many images, 60 x 60 px each (medium size for COCO)."""
    return [person(i, i, box=(20, 30, 60, 60)) for i in range(1, number + 1)]


def test_crowdpose_has_no_areas_and_takes_them_from_the_boxes():
    items = CocoPeople(
        ann_file=str(shared('mmpose_samples/crowdpose/test_crowdpose.json')),
        test_mode=True,
        metainfo=dict(from_file='configs/_base_/datasets/crowdpose.py'),
    )
    says = r"test_crowdpose.json: annotation \d+: field 'area' is missing; mend the file, or set use_area=F"
    with pytest.raises(BadInput, match=says):
        evaluate(items, truth)
    assert evaluate(items, truth, use_area=False)['AP'] == pytest.approx(1)


@pytest.mark.parametrize('category', [1, 7])
def test_any_category_id_gives_ap_1_for_the_annotations_themselves(tmp_path, category):
    people = [dict(p, category_id=category) for p in crowd_of(3)]
    categories = [dict(id=3, name='dog'), dict(id=category, name='person')] if category == 7 else [dict(id=1, name='x')]
    assert evaluate(items_of(tmp_path, people, 3, categories=categories), truth)['AP'] == pytest.approx(1)


def test_annotations_of_other_categories_need_no_keypoints(tmp_path):
    dog = without(person(9, category_id=3), 'keypoints', 'num_keypoints', 'iscrowd')
    categories = [dict(id=1, name='person'), dict(id=3, name='dog')]
    assert evaluate(items_of(tmp_path, [*crowd_of(2), dog], 2, categories=categories), truth)['AP'] == pytest.approx(1)


def test_annotations_of_other_categories_are_not_asked_for_though_they_have_keypoints(tmp_path):
    dog = person(9, category_id=3)  # evaluated too, it would have an AP of 0 and halve the mean
    categories = [dict(id=1, name='person'), dict(id=3, name='dog')]
    data = coco([*crowd_of(2), dog], 2, categories=categories, size=(200, 200))
    for image in data['images']:
        image['crowdIndex'] = 0.5
    items = data_set(write_coco(tmp_path, data), test_mode=True)
    assert evaluate(items, truth)['AP'] == pytest.approx(1)
    assert evaluate(items, truth, iou_type='keypoints_crowd')['AP(M)'] == pytest.approx(1)


def test_nobody_found_anywhere_is_ap_0_under_the_usual_names(tmp_path):
    data = coco(crowd_of(2), 2, size=(200, 200))
    for image in data['images']:
        image['crowdIndex'] = 0.1
    items = data_set(write_coco(tmp_path, data), test_mode=True)
    figures = evaluate(items, nobody)
    assert set(figures) == set(evaluate(items, truth)) and set(figures.values()) == {0.0}
    crowded = evaluate(items, nobody, iou_type='keypoints_crowd')
    assert list(crowded) == ['AP', 'AP .5', 'AP .75', 'AR', 'AR .5', 'AR .75', 'AP(E)', 'AP(M)', 'AP(H)']


def test_missing_counts_and_crowd_flags_are_filled(tmp_path):
    people = [without(p, 'iscrowd', 'num_keypoints') for p in crowd_of(2)]
    assert evaluate(items_of(tmp_path, people, 2), truth)['AP'] == pytest.approx(1)


def test_a_crowd_without_keypoints_or_box_is_not_asked_for(tmp_path):
    crowd = without(person(9, iscrowd=1), 'keypoints', 'bbox', 'num_keypoints')
    assert evaluate(items_of(tmp_path, [*crowd_of(2), crowd], 2), truth)['AP'] == pytest.approx(1)


@pytest.mark.parametrize(
    'bad',
    [dict(keypoints=[math.nan] * 51), dict(keypoints=[1, 1, 2] * 14), dict(keypoints=[]), dict(bbox=[20, 30, 0, 60])],
    ids=['not a number', '14 keypoints', 'no keypoints', 'no size'],
)
def test_people_whom_the_data_set_skips_are_not_asked_for(tmp_path, bad):
    path = write_coco(tmp_path, coco([*crowd_of(2), person(3, 1, **bad)], 2, size=(200, 200)))
    assert evaluate(data_set(path, test_mode=True, bad_annotations='skip'), truth)['AP'] == pytest.approx(1)


def test_a_missing_area_names_the_annotation_and_the_option(tmp_path):
    items = items_of(tmp_path, [person(1), without(person(2), 'area')])
    says = "people.json: annotation 2: field 'area' is missing; mend the file, or set use_area=False"
    with pytest.raises(BadInput, match=says):
        evaluate(items, truth)
    assert evaluate(items, truth, use_area=False)['AP'] > 0


@pytest.mark.parametrize(
    'area, says',
    [
        (0, '0, not above 0'),
        (-4, '-4, not above 0'),
        (math.nan, 'NaN, which is no number'),
        ('9', '"9", which is no number'),
        (1e-30, '1e-30, less than a pixel'),
        (1e30, r'1e\+30, more than 4 times its image'),
        (10**40, '10000.*, more than 4 times its image'),
        (math.inf, 'Infinity, more than 4 times its image'),
    ],
)
def test_an_area_by_which_nobody_or_everybody_matches_is_refused_but_not_for_a_crowd(tmp_path, area, says):
    items = items_of(tmp_path, [person(1), person(2, area=area)])
    line = f"people.json: annotation 2: field 'area' is {says}.*; mend the file, or set use"
    with pytest.raises(BadInput, match=line):
        evaluate(items, truth)
    crowd = person(2, area=area, iscrowd=1)
    assert evaluate(items_of(tmp_path, [person(1), crowd]), truth)['AP'] == pytest.approx(1)


def test_a_file_of_its_own_is_checked_and_used(tmp_path):
    items = items_of(tmp_path, crowd_of(2), 2)
    other = tmp_path / 'other.json'
    other.write_text(json.dumps(coco(crowd_of(1), 2)))
    assert evaluate(items, lambda item: truth(item), ann_file=str(other))['AP'] == pytest.approx(1)
    with pytest.raises(BadInput, match='gone.json: no such annotation file'):
        CocoPeopleMetric(ann_file=str(tmp_path / 'gone.json'))


def test_a_file_of_its_own_without_the_images_under_test_is_refused(tmp_path):
    items = items_of(tmp_path, crowd_of(3), 3)
    other = tmp_path / 'other.json'
    other.write_text(json.dumps(coco(crowd_of(2), 2)))
    with pytest.raises(BadInput, match="other.json: field 'images' has no id 3, .* leave ann_file of the metric out"):
        evaluate(items, truth, ann_file=str(other))


def test_a_file_of_its_own_with_other_keypoints_is_refused(tmp_path):
    items = items_of(tmp_path, crowd_of(2), 2)
    other = shared('annotations/crowdpose_val.json')
    with pytest.raises(BadInput, match='crowdpose_val.json: .* has 14 keypoints, the configuration 17; set ann_file'):
        evaluate(items, truth, ann_file=str(other))


@pytest.mark.parametrize('index', [None, 'high', math.nan])
def test_crowdpose_without_a_crowd_index_names_file_field_and_way_out(tmp_path, index):
    data = coco(crowd_of(3), 3, size=(200, 200))
    data['images'][0]['crowdIndex'] = 0.5
    if index is not None:
        data['images'][1]['crowdIndex'] = index
    items = data_set(write_coco(tmp_path, data), test_mode=True)
    with pytest.raises(BadInput) as caught:
        evaluate(items, truth, iou_type='keypoints_crowd')
    assert str(caught.value) == (
        f"{tmp_path / 'people.json'}: field 'crowdIndex' is missing from 2 of 3 images, first from image 2; AP(E), "
        "AP(M) and AP(H) need it: use the official CrowdPose file, or set iou_type='keypoints' of the metric to do "
        'without them'
    )


def test_a_file_without_annotations_names_what_to_set(tmp_path):
    data = coco([], 2)
    del data['annotations']
    items = data_set(write_coco(tmp_path, data), test_mode=True)
    with pytest.raises(BadInput, match="people.json: field 'annotations' is missing, .* or submission of the metric"):
        evaluate(items, truth)


def test_results_are_written_where_asked(tmp_path):
    evaluate(items_of(tmp_path, crowd_of(2), 2), truth, outfile_prefix=str(tmp_path / 'out'))
    written = json.loads((tmp_path / 'out.keypoints.json').read_text())
    assert [p['image_id'] for p in written] == [1, 2] and len(written[0]['keypoints']) == 51
