"""How well the people of an image were found: who was missed, and which keypoints lie on somebody else.

N annotated people, M found people, K keypoints; everything in the pixels of the image. The likeness of one keypoint to
a place is a term of OKS, exp(-d^2 / (2 area (2 sigma)^2)), with the area of the person who is annotated.
"""

from typing import NamedTuple

import numpy as np

MISSED_BELOW = 0.5  # OKS: an annotated person whom nobody found resembles so much was missed
RESEMBLES = 0.1  # OKS: a found person who resembles nobody so much has no keypoints that could be on the wrong one
ON = 0.5  # likeness from which a keypoint lies on a person's keypoint
EPSILON = np.spacing(1)  # as in COCO's code


class Annotated(NamedTuple):
    """The annotated people of an image."""

    keypoints: np.ndarray  # (N, K, 2) px
    labelled: np.ndarray  # (N, K) bool
    areas: np.ndarray  # (N,) px squared
    boxes: np.ndarray  # (N, 4) x, y, width, height in px


class Found(NamedTuple):
    """The people that were found in an image."""

    keypoints: np.ndarray  # (M, K, 2) px
    scores: np.ndarray  # (M,)


class Counts(NamedTuple):
    """What is counted in images; the counts of several images add up."""

    people: int  # annotated, with a labelled keypoint
    missed: int  # of those
    keypoints: int  # labelled ones of the people who were found
    wrong: int  # of those, found on somebody else's keypoint


def likeness(found: np.ndarray, annotated: Annotated, sigmas: np.ndarray) -> np.ndarray:
    """(M, N, K) likeness in [0, 1] of each found keypoint to the same keypoint of each annotated person.

    Args:
        found: (M, K, 2) px.
        annotated: N people.
        sigmas: (K,) fall-off of OKS.
    """
    difference = found[:, None] - annotated.keypoints[None]
    squared = (difference.astype(np.float64) ** 2).sum(-1)
    spread = 2 * (annotated.areas[:, None] + EPSILON) * (2 * sigmas) ** 2  # (N, K)
    return np.exp(-squared / spread)


def oks(like: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """(M, N) OKS: the mean likeness over the labelled keypoints, 0 for people without any.

    Args:
        like: (M, N, K).
        labelled: (N, K) bool.
    """
    number = np.maximum(labelled.sum(-1), 1)
    return (like * labelled).sum(-1) / number


def partners(similarity: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of found and annotated people, one to one: the most alike first, then of those left, and so on.

    Args:
        similarity: (M, N) OKS.
    """
    left = similarity.astype(np.float64).copy()
    pairs = []
    for _ in range(min(left.shape)):
        found, annotated = np.unravel_index(np.argmax(left), left.shape)
        if left[found, annotated] <= 0:
            break
        pairs.append((int(found), int(annotated)))
        left[found] = -1
        left[:, annotated] = -1
    return pairs


def count(found: Found, annotated: Annotated, sigmas: np.ndarray) -> Counts:
    """People missed and keypoints on the wrong person, in one image.

    As many found people as there are annotated ones count, those of the highest scores, so that nobody gains by
    finding people everywhere. Each is paired with an annotated person (``partners``). An annotated person is missed
    whose partner's OKS is below ``MISSED_BELOW``. A keypoint of a found person whose OKS with the partner is at least
    ``RESEMBLES`` is *on the wrong person* if it is not on the partner's keypoint (likeness below ``ON``) and on the
    same labelled keypoint of somebody else (likeness of at least ``ON``); those count that are labelled for the
    partner.

    Args:
        found: M people.
        annotated: N people.
        sigmas: (K,) fall-off of OKS.
    """
    has_keypoints = annotated.labelled.any(-1)
    number = int(has_keypoints.sum())
    best = np.argsort(-found.scores, kind='stable')[:number]
    like = likeness(found.keypoints[best], annotated, sigmas) * annotated.labelled  # (M, N, K)
    similarity = oks(like, annotated.labelled)

    missed, keypoints, wrong = number, 0, 0
    for one, partner in partners(similarity):
        value = similarity[one, partner]
        missed -= int(value >= MISSED_BELOW)
        if value < RESEMBLES:
            continue
        counted = annotated.labelled[partner]
        off_own = like[one, partner] < ON
        others = np.delete(like[one], partner, axis=0)
        on_another = (others >= ON).any(0)
        keypoints += int(counted.sum())
        wrong += int((counted & off_own & on_another).sum())
    return Counts(number, missed, keypoints, wrong)


def total(counts: list[Counts]) -> Counts:
    """The counts of several images together."""
    sums = np.array(counts, int).reshape(-1, len(Counts._fields)).sum(0)
    return Counts(*(int(value) for value in sums))
