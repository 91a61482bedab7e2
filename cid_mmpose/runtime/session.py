"""What runs an exported file: the same calls for every runtime."""

import os
from typing import Any, NamedTuple, Protocol

import numpy as np

from cid_mmpose.errors import BadInput

from .about import OUTPUTS, About

COLORS = 3
LONGEST = 200  # characters of what a library says


class Rows(NamedTuple):
    """What a graph says of B images; P rows of each, K keypoints."""

    keypoints: np.ndarray  # (B, P, K, 2) float32 in pixels of the input
    keypoint_scores: np.ndarray  # (B, P, K) float32
    scores: np.ndarray  # (B, P) float32; 0 where a row is empty
    centers: np.ndarray  # (B, P, 2) float32 in pixels of the input


class Session(Protocol):
    """A file that is ready to run."""

    about: About
    where: str  # what it runs on, as a user is told it

    def run(self, images: np.ndarray) -> Rows:
        """The rows of images.

        Args:
            images: (B, h, w, 3) uint8 BGR.
        """


class Port(NamedTuple):
    """An input or output of a graph."""

    name: str
    sides: list[int | None]  # of its array; None where they are free
    is_uint8: bool


def check_ports(inputs: list[Port], outputs: list[Port], about: About, path: str) -> None:
    """BadInput unless inputs and outputs are those of an export that is what the file says of itself.

    Args:
        inputs: of the graph.
        outputs: of the graph.
        about: what the file says of itself.
        path: of the file.
    """
    names = [each.name for each in inputs]
    made = {each.name: each for each in outputs}
    if names != ['images'] or set(made) != set(OUTPUTS):
        raise BadInput(f'{path}: its graph takes {names} and gives {list(made)}; export the model again')

    width, height = about.size or (None, None)
    wanted = [about.batch, height, width, COLORS]
    if not inputs[0].is_uint8 or inputs[0].sides != wanted:
        raise BadInput(
            f'{path}: its graph takes images {inputs[0].sides}, and it says of itself {wanted}; export the model again'
        )
    rows = made['keypoints'].sides[1:3]
    wanted = [about.max_people, len(about.keypoint_set)]
    if rows != wanted:
        raise BadInput(
            f'{path}: its graph gives keypoints for {rows}, and it says of itself {wanted}; export the model again'
        )


def first_line(error: Any) -> str:
    """The first line of what a library says, as a message has it.

    Args:
        error: an exception, or its text.
    """
    return str(error).strip().partition('\n')[0][:LONGEST]


def threads_asked() -> int | None:
    """How many threads ``OMP_NUM_THREADS`` asks for, as torch takes it; None leaves it to the runtime.

    Where several processes share a machine, as workers of Ray do, each is to keep to its own cores.
    """
    text = os.environ.get('OMP_NUM_THREADS', '')
    return int(text) if text.isdecimal() and int(text) > 0 else None
