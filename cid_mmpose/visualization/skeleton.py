"""One person as lines and dots: how thick, how large, in which colours, and how they come onto an image.

Legend: K keypoints, L links; places are (x, y) px, the whole coordinate is a pixel's center; colours are BGR.
"""

import re
from typing import NamedTuple

import cv2
import numpy as np

from cid_mmpose.inference.keypoints import KeypointSet

from .colours import Colour, lighter

# words in the names of keypoints of a head, whose face must stay visible
HEAD = set('head face nose eye eyes ear ears mouth lip lips chin jaw brow eyebrow cheek forehead'.split())
WORD = re.compile('[A-Z]+(?![a-z])|[A-Z]?[a-z]+')

# widths of limbs
OF_PERSON = 0.01  # of the person's longer side
LEAST_OF_IMAGE = 1 / 700  # of the image's diagonal, so that a small person in a large image is seen
MOST_OF_IMAGE = 1 / 170  # of the image's diagonal, so that a large person is not painted over
MOST_OF_PERSON = 0.04  # of the person's longer side, so that a small person is not hidden

# in widths of limbs
HEAD_LINE = 0.3
DOT = 1.0  # radius of a keypoint
HEAD_DOT = 0.5

SHORT = 8  # px; shorter lines of a head are left out, they would fill a small face
SMALLEST = 0.75  # px, radius of a dot
MOST_OF_LINE = 0.3  # of a line's own length: the lines of fingers and faces are finer than those of limbs
EDGE = 0.25  # width of the dark edge, in widths of the line or radii of the dot
LIGHTER = 0.45  # how far a dot is from its colour to white
DARK = (25, 25, 25)
SHIFT = 4  # fractional bits of the coordinates that OpenCV is given


class Part(NamedTuple):
    """A link of a keypoint set."""

    start: int  # keypoint
    end: int  # keypoint
    side: str  # 'left', 'right' or 'middle'
    of_head: bool


class Anatomy(NamedTuple):
    """What is the same for all people of a keypoint set."""

    parts: list[Part]  # L
    sides: tuple[str, ...]  # K
    of_head: list[bool]  # K


class Lines(NamedTuple):
    """Those of a person that have one width and colour."""

    ends: list[np.ndarray]  # each (2, 2) int32, start and end, px / 2^SHIFT
    width: int  # px
    outer: int  # px, with the dark edge; no more than ``width`` for lines of a head
    colour: Colour


class Dot(NamedTuple):
    """A keypoint."""

    place: tuple[int, int]  # px / 2^SHIFT
    radius: float  # px
    outer: float  # px, with the dark edge
    colour: Colour


class Skeleton(NamedTuple):
    """What is drawn of a person."""

    lines: list[Lines]
    dots: list[Dot]
    rows: slice  # of the image, px, outside of which nothing is drawn
    columns: slice


def anatomy(keypoint_set: KeypointSet) -> Anatomy:
    """Sides of lines, and which keypoints and lines are a head's.

    Args:
        keypoint_set: names, links and swaps.
    """
    of_head = [is_of_head(name) for name in keypoint_set.names]
    sides = keypoint_set.sides()
    parts = []
    for start, end in keypoint_set.links:
        side = link_side(sides[start], sides[end])
        parts.append(Part(start, end, side, of_head[start] or of_head[end]))
    return Anatomy(parts, sides, of_head)


def is_of_head(name: str) -> bool:
    """Whether a keypoint is one of a head, by the words in its name."""
    words = {word.lower() for word in WORD.findall(name)}
    return not words.isdisjoint(HEAD)


def link_side(start: str, end: str) -> str:
    """'left', 'right' or 'middle' of a line: the side of its ends, where not one is left and the other right.

    Args:
        start: side of one end.
        end: side of the other.
    """
    sides = {start, end} - {'middle'}
    return sides.pop() if len(sides) == 1 else 'middle'


def limb_width(size: float, diagonal: float) -> float:
    """Width of a person's limbs, px, at least 1.

    Args:
        size: of the person's longer side, px.
        diagonal: of the image, px.
    """
    least = min(LEAST_OF_IMAGE * diagonal, MOST_OF_PERSON * size)
    most = MOST_OF_IMAGE * diagonal
    width = min(max(OF_PERSON * size, least), most)
    return max(width, 1.0)


def make_skeleton(
    keypoints: np.ndarray,
    drawn: np.ndarray,
    body: Anatomy,
    width: float,
    palette: dict[str, Colour],
    shape: tuple[int, ...],
) -> Skeleton:
    """Lines and dots of one person.

    Args:
        keypoints: (K, 2) px; those that are not drawn may be any numbers.
        drawn: (K,) bool, which keypoints are; one or more.
        body: what they are.
        width: of limbs, px.
        palette: colours of what is 'left', 'right' and in the 'middle'.
        shape: of the image, (h, w, ...) px.
    """
    fixed = np.rint(keypoints * 2**SHIFT).astype(np.int32)
    seen = drawn.tolist()
    parts = []
    starts = []
    ends = []
    for part in body.parts:
        if seen[part.start] and seen[part.end]:
            parts.append(part)
            starts.append(part.start)
            ends.append(part.end)
    lengths = np.hypot(*(keypoints[starts] - keypoints[ends]).T)  # px

    reach = np.full(len(keypoints), np.inf)  # px from a keypoint to the nearest one that it is linked to
    np.minimum.at(reach, starts, lengths)
    np.minimum.at(reach, ends, lengths)

    lines = _lines(parts, lengths.tolist(), fixed, width, palette)
    dots = _dots(np.flatnonzero(drawn).tolist(), reach.tolist(), fixed, body, width, palette)
    widest = 0.0  # px from the middle of a dot or line to its edge
    for dot in dots:
        widest = max(widest, dot.outer)
    for line in lines:
        widest = max(widest, line.outer / 2)
    rows, columns = _around(keypoints[drawn], widest + 4, shape)
    return Skeleton(lines, dots, rows, columns)


def _lines(
    parts: list[Part], lengths: list[float], fixed: np.ndarray, width: float, palette: dict[str, Colour]
) -> list[Lines]:
    """The lines of a person, those of one kind together."""
    kinds: dict[tuple, Lines] = {}
    for part, length in zip(parts, lengths):
        if part.of_head and length < SHORT:
            continue
        own = width * HEAD_LINE if part.of_head else width
        rounded = max(1, round(min(own, MOST_OF_LINE * length)))
        outer = rounded if part.of_head else rounded + max(1, round(2 * EDGE * rounded))

        kind = (rounded, outer, part.side)
        if kind not in kinds:
            kinds[kind] = Lines([], rounded, outer, palette[part.side])
        kinds[kind].ends.append(fixed[[part.start, part.end]])
    return list(kinds.values())


def _dots(
    numbers: list[int], reach: list[float], fixed: np.ndarray, body: Anatomy, width: float, palette: dict[str, Colour]
) -> list[Dot]:
    """The keypoints of a person."""
    pale = {side: lighter(colour, LIGHTER) for side, colour in palette.items()}
    places = fixed.tolist()
    dots = []
    for number in numbers:
        own = width * (HEAD_DOT if body.of_head[number] else DOT)
        radius = max(SMALLEST, min(own, MOST_OF_LINE * reach[number]))
        outer = radius + max(0.5, EDGE * radius)
        dots.append(Dot(tuple(places[number]), radius, outer, pale[body.sides[number]]))
    return dots


def _around(places: np.ndarray, margin: float, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of an image that hold (n, 2) places and a margin around them, px."""
    height, width = shape[:2]
    left, top = np.floor(places.min(axis=0) - margin).clip(0, (width, height)).astype(int).tolist()
    right, bottom = np.ceil(places.max(axis=0) + margin + 1).clip(0, (width, height)).astype(int).tolist()
    return slice(top, bottom), slice(left, right)


def paint(canvas: np.ndarray, skeleton: Skeleton) -> None:
    """Draws a person: first all that is dark, so that only the outline of the whole is.

    Args:
        canvas: (h, w, 3) uint8 BGR, changed.
        skeleton: of the person.
    """
    for lines in skeleton.lines:
        if lines.outer > lines.width:
            cv2.polylines(canvas, lines.ends, False, DARK, lines.outer, cv2.LINE_AA, SHIFT)
    for dot in skeleton.dots:
        cv2.circle(canvas, dot.place, _fixed(dot.outer), DARK, cv2.FILLED, cv2.LINE_AA, SHIFT)
    for lines in skeleton.lines:
        cv2.polylines(canvas, lines.ends, False, lines.colour, lines.width, cv2.LINE_AA, SHIFT)
    for dot in skeleton.dots:
        cv2.circle(canvas, dot.place, _fixed(dot.radius), dot.colour, cv2.FILLED, cv2.LINE_AA, SHIFT)


def cover(mask: np.ndarray, skeleton: Skeleton) -> None:
    """Sets what ``paint`` changes to 1 or more, by the same strokes.

    Args:
        mask: (h, w) uint8, changed.
        skeleton: of the person.
    """
    for lines in skeleton.lines:
        cv2.polylines(mask, lines.ends, False, 255, lines.outer, cv2.LINE_AA, SHIFT)
    for dot in skeleton.dots:
        cv2.circle(mask, dot.place, _fixed(dot.outer), 255, cv2.FILLED, cv2.LINE_AA, SHIFT)


def _fixed(length: float) -> int:
    """A length in OpenCV's fixed point numbers."""
    return round(length * 2**SHIFT)
