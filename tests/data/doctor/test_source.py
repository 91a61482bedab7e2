"""What the doctor finds in real files and in the files that a config names."""

import json
from collections import Counter
from pathlib import Path

import pytest

from cid_mmpose.data.doctor import config_sources, file_source, findings_of, images_against, open_cases
from cid_mmpose.errors import BadInput
from tests.helpers.broken import KEYPOINTS, diagnosis
from tests.helpers.images import coco, coco_mini, config, person, tiny_config, use_data, without, write_coco

PERSON = dict(id=1, name='person', keypoints=KEYPOINTS)


def counted_by_hand(data: dict) -> Counter:
    """What is found in a real file, counted in plain Python; areas as CrowdPose's, without looking at images."""
    images, found, seen = {p['id']: p for p in data['images']}, Counter(), set()
    for a in data['annotations']:
        image = images[a['image_id']]
        keypoints = [a['keypoints'][i : i + 3] for i in range(0, len(a['keypoints']), 3)]
        labelled = [(x, y) for x, y, v in keypoints if v > 0]
        found['area_estimated'] += 'area' not in a
        if not labelled or a['iscrowd']:
            found['rle_regions'] += isinstance(a.get('segmentation'), dict)
            found['no_region'] += not a.get('segmentation')
            continue
        found['keypoints_outside'] += any(
            not (0 <= x < image['width'] and 0 <= y < image['height']) for x, y in labelled
        )
        found['head_or_neck_only'] += a['num_keypoints'] == 0
        key = a['image_id'], tuple(a['keypoints'])
        found['same_person_twice'] += key in seen
        seen.add(key)
    return +found


REAL = {
    'annotations/crowdpose_val.json': (
        None,
        dict(area_estimated=8527, no_region=565, keypoints_outside=9, head_or_neck_only=888, same_person_twice=1),
    ),
    'coco_mini/annotations/person_keypoints_train2017.json': ('coco_mini/train2017', dict(rle_regions=5)),
    'coco_mini/annotations/person_keypoints_val2017.json': ('coco_mini/val2017', dict(rle_regions=1)),
    'mmpose_samples/coco/test_coco.json': ('mmpose_samples/coco', {}),
    'mmpose_samples/crowdpose/test_crowdpose.json': ('mmpose_samples/crowdpose', dict(area_estimated=5, no_region=1)),
    'mmpose_samples/ochuman/test_ochuman.json': ('mmpose_samples/ochuman', {}),
}


@pytest.mark.parametrize('name', REAL)
def test_the_findings_in_real_files_are_true(shared, name):
    folder, expected = REAL[name]
    path = shared / 'data' / name
    found = diagnosis(file_source(str(path), folder and str(shared / 'data' / folder)))
    assert {key: count for key, (count, _) in found.items()} == expected
    assert counted_by_hand(json.loads(path.read_text())) == Counter(expected)


def findings_in(cfg) -> list:
    """One dict a file of the config: finding -> how many."""
    return [
        {finding.name: len(found.entries) for finding, found in findings_of(case)}
        for case in open_cases(config_sources(cfg))
    ]


def test_a_config_names_each_file_once_with_all_its_roles(shared):
    sources = config_sources(coco_mini(config()))
    assert [source.roles for source in sources] == [('train',), ('val',), ('test',)]
    train, val, test = sources
    assert val.path == 'data/coco/annotations/person_keypoints_val2017.json'
    assert test.path.endswith('coco_mini/annotations/person_keypoints_val2017.json')
    assert train.names[:2] == ('nose', 'left_eye') and train.flip_indices[:3] == (0, 2, 1)
    assert (train.needs_area, test.needs_area, test.needs_crowd_index) == (False, True, False)
    assert train.model_keypoints == 17
    assert [s.roles for s in config_sources(config())] == [('train',), ('val', 'test')]


@pytest.fixture
def small(tmp_path):
    """A config whose train file and evaluation file are in one folder, with images of their own."""
    for name, first in (('train', 0), ('val', 10)):
        data = coco([person(1), person(2, image=2)], images=2, categories=[PERSON])
        for image in data['images']:
            image['file_name'] = f'{image["id"] + first}.png'
            image['id'] += first
        for annotation in data['annotations']:
            annotation['image_id'] += first
        write_coco(tmp_path, data).rename(tmp_path / f'{name}.json')
    cfg = use_data(tiny_config(), tmp_path, ('train.json', ''), ('val.json', ''))
    cfg.val_dataloader = cfg.test_dataloader
    return cfg


def test_a_config_with_clean_files_gives_nothing(small):
    assert findings_in(small) == [{}, {}]


def test_a_head_with_maps_for_other_keypoints_is_found(small):
    small.model.head.num_keypoints = 14
    assert findings_in(small) == [{'model_keypoints': 17}, {'model_keypoints': 17}]


def test_a_config_of_other_keypoints_than_the_file_is_found(small):
    small.train_dataloader.dataset.metainfo = dict(from_file='configs/_base_/datasets/crowdpose.py')
    found, _ = findings_in(small)
    # nose, eyes and ears are not CrowdPose's; the other twelve have another number there
    assert found == dict(model_keypoints=14, keypoint_order=12, keypoints_count=2, nobody_labelled=2)


def test_partners_of_the_config_that_swap_nothing_are_found(small):
    info = {i: dict(name=name, swap='') for i, name in enumerate(KEYPOINTS)}
    meta = dict(dataset_name='mine', keypoint_info=info, skeleton_info={}, joint_weights=[1] * 17, sigmas=[0.1] * 17)
    small.train_dataloader.dataset.metainfo = meta
    assert findings_in(small) == [{'flip_pairs': 16}, {}]
    small.train_dataloader.dataset.metainfo.keypoint_info[0].swap = 'left_nose'
    with pytest.raises(BadInput, match="metainfo of cid_mmpose.CocoPeople cannot be used .*'left_nose'"):
        config_sources(small)


def test_images_of_the_evaluation_in_training_are_found_by_content_and_by_path(small, tmp_path):
    (tmp_path / '2.png').write_bytes((tmp_path / '11.png').read_bytes())
    assert findings_in(small) == [{'leak': 1}, {}]
    small.test_dataloader.dataset.ann_file = small.val_dataloader.dataset.ann_file = 'train.json'
    assert findings_in(small) == [{'leak': 2}]


def test_the_evaluation_sets_of_another_config_can_be_kept_apart(small, tmp_path):
    assert sorted(Path(path).name for path in images_against([], [small])) == ['11.png', '12.png']
    with pytest.raises(BadInput, match='nowhere: no such folder; name the one that holds the images'):
        images_against([str(tmp_path / 'nowhere')], [])


def test_areas_and_crowd_index_are_asked_for_where_the_config_evaluates_with_them(small, tmp_path):
    for name in ('train', 'val'):
        data = json.loads((tmp_path / f'{name}.json').read_text())
        data['annotations'] = [without(a, 'area') for a in data['annotations']]
        (tmp_path / f'{name}.json').write_text(json.dumps(data))
    assert findings_in(small) == [{'area_estimated': 2}, {'area_missing': 2}]
    metric = dict(type='cid_mmpose.CocoPeopleMetric', iou_type='keypoints_crowd', use_area=False)
    small.val_evaluator = small.test_evaluator = metric
    assert findings_in(small) == [{'area_estimated': 2}, {'area_estimated': 2, 'crowd_index_missing': 2}]


def test_a_file_of_images_alone_is_examined_where_the_config_only_tests_on_it(small, tmp_path):
    data = json.loads((tmp_path / 'val.json').read_text())
    (tmp_path / 'test-dev.json').write_text(json.dumps(dict(images=data['images'])))
    (tmp_path / '12.png').unlink()
    small.test_dataloader.dataset = dict(small.test_dataloader.dataset, ann_file='test-dev.json')
    assert findings_in(small) == [{}, {'image_missing': 1}, {'image_missing': 1}]


def test_a_config_without_annotation_files_is_refused():
    with pytest.raises(BadInput, match='synthcrowd.py: its data sets name no annotation file'):
        config_sources(config('cid_hrnet-w16-small_synthcrowd.py'))


@pytest.mark.parametrize('sample, decoded', [(None, 3), (2, 2), (0, 0)])
def test_a_sample_of_the_images_is_decoded_and_all_are_looked_for(tmp_path, sample, decoded):
    path = write_coco(tmp_path, coco([person(1), person(2, image=2)], images=3))
    (case,) = open_cases([file_source(str(path), str(tmp_path))], sample=sample)
    assert [sum(getattr(look, field) for look in case.looks.values()) for field in ('present', 'decoded')] == [
        3,
        decoded,
    ]
