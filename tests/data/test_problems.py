"""What is wrong with an image or a person of an annotation file is said by field."""

import math
import re

import pytest

from cid_mmpose.data.problems import bad_annotations, check_entries, labelled_keypoints, problem_of, usable_region
from cid_mmpose.errors import BadInput
from tests.helpers.images import coco, person, without


class Log:
    """Takes the place of a logger."""

    def __init__(self):
        self.lines = []

    def warning(self, text, *args):
        self.lines.append(text % args)


def test_keypoints_are_counted_by_visibility_whatever_the_file_says():
    assert labelled_keypoints(person(num_keypoints=0)) == 17
    assert labelled_keypoints(person(keypoints=[5, 5, 0, 6, 6, 1, 7, 7, 2])) == 2


def keypoints_with(value: float) -> list:
    return [value] + person()['keypoints'][1:]


@pytest.mark.parametrize(
    'annotation, says',
    [
        (person(), ''),
        (without(person(), 'keypoints'), "'keypoints' is missing; use the person_keypoints file"),
        (person(keypoints=[]), "'keypoints' is missing"),
        (person(keypoints=[1, 2, 2] * 14), "'keypoints' has 42 numbers, but 17 keypoints need 51"),
        (person(keypoints=keypoints_with(math.nan)), "'keypoints' has a number that is not finite"),
        (person(keypoints=keypoints_with(-math.inf)), "'keypoints' has a number that is not finite"),
        (person(keypoints=keypoints_with('3')), '\'keypoints\' has "3", which is no number'),
        (person(keypoints=51), "'keypoints' is missing"),
        (without(person(), 'bbox'), "'bbox' is missing"),
        (person(bbox=[1, 2, 3, math.nan]), "'bbox' has a number that is not finite"),
        (person(bbox=[1, 2, 0, 30]), r"'bbox' has no size \(0 x 30 pixels\)"),
        (person(bbox=[1, 2, 20, -3]), r"'bbox' has no size \(20 x -3 pixels\)"),
    ],
)
def test_what_is_wrong_with_a_person_is_said_by_field(annotation, says):
    problem = problem_of(annotation, 17)
    assert problem == '' if not says else re.search(says, problem)


def test_a_crowd_needs_no_keypoints_and_a_person_without_labels_no_box():
    assert problem_of(without(person(iscrowd=1), 'keypoints', 'bbox'), 17) == ''
    assert problem_of(without(person(keypoints=[0] * 51), 'bbox'), 17) == ''


def test_skipping_logs_how_many_of_how_many_and_error_stops():
    data = coco([person(1), person(2, bbox=[1, 1, 0, 0]), person(3, bbox=[2, 2, 5, 0]), person(4)])
    log = Log()
    assert bad_annotations(data, 'people.json', 17, 'skip', log) == {2, 3}
    assert log.lines == ["people.json: annotation 2: field 'bbox' has no size (0 x 0 pixels) (2 such of 4); left out"]
    with pytest.raises(BadInput, match="annotation 2: field 'bbox' .* bad_annotations='skip'"):
        bad_annotations(data, 'people.json', 17, 'error', log)


SIDES = [None, 0, -5, 64.5, '64', True, [64], 10**400, 1e999, math.nan, 2_000_000]


@pytest.mark.parametrize('value', SIDES, ids=[str(value)[:12] for value in SIDES])
@pytest.mark.parametrize('field', ['width', 'height'])
def test_an_image_without_sides_is_refused_by_every_reader(tmp_path, field, value):
    data = coco([person(1), person(2, image=2)], images=2)
    data['images'][1][field] = value
    with pytest.raises(BadInput, match=f"f: entry 1 of 'images': field '{field}' is .*; give the whole number of pix"):
        check_entries(data, 'f')


def test_sides_beyond_any_image_that_can_be_read_are_refused_and_whole_floats_are_not():
    data = coco([person()])
    data['images'][0].update(width=64.0)
    assert check_entries(data, 'f') is None
    data['images'][0].update(width=10**6, height=10**6)
    with pytest.raises(BadInput, match="fields 'width' and 'height' are 1000000 x 1000000 pixels, more than any"):
        check_entries(data, 'f')


@pytest.mark.parametrize('key', ['images', 'annotations', 'categories'])
def test_an_id_that_is_taken_twice_is_refused(key):
    data = coco([person(1), person(1, box=(1, 1, 9, 9))])
    data[key] = [data[key][0], data[key][0]]
    with pytest.raises(BadInput, match=f"f: '{key}': field 'id' 1 is taken 2 times; give each entry its own"):
        check_entries(data, 'f')


@pytest.mark.parametrize('flag', ['0', '1', 2, -1, 0.5, [0], {}, 'false', math.nan, 10**400])
def test_what_is_neither_crowd_nor_person_is_a_problem_of_the_field_iscrowd(flag):
    assert re.search("^field 'iscrowd' is .*; give 0 or 1$", problem_of(person(iscrowd=flag), 17))


@pytest.mark.parametrize('flag', [0, 1, 0.0, 1.0, True, False, None])
def test_crowds_may_be_marked_by_numbers_true_false_and_null(flag):
    assert problem_of(person(iscrowd=flag), 17) == ''


@pytest.mark.parametrize(
    'region, says',
    [
        ([[1e18, 0, 5, 0, 5, 5]], r'a polygon with 1e\+18, which lies in no image'),
        ([[1e6, 0, 5, 0, 5, 5]], r'a polygon with the coordinate 1e\+06 in an image of 64 x 48'),
        ([[math.nan, 0, 5, 0, 5, 5]], 'a polygon with a number that is not finite'),
        ([[10**400, 0, 5, 0, 5, 5]], 'a polygon with 1000+, which lies in no image'),
        ([[1, 2, 3, 4]], 'a polygon of 4 numbers'),
        ('x', '"x", neither a list'),
        (dict(size=[48, 64], counts=[0, 99]), 'run lengths that do not add up'),
    ],
)
def test_the_region_of_a_crowd_is_checked_and_that_of_a_person_with_keypoints_is_not(region, says):
    crowd = person(iscrowd=1, segmentation=region)
    assert re.search(f"^field 'segmentation' has {says}", problem_of(crowd, 17, (48, 64)))
    nobody = person(keypoints=[0] * 51, segmentation=region)
    assert re.search(f"^field 'segmentation' has {says}", problem_of(nobody, 17, (48, 64)))
    assert problem_of(person(segmentation=region), 17, (48, 64)) == ''


@pytest.mark.parametrize('category', [99, True, '1', None, 1.5])
def test_people_of_a_category_that_the_file_does_not_know_are_a_problem(category):
    data = coco([person(1), person(2, category_id=category)])
    with pytest.raises(BadInput, match="annotation 2: field 'category_id' is .*, which no category of the file has"):
        bad_annotations(data, 'people.json', 17, 'error', Log())


def test_a_region_of_no_use_is_replaced_by_the_box_cut_off_at_the_border():
    broken = person(bbox=[-5, 40, 20, 30], segmentation=[[1, 2]])
    assert usable_region(broken, (48, 64)) == [[0, 40, 15, 40, 15, 48, 0, 48]]
    assert usable_region(person(), (48, 64)) == person()['segmentation']
    assert usable_region(person(bbox=[90, 5, 9, 9], segmentation=None), (48, 64)) is None


def test_a_person_of_no_image_is_a_problem_of_the_field_image_id():
    with pytest.raises(BadInput, match="annotation 1: field 'image_id' names no image of the file"):
        bad_annotations(coco([person(1, image=7)]), 'people.json', 17, 'error', Log())
