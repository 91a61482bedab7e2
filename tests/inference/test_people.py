"""What a prediction hands over: which numbers, in which form, and that nobody changes them."""

import copy
import csv
import io
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest

from cid_mmpose.inference import KeypointSet, People, keypoint_set

NOSE_AND_EYES = KeypointSet(('nose', 'left_eye', 'right_eye'), ((0, 1), (0, 2)), (0, 2, 1), (0.026, 0.025, 0.025))


def people(count=3, **about):
    """Person n: the nose at (10 n, 20 n) and the eyes 5 px beside and above it; score 0.9, 0.7, 0.5, ..."""
    number = np.arange(count)[:, None, None]
    nose = np.array([10, 20]) * number
    keypoints = nose + np.array([[0, 0], [5, -5], [-5, -5]])
    keypoint_scores = np.tile([0.9, 0.8, 0.7], (count, 1))
    boxes = np.concatenate([keypoints.min(1), keypoints.max(1)], 1)
    return People(
        keypoints,
        keypoint_scores,
        0.9 - 0.2 * np.arange(count),
        boxes,
        nose[:, 0],
        NOSE_AND_EYES,
        image_size=(640, 480),
        **about,
    )


def test_the_arrays_are_float32_and_nobody_changes_them():
    given = np.zeros((1, 3, 2))
    found = People(given, np.zeros((1, 3)), np.zeros(1), np.zeros((1, 4)), np.zeros((1, 2)), NOSE_AND_EYES, (4, 4))
    assert found.keypoints.dtype == np.float32
    with pytest.raises(ValueError, match='read-only'):
        found.keypoints[0] = 1
    with pytest.raises(AttributeError):
        found.scores = np.ones(1)
    given[0] = 7  # the caller's array stays the caller's
    assert not found.keypoints.any()


@pytest.mark.parametrize('copied', [copy.copy, copy.deepcopy, lambda found: pickle.loads(pickle.dumps(found))])
def test_copies_hold_the_same_and_do_not_change_either(copied):
    found = people(path='a.jpg')
    again = copied(found)
    assert again.path == 'a.jpg' and again.keypoint_set == NOSE_AND_EYES
    for name in ('keypoints', 'keypoint_scores', 'scores', 'boxes', 'centers'):
        array = getattr(again, name)
        np.testing.assert_array_equal(array, getattr(found, name))
        with pytest.raises(ValueError, match='read-only'):
            array[0] = 1


def test_arrays_of_another_number_of_people_are_refused_by_name():
    with pytest.raises(ValueError, match=r'boxes has shape \(1, 4\) where \(2, 4\) belongs'):
        People(
            np.zeros((2, 3, 2)),
            np.zeros((2, 3)),
            np.zeros(2),
            np.zeros((1, 4)),
            np.zeros((2, 2)),
            NOSE_AND_EYES,
            (4, 4),
        )


@pytest.mark.parametrize(
    ('which', 'noses'),
    [
        (0, [[0, 0]]),
        (-1, [[20, 40]]),
        (slice(1, None), [[10, 20], [20, 40]]),
        ([2, 0], [[20, 40], [0, 0]]),
        (np.array([True, False, True]), [[0, 0], [20, 40]]),
        ([True, False, True], [[0, 0], [20, 40]]),
        ([], np.empty((0, 2))),
        (np.array([], int), np.empty((0, 2))),
    ],
)
def test_an_index_gives_some_of_them(which, noses):
    some = people()[which]
    np.testing.assert_array_equal(some.keypoints[:, 0], noses)
    np.testing.assert_array_equal(some.centers, noses)
    assert len(some) == len(noses) and some.image_size == (640, 480)


def test_a_person_who_is_not_there_is_an_index_error_so_that_loops_end():
    assert [len(person) for person in people()] == [1, 1, 1]
    with pytest.raises(IndexError, match='person 3 of 3'):
        people()[3]


def test_those_above_a_score():
    assert people().above(0.6).scores.tolist() == pytest.approx([0.9, 0.7])


def test_of_two_nearly_equal_people_the_better_one_stays():
    found = people(2)
    twice = People(
        np.concatenate([found.keypoints, found.keypoints[:1] + 0.1]),
        np.ones((3, 3)),
        [0.9, 0.8, 0.95],
        np.concatenate([found.boxes, found.boxes[:1]]),
        np.zeros((3, 2)),
        NOSE_AND_EYES,
        (640, 480),
    )
    # boxes of 10 x 5 px, 0.14 px apart: noses exp(-0.02 / (2 * 50 * 0.052^2)) = 0.929, eyes 0.923, together 0.925
    assert twice.without_duplicates(0.92).scores.tolist() == pytest.approx([0.95, 0.8])
    assert twice.without_duplicates(0.93).scores.tolist() == pytest.approx([0.95, 0.9, 0.8])


def test_json_holds_plain_numbers_and_where_they_are_from():
    said = json.loads(people(1, path='clip.mp4', frame=3, time=0.1).to_json())
    assert said == {
        'path': 'clip.mp4',
        'frame': 3,
        'time': 0.1,
        'width': 640,
        'height': 480,
        'names': ['nose', 'left_eye', 'right_eye'],
        'people': [
            {
                'score': 0.9,
                'center': [0, 0],
                'box': [-5, -5, 5, 0],
                'keypoints': [[0, 0], [5, -5], [-5, -5]],
                'keypoint_scores': [0.9, 0.8, 0.7],
            }
        ],
    }


def test_csv_has_one_row_a_person(tmp_path):
    text = people(2, path='a, b.jpg').to_csv(tmp_path / 'people.csv')
    assert (tmp_path / 'people.csv').read_text() == text
    header, first, second = csv.reader(io.StringIO(text))
    assert header[:10] == ['path', 'frame', 'person', 'score', 'center_x', 'center_y', 'x1', 'y1', 'x2', 'y2']
    assert header[10:13] == ['nose_x', 'nose_y', 'nose_score']
    row = dict(zip(header, second))
    assert (row['path'], row['person'], row['score']) == ('a, b.jpg', '1', '0.7')
    assert (row['left_eye_x'], row['left_eye_y'], row['left_eye_score']) == ('15.0', '15.0', '0.8')
    assert first[2] == '0' and len(first) == 10 + 3 * 3


def test_coco_entries_are_read_by_cocos_tools(tmp_path):
    coco_tools = pytest.importorskip('pycocotools.coco')
    truth = dict(
        images=[dict(id=7, width=640, height=480)],
        categories=[dict(id=1, name='person', keypoints=list(NOSE_AND_EYES.names), skeleton=[])],
        annotations=[],
    )
    (tmp_path / 'truth.json').write_text(json.dumps(truth))
    entries = people(2).to_coco(image_id=7)
    assert entries[1]['keypoints'] == [10, 20, 0.9, 15, 15, 0.8, 5, 15, 0.7]
    assert entries[1]['bbox'] == [5, 15, 10, 5]
    read = coco_tools.COCO(tmp_path / 'truth.json').loadRes(entries)
    assert len(read.getAnnIds(imgIds=7)) == 2


def test_a_data_frame_has_the_rows_of_the_csv():
    pandas = pytest.importorskip('pandas')
    frame = people(2).to_dataframe()
    assert isinstance(frame, pandas.DataFrame) and frame['right_eye_x'].tolist() == [-5, 5]


def test_supervision_gets_places_and_scores():
    supervision = pytest.importorskip('supervision')
    found = people(2).to_supervision()
    assert isinstance(found, supervision.KeyPoints)
    np.testing.assert_allclose(found.xy[1], [[10, 20], [15, 15], [5, 15]])
    np.testing.assert_allclose(found.keypoint_confidence[0], [0.9, 0.8, 0.7])
    np.testing.assert_allclose(found.detection_confidence, [0.9, 0.7])


@pytest.mark.parametrize('count', [0, 1, 3])
def test_every_form_takes_nobody_too(count):
    found = people(count)
    assert len(json.loads(found.to_json())['people']) == count
    assert len(found.to_csv().splitlines()) == 1 + count
    assert len(found.to_coco()) == count
    assert len(found.without_duplicates(0.9)) == count
    assert list(found.above(0.99)) == []


def test_the_repr_tells_who_is_where():
    assert repr(people(0, path='a.jpg')) == 'People(nobody in a.jpg, 640 x 480 px)'
    assert repr(people(2)) == 'People(2 in an array, 640 x 480 px; scores 0.90, 0.70; 3 keypoints)'
    assert 'clip.mp4, frame 0' in repr(people(1, path='clip.mp4', frame=0))


def test_sides_are_those_of_the_names():
    assert NOSE_AND_EYES.sides() == ('middle', 'left', 'right')
    assert KeypointSet(('right_ear', 'left_ear'), swaps=(1, 0)).sides() == ('right', 'left')


@pytest.mark.parametrize(
    ('wrong', 'said'),
    [
        (dict(names=('a', 'a')), 'same name'),
        (dict(names=('a', 'b'), sigmas=(0.1,)), 'sigmas has 1 values for 2 keypoints'),
        (dict(names=('a', 'b'), links=((0, 2),)), 'keypoint 2 of 2'),
    ],
)
def test_a_keypoint_set_that_does_not_hold_together_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        KeypointSet(**wrong)


def test_the_keypoints_of_mmposes_coco_are_those_of_the_data_set():
    from mmpose.datasets.datasets.utils import parse_pose_metainfo

    coco = keypoint_set(parse_pose_metainfo(dict(from_file='configs/_base_/datasets/coco.py')))
    assert coco.names[:3] == ('nose', 'left_eye', 'right_eye') and len(coco) == 17
    assert coco.links[0] == (coco.names.index('left_ankle'), coco.names.index('left_knee'))
    assert coco.sides().count('left') == 8 and coco.swaps[1:3] == (2, 1)
    assert coco.sigmas[0] == pytest.approx(0.026)


def test_results_need_no_torch():
    code = 'import sys, cid_mmpose.inference; print(sorted({"torch", "mmengine", "cv2"} & set(sys.modules)))'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'
