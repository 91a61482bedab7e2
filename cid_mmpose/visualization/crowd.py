"""People on their image, so that each can be told from the others: arrays in, an array out.

Legend: N people, n of them of whom something is drawn, K keypoints; places are (x, y) px; images are BGR.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np

from cid_mmpose.inference.keypoints import KeypointSet

from .colour_memory import ColourMemory
from .colours import PALETTE, SIDES, Colour, lighter
from .options import DrawOptions
from .skeleton import Skeleton, anatomy, cover, limb_width, make_skeleton, paint
from .text import Rectangle, text_size, write

OVER_OTHERS = 0.65  # how opaque a person is over those behind
BOX = 0.5  # width of a box's lines, in widths of limbs
FAR = 4  # image sides; keypoints farther outside are drawn at this distance, where OpenCV's coordinates end

# height of capitals
LABEL_OF_IMAGE = 1 / 100  # of the image's diagonal
LABEL_OF_PERSON = 0.1  # of the person's longer side
LABEL_GAP = 0.06  # of the person's longer side, between a keypoint and the label: eyes are that far below the crown
LEAST_LABEL = 7  # px, below it nobody can read them
LEAST_SIZE = 6  # of a person's longer side, in heights of capitals; smaller ones would be hidden
LEGEND_OF_IMAGE = 1 / 50  # of the image's diagonal
WHITE = (255, 255, 255)
PALE = 0.3  # how far a label is from its person's colour to white


class Crowd(NamedTuple):
    """The people of whom something is drawn."""

    numbers: np.ndarray  # (n,) int, in the arrays that were given
    keypoints: np.ndarray  # (n, K, 2) px
    drawn: np.ndarray  # (n, K) bool, at least one of each person
    scores: np.ndarray | None  # (n,)
    extents: np.ndarray  # (n, 4), x1, y1, x2, y2 px around the drawn keypoints
    boxes: np.ndarray  # (n, 4), as given; the extents if none were

    @property
    def sizes(self) -> np.ndarray:
        """(n,) px, the longer sides of the extents."""
        sides = self.extents[:, 2:] - self.extents[:, :2]
        return sides.max(axis=1)


def draw_crowd(
    image: np.ndarray,
    keypoints: np.ndarray,
    keypoint_scores: np.ndarray,
    keypoint_set: KeypointSet,
    scores: np.ndarray | None = None,
    boxes: np.ndarray | None = None,
    *,
    colour_memory: ColourMemory | None = None,
    **options: Any,
) -> np.ndarray:
    """Draws people from far to near, translucent where they lie over others, each easy to tell from the next.

    Args:
        image: (h, w, 3) uint8 BGR; it stays as it is.
        keypoints: (N, K, 2) px.
        keypoint_scores: (N, K).
        keypoint_set: what the K keypoints are.
        scores: (N,), of each person; None writes none.
        boxes: (N, 4), x1, y1, x2, y2 px; None takes those around the keypoints that are drawn.
        colour_memory: of the video that the image is the next frame of, so that people keep their colours.
        options: of ``DrawOptions``, by name.

    Returns:
        A new image of the same size.

    Raises:
        BadInput: an option is unknown or out of its range.
        ValueError: the arrays do not belong together.
    """
    chosen = DrawOptions.named(options)
    _check_arrays(image, keypoints, keypoint_scores, keypoint_set, scores, boxes)
    crowd = visible_people(image.shape, keypoints, keypoint_scores, scores, boxes, chosen)
    canvas = np.array(image, order='C')  # a new array, as OpenCV takes them
    colours = person_colours(crowd, colour_memory or ColourMemory())
    if not len(crowd.numbers):
        if chosen.legend:
            _write_legend(canvas, chosen, scores)
        return canvas

    widths = [limb_width(size, _diagonal(image)) * chosen.thickness for size in crowd.sizes]
    order = far_to_near(crowd.extents)
    if chosen.show_boxes:
        for person in order:
            _draw_box(canvas, crowd.boxes[person], widths[person], colours[person])

    body = anatomy(keypoint_set)
    skeletons = []
    for person in order:
        palette = SIDES if chosen.colours == 'side' else dict.fromkeys(SIDES, colours[person])
        skeleton = make_skeleton(
            crowd.keypoints[person], crowd.drawn[person], body, widths[person], palette, image.shape
        )
        skeletons.append(skeleton)
    paint_over(canvas, skeletons)

    texts = _labels(crowd, chosen.labels)
    if texts:
        pale = [lighter(colour, PALE) for colour in colours]
        if chosen.colours == 'side':
            pale = [WHITE] * len(colours)
        _write_labels(canvas, crowd, texts, pale, order[::-1])
    return canvas


def visible_people(
    shape: tuple[int, ...],
    keypoints: np.ndarray,
    keypoint_scores: np.ndarray,
    scores: np.ndarray | None,
    boxes: np.ndarray | None,
    options: DrawOptions,
) -> Crowd:
    """Who is drawn, and which keypoints of them.

    Args:
        shape: of the image, (h, w, ...) px.
        keypoints: (N, K, 2) px.
        keypoint_scores: (N, K).
        scores: (N,) or None.
        boxes: (N, 4) px or None.
        options: with the least scores.
    """
    keypoints = np.asarray(keypoints, float)
    drawn = np.isfinite(keypoints).all(axis=2) & (np.asarray(keypoint_scores) >= options.min_keypoint_score)
    shown = drawn.any(axis=1)
    if scores is not None:
        shown &= np.asarray(scores) >= options.min_score
    numbers = np.flatnonzero(shown)
    drawn = drawn[numbers]

    longest = max(shape[:2])
    marked = drawn[:, :, None]
    places = np.where(marked, keypoints[numbers], 0).clip(-FAR * longest, (1 + FAR) * longest)
    low = np.where(marked, places, np.inf).min(axis=1)
    high = np.where(marked, places, -np.inf).max(axis=1)
    extents = np.concatenate([low, high], axis=1)

    return Crowd(
        numbers=numbers,
        keypoints=places,
        drawn=drawn,
        scores=None if scores is None else np.asarray(scores)[numbers],
        extents=extents,
        boxes=extents if boxes is None else np.asarray(boxes, float)[numbers],
    )


def person_colours(crowd: Crowd, memory: ColourMemory) -> list[Colour]:
    """A colour for each of n people, another one than those have who overlap, touch or stand close.

    Args:
        crowd: n people.
        memory: of the frames before.
    """
    low = np.minimum(crowd.boxes[:, :2], crowd.extents[:, :2])
    high = np.maximum(crowd.boxes[:, 2:], crowd.extents[:, 2:])
    numbers = memory.choose(np.concatenate([low, high], axis=1))
    return [PALETTE[number] for number in numbers]


def far_to_near(extents: np.ndarray) -> np.ndarray:
    """The order in which people are drawn: who is small and high in the image is far away.

    Args:
        extents: (n, 4), x1, y1, x2, y2 px.

    Returns:
        (n,) int, the farthest first.
    """
    sides = extents[:, 2:] - extents[:, :2]
    nearness = extents[:, 3] + sides.max(axis=1)
    return np.argsort(nearness, kind='stable')


def paint_over(canvas: np.ndarray, skeletons: list[Skeleton]) -> None:
    """Draws people one over the other; those behind show through.

    Only the pixels that two people share are blended, so that an image of any size is copied once and not for each
    person.

    Args:
        canvas: (h, w, 3) uint8 BGR, changed.
        skeletons: the farthest first.
    """
    painted = np.zeros(canvas.shape[:2], np.uint8)  # above 0 where somebody is already
    mask = np.zeros_like(painted)
    for skeleton in skeletons:
        rows, columns = skeleton.rows, skeleton.columns
        if rows.start == rows.stop or columns.start == columns.stop:  # outside the image
            continue
        cover(mask, skeleton)
        own = mask[rows, columns]
        others = painted[rows, columns]
        shared = cv2.findNonZero(cv2.min(own, others))

        if shared is None:
            paint(canvas, skeleton)
        else:
            x, y = shared.reshape(-1, 2).T + [[columns.start], [rows.start]]  # (n, 1, 2), in OpenCV 5 (n, 2)
            before = canvas[y, x].astype(np.float32)
            paint(canvas, skeleton)
            after = canvas[y, x]
            canvas[y, x] = np.rint(before + OVER_OTHERS * (after - before))

        cv2.max(others, own, dst=others)
        own[:] = 0


def _draw_box(canvas: np.ndarray, box: np.ndarray, width: float, colour: Colour) -> None:
    left, top, right, bottom = np.rint(box).astype(int).tolist()
    cv2.rectangle(canvas, (left, top), (right, bottom), colour, max(1, round(BOX * width)), cv2.LINE_AA)


def _labels(crowd: Crowd, kind: str) -> list[str]:
    """The n texts beside people; none if there are none to write."""
    if kind == 'number':
        return [str(number) for number in crowd.numbers]
    if kind == 'score' and crowd.scores is not None:
        return [f'{score:.2f}' for score in crowd.scores]
    return []


def _write_labels(canvas: np.ndarray, crowd: Crowd, texts: list[str], colours: list[Colour], order: np.ndarray) -> None:
    """Writes a text above each person, or below where another one stands; none where both places are taken.

    Args:
        canvas: changed.
        crowd: n people.
        texts: n, in ASCII.
        colours: n.
        order: (n,) int, who chooses first.
    """
    sizes = crowd.sizes
    taken: list[Rectangle] = []
    for person in order:
        size = sizes[person]
        height = min(LABEL_OF_IMAGE * _diagonal(canvas), LABEL_OF_PERSON * size)
        height = max(height, LEAST_LABEL)
        if size < LEAST_SIZE * height:
            continue
        width_and_height = text_size(texts[person], height)
        gap = max(height, LABEL_GAP * size)
        for place in _label_places(crowd, person, width_and_height, gap, canvas.shape):
            if not any(place.meets(other) for other in taken):
                write(canvas, texts[person], place.left, place.top, height, colours[person])
                taken.append(place)
                break


def _label_places(
    crowd: Crowd, person: int, size: tuple[int, int], gap: float, shape: tuple[int, ...]
) -> list[Rectangle]:
    """Where a person's label may stand: above the highest keypoint, then below the lowest; moved into the image.

    Args:
        crowd: n people.
        person: in [0, n).
        size: width and height of the text, px.
        gap: between keypoint and text, px.
        shape: of the image, (h, w, ...) px.
    """
    keypoints = crowd.keypoints[person][crowd.drawn[person]]
    highest = keypoints[keypoints[:, 1].argmin()]
    lowest = keypoints[keypoints[:, 1].argmax()]
    width, height = size

    places = []
    for x, top in ((highest[0], highest[1] - gap - height), (lowest[0], lowest[1] + gap)):
        left = round(max(0, min(x - width / 2, shape[1] - width)))
        inside = round(max(0, min(top, shape[0] - height)))
        places.append(Rectangle(left, inside, left + width, inside + height))
    return places


def _write_legend(canvas: np.ndarray, options: DrawOptions, scores: np.ndarray | None) -> None:
    """Says at the top left that nobody is there, or that no keypoint of those who are can be drawn."""
    text = f'nobody above {max(options.min_score, options.min_keypoint_score):g}'
    if scores is not None and (np.asarray(scores) >= options.min_score).any():
        text = f'no keypoint above {options.min_keypoint_score:g}'
    height = max(LEGEND_OF_IMAGE * _diagonal(canvas), LEAST_LABEL)
    margin = round(height / 2)
    write(canvas, text, margin, margin, height, WHITE)


def _diagonal(image: np.ndarray) -> float:
    """Of an image, px."""
    return float(np.hypot(*image.shape[:2]))


def _check_arrays(
    image: np.ndarray,
    keypoints: np.ndarray,
    keypoint_scores: np.ndarray,
    keypoint_set: KeypointSet,
    scores: np.ndarray | None,
    boxes: np.ndarray | None,
) -> None:
    """ValueError if what ``draw_crowd`` is given does not belong together."""
    is_image = isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
    if not is_image or 0 in image.shape:
        raise ValueError(f'draw: the image is {_told(image)}; give (h, w, 3) uint8 BGR')

    count = len(keypoints)
    num_keypoints = len(keypoint_set)
    shapes = dict(
        keypoints=(keypoints, (count, num_keypoints, 2)),
        keypoint_scores=(keypoint_scores, (count, num_keypoints)),
        scores=(scores, (count,)),
        boxes=(boxes, (count, 4)),
    )
    for name, (array, shape) in shapes.items():
        if array is not None and np.shape(array) != shape:
            raise ValueError(f'draw: {name} has shape {np.shape(array)} where {shape} belongs')


def _told(image: Any) -> str:
    if isinstance(image, np.ndarray):
        return f'an array of shape {image.shape} and type {image.dtype}'
    return f'a {type(image).__name__}'
