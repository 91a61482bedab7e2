"""Partners in the mirrored image, by the names of keypoints in the spellings that people use."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from cid_mmpose.compat.metainfo import parsed_metainfo
from cid_mmpose.data.own.partners import partners_of

MMPOSE = sorted((Path(find_spec('mmpose').origin).parent / '.mim' / 'configs' / '_base_' / 'datasets').glob('*.py'))
NUMBERED = ('kpt', 'face-', 'Face_')  # starts of names that are numbers, and say nothing


@pytest.mark.parametrize('path', MMPOSE, ids=lambda path: path.stem)
def test_the_pairs_of_every_data_set_of_mmpose_are_found_by_their_names(path):
    meta = parsed_metainfo(dict(from_file=str(path)))
    names = [meta['keypoint_id2name'][number] for number in range(meta['num_keypoints'])]
    found, unclear = partners_of(names)
    for place, partner in enumerate(meta['flip_indices']):
        if found[place] != partner:
            assert found[place] == place and ('_kpt' in names[place] or names[place].startswith(NUMBERED))
    assert unclear == ()


@pytest.mark.parametrize(
    'left, right',
    [
        ('left_ear', 'right_ear'),
        ('ear_left', 'ear_right'),
        ('l_ear', 'r_ear'),
        ('ear_l', 'ear_r'),
        ('L_F_Paw', 'R_F_Paw'),
        ('LEar', 'REar'),
        ('earL', 'earR'),
        ('LeftEar', 'RightEar'),
        ('Left Ear', 'right ear'),
        ('ear.L', 'ear.R'),
        ('ear-l-2', 'ear-r-2'),
        ('left_ear', 'ear_right'),
        ('LF_paw', 'RF_paw'),
        ('hindpaw_hl', 'hindpaw_hr'),
        ('leftear', 'rightear'),
        ('ohr_links', 'ohr_rechts'),
        ('左耳', '右耳'),
        ('left', 'right'),
    ],
)
def test_left_and_right_of_one_name_are_partners_and_the_middle_stays(left, right):
    assert partners_of(['nose', left, 'tail', right]) == ((0, 3, 2, 1), ())


def test_coco_s_pairs_are_found_in_order():
    names = ['nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear', 'left_hip', 'right_hip']
    assert partners_of(names).indices == (0, 2, 1, 4, 3, 6, 5)


def test_front_and_hind_legs_are_not_mixed_up():
    names = ['left_front_paw', 'left_back_paw', 'right_back_paw', 'right_front_paw']
    assert partners_of(names) == ((3, 2, 1, 0), ())


def test_words_that_only_hold_the_letters_of_a_side_have_none():
    assert partners_of(['rear', 'lear', 'bright', 'upper_lip', 'frill']) == ((0, 1, 2, 3, 4), ())


def test_a_side_without_its_other_is_not_clear_and_stays():
    assert partners_of(['left_ear', 'right_eye', 'nose']) == (
        (0, 1, 2),
        ("'left_ear' has no partner on the right", "'right_eye' has no partner on the left"),
    )


def test_of_two_keypoints_that_could_be_the_partner_neither_is_taken():
    indices, unclear = partners_of(['left_ear', 'right_ear', 'ear_right'])
    assert indices == (0, 1, 2)
    assert unclear[0] == "'left_ear' could be the partner of more than one keypoint" and len(unclear) == 3


def test_a_name_of_both_sides_has_none():
    assert partners_of(['left_right_middle', 'nose']) == ((0, 1), ())
