"""Why keypoints are where they are: the maps behind the people of one image, as arrays and as pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from cid_mmpose.errors import BadInput
from cid_mmpose.models.roots import find_roots
from cid_mmpose.visualization.explain import Explanation, explain
from cid_mmpose.visualization.maps import Grid, spread

from .explained_pages import found, pages_of
from .outputs import write_image
from .people import People
from .sources import Item, find

if TYPE_CHECKING:
    from .predictor import Predictor


SATURATED = 0.01  # a mask nearer to 0 or 1 than this hardly learns: the slope of its sigmoid is below 0.01
SAME = 2  # cells that a peak and a person's root may be apart, since a flip test moves roots


@dataclass(frozen=True, eq=False)
class Explained:
    """The people of one image, and the maps that CID found them by.

    Args:
        people: N, as the model finds them with its options.
        image: (h, w, 3) uint8 BGR.
        maps: in cells, of the same N people; from the image alone, also where the people are from a flip test.
        nobodies: (M, 2) x, y in cells, peaks of the center map above ``min_score`` that no person has: the keypoints
            seen from there have a lower score, or somebody better is the same person.
        grid: where the cells lie in the image.
        weights: what the model's weights are from.
        min_score: that people had to have.
    """

    people: People
    image: np.ndarray
    maps: Explanation
    nobodies: np.ndarray
    grid: Grid
    weights: str
    min_score: float

    def __repr__(self) -> str:
        return f'Explained({self.people!r}, {self.weights})'

    @property
    def masks_are_saturated(self) -> bool:
        """Whether masks (eq. 10) are 0 or 1 in all but a hundredth of the cells: they say and learn nothing then."""
        masks = self.maps.masks
        if not masks.size:
            return False
        undecided = np.abs(masks - 0.5) <= 0.5 - SATURATED
        return bool(undecided.mean() < 0.01)

    def over_image(self, heatmap: np.ndarray) -> np.ndarray:
        """A map (H, W) in cells -> (h, w) in pixels of the image."""
        return spread(heatmap, self.grid, self.people.image_size)

    def nearest(self, x: float, y: float) -> int | None:
        """The number of the person whose center is nearest to a place in pixels; None if there is nobody."""
        if not len(self.people):
            return None
        return int(np.hypot(*(self.people.centers - (x, y)).T).argmin())

    def save(
        self, folder: str | Path, persons: Sequence[int] | None = None, against: Explained | None = None
    ) -> list[Path]:
        """Writes the pages as PNG.

        Args:
            folder: where to; it is made.
            persons: numbers of the people whose maps are drawn, from 0; None draws everyone's.
            against: of the same image by another model, drawn beside it.

        Returns:
            The files: ``sheet.png``, ``center_map.png``, ``people.png``, and ``person_0.png`` and ``person_0/`` of each
            person.

        Raises:
            BadInput: there is no such person, or the other model has other keypoints.
        """
        if persons is None:
            persons = range(len(self.people))
        for person in persons:
            if not 0 <= person < len(self.people):
                raise BadInput(f'person {person}: {found(self)}; the first is number 0')
        if against is not None and against.people.names != self.people.names:
            raise BadInput(
                f'{against.weights}: finds the keypoints {", ".join(against.people.names)}, but {self.weights} '
                f'{", ".join(self.people.names)}; compare models of the same keypoints'
            )
        paths = []
        for name, picture in pages_of([self] if against is None else [self, against], persons):
            paths.append(Path(folder) / name)
            write_image(paths[-1], picture)
        return paths


def one_image(source: Any, channels: str = 'bgr') -> Item:
    """A source that is a single image.

    Args:
        source: path, URL, array or PIL image.
        channels: 'bgr' or 'rgb', the order in an array.

    Raises:
        BadInput: it is not there, or not one image.
    """
    found = find(source, channels)
    items = [] if found.endless else list(islice(found.items, 2))
    if len(items) != 1 or items[0].frame is not None:
        raise BadInput(f'{source!s:.200}: explain takes one image; give the path of one, or an array')
    return items[0]


def explain_image(predictor: Predictor, source: Any, channels: str = 'bgr') -> Explained:
    """See ``Predictor.explain``."""
    item = one_image(source, channels)
    (people,) = predictor.people_of([item], keep_files=True)
    return explain_people(predictor, people, predictor.options.min_score)


def explain_people(predictor: Predictor, people: People, min_score: float) -> Explained:
    """The maps of people who are known.

    Args:
        predictor: that found them.
        people: with their image.
        min_score: that they had to have.
    """
    assert people.image is not None  # it is kept
    packed = predictor.pack(people.image, people.path)
    grid = Grid.of_input(predictor.network.head.decoder.stride, packed['data_samples'].metainfo)
    cells = np.rint(grid.cells(people.centers)).astype(int)
    maps = explain(predictor.network, packed['inputs'], cells)
    nobodies = _nobodies(maps, predictor, min_score)
    return Explained(people, people.image, maps, nobodies, grid, predictor.weights, min_score)


def _nobodies(maps: Explanation, predictor: Predictor, min_score: float) -> np.ndarray:
    """Peaks of the center map that are no person's, (M, 2) x, y in cells."""
    network = predictor.network
    options = network.head.test.with_test_cfg(network.test_cfg)
    center = torch.from_numpy(maps.crowd[-1:])
    peaks = find_roots(center, options.max_people, min_score, options.blur).cell.numpy()
    apart = np.abs(peaks[:, None] - maps.roots[None]).max(-1)  # (peaks, N)
    return peaks[(apart > SAME).all(1)]
