"""Which versions of torch, mmengine, mmcv, mmdet and mmpose fit, under either name a project is published by."""

from collections.abc import Sequence
from importlib import metadata
from importlib.util import find_spec
from typing import NamedTuple

from cid_mmpose.errors import BadInput


class Need(NamedTuple):
    """A part of the stack: the module to import, the names it is published under, and which versions fit."""

    module: str
    names: tuple[str, ...]
    least: tuple[int, ...]  # first version that fits
    below: tuple[int, ...]  # first version that no longer fits
    pip: str  # what to install when it is missing or does not fit


class Installed(NamedTuple):
    """A part of the stack as it is installed."""

    name: str  # that it is published under
    version: str | None  # None if it is not installed


NEEDS = (
    Need('torch', ('torch',), (2, 0), (3,), 'pip install "torch>=2.0,<3" torchvision'),
    Need('mmengine', ('mmengine', 'onedl-mmengine'), (0, 10), (1,), 'pip install "mmengine>=0.10,<1"'),
    Need('mmcv', ('mmcv', 'mmcv-lite', 'onedl-mmcv'), (2, 0), (3,), 'pip install "mmcv-lite>=2.0,<2.2"'),
    Need('mmdet', ('mmdet', 'onedl-mmdetection'), (3, 0), (4,), 'pip install --no-deps "mmdet>=3.0,<4"'),
    Need('mmpose', ('mmpose',), (1, 3), (2,), 'pip install --no-deps "mmpose>=1.3,<2"'),
)


def check_versions(needs: Sequence[Need] = NEEDS) -> None:
    """Called by what needs the stack, before it imports any of it: the registry, and each verb of the command.

    Args:
        needs: parts of the stack.

    Raises:
        BadInput: parts are missing or outside their windows; the message names each, and what installs it.
    """
    wrong = []
    for need in needs:
        complaint = _complaint(need)
        if complaint:
            wrong.append(complaint)

    if wrong:
        raise BadInput('cid_mmpose does not fit the installed packages:\n' + '\n'.join(wrong))


def _complaint(need: Need) -> str:
    """What is wrong with one part, or '' if it fits."""
    name, version = installed(need.names)
    if version is None and find_spec(need.module) is not None:
        return ''  # a source tree on the path has no version to ask for; it is its owner's choice
    if version is not None and need.least <= _numbers(version) < need.below:
        return ''

    found = f'none of {", ".join(need.names)} is installed'
    if version:
        found = f'{name} {version} is installed'
    window = f'>={_text(need.least)},<{_text(need.below)}'
    return f'- {need.module}: {found}, {window} is needed: {need.pip}'


def installed(names: Sequence[str]) -> Installed:
    """The first of these distributions that is installed, or the first name without a version if none is.

    Args:
        names: that a part of the stack is published under.
    """
    for name in names:
        try:
            return Installed(name, metadata.version(name))
        except metadata.PackageNotFoundError:
            continue
    return Installed(names[0], None)


def _numbers(version: str) -> tuple[int, ...]:
    from packaging.version import Version  # here, so that what needs no stack needs no packaging either

    return Version(version).release


def _text(numbers: tuple[int, ...]) -> str:
    return '.'.join(map(str, numbers))
