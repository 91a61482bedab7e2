"""One annotation file under examination: its people as arrays, so that each check is a line or two.

N people (annotations of the person category, crowds included), K keypoints.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from cid_mmpose.data.annotations import person_category
from cid_mmpose.data.problems import sides_of
from cid_mmpose.errors import BadInput

from .images import Look
from .numbers import number_rows
from .source import Source

EXAMPLES = 3  # shown of each finding
CROWDPOSE = (
    *(
        f'{side}_{keypoint}'
        for keypoint in ('shoulder', 'elbow', 'wrist', 'hip', 'knee', 'ankle')
        for side in ('left', 'right')
    ),
    'head',
    'neck',
)
UNCOUNTED = ('head', 'neck')  # keypoints that CrowdPose's own ``num_keypoints`` leaves out


class Found(NamedTuple):
    """What a check found."""

    entries: list[Any]  # the annotations, images, categories or keypoint names that it is about
    of: int  # how many were looked at
    examples: list[str]  # the first few, each with its id, its file and what is wrong with it


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
        self.source, self.data, self.looks = source, data, looks
        self.twice, self.elsewhere = twice or {}, elsewhere or {}
        self.images: list[dict] = data['images']
        self.annotations: list[dict] = data.get('annotations') or []
        self.categories: list[dict] = data.get('categories') or []

    @cached_property
    def person(self) -> Any:
        """Category id of people; None where several categories leave it open."""
        try:
            return person_category(self.categories, self.source.path)
        except BadInput:
            return None

    @cached_property
    def people(self) -> list[dict]:
        """The N annotations of people and crowds; all annotations if no category is that of people."""
        if self.person is None:
            return self.annotations
        return [a for a in self.annotations if a['category_id'] == self.person]

    @cached_property
    def file_names(self) -> Sequence[str]:
        """Keypoint names that the category of people gives; () if it gives none."""
        named = [c.get('keypoints') for c in self.categories if c['id'] == self.person]
        return tuple(map(str, named[0])) if named and isinstance(named[0], list) else ()

    @cached_property
    def num_keypoints(self) -> int:
        """K: of the config, else of the category, else of most people."""
        names = self.source.names or self.file_names
        if names:
            return len(names)
        lengths = Counter(len(a['keypoints']) // 3 for a in self.people if isinstance(a.get('keypoints'), list))
        return lengths.most_common(1)[0][0] if lengths else 0

    @cached_property
    def is_crowdpose(self) -> bool:
        """Whether the file is CrowdPose's or made like it: by its keypoints, or because images have a crowdIndex."""
        return self.file_names == CROWDPOSE or any('crowdIndex' in image for image in self.images)

    @cached_property
    def image_of(self) -> dict[Any, dict]:
        """Image by id, the first where an id is taken twice."""
        return {image['id']: image for image in reversed(self.images)}

    @cached_property
    def sides(self) -> np.ndarray:
        """(N, 2) width and height of each person's image in pixels; NaN where it is unknown or gives none."""
        shapes = {number: sides_of(image) for number, image in self.image_of.items()}
        sides = [shapes.get(a['image_id'], (np.nan, np.nan))[::-1] for a in self.people]
        return np.array(sides, float).reshape(-1, 2)

    @cached_property
    def crowd(self) -> np.ndarray:
        """(N,) bool."""
        return np.array([bool(a.get('iscrowd')) for a in self.people], bool)

    @cached_property
    def box(self) -> np.ndarray:
        """(N, 4) x, y, w, h in pixels; NaN for what is missing or no number."""
        return number_rows([a.get('bbox') for a in self.people], 4)

    @cached_property
    def has_size(self) -> np.ndarray:
        """(N,) bool: four finite numbers, width and height above 0."""
        return np.isfinite(self.box).all(1) & (self.box[:, 2:] > 0).all(1)

    @cached_property
    def keypoints(self) -> np.ndarray:
        """(N, K, 3) x, y, visibility; NaN for what is no number, and for all keypoints where their count is another."""
        return number_rows([a.get('keypoints') for a in self.people], 3 * self.num_keypoints).reshape(
            len(self.people), self.num_keypoints, 3
        )

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
        return number_rows([[a.get('area')] for a in self.people], 1)[:, 0]

    @cached_property
    def counted(self) -> np.ndarray:
        """(K,) bool: keypoints that ``num_keypoints`` counts in this file, all or all but CrowdPose's head and neck."""
        every = np.ones(self.num_keypoints, bool)
        limbs = np.array([name not in UNCOUNTED for name in self.file_names])
        if self.file_names != CROWDPOSE or len(limbs) != self.num_keypoints:
            return every
        own, count = number_rows([[a.get('num_keypoints')] for a in self.people], 1), self.labelled.sum(1)
        as_limbs = own[:, 0] == self.labelled[:, limbs].sum(1)
        return limbs if as_limbs.sum() > (own[:, 0] == count).sum() else every

    @cached_property
    def needs_area(self) -> bool:
        """Whether an evaluation takes areas from the file; without a config: unless it has none, as CrowdPose's."""
        if self.source.needs_area is not None:
            return self.source.needs_area
        return not self.is_crowdpose or any('area' in a for a in self.people)

    @cached_property
    def needs_crowd_index(self) -> bool:
        """Whether an evaluation asks for AP(E), AP(M) and AP(H); without a config: if the file is CrowdPose's."""
        return self.is_crowdpose if self.source.needs_crowd_index is None else self.source.needs_crowd_index

    def file_of(self, annotation: dict) -> str:
        """File name of an annotation's image."""
        return str(self.image_of.get(annotation['image_id'], {}).get('file_name', 'no image'))

    def people_where(
        self, mask: np.ndarray, of: np.ndarray | None = None, detail: Callable[[int], str] = lambda row: ''
    ) -> Found:
        """The people of ``mask``.

        Args:
            mask: (N,) bool.
            of: (N,) bool, those who were looked at; everyone by default.
            detail: row of a person -> what is wrong there, shown with the example.
        """
        rows = np.flatnonzero(mask)
        examples = [self.shown(self.people[row], detail(row)) for row in rows[:EXAMPLES]]
        return Found([self.people[row] for row in rows], len(mask) if of is None else int(of.sum()), examples)

    def shown(self, annotation: dict, detail: str = '') -> str:
        """An annotation as an example: its id, its image's file, and the detail."""
        place = f'id {annotation["id"]} in {self.file_of(annotation)}'
        return f'{place}: {detail}' if detail else place

    def images_where(self, entries: list[dict], detail: Callable[[dict], str] = lambda image: '') -> Found:
        """These images.

        Args:
            entries: of ``images``.
            detail: image -> what is wrong with it, shown with the example.
        """
        texts = [(f'{p["file_name"]} (id {p["id"]})', detail(p)) for p in entries[:EXAMPLES]]
        return Found(entries, len(self.images), [': '.join(filter(None, text)) for text in texts])

    def anew(self) -> 'Case':
        """The same case after its data changed."""
        return Case(self.source, self.data, looks=self.looks, twice=self.twice, elsewhere=self.elsewhere)
