"""Colours in a video: a person keeps theirs from frame to frame."""

import numpy as np

from .colours import PALETTE, colour_graph, neighbours

SAME = 0.2  # of the area that two boxes cover together: from this share in common on they may be of one person
PATIENCE = 15  # frames for which somebody is remembered who is not seen


class ColourMemory:
    """Who had which colour in the last frames of one video.

    People are told by their boxes alone, each time those who overlap most; this is for drawing and no tracking. Where
    two of one colour become neighbours, the one who comes later in the arrays gets another.
    """

    def __init__(self) -> None:
        self.boxes = np.empty((0, 4))
        self.colours = np.empty(0, int)
        self.unseen = np.empty(0, int)  # for how many frames

    def choose(self, boxes: np.ndarray) -> np.ndarray:
        """Colours for the people of the next frame, none that a neighbour has.

        Args:
            boxes: (N, 4), x1, y1, x2, y2 px.

        Returns:
            (N,) int, places in ``PALETTE``.
        """
        overlap = overlaps(boxes, self.boxes)
        given = np.full(len(boxes), -1)
        while overlap.size and overlap.max() >= SAME:
            person, known = np.unravel_index(overlap.argmax(), overlap.shape)
            given[person] = self.colours[known]
            self.unseen[known] = PATIENCE  # this frame's box takes its place
            overlap[person] = 0
            overlap[:, known] = 0

        chosen = colour_graph(neighbours(boxes), len(PALETTE), given)
        stays = self.unseen < PATIENCE
        self.boxes = np.concatenate([boxes, self.boxes[stays]])
        self.colours = np.concatenate([chosen, self.colours[stays]])
        self.unseen = np.concatenate([np.zeros(len(boxes), int), self.unseen[stays] + 1])
        return chosen


def overlaps(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """What each two boxes have in common, as a share of what they cover together.

    Args:
        boxes: (N, 4), x1, y1, x2, y2 px.
        others: (M, 4).

    Returns:
        (N, M) in [0, 1].
    """
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    common = (high - low).clip(0).prod(axis=2)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    other_areas = (others[:, 2:] - others[:, :2]).prod(axis=1)
    together = areas[:, None] + other_areas[None] - common
    return common / np.maximum(together, np.finfo(float).tiny)
