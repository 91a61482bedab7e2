"""Meta information of a data set: what does not fit together is one line that names the field."""

import copy

import pytest

from cid_mmpose.engine.config.meta import Meta, check_meta
from cid_mmpose.errors import BadInput
from tests.helpers.config_lines import derived, line_of
from tests.helpers.images import shared

KEYPOINTS = {
    0: dict(name='nose', id=0, swap=''),
    1: dict(name='left_ear', id=1, swap='right_ear'),
    2: dict(name='right_ear', id=2, swap='left_ear'),
}
META = dict(
    dataset_name='fox',
    keypoint_info=KEYPOINTS,
    skeleton_info={0: dict(link=('nose', 'left_ear'))},
    joint_weights=[1.0] * 3,
    sigmas=[0.05] * 3,
)


def test_sound_meta_information_gives_its_number_of_keypoints():
    assert check_meta(Meta('fox.py', META)) == 3


@pytest.mark.parametrize(
    'change, says',
    [
        (dict(skeleton_info={0: dict(link=('nose', 'tial'))}), "skeleton_info 0 links 'tial', which is no keypoint"),
        (dict(skeleton_info={0: dict(link=('nose', 'left_ea'))}), "no keypoint; did you mean 'left_ear'?"),
        (dict(skeleton_info={0: dict(link=('nose',))}), 'must be a dict with link=(keypoint, keypoint)'),
        (dict(joint_weights=None), 'joint_weights must have one number a keypoint: 3, got None'),
        (dict(joint_weights=[1.0] * 4), 'joint_weights must have one number a keypoint: 3, got 4'),
        (dict(joint_weights=[1.0, 1.0, -1.0]), 'joint_weights must have numbers of at least 0, got -1.0'),
        (dict(sigmas=[0.05] * 2), 'sigmas must have one number a keypoint: 3, got 2'),
        (dict(sigmas=[0.05, 0.05, 0]), 'sigmas must have numbers above 0, got 0'),
        (dict(sigmas=[0.05, 0.05, float('nan')]), 'sigmas must have numbers above 0, got nan'),
        (
            dict(keypoint_info={**KEYPOINTS, 2: dict(name='right_ear', swap='nose')}),
            "keypoint_info 1 (left_ear) swaps with 'right_ear', but that one with 'nose'",
        ),
        (
            dict(keypoint_info={**KEYPOINTS, 2: dict(name='right_ear', swap='ear')}),
            "swaps with 'ear', which is no keypoint",
        ),
        (dict(keypoint_info={**KEYPOINTS, 2: dict(name='nose')}), "has the name 'nose', which another keypoint has"),
        (dict(keypoint_info={0: KEYPOINTS[0], 2: KEYPOINTS[2]}), 'numbers and ids must count from 0'),
        (dict(keypoint_info={0: dict(name='nose', color=[1, 2])}), 'must be three whole numbers in [0, 255]'),
    ],
)
def test_meta_information_that_does_not_fit_together_is_named_by_its_field(change, says):
    with pytest.raises(BadInput) as caught:
        check_meta(Meta('fox.py', {**copy.deepcopy(META), **change}))
    assert str(caught.value).startswith('fox.py: ') and says in str(caught.value)


@pytest.mark.parametrize('field', META)
def test_a_missing_field_of_meta_information_is_named(field):
    with pytest.raises(BadInput, match=f'^fox.py: {field} is missing'):
        check_meta(Meta('fox.py', {name: value for name, value in META.items() if name != field}))


@pytest.mark.parametrize(
    'name, says',
    [
        ('fox_meta.py', None),
        ('meta_skel.py', "skeleton_info 2 links 'tial', which is no keypoint; did you mean 'tail'?"),
        ('meta_nojw.py', 'joint_weights is missing'),
        ('meta_sig7.py', 'sigmas must have one number a keypoint: 8, got 7'),
    ],
)
def test_the_meta_information_of_a_run_is_checked_before_training(name, says, tmp_path):
    file = shared('coco_mini').parents[1] / 'cases' / 'own_joints' / name
    own = derived(
        tmp_path,
        f"meta = dict(from_file='{file}')\n"
        'model = dict(metainfo=meta, head=dict(num_keypoints=8))\n'
        'train_dataloader = dict(dataset=dict(metainfo=meta))\n'
        'val_dataloader = dict(dataset=dict(metainfo=meta))\ntest_dataloader = val_dataloader',
    )
    line = line_of('', own)
    assert line == (says if says is None else f'{own}: {file}: {says}')


def test_a_model_with_the_meta_information_of_other_keypoints_is_refused(tmp_path):
    own = derived(tmp_path, "model = dict(metainfo=dict(from_file='configs/_base_/datasets/crowdpose.py'))")
    assert 'model.head.num_keypoints is 17, but configs/_base_/datasets/crowdpose.py of model.metainfo' in line_of(
        '', own
    )
