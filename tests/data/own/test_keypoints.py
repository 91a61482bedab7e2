"""Names and links of keypoints out of an annotation file, and what is refused in one line."""

import pytest

from cid_mmpose.data.own.keypoints import keypoints_of, links_of
from cid_mmpose.errors import BadInput

NAMES = ['nose', 'left_ear', 'right_ear']
KEYPOINTS = [1, 1, 2, 3, 1, 2, 5, 1, 2]


def file_of(*categories: dict, keypoints: object = KEYPOINTS) -> dict:
    """What a file with one annotation, of the first category, holds."""
    annotation = dict(id=1, image_id=1, category_id=categories[0]['id'], keypoints=keypoints)
    return dict(images=[], annotations=[annotation], categories=list(categories))


def fox(**changes) -> dict:
    """A category with three keypoints; then the changes."""
    return {**dict(id=3, name='fox', keypoints=NAMES, skeleton=[[1, 2], [1, 3]]), **changes}


def test_names_links_and_partners_are_the_category_s():
    names, partners, links = keypoints_of(file_of(fox()), 'own.json')
    assert (names, partners.indices, links.pairs) == (('nose', 'left_ear', 'right_ear'), (0, 2, 1), ((0, 1), (0, 2)))


@pytest.mark.parametrize(
    'skeleton, pairs, count_from',
    [
        ([[1, 2], [2, 3]], ((0, 1), (1, 2)), 1),  # as COCO
        ([[0, 1], [1, 2]], ((0, 1), (1, 2)), 0),  # as ExLPose: there is a keypoint 0
        ([[1, 2], [2, 1], [1, 2]], ((0, 1),), 1),  # each link once
        ([[1.0, 3.0]], ((0, 2),), 1),
    ],
)
def test_numbers_of_a_skeleton_count_from_1_unless_there_is_a_0(skeleton, pairs, count_from):
    assert links_of(skeleton, 3) == (
        pairs,
        f'{len(pairs)} of the skeleton of the file, whose numbers count from {count_from}',
    )


@pytest.mark.parametrize(
    'skeleton, why',
    [
        ([[1, 4]], 'it names keypoint 4, there are 3'),
        ([[0, 3]], 'it names keypoint 3, there are 3'),
        ([[1, 1]], '[1, 1] is no pair of keypoints'),
        ([1, 2], '1 is no pair of keypoints'),
        ([['nose', 'left_ear']], '["nose", "left_ear"] is no pair of keypoints'),
        ({'1': 2}, 'it is {"1": 2}, no list of pairs'),
    ],
)
def test_a_skeleton_that_does_not_fit_is_left_out_with_the_reason(skeleton, why):
    assert links_of(skeleton, 3) == ((), f'the skeleton of the file is left out: {why}')


def test_names_may_be_given_where_the_category_has_none():
    without_names = fox(keypoints=[])
    assert keypoints_of(file_of(without_names), 'own.json', NAMES).names == tuple(NAMES)


def test_boxes_and_single_keypoints_that_tools_list_as_categories_are_passed_over():
    others = [dict(id=1, name='box'), dict(id=2, name='nose', keypoints=[], skeleton=[])]
    data = file_of(fox())
    data['categories'] = others + data['categories']
    assert keypoints_of(data, 'own.json').names == tuple(NAMES)


def test_coco_s_keypoints_are_recognised_in_any_spelling():
    parts = ('Eye', 'Ear', 'Shoulder', 'Elbow', 'Wrist', 'Hip', 'Knee', 'Ankle')
    names = ['Nose', *(f'{side}{part}' for part in parts for side in 'LR')]
    found = keypoints_of(file_of(fox(keypoints=names, skeleton=[]), keypoints=[1, 1, 2] * 17), 'own.json')
    assert found.are_coco
    assert not keypoints_of(file_of(fox()), 'own.json').are_coco


@pytest.mark.parametrize(
    'data, given, says',
    [
        (
            file_of(fox(keypoints=[])),
            [],
            'own.json: field \'keypoints\' of the category "fox" names no keypoints; --keypoints NAME NAME',
        ),
        (
            file_of(dict(id=3)),
            [],
            "own.json: field 'keypoints' of the category null names no keypoints; --keypoints NAME NAME",
        ),
        (file_of(fox(keypoints=['a', 'b', 'a'])), [], "own.json: field 'keypoints' of the category names 'a' 2 times"),
        (
            file_of(fox(keypoints=['a', 'b', ' '])),
            [],
            "own.json: field 'keypoints' of the category names keypoint 2 ''",
        ),
        (file_of(fox(keypoints='nose')), [], 'own.json: field \'keypoints\' of the category is "nose", no list'),
        (
            file_of(fox()),
            ['nose', 'nose', 'ear'],
            "--keypoints: field 'keypoints' of the category names 'nose' 2 times",
        ),
        (file_of(fox()), ['nose'], 'own.json: 1 keypoints are named, but the annotations have 3; --keypoints'),
        (file_of(fox(), keypoints=[[1, 1, 2]]), [], "own.json: field 'keypoints' of the annotations holds a list a"),
        (file_of(fox(), keypoints=None), [], "own.json: no annotation of the category has 'keypoints'"),
        (
            file_of(fox(), fox(id=4, name='dog', keypoints=['a', 'b', 'c'])),
            [],
            'own.json: field \'categories\' names ["fox", "dog"], but none of them \'person\'',
        ),
    ],
)
def test_what_the_file_leaves_open_is_one_line(data, given, says):
    with pytest.raises(BadInput) as refused:
        keypoints_of(data, 'own.json', given)
    assert str(refused.value).startswith(says) and '\n' not in str(refused.value)
