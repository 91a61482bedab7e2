"""CocoPeople: which images and people of an annotation file become items, and what an item holds."""

import json
import math

import numpy as np
import pytest
from mmengine.logging import MMLogger

from cid_mmpose.data import CocoPeople
from cid_mmpose.errors import BadInput
from tests.helpers.images import coco, data_set, person, shared, without, write_coco

NOBODY_LABELLED = person(keypoints=[0] * 51, num_keypoints=0)
REAL_FILES = [
    ('coco_mini/annotations/person_keypoints_train2017.json', 'coco'),
    ('coco_mini/annotations/person_keypoints_val2017.json', 'coco'),
    ('mmpose_samples/coco/test_coco.json', 'coco'),
    ('mmpose_samples/crowdpose/test_crowdpose.json', 'crowdpose'),
    ('mmpose_samples/ochuman/test_ochuman.json', 'ochuman'),
    pytest.param('annotations/crowdpose_val.json', 'crowdpose', marks=pytest.mark.slow),
]


def real(path: str, keypoints: str, **options) -> CocoPeople:
    return CocoPeople(
        ann_file=str(shared(path)), metainfo=dict(from_file=f'configs/_base_/datasets/{keypoints}.py'), **options
    )


def test_an_item_holds_pixels_corners_and_visibility_of_each_person(tmp_path):
    keypoints = [3, 4, 1] + [5, 6, 2] + [0, 0, 0] * 15
    items = data_set(write_coco(tmp_path, coco([person(8, box=(10, 5, 20, 30), keypoints=keypoints)])))
    item = items.get_data_info(0)
    assert item['keypoints'].shape == (1, 17, 2) and item['keypoints'][0, :2].tolist() == [[3, 4], [5, 6]]
    assert item['keypoints_visible'][0].tolist() == [1, 1] + [0] * 15
    assert item['bbox'].tolist() == [[10, 5, 30, 35]]
    assert item['id'] == [8] and item['ann_shape'] == (48, 64) and item['invalid_segs'] == []
    assert item['img_path'] == str(tmp_path / '1.png')


def test_training_takes_images_with_a_labelled_person_and_testing_takes_all(tmp_path):
    people = [person(1, 1), person(2, 2, iscrowd=1), {**NOBODY_LABELLED, 'id': 3, 'image_id': 3}]
    path = write_coco(tmp_path, coco(people, images=4))
    assert [item['img_id'] for item in map(data_set(path).get_data_info, range(1))] == [1]
    assert len(data_set(path)) == 1
    testing = data_set(path, test_mode=True)
    assert len(testing) == 4
    assert [len(testing.get_data_info(i)['keypoints']) for i in range(4)] == [1, 0, 0, 0]
    assert testing.get_data_info(3)['keypoints'].shape == (0, 17, 2)


def test_training_may_take_every_image_with_an_annotation_as_mmpose_does(tmp_path):
    people = [person(1, 1), person(2, 2, iscrowd=1), {**NOBODY_LABELLED, 'id': 3, 'image_id': 3}]
    items = data_set(write_coco(tmp_path, coco(people, images=4)), recipe='mmpose')
    assert [items.get_data_info(i)['img_id'] for i in range(len(items))] == [1, 2, 3]
    assert len(data_set(tmp_path / 'people.json', recipe='mmpose', train_images='labelled')) == 1


def test_a_stale_count_of_keypoints_does_not_hide_a_person(tmp_path):
    path = write_coco(tmp_path, coco([person(num_keypoints=0), without(person(2), 'num_keypoints', 'area', 'iscrowd')]))
    assert data_set(path).get_data_info(0)['id'] == [1, 2]


def test_crowds_and_people_without_labels_leave_their_regions(tmp_path):
    crowd = dict(size=[48, 64], counts=[0, 3072])
    people = [person(1), person(2, iscrowd=1, segmentation=crowd), {**NOBODY_LABELLED, 'id': 3}]
    item = data_set(write_coco(tmp_path, coco(people))).get_data_info(0)
    assert item['id'] == [1]
    assert item['invalid_segs'] == [crowd, NOBODY_LABELLED['segmentation']]


def test_people_may_have_any_category_id_and_other_categories_are_no_people(tmp_path):
    dog = without(person(2, category_id=3), 'keypoints')
    categories = [dict(id=3, name='dog'), dict(id=7, name='person')]
    item = data_set(write_coco(tmp_path, coco([person(1, category_id=7), dog], categories=categories))).get_data_info(0)
    assert item['id'] == [1] and item['invalid_segs'] == []


BAD = [
    person(2, bbox=[10, 5, 0, 30]),
    person(2, keypoints=[math.nan] * 51),
    person(2, keypoints=[1, 1, 2] * 14),
    without(person(2), 'keypoints'),
    without(person(2), 'bbox'),
]


@pytest.mark.parametrize('bad', BAD, ids=['no size', 'not a number', '14 keypoints', 'no keypoints', 'no box'])
def test_a_bad_annotation_stops_unless_told_to_skip_it_and_then_keeps_its_region(tmp_path, bad):
    path = write_coco(tmp_path, coco([person(1), bad]))
    with pytest.raises(BadInput, match="people.json: annotation 2: field '(bbox|keypoints)'"):
        data_set(path)
    item = data_set(path, bad_annotations='skip').get_data_info(0)
    assert item['id'] == [1]
    assert item['invalid_segs'] == [bad['segmentation']]


def test_skipping_is_counted_in_the_log(tmp_path):
    log, lines = MMLogger.get_current_instance(), []
    log.addFilter(keep := lambda record: lines.append(record.getMessage()) or True)
    data_set(
        write_coco(tmp_path, coco([person(1), *(dict(bad, id=i + 2) for i, bad in enumerate(BAD))])),
        bad_annotations='skip',
    )
    log.removeFilter(keep)
    path = tmp_path / 'people.json'
    assert lines == [
        f"{path}: annotation 2: field 'bbox' has no size (0 x 30 pixels) (5 such of 6); left out",
        f'{path}: images 1, labelled people 1',
    ]


def test_whatever_is_left_out_is_counted_in_the_log(tmp_path):
    log, lines = MMLogger.get_current_instance(), []
    people = [person(1, 1), person(2, 2, iscrowd=1), {**NOBODY_LABELLED, 'id': 3}, person(4, 1, category_id=2)]
    categories = [dict(id=1, name='person'), dict(id=2, name='dog')]
    log.addFilter(keep := lambda record: lines.append(record.getMessage()) or True)
    data_set(write_coco(tmp_path, coco(people, images=3, categories=categories)))
    log.removeFilter(keep)
    assert lines == [
        f'{tmp_path / "people.json"}: images 1, labelled people 1; left out: crowds 1, people without '
        'labelled keypoints 1, annotations of other categories 1, images without a labelled person 2'
    ]


@pytest.mark.parametrize('area', ['big', math.nan, -1, 0])
def test_training_says_of_which_people_an_evaluation_would_refuse_the_area(tmp_path, area, monkeypatch):
    lines = []
    monkeypatch.setattr(MMLogger.get_current_instance(), 'warning', lambda text, *args: lines.append(text % args))
    people = [person(1), person(2, area=area), without(person(3), 'area')]
    assert len(data_set(write_coco(tmp_path, coco(people)))[0]['id']) == 3
    assert len(lines) == 1 and lines[0].startswith(f"{tmp_path / 'people.json'}: annotation 2: field 'area' is ")
    assert lines[0].endswith('(1 such of 3); training does not need areas, an evaluation on this file would stop here')


def test_a_person_of_no_image_is_skipped_with_the_others(tmp_path):
    path = write_coco(tmp_path, coco([person(1), person(2, image=99)]))
    with pytest.raises(BadInput, match="annotation 2: field 'image_id'"):
        data_set(path)
    assert data_set(path, bad_annotations='skip').get_data_info(0)['id'] == [1]


@pytest.mark.parametrize(
    'people, images, testing, says',
    [
        ([NOBODY_LABELLED], 1, False, 'holds no image with a labelled person; set ann_file'),
        ([], 1, False, 'holds no image with a labelled person; set ann_file'),
        ([], 0, True, 'holds no image; set ann_file'),
    ],
)
def test_a_file_with_nothing_to_do_is_refused(tmp_path, people, images, testing, says):
    with pytest.raises(BadInput, match=f'people.json: {says}'):
        data_set(write_coco(tmp_path, coco(people, images)), test_mode=testing)


def test_an_unknown_option_is_refused():
    with pytest.raises(ValueError, match="bad_annotations must be one of .*'drop'"):
        CocoPeople(ann_file='people.json', bad_annotations='drop')


@pytest.mark.parametrize('path, keypoints', REAL_FILES)
def test_real_files_give_the_people_counted_from_their_json(path, keypoints):
    data = json.loads(shared(path).read_text())
    labelled = [a for a in data['annotations'] if any(v > 0 for v in a['keypoints'][2::3]) and not a['iscrowd']]
    training, testing = real(path, keypoints), real(path, keypoints, test_mode=True)
    assert len(training) == len({a['image_id'] for a in labelled})
    assert len(testing) == len(data['images'])
    for items in (training, testing):
        assert sum(len(items.get_data_info(i)['id']) for i in range(len(items))) == len(labelled)


def test_coco_mini_trains_on_28_of_30_images_and_no_box_leaves_them():
    items = real(*REAL_FILES[0])
    assert len(items) == 28
    for item in map(items.get_data_info, range(28)):
        height, width = item['ann_shape']
        assert (item['bbox'] >= 0).all() and (item['bbox'] <= np.array([width, height] * 2) + 0.01).all()
        assert (item['bbox'][:, 2:] > item['bbox'][:, :2]).all()
