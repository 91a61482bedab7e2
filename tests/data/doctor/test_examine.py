"""What the doctor finds in annotation files: every defect, alone and among others, and nothing in clean files."""

import json
import math
from pathlib import Path

import pytest

from cid_mmpose.data.doctor import FINDINGS, file_source, findings_of, images_against, open_cases
from cid_mmpose.data.doctor.case import CROWDPOSE
from cid_mmpose.data.doctor.numbers import number_rows
from cid_mmpose.data.doctor.of_file import wrong_partner
from cid_mmpose.data.doctor.regions import region_problem
from cid_mmpose.data.doctor.table import SEVERITIES, markdown_table
from tests.helpers.broken import EXPECTED, KEYPOINTS, RUNS, SHORT_RUNS, SQUARE, diagnosis, write_broken
from tests.helpers.images import HEIGHT, ROOT, WIDTH, coco, person, without, write_coco

PERSON = dict(id=1, name='person', keypoints=KEYPOINTS)
IN_CONFIGS = {'model_keypoints', 'keypoint_order', 'flip_pairs'}
CROWDPOSE_KEYPOINTS = [v for i in range(14) for v in (12 + i, 10 + i, 2)]


def diagnosis_of(folder: Path, data: dict) -> dict:
    """Of a file without images."""
    path = folder / 'people.json'
    path.write_text(json.dumps(data))
    return diagnosis(file_source(str(path)))


def one(annotation: dict, **changes) -> dict:
    """The data of a file with one annotation; then the changes."""
    return {**coco([annotation], categories=[PERSON]), **changes}


def crowdpose(annotations: list, **image) -> dict:
    """The data of a file with CrowdPose's keypoints and one image, with these fields."""
    data = coco(annotations, categories=[dict(PERSON, keypoints=list(CROWDPOSE))])
    data['images'][0].update(image)
    return data


def in_crowdpose(number: int, visible: dict, num_keypoints: int) -> dict:
    """A person of CrowdPose with these keypoints (place -> visibility) and no area."""
    keypoints = [v for i in range(14) for v in (number + 10 + i, 10 + i, visible.get(i, 0))]
    return without(person(number, keypoints=keypoints, num_keypoints=num_keypoints), 'area')


def test_every_defect_of_the_broken_file_is_found_once_and_nothing_else(tmp_path):
    path = write_broken(tmp_path)
    against = images_against([str(tmp_path / 'others')], [])
    assert diagnosis(file_source(str(path), str(tmp_path / 'images')), against=against) == EXPECTED


def test_examples_name_the_annotation_the_image_and_what_is_wrong(tmp_path):
    (case,) = open_cases([file_source(str(write_broken(tmp_path)), str(tmp_path / 'images'))])
    shown = {finding.name: found.examples[0] for finding, found in findings_of(case)}
    assert shown['box_no_size'] == 'id 14 in 1.png: 0 x 30 pixels'
    assert shown['keypoints_count'] == 'id 7 in 1.png: 42 numbers, 17 keypoints need 51'
    assert shown['keypoints_outside'] == 'id 11 in 1.png: [100.0, 10.0]'
    assert shown['image_size'] == '8.png (id 8): 60 x 48, annotated as 64 x 48'
    assert shown['same_image_twice'] == '9.png (id 9): as 1.png'
    assert shown['num_keypoints'] == 'id 22 in 1.png: 3 instead of 17'
    assert shown['same_person_twice'] == 'id 18 in 1.png: as id 17'
    assert shown['flip_pairs'] == 'left_ear: no keypoint is its right one'


def test_errors_come_first_then_warnings_then_notes(tmp_path):
    (case,) = open_cases([file_source(str(write_broken(tmp_path)))])
    grades = [SEVERITIES.index(finding.severity) for finding, _ in findings_of(case)]
    assert grades == sorted(grades) and set(grades) == {0, 1, 2}


def test_a_clean_file_with_its_images_gives_nothing(tmp_path):
    people = [person(1), person(2, box=(30, 5, 20, 30)), person(3, image=2), person(4, image=2, box=(0, 0, 60, 40))]
    path = write_coco(tmp_path, coco(people, images=2, categories=[PERSON]))
    assert diagnosis(file_source(str(path), str(tmp_path))) == {}


ALONE = {
    'no_person_category': (one(person(), categories=[dict(id=1, name='cat'), dict(id=2, name='dog')]), (2, 2)),
    'nobody_labelled': (one(person(keypoints=[0] * 51, num_keypoints=0)), (1, 1)),
    'area_estimated': (crowdpose([in_crowdpose(1, {0: 2, 1: 2}, 2)], crowdIndex=0.3), (1, 1)),
    'crowd_index_missing': (crowdpose([person(keypoints=CROWDPOSE_KEYPOINTS, num_keypoints=14)]), (1, 1)),
    'head_or_neck_only': (
        crowdpose(
            [dict(in_crowdpose(1, {12: 2, 13: 2}, 0), area=9), dict(in_crowdpose(2, {0: 2, 12: 2}, 1), area=9)],
            crowdIndex=0.3,
        ),
        (1, 2),
    ),
    'person_id': (one(person(category_id=7), categories=[dict(id=7, name='horse')]), (1, 1)),
    'keypoint_names': (one(person(), categories=[dict(PERSON, keypoints=['nose'] * 17)]), (1, 1)),
    'keypoint_names ': (one(person(), categories=[dict(PERSON, keypoints=None)]), (1, 1)),
    'keypoint_names  ': (one(person(), categories=[dict(PERSON, keypoints='nose')]), (1, 1)),
    'box_not_finite ': (one(person(bbox=[True, 2, 20, 30])), (1, 1)),
    'box_not_finite': (one(person(bbox=[1, 2, '20', 30])), (1, 1)),
    'box_no_size': (one(person(bbox=[10, 5, 20, -30])), (1, 1)),
    'no_pixels': (one(person(bbox=[0.1, 0.1, 0.3, 0.4])), (1, 1)),
    'box_outside': (one(person(bbox=[-1.5, 5, 20, 30])), (1, 1)),
    'keypoints_not_finite': (one(person(keypoints=[None] + person()['keypoints'][1:])), (1, 1)),
    'visibility': (one(person(keypoints=person()['keypoints'][:-1] + [-1], num_keypoints=16)), (1, 1)),
    'num_keypoints': (one(without(person(), 'num_keypoints')), (1, 1)),
    'area_invalid': (one(person(area=math.nan)), (1, 1)),
    'area_invalid ': (one(person(area=1e30)), (1, 1)),
    'duplicate_category_ids': (one(person(), categories=[PERSON, dict(id=1, name='dog')]), (1, 2)),
    'negative_ids': (one(person(-3)), (1, 1)),
    'crowd_flag': (coco([person(1), person(2, box=(30, 5, 20, 30), iscrowd='0')]), (1, 2)),
    'image_sides': (one(person(), images=[dict(id=1, file_name='1.png', width=None, height=10**400)]), (1, 1)),
    'unknown_category': (coco([person(1), person(2, box=(30, 5, 20, 30), category_id=True)]), (1, 2)),
    'crowd_index_missing ': (
        crowdpose([person(keypoints=CROWDPOSE_KEYPOINTS, num_keypoints=14)], crowdIndex=None),
        (1, 1),
    ),
}


@pytest.mark.parametrize('name', ALONE)
def test_a_defect_alone_is_found_alone(tmp_path, name):
    data, count = ALONE[name]
    assert diagnosis_of(tmp_path, data) == {name.strip(): count}


def test_every_finding_is_tested():
    assert {finding.name for finding in FINDINGS} == set(EXPECTED) | {name.strip() for name in ALONE} | IN_CONFIGS


def test_a_box_may_stick_out_by_a_pixel_and_a_person_may_reach_the_corner(tmp_path):
    corner = person(1, box=(0, 0, 20, 30))
    assert corner['keypoints'][:3] == [0, 0, 2]
    assert diagnosis_of(tmp_path, one(corner)) == {}
    assert diagnosis_of(tmp_path, one(person(2, bbox=[-1, 5, WIDTH + 2, 30]))) == {}


@pytest.mark.parametrize('side, is_found', [(40, True), (50, True), (51, False)])
def test_a_box_that_ends_before_the_corner_does_not_reach_it(tmp_path, side, is_found):
    keypoints = [0, 0, *person()['keypoints'][2:]]
    beyond = coco([person(keypoints=keypoints, bbox=[-50, -50, side, side])])
    assert ('keypoints_at_origin' in diagnosis_of(tmp_path, beyond)) == is_found


def test_a_keypoint_on_the_far_border_is_outside_and_one_just_before_is_not(tmp_path):
    keypoints = person()['keypoints']
    assert diagnosis_of(tmp_path, one(person(keypoints=[WIDTH - 0.5, HEIGHT - 0.5, 2] + keypoints[3:]))) == {}
    assert diagnosis_of(tmp_path, one(person(keypoints=[WIDTH, 5, 1] + keypoints[3:]))) == {'keypoints_outside': (1, 1)}


def test_an_unlabelled_keypoint_may_be_anywhere(tmp_path):
    far = person(keypoints=[-500, 900, 0] + person()['keypoints'][3:], num_keypoints=16)
    assert diagnosis_of(tmp_path, one(far)) == {}


@pytest.mark.parametrize(
    'region, says',
    [
        ([], ''),
        (None, ''),
        (SQUARE, ''),
        (RUNS, ''),
        (SHORT_RUNS, 'run lengths that do not add up to the image'),
        (
            dict(size=[HEIGHT, WIDTH], counts=[0, 9, -9, WIDTH * HEIGHT]),
            'run lengths that are no whole numbers of pixels',
        ),
        (dict(size=[10, 12], counts='P137000000000l0'), 'run lengths of 12 x 10 pixels in an image of 64 x 48'),
        (dict(counts='P1'), "run lengths without 'counts' and 'size' (height, width)"),
        ([[1, 2, 3, 4]], 'a polygon of 4 numbers; it needs x and y of at least 3 points'),
        ([[1, 2, 3, 4, 5, 6, 7]], 'a polygon of 7 numbers; it needs x and y of at least 3 points'),
        ([[1, 2, 3, 4, 5, math.nan]], 'a polygon with a number that is not finite'),
        ('outline', '"outline", neither a list of polygons nor run lengths'),
    ],
)
def test_a_region_that_does_not_decode_is_told_from_one_that_does(region, says):
    assert region_problem(region, (HEIGHT, WIDTH)) == says


@pytest.mark.parametrize(
    'counts, fits',
    [('P137000000000l0', True), ('P13', False), ('P137000000000l0999', False), ('', False), ('zzzzzz~~', False)],
)
def test_packed_run_lengths_must_fill_the_image_exactly(counts, fits):
    # made by pycocotools of ones in [2:5, 3:9] of 10 x 12; it decodes the short one to whatever the memory held
    assert (region_problem(dict(size=[10, 12], counts=counts), (10, 12)) == '') == fits


def test_rows_of_anything_become_numbers_or_nan():
    rows = [[1, 2.5], [1, -3], [1], None, 'ab', ['1', 2], [math.inf, 4], [[1], 2], (7, 8)]
    nan = math.nan
    expected = [[1, 2.5], [1, -3], [nan, nan], [nan, nan], [nan, nan], [nan, 2], [nan, 4], [nan, 2], [7, 8]]
    assert str(number_rows(rows, 2).tolist()) == str([[float(v) for v in row] for row in expected])
    assert number_rows([], 3).shape == (0, 3)
    assert str(number_rows([[True, 2], [3, 4]], 2).tolist()) == '[[nan, 2.0], [3.0, 4.0]]'  # numpy: [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    'names, partners, says',
    [
        (['nose', 'left_eye', 'right_eye'], [0, 2, 1], ['', '', '']),
        (
            ['nose', 'left_eye', 'right_eye'],
            [0, 1, 2],
            ['', 'is swapped with left_eye, not with right_eye', 'is swapped with right_eye, not with left_eye'],
        ),
        (
            ['a', 'b', 'c'],
            [1, 2, 0],
            [
                'is swapped with b, which is swapped with another',
                'is swapped with c, which is swapped with another',
                'is swapped with a, which is swapped with another',
            ],
        ),
        (['L_Eye', 'R_Eye'], [1, 0], ['', '']),
        (['HipLeft', 'right_hip'], None, ['', '']),
        (['lefty', 'leg'], None, ['', '']),
        (['Left eye', 'nose'], None, ['no keypoint is its right one', '']),
    ],
)
def test_partners_are_judged_by_the_names(names, partners, says):
    assert [wrong_partner(place, names, partners) for place in range(len(names))] == says


def test_every_finding_is_in_the_docs_as_the_table_has_it():
    assert markdown_table() in (ROOT / 'docs' / 'doctor.md').read_text()
