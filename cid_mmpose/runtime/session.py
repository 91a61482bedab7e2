"""What runs an exported file: the same calls for every runtime."""

from typing import NamedTuple, Protocol

import numpy as np

from .about import About


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
