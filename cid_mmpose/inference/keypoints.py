"""What a set of keypoints means: names, links, sides; numpy only."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any


@dataclass(frozen=True)
class KeypointSet:
    """The K keypoints of a data set.

    Args:
        names: K, each once.
        links: pairs of keypoints between which a line is drawn.
        swaps: K, the keypoint on the other side of each, itself where there is none.
        sigmas: K, OKS fall-off, object sides, at least 0.

    Raises:
        ValueError: the parts do not belong together.
    """

    names: tuple[str, ...]
    links: tuple[tuple[int, int], ...] = ()
    swaps: tuple[int, ...] = ()
    sigmas: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.names)
        if len(set(self.names)) != count:
            raise ValueError(f'keypoints of the same name among {list(self.names)}')
        for name in ('swaps', 'sigmas'):
            values = getattr(self, name)
            if values and len(values) != count:
                raise ValueError(f'{name} has {len(values)} values for {count} keypoints')
        if not all(sigma >= 0 for sigma in self.sigmas):  # false for NaN as well
            raise ValueError(f'sigmas must be numbers of at least 0, got {list(self.sigmas)}')
        for keypoint in chain(self.swaps, *self.links):
            if not 0 <= keypoint < count:
                raise ValueError(f'links or swaps name keypoint {keypoint} of {count}')

    def __len__(self) -> int:
        return len(self.names)

    def sides(self) -> tuple[str, ...]:
        """'left', 'right' or 'middle' of each keypoint: the first of two that swap is the left one, as COCO has it,
        unless the names say otherwise.
        """
        sides = ['middle'] * len(self)
        for keypoint, other in enumerate(self.swaps):
            if keypoint < other:
                pair = ('right', 'left') if 'right' in self.names[keypoint].lower() else ('left', 'right')
                sides[keypoint], sides[other] = pair
        return tuple(sides)


def keypoint_set(meta: Mapping[str, Any]) -> KeypointSet:
    """The keypoints of a data set's meta information.

    Args:
        meta: as MMPose parses it (``parse_pose_metainfo``): ``keypoint_id2name``, ``skeleton_links``, ``flip_indices``
            and ``sigmas``.
    """
    names_by_number = meta['keypoint_id2name']
    names = [str(names_by_number[number]) for number in sorted(names_by_number)]
    links = []
    for link in meta.get('skeleton_links', ()):
        start, end = link
        links.append((int(start), int(end)))
    sigmas = meta.get('sigmas')
    if sigmas is None:
        sigmas = ()
    return KeypointSet(
        names=tuple(names),
        links=tuple(links),
        swaps=tuple(map(int, meta.get('flip_indices', ()))),
        sigmas=tuple(map(float, sigmas)),
    )
