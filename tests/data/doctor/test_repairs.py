"""What --fix writes: each repair field by field, a file that the data set takes, and nothing half-written."""

import json
import math

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from cid_mmpose.data.doctor import FINDINGS, diagnose, file_source, findings_of, images_against, open_cases, repair
from cid_mmpose.data.doctor.case import Case
from cid_mmpose.data.problems import bad_annotations
from cid_mmpose.errors import BadInput
from tests.helpers.broken import EXPECTED, KEYPOINTS, SQUARE, broken_data, diagnosis, nobody, write_broken
from tests.helpers.images import HEIGHT, WIDTH, coco, data_set, person, without, write_coco

REPAIRABLE = {finding.name for finding in FINDINGS if finding.repair}


@pytest.fixture(scope='module')
def fixed(tmp_path_factory):
    """Folder with the broken file, its images, and ``fixed.json``; and what was printed of the repairs."""
    folder = tmp_path_factory.mktemp('broken')
    (case,) = open_cases(
        [file_source(str(write_broken(folder)), str(folder / 'images'))], images_against([str(folder / 'others')], [])
    )
    repaired, log = repair(case)
    (folder / 'fixed.json').write_text(json.dumps(repaired.data, allow_nan=False))
    return folder, {r.finding.name: dict(r.done) for r in log}


def people(folder) -> dict:
    """The repaired annotations by id."""
    return {a['id']: a for a in json.loads((folder / 'fixed.json').read_text())['annotations']}


def changed(folder, number: int) -> dict:
    """The fields of annotation ``number`` that are not as in the broken file, the category aside."""
    before = next(a for a in broken_data()['annotations'] if a['id'] == number)
    return {
        key: value for key, value in people(folder)[number].items() if key != 'category_id' and before.get(key) != value
    }


def moved(number: int, place: int, *values) -> list:
    """The keypoints of a person with the keypoint at ``place`` taken out, or given these values."""
    before = next(a for a in broken_data()['annotations'] if a['id'] == number)['keypoints']
    return before[: 3 * place] + list(values or (0, 0, 0)) + before[3 * place + 3 :]


def test_what_is_left_after_the_repairs_cannot_be_repaired(fixed):
    folder, _ = fixed
    found = diagnosis(
        file_source(str(folder / 'fixed.json'), str(folder / 'images')),
        against=images_against([str(folder / 'others')], []),
    )
    assert found == dict(
        flip_pairs=(1, 17),
        crowd_index_missing=(1, 6),
        duplicate_file_names=(1, 6),
        same_image_twice=(1, 6),
        rle_regions=(1, 7),
        no_region=(1, 7),
    )


def test_every_repair_is_listed_with_its_counts(fixed):
    corrected = {'corrected': 1, 'keypoints taken as unlabelled': 1}
    emptied = {'taken as people without labelled keypoints': 1}
    assert fixed[1] == dict(
        several_categories={'left out': 1, 'annotations of theirs left out': 1},
        unknown_category={'left out': 1},
        person_id={'given the id 1': 1, 'annotations changed with it': 26},
        duplicate_image_ids={'left out': 1},
        image_sides={'sides taken from the file': 1},
        image_missing={'left out': 1, 'annotations of theirs left out': 1},
        image_unreadable={'left out': 1},
        image_size={'left out': 1, 'annotations of theirs left out': 1},
        leak={'left out': 1},
        duplicate_annotation_ids={'given new ids': 1},
        unknown_image={'left out': 1},
        keypoints_missing=emptied,
        keypoints_count=emptied,
        keypoints_not_finite=corrected,
        visibility={'corrected': 1},
        keypoints_at_origin=corrected,
        keypoints_outside=corrected,
        box_missing={'box taken from the region': 1},
        box_not_finite={'box taken from the labelled keypoints': 1},
        box_no_size=emptied,
        box_outside={'cut off at the border': 1},
        unlabelled_box={'left out': 1, 'box taken from the region': 1},
        same_person_twice={'left out': 1},
        region_broken={'box taken as the region': 1},
        area_missing={'area taken as the region': 1},
        area_invalid={'area taken as 0.53 of the box': 1},
        num_keypoints={'counted again': 1},
    )
    assert set(fixed[1]) == REPAIRABLE & set(EXPECTED)


def test_the_repaired_file_keeps_the_right_images_people_and_category(fixed):
    folder, _ = fixed
    data = json.loads((folder / 'fixed.json').read_text())
    assert [(p['id'], p['file_name'], p['width'], p['height']) for p in data['images']] == [
        (i, f'{name}.png', WIDTH, HEIGHT) for i, name in ((1, 1), (2, 2), (3, 3), (4, 3), (5, 5), (9, 9))
    ]
    assert [(c['id'], c['name']) for c in data['categories']] == [(1, 'person')]
    assert {a['category_id'] for a in data['annotations']} == {1}
    gone = {2, 3, 5, 14, 18, 27, 28}  # dog, no category, no image, nothing left, twin, images 6 and 8
    assert set(people(folder)) == set(range(1, 29)) - gone - {4} | {27}  # 27: the one that had the id of 1
    assert people(folder)[27]['bbox'] == [12, 5, 20, 30] and people(folder)[1]['bbox'] == [10.5, 5, 20, 30]


@pytest.mark.parametrize(
    'number, fields',
    [
        (1, {}),
        (17, {}),
        (23, {}),
        (24, {}),
        (25, {}),
        (26, {}),
        (6, dict(keypoints=[0] * 51, num_keypoints=0)),
        (7, dict(keypoints=[0] * 51, num_keypoints=0)),
        (8, dict(keypoints=moved(8, 4), num_keypoints=16)),
        (9, dict(keypoints=moved(9, 4, 16.5, 10, 2))),
        (10, dict(keypoints=moved(10, 4), num_keypoints=16)),
        (11, dict(keypoints=moved(11, 4), num_keypoints=16)),
        (12, dict(bbox=[2, 2, 10, 10])),  # of the square
        (13, dict(bbox=[16.5, 5, 20, 30])),  # its keypoints run from corner to corner of the box that it had
        (15, dict(bbox=[50, 5, WIDTH - 50, 30])),
        (16, dict(bbox=[2, 2, 10, 10])),
        (19, dict(segmentation=[[19.5, 5, 39.5, 5, 39.5, 35, 19.5, 35]])),
        (20, dict(area=100)),  # of the square
        (21, dict(area=pytest.approx(0.53 * 20 * 30))),
        (22, dict(num_keypoints=17)),
    ],
)
def test_a_repair_changes_the_field_it_is_about_and_no_other(fixed, number, fields):
    assert changed(fixed[0], number) == fields


def test_the_data_set_takes_the_repaired_file(fixed):
    folder, _ = fixed
    with pytest.raises(BadInput, match='is taken 2 times; give each entry its own'):
        data_set(folder / 'people.json')
    data = data_set(folder / 'fixed.json')
    assert [(item['img_id'], len(item['id'])) for item in data] == [(1, 13), (2, 1)]
    assert [len(item['invalid_segs']) for item in data] == [6, 0]  # of 6, 7, 16, 19, 23, 25


def repaired(data: dict) -> Case:
    """The case of repaired data, no images looked at."""
    return repair(Case(file_source('people.json'), data))[0]


def test_a_person_without_box_region_and_keypoints_says_nothing_and_is_left_out():
    data = coco([person(1, keypoints=[], bbox=None, segmentation=[]), person(2)])
    assert [a['id'] for a in repaired(data).data['annotations']] == [2]


def test_an_image_id_that_is_text_becomes_the_image_s_number_and_nobody_is_lost():
    data = coco(
        [person(1), person(2, image='2'), person(3, image=' 002'), person(4, image='9'), person(5, image='x')], images=2
    )
    case, log = repair(Case(file_source('people.json'), data), ['unknown_image'])
    assert [(a['id'], a['image_id']) for a in case.data['annotations']] == [(1, 1), (2, 2), (3, 2)]
    assert [dict(r.done) for r in log] == [{'image_id taken as a number': 2, 'left out': 2}]


def test_a_crowd_is_not_repaired_as_a_person_is():
    crowd = without(nobody(1, iscrowd=1, category_id=1, segmentation=SQUARE), 'keypoints', 'num_keypoints')
    assert repaired(coco([crowd, person(2)])).data['annotations'][0] == crowd


JUNK = st.sampled_from([None, math.nan, math.inf, -5, 0, 3, 1000, '7', [1]])
FIELD = st.one_of(
    st.tuples(st.just('keypoints'), st.lists(JUNK, max_size=3).map(lambda k: k + person()['keypoints'][len(k) :])),
    st.tuples(st.just('keypoints'), st.sampled_from([None, [], [1, 2], [0] * 51, [10, 10, 2] * 17, [3, 3, 2] * 14])),
    st.tuples(
        st.just('bbox'),
        st.sampled_from(
            [
                None,
                [],
                [0, 0, 0, 0],
                [10, 5, -3, 8],
                [math.nan] * 4,
                [1, 2, '3', 4],
                [-50, -50, 10, 10],
                [60, 40, 50, 50],
                [200, 200, 5, 5],
            ]
        ),
    ),
    st.tuples(
        st.just('segmentation'), st.sampled_from([None, [], [[1, 2]], 'x', SQUARE, dict(size=[1, 2], counts='')])
    ),
    st.tuples(st.just('area'), JUNK),
    st.tuples(st.just('num_keypoints'), JUNK),
    st.tuples(st.just('id'), st.integers(1, 3)),
    st.tuples(st.just('image_id'), st.integers(1, 3)),
    st.tuples(st.just('category_id'), st.integers(1, 3)),
    st.tuples(st.just('iscrowd'), st.integers(0, 1)),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example([[('bbox', [-50, -50, 10, 10]), ('keypoints', [0, 0] + person()['keypoints'][2:])]], False)
@given(st.lists(st.lists(FIELD, max_size=3), min_size=1, max_size=5), st.booleans())
def test_whatever_is_wrong_one_pass_repairs_all_that_can_be_repaired(changes, named):
    annotations = [{**person(i + 1), **dict(fields)} for i, fields in enumerate(changes)]
    categories = [dict(id=1, name='person', **dict(keypoints=KEYPOINTS) if named else {}), dict(id=2, name='cat')]
    case = repaired(coco(annotations, images=2, categories=categories))
    assume(case.num_keypoints == 17)  # it is another where the file does not say and most people have another
    assert {finding.name for finding, _ in findings_of(case)} & REPAIRABLE == set()
    assert bad_annotations(case.data, 'people.json', 17, 'error', None) == set()


def test_only_what_is_asked_for_is_repaired(tmp_path):
    source = file_source(str(write_broken(tmp_path)))
    (case,) = open_cases([source])
    before = diagnosis(source)
    case, log = repair(case, ['box_outside', 'visibility'])
    assert {r.finding.name for r in log} == {'box_outside', 'visibility'}
    assert {finding.name for finding, _ in findings_of(case)} == set(before) - {'box_outside', 'visibility'}


@pytest.mark.parametrize(
    'only, fix, says',
    [
        (
            'leek',
            'new.json',
            '--only leek: no finding that can be repaired; there are: several_categories, unknown_cat',
        ),
        ('flip_pairs', 'new.json', '--only flip_pairs: no finding that can be repaired'),
        ('leak', None, '--only chooses what is repaired: name the repaired copy with --fix'),
    ],
)
def test_a_choice_of_repairs_that_cannot_be_made_is_refused(only, fix, says):
    with pytest.raises(BadInput, match=says):
        diagnose([file_source('people.json')], only=[only], fix=fix)


def test_the_copy_is_a_new_file_of_one_annotation_file(tmp_path, capsys):
    path = write_broken(tmp_path)
    before, source = path.read_bytes(), file_source(str(path))
    for target in (path, tmp_path / 'images' / '1.png'):
        with pytest.raises(BadInput, match=f'--fix {target}: is there already; name a new file'):
            diagnose([source], fix=str(target))
    with pytest.raises(BadInput, match='--fix repairs one annotation file; the config names 2'):
        diagnose([source, source], fix=str(tmp_path / 'new.json'))
    assert diagnose([source], fix=str(tmp_path / 'sub' / 'new.json')) == 1
    assert path.read_bytes() == before and [p.name for p in (tmp_path / 'sub').iterdir()] == ['new.json']
    said = capsys.readouterr().out
    assert '\n  box_not_finite: 1 box taken from the labelled keypoints\n' in said
    assert '\n  flip_pairs (error): 1 keypoints left as they are\n' in said


def test_a_category_id_that_is_text_becomes_the_category_s_number():
    people = [person(1, category_id='1'), person(2, box=(30, 5, 20, 30), category_id='7')]
    repaired, log = repair(Case(file_source('f.json'), coco(people)))
    assert [a['category_id'] for a in repaired.annotations] == [1]
    assert [dict(r.done) for r in log] == [{'category_id taken as a number': 1, 'left out': 1}]


def test_a_repair_that_would_leave_hardly_anybody_writes_nothing(tmp_path):
    """Such as file names with the folder before them, whose images are then all 'missing'."""
    data = coco([person(1), person(2, 2), person(3, 3)], images=3)
    path = write_coco(tmp_path, data)
    for image in data['images'][:2]:
        image['file_name'] = f'val2017/{image["file_name"]}'
    path.write_text(json.dumps(data))
    with pytest.raises(BadInput) as caught:
        diagnose([file_source(str(path), str(tmp_path))], fix=str(tmp_path / 'fixed.json'))
    assert str(caught.value) == (
        f'--fix {tmp_path}/fixed.json: not written, because 1 of 3 labelled people would be '
        'left (most goes by image_missing); mend that in the file first, or choose other '
        'findings with --only'
    )
    assert not (tmp_path / 'fixed.json').exists()
