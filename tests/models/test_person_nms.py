"""From keypoints and scores to people: score, box, and nobody twice."""

import numpy as np
import pytest

from cid_mmpose.models.person_nms import make_people


def person(x, y, score, side=40.0):
    """Four keypoints at the corners of a square."""
    square = np.array([[0, 0], [side, 0], [0, side], [side, side]], float)
    return square + [x, y], np.full(4, score) + [0.1, -0.1, 0.05, -0.05]


def test_a_person_has_the_mean_score_and_the_box_around_the_keypoints():
    keypoints, scores = person(10, 20, 0.5)
    people = make_people(keypoints[None], scores[None], np.array([[30.0, 40.0]]), np.full(4, 0.05), 0.8)
    assert people.bbox_scores.tolist() == [pytest.approx(0.5)]
    assert people.bboxes.tolist() == [[10, 20, 50, 60]]
    assert people.centers.tolist() == [[30, 40]]
    np.testing.assert_allclose(people.keypoint_scores, [[0.6, 0.4, 0.55, 0.45]])


def test_of_two_duplicates_the_better_one_stays_and_neighbours_are_left_alone():
    keypoints, scores = zip(person(10, 20, 0.4), person(11, 20, 0.6), person(45, 20, 0.3))
    centers = np.array([[1, 1], [2, 2], [3, 3]])
    people = make_people(np.array(keypoints), np.array(scores), centers, np.full(4, 0.05), 0.8)
    assert people.centers.tolist() == [[2, 2], [3, 3]]
    np.testing.assert_allclose(people.bbox_scores, [0.6, 0.3])  # best first
    np.testing.assert_allclose(people.keypoints, np.array(keypoints)[[1, 2]])
    np.testing.assert_allclose(people.bboxes, [[11, 20, 51, 60], [45, 20, 85, 60]])


def test_the_nms_threshold_is_on_oks_worked_out_by_hand():
    # both areas 1600, (2 sigma)^2 = 0.01, moved by d px: oks = exp(-d^2 / (2 * 1600 * 0.01)) = exp(-d^2 / 32)
    keypoints, scores = zip(person(10, 20, 0.4), person(12, 20, 0.6))  # exp(-4 / 32) = 0.8825
    for threshold, kept in ((0.88, 1), (0.885, 2)):
        people = make_people(np.array(keypoints), np.array(scores), np.zeros((2, 2)), np.full(4, 0.05), threshold)
        assert len(people) == kept
