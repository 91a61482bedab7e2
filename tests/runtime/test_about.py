"""What a file says of itself is read back as it was, and nonsense is one line."""

import json
from dataclasses import fields, replace

import pytest

from cid_mmpose.data.resize import Resizing
from cid_mmpose.errors import BadInput
from cid_mmpose.runtime.about import READERS, About
from tests.helpers.about import ABOUT

FIXED = replace(ABOUT, size=(640, 512), resizing=Resizing((640, 512), 32, 'fit', (0.0, 127.5, 255.0)), batch=4)


@pytest.mark.parametrize('about', [ABOUT, FIXED])
def test_what_is_written_is_read_back(about):
    assert About.from_json(about.to_json(), 'a.onnx') == about


def changed(about: About = ABOUT, **changes) -> str:
    """The text with other values; those of a section as ``keypoint_set__names``."""
    said = json.loads(about.to_json())
    for place, value in changes.items():
        section, _, field = place.rpartition('__')
        (said[section] if section else said)[field] = value
    return json.dumps(said)


@pytest.mark.parametrize(
    'text, message',
    [
        (None, 'says nothing of itself, so it was not written by cid export'),
        ('{', 'what it says of itself is not what cid export writes'),
        ('[' * 5000, 'what it says of itself is not what cid export writes'),
        ('9' * 5000, 'what it says of itself is not what cid export writes'),
        ('[]', r'it is \[\], not an object of JSON'),
        ('{}', 'version is missing'),
        (changed(version=2), 'was written by a newer cid_mmpose'),
        (changed(version='1'), "version is '1', not a whole number"),
        (json.dumps(dict(version=1)), 'max_people is missing'),
    ],
)
def test_what_is_no_text_of_an_export_is_one_line_that_names_the_file(text, message):
    assert_refused(text, message)


def assert_refused(text: str | None, message: str):
    """By one line that names the file and the way out."""
    with pytest.raises(BadInput, match=f'^a.onnx: .*{message}') as error:
        About.from_json(text, 'a.onnx')
    line = str(error.value)
    assert '\n' not in line and len(line) < 300 and ('export the model' in line or 'update' in line)


# field -> values that it must not have
WRONG = dict(
    max_people=[0, -1, 2**21, 30.0, '30', None, True, 10**400],
    min_score=[-0.1, 1.1, float('nan'), float('inf'), '0.1', None, False],
    nms=[0, 1.5, float('nan'), None, []],
    flip=['yes', 1, 0, None],
    blur=[0, 2, 4, -3, 3.0, '3', 10**6, None],
    stride=[0, -4, 4.0, 1000, None],
    precision=['float8', '', 'FLOAT32', None, 32, ['float32']],
    batch=[0, -1, 1.5, '2', 2**40, [1]],
    size=[[640], [640, 512, 3], [640, 500], [0, 32], [-32, 32], [2**20, 32], 'big', [64.0, 64], 640],
    model=[None, 3, 'x' * 10**5],
    config_sha256=['', '0' * 63, 'g' * 64, None, 0],
    weights_sha256=['0' * 65, 'A' * 64, None],
    opset=[0, -1, '18', None, 10**9],
    made_by=[None, [], dict(torch=2), dict(torch=None), 'torch'],
    license=[None, 5, 'x' * 10**4],
    resizing=[None, [], 'expand'],
    resizing__input_size=[[512], [512, 0], [512, 512.5], ['a', 'b'], None, [10**9, 64]],
    resizing__factor=[7, 0, -32, 48, None, 32.0],
    resizing__mode=['grow', None, 1],
    resizing__padding=[[], [0, 0], [float('nan')] * 3, [0, 0, 300], [0, 0, -1], None, ['0', 0, 0]],
    normalisation=[None, [[1, 2, 3], [1, 1, 1], 'rgb']],
    normalisation__mean=[[1, 2], [1, 2, float('nan')], [1, 2, 1e9], None, [1, 2, '3']],
    normalisation__std=[[0, 1, 1], [1, 1, -1], [1, 1, float('inf')], None],
    normalisation__colors=['RGB', 'gray', None],
    keypoint_set=[None, [], 'coco'],
    keypoint_set__names=[
        [],
        ['a', 'a', 'b'],
        ['a', None, 'b'],
        ['a', '', 'b'],
        ['a', ' ', 'b'],
        ['a\nb', 'c', 'd'],
        'abc',
    ],
    keypoint_set__links=[[[0, 3]], [[0, -1]], [[0]], [[0, 1, 2]], [0, 1], None, [[0, 1.0]], [[True, 1]]],
    keypoint_set__swaps=[[0, 0, 1], [0, 1], [0, 1, 3], None, [0, 1, 2.0]],
    keypoint_set__sigmas=[[], [0.1, 0.1], [0, 0.1, 0.1], [float('nan'), 0.1, 0.1], [1e9, 0.1, 0.1], ['1', 1, 1], None],
)


@pytest.mark.parametrize('field', WRONG)
def test_a_field_with_another_kind_of_value_is_one_line_that_names_it(field):
    for value in WRONG[field]:
        assert_refused(changed(**{field: value}), f'is wrong: {field.replace("__", ".")} (is|are) ')


@pytest.mark.parametrize('about', [ABOUT, FIXED])
def test_each_field_but_the_license_must_be_there(about):
    said = json.loads(about.to_json())
    for field in said:
        less = {name: value for name, value in said.items() if name != field}
        if field == 'license':
            assert About.from_json(json.dumps(less), 'a.onnx') == about
        else:
            assert_refused(json.dumps(less), f'wrong: {field} is (missing|None)')
    for section in ('keypoint_set', 'resizing', 'normalisation'):
        for field in said[section]:
            less = {name: value for name, value in said[section].items() if name != field}
            assert_refused(json.dumps(dict(said, **{section: less})), f'wrong: {section}.{field} is missing')


def test_fields_that_do_not_belong_together_are_one_line():
    assert_refused(changed(size=[640, 512]), r'size is \(640, 512\), not that of resizing.input_size')
    assert_refused(changed(FIXED, size=[512, 640]), r'size is \(512, 640\), not that of resizing.input_size')
    assert_refused(changed(FIXED, resizing__factor=192), r'input_size is \(640, 512\), not multiples of 192')


def test_every_field_is_read_by_what_it_must_be():
    parts = {'keypoint_set', 'resizing', 'normalisation'}
    assert {field.name for field in fields(About)} == set(READERS) | parts
    assert set(WRONG) == {*READERS, *parts} | {
        f'{part}__{name}' for part in parts for name in json.loads(ABOUT.to_json())[part]
    }


def test_fields_of_a_later_version_of_the_same_form_are_passed_over():
    assert About.from_json(changed(new='field', keypoint_set__new=1), 'a.onnx') == ABOUT
