"""Who was missed, and which keypoints lie on somebody else: worked out by hand."""

import numpy as np
import pytest
from study.measures import Annotated, Counts, Found, count, likeness, oks, partners, total

SIGMA = np.array([0.5, 0.5])  # (2 sigma)^2 = 1, so that the likeness is exp(-d^2 / (2 area))
AREA = 100.0
HALF = np.sqrt(2 * AREA * np.log(2))  # px: at this distance the likeness is one half; 11.77


def people(*keypoints, labelled=None) -> Annotated:
    """Annotated people of two keypoints each, given as x of both; y is 0."""
    xy = np.array([[[x, 0.0] for x in person] for person in keypoints]).reshape(-1, 2, 2)
    known = np.ones(xy.shape[:2], bool) if labelled is None else np.array(labelled, bool)
    return Annotated(xy, known, np.full(len(xy), AREA), np.zeros((len(xy), 4)))


def found(*keypoints, scores=None) -> Found:
    """Found people, likewise."""
    xy = people(*keypoints).keypoints
    return Found(xy, np.array(scores if scores is not None else np.linspace(1, 0.5, len(xy))))


@pytest.mark.parametrize('distance, expected', [(0, 1.0), (HALF, 0.5), (2 * HALF, 0.5**4), (10.0, np.exp(-0.5))])
def test_the_likeness_falls_with_the_squared_distance_as_in_oks(distance, expected):
    like = likeness(found((distance, 200)).keypoints, people((0, 200)), SIGMA)
    assert like.shape == (1, 1, 2)
    np.testing.assert_allclose(like[0, 0], [expected, 1.0], rtol=1e-9)


def test_oks_is_the_mean_over_the_labelled_keypoints():
    like = np.array([[[0.4, 0.8], [0.4, 0.8], [0.4, 0.8]]])
    labelled = np.array([[True, True], [True, False], [False, False]])
    np.testing.assert_allclose(oks(like, labelled), [[0.6, 0.4, 0.0]])


def test_the_most_alike_are_partners_first_and_nobody_twice():
    assert partners(np.array([[0.9, 0.8], [0.7, 0.1]])) == [(0, 0), (1, 1)]
    assert partners(np.array([[0.3, 0.8], [0.7, 0.9]])) == [(1, 1), (0, 0)]
    assert partners(np.array([[0.5, 0.0], [0.6, 0.0]])) == [(1, 0)]  # what resembles nobody has no partner
    assert partners(np.zeros((0, 3))) == []


A, B = (0, 100), (300, 400)  # two people far apart


@pytest.mark.parametrize(
    'name, seen, expected',
    [
        ('both as they are', found(A, B), Counts(2, 0, 4, 0)),
        ('nobody', found(), Counts(2, 2, 0, 0)),
        ('one of them', found(A), Counts(2, 1, 2, 0)),
        ('twice the same: the second is left without a partner', found(A, A), Counts(2, 1, 2, 0)),
        ("A's second keypoint on B's", found((0, 400), B), Counts(2, 0, 4, 1)),
        ("A's second keypoint on B's first: of another kind", found((0, 300), B), Counts(2, 0, 4, 0)),
        ("A's second keypoint on nobody", found((0, 200), B), Counts(2, 0, 4, 0)),
        ('second keypoints exchanged', found((0, 400), (300, 100)), Counts(2, 0, 4, 2)),
        ('on B within the half', found((0, 400 + 0.99 * HALF), B), Counts(2, 0, 4, 1)),
        ('on B not within the half', found((0, 400 + 1.01 * HALF), B), Counts(2, 0, 4, 0)),
        ('far from everybody: missed, and no keypoints count', found((800, 900), B), Counts(2, 1, 2, 0)),
        ('a third person of a low score does not count', found((800, 900), A, B, scores=[0.1, 0.9, 0.8]),
         Counts(2, 0, 4, 0)),
        ('a third person of a high score takes the place of one', found((800, 900), A, B, scores=[1, 0.9, 0.8]),
         Counts(2, 1, 2, 0)),
    ],
)  # fmt: skip
def test_people_missed_and_keypoints_on_the_wrong_person_are_counted(name, seen, expected):
    assert count(seen, people(A, B), SIGMA) == expected


def test_where_two_people_have_the_same_place_a_keypoint_is_on_its_own():
    close = people((0, 100), (5, 105))  # 5 px: a likeness of 0.88, so each lies on the other too
    assert count(found((0, 100), (5, 105)), close, SIGMA) == Counts(2, 0, 4, 0)


def test_a_keypoint_that_is_not_labelled_is_on_nobody_and_does_not_count():
    labelled = [[True, False], [True, True]]
    # the first person's second keypoint has no label: it may lie anywhere
    assert count(found((0, 400), B), people(A, B, labelled=labelled), SIGMA) == Counts(2, 0, 3, 0)
    # nor is anybody's keypoint on it
    swapped = people(A, B, labelled=[[True, False], [True, True]])
    assert count(found(A, (300, 100)), swapped, SIGMA) == Counts(2, 0, 3, 0)


def test_a_person_without_labelled_keypoints_is_not_missed():
    nobody = people(A, B, labelled=[[True, True], [False, False]])
    assert count(found(A, B), nobody, SIGMA) == Counts(1, 0, 2, 0)
    assert count(found(A), people(), SIGMA) == Counts(0, 0, 0, 0)


def test_counts_of_images_add_up():
    assert total([Counts(2, 1, 20, 3), Counts(1, 0, 17, 0)]) == Counts(3, 1, 37, 3)
    assert total([]) == Counts(0, 0, 0, 0)
