"""The people of one image, as a prediction hands them over: numpy arrays that stay as they are."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from cid_mmpose.errors import BadInput
from cid_mmpose.files import write_whole
from cid_mmpose.oks import oks_nms

from .keypoints import KeypointSet

ARRAYS = ('keypoints', 'keypoint_scores', 'scores', 'boxes', 'centers')
DIGITS = 3  # behind the point of pixels in text; scores have two more


@dataclass(frozen=True, eq=False)
class People:
    """The people of one image, best first.

    ``len(people)`` counts them; ``people[0]``, ``people[:3]``, ``people[people.scores > 0.5]`` and a list of numbers
    give some of them, again as ``People``. Nobody is a normal case: arrays of length 0.

    Args:
        keypoints: (N, K, 2), x and y in pixels of the image as it was given.
        keypoint_scores: (N, K) in [0, 1].
        scores: (N,) in [0, 1], of each person: the mean of the keypoints'.
        boxes: (N, 4), x1, y1, x2, y2 around the keypoints, in pixels.
        centers: (N, 2), where the person was found (the root of the paper), in pixels.
        keypoint_set: what the K keypoints are.
        image_size: (width, height) in pixels.
        path: of the file, or its URL; 'camera 0' for a camera, None for an array.
        frame: number of the frame in a video, from 0; None for a still image.
        time: of the frame in seconds; None for a still image.
        image: (h, w, 3) uint8 BGR, where it is not in a file of its own; used by ``draw``.

    Raises:
        ValueError: the arrays do not belong together.
    """

    keypoints: np.ndarray
    keypoint_scores: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray
    centers: np.ndarray
    keypoint_set: KeypointSet
    image_size: tuple[int, int]
    path: str | None = None
    frame: int | None = None
    time: float | None = None
    image: np.ndarray | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ARRAYS:
            object.__setattr__(self, name, np.array(getattr(self, name), np.float32))
        self._lock()

        count, num_keypoints = len(self.keypoints), len(self.keypoint_set)
        shapes = dict(
            keypoints=(count, num_keypoints, 2),
            keypoint_scores=(count, num_keypoints),
            scores=(count,),
            boxes=(count, 4),
            centers=(count, 2),
        )
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f'{name} has shape {getattr(self, name).shape} where {shape} belongs')

    def _lock(self) -> None:
        for name in ARRAYS:
            getattr(self, name).setflags(write=False)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """What pickle and copy put in; numpy lets copies of its arrays be written to."""
        self.__dict__.update(state)
        self._lock()

    @classmethod
    def nobody(cls, keypoint_set: KeypointSet, image_size: tuple[int, int]) -> People:
        """The people of an image that shows none."""
        num_keypoints = len(keypoint_set)
        return cls(
            keypoints=np.empty((0, num_keypoints, 2)),
            keypoint_scores=np.empty((0, num_keypoints)),
            scores=np.empty(0),
            boxes=np.empty((0, 4)),
            centers=np.empty((0, 2)),
            keypoint_set=keypoint_set,
            image_size=image_size,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Of the K keypoints."""
        return self.keypoint_set.names

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, which: Any) -> People:
        if isinstance(which, (int, np.integer)):
            if not -len(self) <= which < len(self):
                raise IndexError(f'person {which} of {len(self)}')
            which = [which]
        elif not isinstance(which, slice):
            which = np.asarray(which, dtype=None if len(which) else int)
        return replace(self, **{name: getattr(self, name)[which] for name in ARRAYS})

    def __iter__(self) -> Iterator[People]:
        for number in range(len(self)):
            yield self[number]

    def __repr__(self) -> str:
        width, height = self.image_size
        where = self.path or 'an array'
        if self.frame is not None:
            where += f', frame {self.frame}'
        if not len(self):
            return f'People(nobody in {where}, {width} x {height} px)'
        scores = ', '.join(f'{score:.2f}' for score in self.scores[:5])
        more = ', ...' if len(self) > 5 else ''
        return (
            f'People({len(self)} in {where}, {width} x {height} px; scores {scores}{more}; {len(self.names)} keypoints)'
        )

    def above(self, min_score: float) -> People:
        """Those whose score is at least ``min_score``."""
        return self[self.scores >= min_score]

    def without_duplicates(self, oks: float) -> People:
        """Of two whose OKS lies above ``oks`` only the better one, as the network's own NMS does it.

        Raises:
            ValueError: the keypoint set has no sigmas.
        """
        if not self.keypoint_set.sigmas:
            raise ValueError('the keypoint set has no sigmas, which OKS needs')
        sides = self.boxes[:, 2:] - self.boxes[:, :2]
        sigmas = np.asarray(self.keypoint_set.sigmas, np.float32)
        return self[oks_nms(self.keypoints, self.scores, sides.prod(1), sigmas, oks)]

    def to_dict(self, exact: bool = False) -> dict[str, Any]:
        """Plain numbers, lists and text: the image's, and under ``people`` those of each person.

        Args:
            exact: every digit of the float32 numbers; else pixels have three behind the point, scores five.
        """
        pixels = None if exact else DIGITS
        shares = None if exact else DIGITS + 2
        people = []
        for number in range(len(self)):
            person = dict(
                score=_plain(self.scores[number], shares),
                center=_plain(self.centers[number], pixels),
                box=_plain(self.boxes[number], pixels),
                keypoints=_plain(self.keypoints[number], pixels),
                keypoint_scores=_plain(self.keypoint_scores[number], shares),
            )
            people.append(person)
        about = dict(path=self.path, frame=self.frame, time=self.time)
        known = {name: value for name, value in about.items() if value is not None}
        return dict(**known, width=self.image_size[0], height=self.image_size[1], names=list(self.names), people=people)

    def draw(self, image: np.ndarray | None = None, **options: Any) -> np.ndarray:
        """The image with the people drawn on it, a new array (h, w, 3) uint8 BGR.

        Args:
            image: (h, w, 3) uint8 BGR, the one that the people were found in; None takes ``image``, or reads ``path``.
            options: of ``cid_mmpose.visualization.DrawOptions``, by name, and ``colour_memory``, a ``ColourMemory`` of
                the video in whose frames people keep their colours.

        Raises:
            BadInput: there is no image, it has another size, or an option is unknown or out of its range.
        """
        from .drawing import draw  # takes OpenCV, which results do without

        return draw(self, image, options)

    def save(self, path: str | Path, image: np.ndarray | None = None, **options: Any) -> None:
        """Writes what ``draw`` gives to a file, whole or not at all.

        Args:
            path: of the file, which ends in .png, .jpg or what else OpenCV writes; its folder is made.
            image: as ``draw`` takes it.
            options: as ``draw`` takes them.

        Raises:
            BadInput: as for ``draw``, or OpenCV writes no such kind of file.
        """
        from .drawing import save

        save(self, path, image, options)

    @classmethod
    def from_dict(cls, given: dict[str, Any], keypoint_set: KeypointSet) -> People:
        """What ``to_dict`` gave.

        Args:
            given: as ``to_dict`` and ``to_json`` have it.
            keypoint_set: of the model that found the people; a dict has the names alone.

        Raises:
            ValueError: the names are other ones.
            KeyError: something is missing.
        """
        if tuple(given['names']) != keypoint_set.names:
            raise ValueError(f'keypoints {given["names"]} where {list(keypoint_set.names)} belong')
        count = len(given['people'])
        num_keypoints = len(keypoint_set)

        def array(name: str, *shape: int) -> np.ndarray:
            return np.array([person[name] for person in given['people']], np.float32).reshape(count, *shape)

        return cls(
            keypoints=array('keypoints', num_keypoints, 2),
            keypoint_scores=array('keypoint_scores', num_keypoints),
            scores=array('score'),
            boxes=array('box', 4),
            centers=array('center', 2),
            keypoint_set=keypoint_set,
            image_size=(given['width'], given['height']),
            path=given.get('path'),
            frame=given.get('frame'),
            time=given.get('time'),
        )

    def to_json(self, path: str | Path | None = None) -> str:
        """``to_dict`` as JSON text; written to a file, whole or not at all, if one is named."""
        return _written(json.dumps(self.to_dict()) + '\n', path)

    def header(self) -> list[str]:
        """The names of the columns of ``rows``."""
        columns = ['path', 'frame', 'person', 'score', 'center_x', 'center_y', 'x1', 'y1', 'x2', 'y2']
        for name in self.names:
            columns += [f'{name}_x', f'{name}_y', f'{name}_score']
        return columns

    def rows(self) -> list[list]:
        """One row a person, see ``header``; pixels and scores as in ``to_dict``."""
        rows = []
        for number in range(len(self)):
            row: list = [self.path, self.frame, number, _rounded(self.scores[number], DIGITS + 2)]
            row += _rounded(self.centers[number]) + _rounded(self.boxes[number])
            for place, score in zip(self.keypoints[number], self.keypoint_scores[number]):
                row += [*_rounded(place), _rounded(score, DIGITS + 2)]
            rows.append(row)
        return rows

    def to_csv(self, path: str | Path | None = None) -> str:
        """CSV text, a header and one row a person; written to a file, whole or not at all, if one is named."""
        return _written(csv_text([self.header(), *self.rows()]), path)

    def to_coco(self, image_id: int | str = 0, category_id: int = 1) -> list[dict[str, Any]]:
        """The entries of a file of results that COCO's tools take: one a person.

        Args:
            image_id: of the image in the annotation file.
            category_id: of its people there.
        """
        entries = []
        for number in range(len(self)):
            x1, y1, x2, y2 = self.boxes[number]
            triples = np.concatenate([self.keypoints[number], self.keypoint_scores[number, :, None]], 1)
            entry = dict(
                image_id=image_id,
                category_id=category_id,
                keypoints=_rounded(triples.reshape(-1), DIGITS + 2),
                score=_rounded(self.scores[number], DIGITS + 2),
                bbox=_rounded(np.array([x1, y1, x2 - x1, y2 - y1])),
            )
            entries.append(entry)
        return entries

    def to_dataframe(self) -> Any:
        """A pandas.DataFrame with the columns and rows of ``to_csv``."""
        pandas = _library('pandas', 'to_dataframe')
        return pandas.DataFrame(self.rows(), columns=self.header())

    def to_supervision(self) -> Any:
        """A ``supervision.KeyPoints``, ``class_id`` 0 for everyone."""
        supervision = _library('supervision', 'to_supervision')
        return supervision.KeyPoints(
            xy=self.keypoints.copy(),
            keypoint_confidence=self.keypoint_scores.copy(),
            detection_confidence=self.scores.copy(),
            class_id=np.zeros(len(self), int),
        )


def csv_text(rows: list[list]) -> str:
    """Rows as CSV, lines ending as Unix's."""
    text = io.StringIO()
    csv.writer(text, lineterminator='\n').writerows(rows)
    return text.getvalue()


def _rounded(value: Any, digits: int = DIGITS) -> Any:
    """Plain numbers, rounded: float32 has seven digits, and nobody wants to read 312.39999389648."""
    return np.round(np.asarray(value, np.float64), digits).tolist()


def _plain(value: np.ndarray, digits: int | None) -> Any:
    """Plain numbers, rounded to ``digits`` behind the point; None keeps all."""
    return value.tolist() if digits is None else _rounded(value, digits)


def _written(text: str, path: str | Path | None) -> str:
    if path is not None:
        write_whole(path, text.encode(errors='surrogateescape'))  # names of files may hold any bytes
    return text


def _library(name: str, method: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise BadInput(f'{method} needs {name}: pip install {name}') from error
