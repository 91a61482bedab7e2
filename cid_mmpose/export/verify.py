"""An exported file against torch, from the image to the people, before anybody is told that it is done."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cid_mmpose.errors import BadInput
from cid_mmpose.inference.finder import PeopleFinder
from cid_mmpose.inference.people import People

SAME_CENTER = 0.5  # pixels of the image within which a person of the one is that of the other
DRAWN = 4  # images of SynthCrowd where none are given
# (w, h) of the images of noise
NOISE_SIZES = ((640, 480), (480, 640), (500, 333), (320, 320), (1280, 400))


@dataclass(frozen=True)
class Tolerance:
    """How far a file may be from torch.

    Args:
        pixels: a keypoint further off, in pixels of the image, counts as moved.
        moved: share of keypoints that may be.
        score: difference of scores.
        missing: share of people that may be in the one alone.
    """

    pixels: float
    moved: float
    score: float
    missing: float


# float32 is exact but for roundings in the last digits: of two cells of a map that are equally high to six digits,
# either may be the peak, which happens to one in some thousand keypoints of noise. Half precision moves more.
TOLERANCES = dict(
    float32=Tolerance(pixels=0.01, moved=0.002, score=1e-4, missing=0.002),
    float16=Tolerance(pixels=4, moved=0.05, score=0.02, missing=0.05),
    bfloat16=Tolerance(pixels=4, moved=0.15, score=0.1, missing=0.15),
)


class Difference(NamedTuple):
    """What was compared, and how far apart it is."""

    images: int
    people: int  # that torch found
    missing: int  # that only the one or the other found
    keypoints: int  # compared
    moved: int  # of them, further than the tolerance
    pixels: float  # the farthest
    score: float  # largest difference of a person's or a keypoint's score

    def text(self) -> str:
        """As a user reads it."""
        return (
            f'{self.images} images, {self.people} people ({self.missing} of one side alone), {self.moved} of '
            f'{self.keypoints} keypoints moved, the farthest by {self.pixels:.2g} px, scores within {self.score:.2g}'
        )


def noise_images() -> list[np.ndarray]:
    """Images of random values, (h, w, 3) uint8 BGR, of several sizes."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (height, width, 3), np.uint8) for width, height in NOISE_SIZES]


def drawn_images() -> list[np.ndarray]:
    """Images of SynthCrowd, for whoever has no others at hand."""
    from cid_mmpose.data import SynthCrowd

    dataset = SynthCrowd(length=DRAWN, pipeline=[])
    return [dataset.scene(number).image for number in range(DRAWN)]


def compare(model: PeopleFinder, exported: PeopleFinder, images: Iterable[np.ndarray], pixels: float) -> Difference:
    """What both find in images.

    Args:
        model: of torch, without NMS, so that a pair near its limit does not look like two people.
        exported: of the file, without NMS too.
        images: (h, w, 3) uint8 BGR.
        pixels: a keypoint further off counts as moved.
    """
    total = Difference(0, 0, 0, 0, 0, 0.0, 0.0)
    for image in images:
        (one,) = model(image)
        (other,) = exported(image)
        total = _sum(total, difference(one, other, pixels))
    return total


def difference(one: People, other: People, pixels: float) -> Difference:
    """How far apart the people of one image are; a person is the one with the same center.

    Args:
        one: of torch.
        other: of the file.
        pixels: a keypoint further off counts as moved.
    """
    pairs = []
    if len(one) and len(other):
        distances = np.linalg.norm(one.centers[:, None] - other.centers[None], axis=-1)
        nearest = distances.argmin(1)
        pairs = [(number, place) for number, place in enumerate(nearest) if distances[number, place] < SAME_CENTER]
    missing = len(one) + len(other) - 2 * len(pairs)
    first = one[[number for number, _ in pairs]]
    second = other[[place for _, place in pairs]]
    moves = np.linalg.norm(first.keypoints - second.keypoints, axis=-1)
    scores = np.concatenate(
        [(first.keypoint_scores - second.keypoint_scores).ravel(), first.scores - second.scores, np.zeros(1)]
    )
    return Difference(
        images=1,
        people=len(one),
        missing=missing,
        keypoints=moves.size,
        moved=int((moves > pixels).sum()),
        pixels=float(moves.max(initial=0)),
        score=float(np.abs(scores).max()),
    )


def _sum(one: Difference, other: Difference) -> Difference:
    """Of two sets of images."""
    return Difference(
        images=one.images + other.images,
        people=one.people + other.people,
        missing=one.missing + other.missing,
        keypoints=one.keypoints + other.keypoints,
        moved=one.moved + other.moved,
        pixels=max(one.pixels, other.pixels),
        score=max(one.score, other.score),
    )


def check(found: Difference, precision: str, name: str) -> None:
    """BadInput if a file says something else than torch.

    Args:
        found: of ``compare``.
        precision: of the file.
        name: of the file.
    """
    tolerance = TOLERANCES[precision]
    if not found.people:
        raise BadInput(
            f'{name}: torch finds nobody in the {found.images} images that the file is held against, so it cannot be '
            'checked and was not written; give images with people (--images), or a lower --min-score'
        )
    is_same = (
        found.moved <= tolerance.moved * found.keypoints
        and found.missing <= tolerance.missing * found.people
        and found.score <= tolerance.score
    )
    if not is_same:
        way_out = '' if precision == 'float32' else '; give --data to judge the file by its AP instead'
        raise BadInput(f'{name}: says something else than torch and was not written: {found.text()}{way_out}')
