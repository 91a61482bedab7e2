"""Files whose numbers are no pixels: each person alone would pass, the whole file cannot."""

import pytest

from cid_mmpose.data.units import check_units, problem_of_units
from cid_mmpose.errors import BadInput
from tests.helpers.images import HEIGHT, WIDTH, coco, data_set, person, write_coco

SHAPES = {1: (HEIGHT, WIDTH)}
BOXES = [(10, 5, 20, 30), (30, 10, 30, 30), (35, 20, 25, 20)]  # x, y, w, h in an image of 64 x 48


def people(**changes) -> list:
    return [person(number, box=box, **changes) for number, box in enumerate(BOXES, 1)]


def shares(values: list, triples: bool = False) -> list:
    """Values as shares of the sides; of x, y, visibility the last one stays."""
    if triples:
        return [v if place % 3 == 2 else v / (HEIGHT if place % 3 else WIDTH) for place, v in enumerate(values)]
    return [v / (HEIGHT if place % 2 else WIDTH) for place, v in enumerate(values)]


def test_pixels_pass():
    assert problem_of_units(people(), SHAPES) == ''
    assert problem_of_units([], SHAPES) == ''


def test_boxes_that_are_shares_of_the_image():
    found = problem_of_units([dict(p, bbox=shares(p['bbox'])) for p in people()], SHAPES)
    assert found.startswith("field 'bbox' of all 3 labelled people lies between 0 and 1: they look like shares")


def test_keypoints_that_are_shares_of_the_image():
    found = problem_of_units([dict(p, keypoints=shares(p['keypoints'], True)) for p in people()], SHAPES)
    assert found.startswith("field 'keypoints' of all 3 labelled people lies between 0 and 1: they look like shares")


def test_boxes_that_are_corners():
    corners = [dict(p, bbox=[x, y, x + w, y + h]) for p, (x, y, w, h) in zip(people(), BOXES)]
    found = problem_of_units(corners, SHAPES)
    # as widths they end at x = 10 + 30, 30 + 60 and 35 + 60 of 64 pixels
    assert found.startswith("field 'bbox' of 2 of 3 labelled people leaves the image: they look like the corners")
    assert problem_of_units(corners[1:], SHAPES) == ''  # of two nobody can tell


def test_one_person_in_a_corner_or_with_two_keypoints_at_the_origin_is_no_such_file():
    corner = person(1, box=(0, 0, 0.5, 0.5))
    assert problem_of_units([corner, person(2)], SHAPES) == ''
    two = person(1, keypoints=[0, 0, 2, 1, 1, 2] + [0] * 45)
    assert problem_of_units([two], SHAPES) == ''


@pytest.mark.parametrize('testing', [False, True])
def test_the_data_set_stops_with_the_file_and_the_field(tmp_path, testing):
    path = write_coco(tmp_path, coco([dict(p, bbox=shares(p['bbox'])) for p in people()]))
    with pytest.raises(BadInput, match="people.json: field 'bbox' of all 3 labelled people lies between 0 and 1"):
        data_set(path, test_mode=testing)


def test_crowds_and_people_without_keypoints_are_not_looked_at():
    crowd = person(1, bbox=[0, 0, 1, 1], iscrowd=1)
    nobody = person(2, bbox=[0, 0, 1, 1], keypoints=[0] * 51)
    images = [dict(id=1, width=WIDTH, height=HEIGHT)]
    check_units([crowd, nobody], images, 'people.json')
    # as people with keypoints they would stop the file
    for one in (dict(crowd, iscrowd=0), dict(nobody, keypoints=person()['keypoints'])):
        with pytest.raises(BadInput, match='lies between 0 and 1'):
            check_units([dict(one, id=1), dict(one, id=2)], images, 'people.json')
