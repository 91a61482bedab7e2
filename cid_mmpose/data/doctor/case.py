"""One annotation file under examination: its people as arrays, so that each check is a few lines.

N people (annotations of the person category, crowds included), K keypoints.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from cid_mmpose.data.annotations import people_categories
from cid_mmpose.data.problems import sides_of
from cid_mmpose.errors import BadInput

from .images import Look
from .numbers import number_rows
from .source import Source

EXAMPLES = 3  # shown of each finding
CROWDPOSE = (
    'left_shoulder',
    'right_shoulder',
    'left_elbow',
    'right_elbow',
    'left_wrist',
    'right_wrist',
    'left_hip',
    'right_hip',
    'left_knee',
    'right_knee',
    'left_ankle',
    'right_ankle',
    'head',
    'neck',
)
UNCOUNTED = ('head', 'neck')  # keypoints that CrowdPose's own ``num_keypoints`` leaves out


class FoundEntries(NamedTuple):
    """What a check found."""

    entries: list[Any]  # the annotations, images, categories or keypoint names that it is about
    of: int  # how many were looked at
    examples: list[str]  # the first few, each with its id, its file and what is wrong with it


def no_detail(_: Any) -> str:
    """An example is shown without a detail."""
    return ''


class Case:
    """An annotation file and what is known around it; see the fields.

    Args:
        source: where the file is and what it is used for.
        data: its content, of ``read_annotations``. It must not change as long as the case is in use.
        looks: of each image, by file name, what its file holds; None if nobody looked.
        twice: by file name, another image of the same data set with the same content.
        elsewhere: by file name, an image with the same content in data that must be kept apart.
    """

    def __init__(
        self,
        source: Source,
        data: dict,
        *,
        looks: dict[str, Look] | None = None,
        twice: dict[str, str] | None = None,
        elsewhere: dict[str, str] | None = None,
    ) -> None:
        self.source = source
        self.data = data
        self.looks = looks
        self.twice = twice or {}
        self.elsewhere = elsewhere or {}
        self.images: list[dict] = data['images']
        self.annotations: list[dict] = data.get('annotations') or []
        self.categories: list[dict] = data.get('categories') or []

    @cached_property
    def person_ids(self) -> tuple[Any, ...]:
        """Category ids of people; () where several categories leave it open."""
        try:
            return people_categories(self.categories, self.source.path)
        except BadInput:
            return ()

    @cached_property
    def people(self) -> list[dict]:
        """The N annotations of people and crowds; all annotations if no category is that of people."""
        if not self.person_ids:
            return self.annotations
        return [a for a in self.annotations if a['category_id'] in self.person_ids]

    @cached_property
    def person_categories(self) -> list[dict]:
        """The categories of people, those whose id is taken twice included; none if it is open which they are."""
        return [c for c in self.categories if c['id'] in self.person_ids]

    @cached_property
    def file_names(self) -> Sequence[str]:
        """Keypoint names that the category of people gives; () if it gives none."""
        if not self.person_categories:
            return ()

        names = self.person_categories[0].get('keypoints')
        if not isinstance(names, list):
            return ()
        return tuple(map(str, names))

    @cached_property
    def num_keypoints(self) -> int:
        """K: of the config, else of the category, else of most people."""
        names = self.source.names or self.file_names
        if names:
            return len(names)

        times: Counter[int] = Counter()
        for annotation in self.people:
            keypoints = annotation.get('keypoints')
            if isinstance(keypoints, list):
                times[len(keypoints) // 3] += 1
        if not times:
            return 0

        most_common, _ = times.most_common(1)[0]
        return most_common

    @cached_property
    def is_crowdpose(self) -> bool:
        """Whether the file is CrowdPose's or made like it: by its keypoints, or because images have a crowdIndex."""
        if self.file_names == CROWDPOSE:
            return True
        return any('crowdIndex' in image for image in self.images)

    @cached_property
    def image_by_id(self) -> dict[Any, dict]:
        """Image by id, the first where an id is taken twice."""
        return {image['id']: image for image in reversed(self.images)}

    @cached_property
    def shapes(self) -> np.ndarray:
        """(N, 2) height and width of each person's image in pixels; NaN where it is unknown or gives none."""
        known = {number: sides_of(image) for number, image in self.image_by_id.items()}
        unknown = (np.nan, np.nan)
        shapes = [known.get(a['image_id'], unknown) for a in self.people]
        return np.array(shapes, float).reshape(-1, 2)

    @cached_property
    def sides(self) -> np.ndarray:
        """(N, 2) width and height of each person's image in pixels; NaN where it is unknown or gives none."""
        return self.shapes[:, ::-1]

    @cached_property
    def crowd(self) -> np.ndarray:
        """(N,) bool."""
        flags = self.values_of('iscrowd')
        return np.array(list(map(bool, flags)), bool)

    @cached_property
    def box(self) -> np.ndarray:
        """(N, 4) x, y, w, h in pixels; NaN for what is missing or no number."""
        return number_rows(self.values_of('bbox'), 4)

    @cached_property
    def has_size(self) -> np.ndarray:
        """(N,) bool: four finite numbers, width and height above 0."""
        is_finite = np.isfinite(self.box).all(1)
        is_positive = (self.box[:, 2:] > 0).all(1)
        return is_finite & is_positive

    @cached_property
    def keypoints(self) -> np.ndarray:
        """(N, K, 3) x, y, visibility; NaN for what is no number, and for all keypoints where their count is another."""
        rows = number_rows(self.values_of('keypoints'), 3 * self.num_keypoints)
        return rows.reshape(len(self.people), self.num_keypoints, 3)

    @cached_property
    def labelled(self) -> np.ndarray:
        """(N, K) bool: visibility above 0, as in the loss and in the evaluation."""
        return self.keypoints[..., 2] > 0

    @cached_property
    def is_labelled(self) -> np.ndarray:
        """(N,) bool: people who become targets and count in AP, if nothing else is wrong with them."""
        return self.labelled.any(1) & ~self.crowd

    @cached_property
    def area(self) -> np.ndarray:
        """(N,) pixels squared; NaN where missing or no number."""
        return self._numbers_of('area')

    @cached_property
    def counted(self) -> np.ndarray:
        """(K,) bool: keypoints that ``num_keypoints`` counts in this file, all or all but CrowdPose's head and neck."""
        every = np.ones(self.num_keypoints, bool)
        if self.file_names != CROWDPOSE or self.num_keypoints != len(CROWDPOSE):
            return every

        limbs = ~np.isin(CROWDPOSE, UNCOUNTED)
        own = self._numbers_of('num_keypoints')
        as_limbs = own == self.labelled[:, limbs].sum(1)
        as_all = own == self.labelled.sum(1)
        return limbs if as_limbs.sum() > as_all.sum() else every

    @cached_property
    def needs_area(self) -> bool:
        """Whether an evaluation takes areas from the file; without a config: unless it has none, as CrowdPose's."""
        if self.source.needs_area is not None:
            return self.source.needs_area
        if not self.is_crowdpose:
            return True
        return any('area' in a for a in self.people)

    @cached_property
    def needs_crowd_index(self) -> bool:
        """Whether an evaluation asks for AP(E), AP(M) and AP(H); without a config: if the file is CrowdPose's."""
        if self.source.needs_crowd_index is not None:
            return self.source.needs_crowd_index
        return self.is_crowdpose

    def values_of(self, field: str) -> list[Any]:
        """(N,) what this field of each person holds; None where it is missing."""
        return [a.get(field) for a in self.people]

    def _numbers_of(self, field: str) -> np.ndarray:
        """(N,) float of a field that holds one number; NaN where it is missing or no number."""
        rows = [[value] for value in self.values_of(field)]
        return number_rows(rows, 1)[:, 0]

    def mask_of(self, test: Callable[[dict], object]) -> np.ndarray:
        """(N,) bool: the people whose annotation passes a test."""
        return np.array([bool(test(a)) for a in self.people], bool)

    def file_of(self, annotation: dict) -> str:
        """File name of an annotation's image."""
        image = self.image_by_id.get(annotation['image_id'], {})
        return str(image.get('file_name', 'no image'))

    def people_where(
        self, mask: np.ndarray, among: np.ndarray | None = None, detail: Callable[[int], str] = no_detail
    ) -> FoundEntries:
        """The people of ``mask`` among those who were looked at.

        Args:
            mask: (N,) bool.
            among: (N,) bool, those who were looked at; everyone by default.
            detail: row of a person -> what is wrong there, shown with the example.
        """
        looked_at = np.ones(len(mask), bool) if among is None else among
        rows = np.flatnonzero(mask & looked_at)

        entries = [self.people[row] for row in rows]
        examples = [self.shown(self.people[row], detail(row)) for row in rows[:EXAMPLES]]
        return FoundEntries(entries, int(looked_at.sum()), examples)

    def annotations_where(self, entries: list[dict], detail: Callable[[dict], str] = no_detail) -> FoundEntries:
        """These annotations, of people or not.

        Args:
            entries: of ``annotations``.
            detail: annotation -> what is wrong with it, shown with the example.
        """
        examples = [self.shown(a, detail(a)) for a in entries[:EXAMPLES]]
        return FoundEntries(entries, len(self.annotations), examples)

    def shown(self, annotation: dict, detail: str = '') -> str:
        """An annotation as an example: its id, its image's file, and the detail."""
        place = f'id {annotation["id"]} in {self.file_of(annotation)}'
        return f'{place}: {detail}' if detail else place

    def images_where(self, entries: list[dict], detail: Callable[[dict], str] = no_detail) -> FoundEntries:
        """These images.

        Args:
            entries: of ``images``.
            detail: image -> what is wrong with it, shown with the example.
        """
        examples = []
        for image in entries[:EXAMPLES]:
            text = detail(image)
            place = f'{image["file_name"]} (id {image["id"]})'
            examples.append(f'{place}: {text}' if text else place)
        return FoundEntries(entries, len(self.images), examples)

    def anew(self) -> 'Case':
        """The same case after its data changed."""
        return Case(self.source, self.data, looks=self.looks, twice=self.twice, elsewhere=self.elsewhere)
