"""SynthCrowd as a data set: what MMPose's loaders, transforms and metrics get from it."""

import json
import runpy
import sys

import cv2
import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmpose.datasets import CocoDataset
from mmpose.datasets.transforms import PackPoseInputs
from mmpose.evaluation import CocoMetric
from mmpose.registry import DATASETS
from torch.utils.data import DataLoader

from cid_mmpose.data import SynthCrowd
from cid_mmpose.data.synth.export import export_coco
from cid_mmpose.errors import BadInput
from tests.helpers.images import ROOT

SMALL = dict(length=12, image_size=(160, 128), people=(0, 4), person_height=(0.5, 0.9))
GOLDEN_PEOPLE = [5, 3, 5]  # in images 0, 1, 2 of seed 0 with the default options
GOLDEN_NOSES = [[456.1874, 108.0536, 2], [335.8848, 144.2115, 2], [477.8671, 80.362, 2]]  # of the farthest person
META_KEYS = ('id', 'img_id', 'img_path', 'crowd_index', 'ori_shape', 'img_shape', 'raw_ann_info')


@pytest.fixture(scope='module')
def crowd():
    return SynthCrowd(**SMALL)


def test_a_config_finds_it_by_its_scope():
    init_default_scope('mmpose')
    dataset = DATASETS.build(dict(type='cid_mmpose.SynthCrowd', **SMALL))
    assert isinstance(dataset, SynthCrowd) and len(dataset) == 12
    assert dataset.metainfo['dataset_name'] == 'synth_crowd' and dataset.metainfo['num_keypoints'] == 17


def test_an_image_is_the_same_from_two_instances_in_any_order(crowd):
    other = SynthCrowd(**SMALL)
    backwards = [other[index]['img'] for index in reversed(range(12))][::-1]
    np.random.seed(1)  # the global state must not matter
    assert all(np.array_equal(crowd[index]['img'], image) for index, image in enumerate(backwards))


def image_and_keypoints(item: dict) -> tuple:
    """A step of a pipeline, which a worker that is not forked (from Python 3.14 on) can import."""
    return item['img'], item['keypoints']


def test_an_image_is_the_same_in_a_loader_worker(crowd):
    worked_on = SynthCrowd(**SMALL)
    worked_on.pipeline.transforms = [image_and_keypoints]
    loader = DataLoader(worked_on, batch_size=None, num_workers=2)
    for (image, keypoints), index in zip(loader, range(12)):
        assert np.array_equal(image, crowd.get_data_info(index)['img'])
        assert np.array_equal(keypoints, crowd.get_data_info(index)['keypoints'])


def test_seeds_and_indices_give_different_images(crowd):
    other = SynthCrowd(**SMALL, seed=1)
    images = [crowd[0]['img'], crowd[1]['img'], other[0]['img'], other[1]['img']]
    assert len({image.tobytes() for image in images}) == 4


def test_golden_keypoints_of_the_first_images():
    """Written down once from this renderer, so that a change of the images is never unnoticed."""
    dataset = SynthCrowd(length=3)
    people = [item['raw_ann_info'] for item in map(dataset.get_data_info, range(3))]
    assert [len(image) for image in people] == GOLDEN_PEOPLE
    assert np.allclose([image[0]['keypoints'][:3] for image in people], GOLDEN_NOSES, atol=1e-3)


def test_items_equal_those_of_mmpose_from_the_exported_files(crowd, tmp_path):
    file = export_coco(crowd, tmp_path / 'out')
    exported = CocoDataset(ann_file=str(file), data_mode='bottomup', data_prefix=dict(img=str(tmp_path / 'out/images')))
    ours = [item for item in map(crowd.get_data_info, range(12)) if len(item['id'])]
    assert len(exported) == len(ours) < 12
    for theirs, own in zip(map(exported.get_data_info, range(len(ours))), ours):
        assert set(theirs) == set(own) - {'img'}
        for key in set(theirs) - {'img_path', 'sample_idx', 'dataset_name', 'crowd_index'}:
            assert type(theirs[key]) is type(own[key]) and np.all(theirs[key] == own[key])
            assert getattr(theirs[key], 'dtype', None) == getattr(own[key], 'dtype', None)
    assert {own['crowd_index'] for own in ours} == {
        i['crowdIndex'] for i in json.loads(file.read_text())['images'] if i['id'] in {own['img_id'] for own in ours}
    }


@pytest.mark.parametrize('test_mode', [False, True])
def test_nobody_has_the_same_keys_with_arrays_of_length_zero(crowd, test_mode):
    empty = SynthCrowd(length=1, image_size=(64, 64), people=(0, 0), test_mode=test_mode)[0]
    full = next(item for item in crowd if len(item['id']))
    assert set(empty) == set(full)
    for key in ('bbox', 'bbox_score', 'keypoints', 'keypoints_visible', 'area', 'category_id'):
        assert empty[key].shape == (0, *full[key].shape[1:]) and empty[key].dtype == full[key].dtype
    assert all(empty[key] == [] for key in ('id', 'raw_ann_info', 'num_keypoints', 'iscrowd', 'segmentation'))
    assert empty['crowd_index'] == 0.0


def test_annotations_are_what_coco_says(crowd):
    for item in crowd:
        for annotation in item['raw_ann_info']:
            keypoints = np.array(annotation['keypoints']).reshape(17, 3)
            assert set(keypoints[:, 2]) <= {0, 1, 2} and not keypoints[keypoints[:, 2] == 0].any()
            x, y, width, height = annotation['bbox']
            inside = keypoints[keypoints[:, 2] > 0][:, :2]
            assert len(inside) == annotation['num_keypoints'] >= 2
            assert ((inside >= [x, y]) & (inside <= [x + width, y + height])).all()
            assert x >= 0 and y >= 0 and x + width <= 159 and y + height <= 127
            assert 0 < annotation['area'] <= (width + 2) * (height + 2)
            assert annotation['category_id'] == 1 and annotation['iscrowd'] == 0
    ids = [annotation['id'] for item in crowd for annotation in item['raw_ann_info']]
    assert len(set(ids)) == len(ids)


def evaluate(dataset, shift, **options):
    """Figures of CocoMetric, without an annotation file, for the true keypoints moved by ``shift`` px."""
    metric = CocoMetric(ann_file=None, nms_mode='none', score_mode='keypoint', **options)
    metric.dataset_meta = dataset.metainfo
    for item in dataset:
        item.update(img_shape=item['img'].shape[:2], ori_shape=item['img'].shape[:2])
        sample = PackPoseInputs(meta_keys=META_KEYS)(item)['data_samples'].to_dict()
        sample['pred_instances'] = dict(
            keypoints=item['keypoints'] + shift, keypoint_scores=np.ones(item['keypoints'].shape[:2])
        )
        metric.process({}, [sample])
    return metric.evaluate(len(dataset))


def test_the_metric_finds_true_keypoints_perfect_and_moved_ones_worse(capsys):
    dataset = SynthCrowd(**SMALL, test_mode=True)
    assert evaluate(dataset, 0.0)['coco/AP'] == pytest.approx(1.0)
    assert evaluate(dataset, 40.0)['coco/AP'] < 0.1


def test_the_crowd_metric_gets_the_crowd_index(capsys):
    dataset = SynthCrowd(**{**SMALL, 'people': (4, 6), 'overlap': 1.0}, test_mode=True)
    assert evaluate(dataset, 0.0, iou_type='keypoints_crowd', use_area=False)['coco/AP'] == pytest.approx(1.0)


@pytest.mark.slow
def test_sixty_people_fit_and_more_overlap_is_more_crowded():
    options = dict(length=4, image_size=(256, 256), people=(60, 60), person_height=(0.15, 0.4))
    assert min(len(item['id']) for item in SynthCrowd(**options, overlap=1.0)) >= 55
    few = {**options, 'length': 16, 'people': (4, 4), 'person_height': (0.4, 0.6)}
    means = [np.mean([item['crowd_index'] for item in SynthCrowd(**few, overlap=o)]) for o in (0.0, 0.5, 1.0)]
    assert means[0] < means[1] - 0.05 and means[1] < means[2] - 0.05


@pytest.mark.parametrize(
    'option, value',
    [
        ('length', 0),
        ('length', 2.5),
        ('seed', -1),
        ('image_size', (512,)),
        ('image_size', (16, 512)),
        ('people', (3, 1)),
        ('people', (-1, 2)),
        ('people', (1, 9999)),
        ('people', 4),
        ('person_height', (0, 1)),
        ('person_height', ('a', 'b')),
        ('overlap', 1.5),
        ('overlap', float('nan')),
        ('overlap', True),
    ],
)
def test_an_option_out_of_range_is_named(option, value):
    with pytest.raises(BadInput, match=f"option '{option}'"):
        SynthCrowd(**{option: value})


def test_the_tool_writes_a_sheet_and_refuses_a_bad_option(tmp_path, monkeypatch, capsys):
    tool = ROOT / 'tools' / 'synth_sheet.py'
    sheet = tmp_path / 'sheet.png'
    monkeypatch.setattr(sys, 'argv', ['synth_sheet.py', str(sheet), '--image-size', '48', '32'])
    runpy.run_path(str(tool), run_name='__main__')
    assert capsys.readouterr().out.endswith(': 16 images\n')
    assert cv2.imread(str(sheet)).shape == (4 * 32, 4 * 48, 3)
    monkeypatch.setattr(sys, 'argv', [*sys.argv, '--overlap', '2'])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(tool), run_name='__main__')
    assert stop.value.code == 2 and "option 'overlap' is 2.0" in capsys.readouterr().err
