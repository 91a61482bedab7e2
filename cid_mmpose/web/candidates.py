"""Everyone whom the sliders of the page may show, found once: what they do needs no network."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from cid_mmpose.errors import BadInput
from cid_mmpose.inference.people import People
from cid_mmpose.inference.predictor import Predictor
from cid_mmpose.inference.sources import Item
from cid_mmpose.oks import oks_nms

LOWEST_SCORE = 0.05  # the lowest that the slider goes to
LOWEST_NMS = 0.05  # the same
NO_NMS = 1.0  # no OKS lies above it


class Sliders(NamedTuple):
    """How the people of a page are chosen among the candidates."""

    min_score: float  # people with a lower score are left out
    nms: float  # of two people with a higher OKS the better one stays

    def checked(self) -> 'Sliders':
        """These; BadInput if a value is no number in its range."""
        for name, value in self._asdict().items():
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
                raise BadInput(f'{name} must be a number from 0 to 1, got {value!r:.40}')
        return self


@dataclass(frozen=True, eq=False)
class Candidates:
    """The people of one image before scores and NMS leave some out.

    Args:
        people: best first, with their image.
        sigmas: (K,) OKS fall-off, those by which the network's own NMS compares people.
    """

    people: People
    sigmas: np.ndarray

    def chosen_by(self, sliders: Sliders) -> np.ndarray:
        """Numbers of the candidates who stay, best first.

        They are the people whom the network gives with these values as its options, whose NMS compares everyone
        before low scores are left out: with the same result, since nobody is taken away by somebody worse.

        Args:
            sliders: with no lower score than the candidates were found with.
        """
        numbers = np.flatnonzero(self.people.scores >= sliders.min_score)
        people = self.people[numbers]
        sides = people.boxes[:, 2:] - people.boxes[:, :2]
        kept = oks_nms(people.keypoints, people.scores, sides.prod(1), self.sigmas, sliders.nms)
        return numbers[kept]


def keep_candidates(predictor: Predictor) -> Sliders:
    """Changes a model so that it gives everyone whom sliders may show.

    Args:
        predictor: from now on without NMS, and with low scores.

    Returns:
        How it chose people before.
    """
    network = predictor.network
    before = Sliders(predictor.options.min_score, network.head.test.with_test_cfg(network.test_cfg).nms)
    lowest = min(LOWEST_SCORE, before.min_score)
    network.test_cfg.update(min_score=lowest, nms=NO_NMS)
    predictor.options = replace(predictor.options, min_score=lowest, nms=NO_NMS)
    return before


def find_candidates(predictor: Predictor, image: np.ndarray, name: str) -> Candidates:
    """Runs the network.

    Args:
        predictor: after ``keep_candidates``.
        image: (h, w, 3) uint8 BGR.
        name: of its file.

    Raises:
        BadInput: the image is too narrow for the network.
    """
    (people,) = predictor.people_of([Item(lambda: image, name)])
    sigmas = predictor.network.head.test.with_test_cfg(predictor.network.test_cfg).keypoint_sigmas(len(people.names))
    return Candidates(people, sigmas)
