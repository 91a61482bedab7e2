"""Checks the keypoints, links and weights that a data set's meta information describes, before anything is built."""

import math
import os.path as osp
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from numbers import Real
from typing import Any, NamedTuple

from mmengine.config import Config

from cid_mmpose.errors import BadInput

from .parts import near_name

NEEDED = ('dataset_name', 'keypoint_info', 'skeleton_info', 'joint_weights', 'sigmas')


class Meta(NamedTuple):
    """What a data set says of its keypoints; ``source`` is the file or the option that holds it."""

    source: str
    info: dict


def check_meta(meta: Meta) -> int:
    """Number of keypoints of a data set whose meta information is sound.

    Args:
        meta: as written, not yet parsed by MMPose.

    Raises:
        BadInput: names the source, the field and what is wrong with it.
    """
    for field in NEEDED:
        if field not in meta.info:
            raise _wrong(meta, field, 'is missing')

    names = _keypoint_names(meta)
    _check_swaps(meta, names)
    _check_links(meta, names)
    _check_numbers(meta, 'joint_weights', len(names), zero=True)
    _check_numbers(meta, 'sigmas', len(names), zero=False)
    return len(names)


def _keypoint_names(meta: Meta) -> list[str]:
    """Names of the keypoints, in order."""
    keypoints = meta.info['keypoint_info']
    if not isinstance(keypoints, dict) or not keypoints:
        raise _wrong(meta, 'keypoint_info', 'must be a dict of keypoints: number -> dict(name=...)')

    names = []
    for place, (number, keypoint) in enumerate(keypoints.items()):
        where = f'keypoint_info {number}'
        if not isinstance(keypoint, dict) or not isinstance(keypoint.get('name'), str):
            raise _wrong(meta, where, "must be a dict with the keypoint's name")
        if number != place or keypoint.get('id', place) != place:
            raise _wrong(meta, where, f'is the keypoint of place {place}; numbers and ids must count from 0')
        if keypoint['name'] in names:
            raise _wrong(meta, where, f'has the name {keypoint["name"]!r}, which another keypoint has')
        _check_colour(meta, where, keypoint)
        names.append(keypoint['name'])
    return names


def _check_swaps(meta: Meta, names: Sequence[str]) -> None:
    """A left keypoint swaps with its right one, and that one with it."""
    keypoints = meta.info['keypoint_info'].values()
    swaps = {keypoint['name']: keypoint.get('swap', '') or keypoint['name'] for keypoint in keypoints}
    for number, (name, other) in enumerate(swaps.items()):
        where = f'keypoint_info {number} ({name})'
        if other not in names:
            raise _wrong(meta, where, f'swaps with {other!r}, which is no keypoint{near_name(other, names)}')
    for number, (name, other) in enumerate(swaps.items()):
        where = f'keypoint_info {number} ({name})'
        if swaps[other] != name:
            raise _wrong(meta, where, f'swaps with {other!r}, but that one with {swaps[other]!r}')


def _check_links(meta: Meta, names: Sequence[str]) -> None:
    links = meta.info['skeleton_info']
    if not isinstance(links, dict):
        raise _wrong(meta, 'skeleton_info', 'must be a dict of links: number -> dict(link=(keypoint, keypoint))')

    for number, entry in links.items():
        where = f'skeleton_info {number}'
        link = entry.get('link') if isinstance(entry, dict) else None
        if not isinstance(link, (list, tuple)) or len(link) != 2:
            raise _wrong(meta, where, 'must be a dict with link=(keypoint, keypoint)')
        for keypoint in link:
            if keypoint not in names:
                raise _wrong(meta, where, f'links {keypoint!r}, which is no keypoint{near_name(keypoint, names)}')
        _check_colour(meta, where, entry)


def _check_numbers(meta: Meta, field: str, num_keypoints: int, zero: bool) -> None:
    """One finite number a keypoint, above 0 or at least 0."""
    values = meta.info[field]
    if not isinstance(values, (list, tuple)) or len(values) != num_keypoints:
        found = len(values) if isinstance(values, (list, tuple)) else repr(values)
        raise _wrong(meta, field, f'must have one number a keypoint: {num_keypoints}, got {found}')
    for value in values:
        number = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
        if not number or value < 0 or (value == 0 and not zero):
            raise _wrong(meta, field, f'must have numbers {"of at least" if zero else "above"} 0, got {value!r}')


def _check_colour(meta: Meta, where: str, entry: dict) -> None:
    colour = entry.get('color', (0, 0, 0))
    channels = list(colour) if isinstance(colour, (list, tuple)) else []
    if len(channels) != 3 or not all(isinstance(channel, int) and 0 <= channel <= 255 for channel in channels):
        raise _wrong(meta, where, f'has the color {colour!r}; it must be three whole numbers in [0, 255]')


def _wrong(meta: Meta, field: str, what: str) -> BadInput:
    return BadInput(f'{meta.source}: {field} {what}')


def metas_of(dataset: Any, where: str) -> Iterator[Meta]:
    """The meta information that a data set of a config is given, and those of the data sets inside it.

    Args:
        dataset: of a data loader.
        where: its dotted name.

    Raises:
        BadInput: a file of meta information is missing or holds none.
    """
    if not isinstance(dataset, dict):
        return
    given = dataset.get('metainfo')
    if isinstance(given, dict) and 'from_file' in given:
        yield _from_file(given['from_file'], f'{where}.metainfo.from_file')
    elif isinstance(given, dict) and 'keypoint_info' in given:
        yield Meta(f'{where}.metainfo', given)

    yield from metas_of(dataset.get('dataset'), f'{where}.dataset')
    inner = dataset.get('datasets')
    for number, part in enumerate(inner if isinstance(inner, (list, tuple)) else ()):
        yield from metas_of(part, f'{where}.datasets.{number}')


def _from_file(name: Any, where: str) -> Meta:
    """Reads a file of meta information, where MMPose finds it: as named, or among its own by the last part."""
    if not isinstance(name, str):
        raise BadInput(f'{where}: must be the path of a file, got {name!r}')
    path = name
    if not osp.isfile(path):
        package = osp.dirname(find_spec('mmpose').origin)
        path = osp.join(package, '.mim', 'configs', '_base_', 'datasets', osp.basename(name))
    if not osp.isfile(path):
        raise BadInput(f'{where}: {name}: no such file')
    try:
        info = Config.fromfile(path).get('dataset_info')
    except Exception as error:  # whatever code in it raises
        raise BadInput(f'{where}: {name}: cannot be read as a config: {error}') from error
    if not isinstance(info, dict):
        raise BadInput(f'{where}: {name}: has no dataset_info = dict(...)')
    return Meta(name, info)
