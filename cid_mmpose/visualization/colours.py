"""Colours of people: a palette that colour-blind people can tell apart, given out so that neighbours differ."""

import numpy as np

Colour = tuple[int, int, int]  # blue, green, red, 0 to 255

# Chosen by search: any two are at least 24 apart in CIELAB as people with protanopia, deuteranopia or tritanopia
# see them (Machado et al. 2009), and 37 as others do; light enough to be seen with a dark edge. The first ones are the
# easiest to tell apart.
PALETTE: tuple[Colour, ...] = (
    (255, 150, 0),  # azure
    (0, 135, 240),  # orange
    (165, 255, 0),  # spring green
    (150, 30, 255),  # pink
    (105, 225, 240),  # straw
    (255, 75, 105),  # violet
    (0, 255, 210),  # lime
    (0, 30, 210),  # red
    (255, 255, 180),  # ice
    (180, 0, 195),  # purple
    (240, 180, 195),  # lavender
    (75, 90, 165),  # brown
)
SIDES = dict(left=PALETTE[0], right=PALETTE[1], middle=PALETTE[4])
NEAR = 0.1  # of a box's longer side: people whose boxes are closer than this are neighbours


def lighter(colour: Colour, share: float) -> Colour:
    """A colour on its way to white.

    Args:
        colour: where it starts.
        share: of the way, in [0, 1].
    """
    blue, green, red = (round(value + share * (255 - value)) for value in colour)
    return blue, green, red


def neighbours(boxes: np.ndarray) -> np.ndarray:
    """Who stands so close to whom that they must not look alike: boxes overlap, touch, or nearly do.

    Args:
        boxes: (N, 4), x1, y1, x2, y2 px.

    Returns:
        (N, N) bool, symmetric, False on the diagonal.
    """
    low = boxes[:, :2]
    high = boxes[:, 2:]
    sides = high - low
    margin = NEAR * sides.max(axis=1)

    # from the end of one to the start of the other, along x and along y; negative where they overlap
    gaps = np.maximum(low[:, None] - high[None], low[None] - high[:, None])
    near = gaps.max(axis=2) <= np.maximum(margin[:, None], margin[None])
    np.fill_diagonal(near, False)
    return near


def colour_graph(near: np.ndarray, count: int, given: np.ndarray | None = None) -> np.ndarray:
    """A colour for each person, another one than any neighbour has.

    Brélaz' DSATUR: next comes who sees the most colours around, then who has the most neighbours. Of the colours that
    no neighbour has, a person gets the one that the fewest people have so far: those who are no neighbours look alike
    only where there are more people than colours. It never fails where everybody has fewer than ``count`` neighbours,
    and hardly where no ``count + 1`` people are all neighbours of each other; beyond that a person shares a colour with
    the fewest neighbours.

    Args:
        near: (N, N) bool, symmetric, who is whose neighbour.
        count: of the colours, at least 1.
        given: (N,) int, colours that people have already, -1 for none. Of neighbours with the same one the first in the
            array keeps it.

    Returns:
        (N,) int in [0, count).
    """
    people = len(near)
    degree = near.sum(axis=1)
    around = np.zeros((people, count), int)  # how many neighbours of a person have a colour
    used = np.zeros(count, int)
    chosen = np.full(people, -1)

    def choose(person: int, colour: int) -> None:
        chosen[person] = colour
        used[colour] += 1
        around[near[person], colour] += 1

    for person, colour in enumerate(() if given is None else given):
        if colour >= 0 and not around[person, colour]:
            choose(person, colour)

    while (chosen < 0).any():
        urgency = (around > 0).sum(axis=1) * (people + 1) + degree
        urgency[chosen >= 0] = -1
        person = urgency.argmax()

        cost = around[person] * (people + 1) + used
        choose(person, cost.argmin())
    return chosen
