"""What a file says of itself is read back as it was, and nonsense is one line."""

import json
from dataclasses import replace

import pytest

from cid_mmpose.errors import BadInput
from cid_mmpose.runtime.about import About
from tests.helpers.about import ABOUT


@pytest.mark.parametrize('about', [ABOUT, replace(ABOUT, size=None, batch=4)])
def test_what_is_written_is_read_back(about):
    assert About.from_json(about.to_json(), 'a.onnx') == about


def changed(**changes) -> str:
    """The text with other values."""
    return json.dumps(dict(json.loads(ABOUT.to_json()), **changes))


@pytest.mark.parametrize(
    'text, message',
    [
        (None, 'a.onnx: says nothing of itself, so it was not written by cid export'),
        ('{', 'a.onnx: what it says of itself is not what cid export writes'),
        ('[]', 'a.onnx: what it says of itself is not'),
        ('{}', 'a.onnx: what it says of itself is not'),
        (changed(version=2), 'a.onnx: was written by a newer cid_mmpose'),
        (changed(max_people=0), 'numbers out of their range'),
        (changed(max_people='30'), 'numbers out of their range'),
        (changed(size=[640]), 'a.onnx: what it says of itself is not'),
        (changed(batch=-1), 'batch is -1'),
        (changed(nms=0), 'min_score or nms'),
        (changed(flip='yes'), 'flip is'),
        (changed(resizing=dict(input_size=[64, 64], factor=7, mode='fit', padding=[0, 0, 0])), 'resizing is'),
        (changed(keypoint_set=dict(names=['a'], links=[[0, 5]], swaps=[], sigmas=[])), 'name keypoint 5 of 1'),
        (changed(keypoint_set=dict(names=['a'], links=[], swaps=[], sigmas=[])), 'sigmas of the 1 keypoints are'),
        ('[' * 5000, 'a.onnx: what it says of itself is not'),
    ],
)
def test_nonsense_is_one_line_that_names_the_file(text, message):
    with pytest.raises(BadInput, match=message) as error:
        About.from_json(text, 'a.onnx')
    assert '\n' not in str(error.value)


@pytest.mark.parametrize(
    'values, message',
    [
        (dict(sigmas=[float('nan'), 0.1]), 'sigmas must be numbers'),
        (dict(sigmas=[0, 0.1]), 'sigmas of the 2 keypoints are'),
        (dict(sigmas=[1e9, 0.1]), 'sigmas of the 2 keypoints are'),
        (dict(swaps=[0, 0]), 'mirror partners of the 2 keypoints are'),
        (dict(links=[[0, -1]]), 'keypoint'),
        (dict(names=[None, 'b']), 'names of keypoints are'),
        (dict(names=[], links=[], swaps=[], sigmas=[]), 'names of keypoints are'),
    ],
)
def test_keypoints_that_cannot_be_computed_with_are_one_line(values, message):
    points = dict(dict(names=['a', 'b'], links=[[0, 1]], swaps=[1, 0], sigmas=[0.1, 0.1]), **values)
    with pytest.raises(BadInput, match=message):
        About.from_json(changed(keypoint_set=points), 'a.onnx')


@pytest.mark.parametrize('padding', [[], [0, 0], [float('nan')] * 3, [0, 0, 300], [0, 0, -1]])
def test_a_padding_that_is_no_color_is_one_line(padding):
    resizing = dict(input_size=[64, 64], factor=32, mode='fit', padding=padding)
    with pytest.raises(BadInput, match='padding is'):
        About.from_json(changed(resizing=resizing), 'a.onnx')


def test_fields_of_a_later_version_of_the_same_form_are_passed_over():
    assert About.from_json(changed(new='field'), 'a.onnx') == ABOUT
