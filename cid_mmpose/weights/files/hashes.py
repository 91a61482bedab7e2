"""The sha256 that a file's name says its content has."""

import hashlib
import re
from pathlib import Path

# The start of a file's sha256 at the end of its name, in the ways of OpenMMLab's two generations and of torch hub, or
# with the (1) of a browser behind it. Of torch hub's a number alone may be a date or a step, and the end of a UUID
# follows four digits.
HASH = re.compile(
    r"""(?: _([0-9a-f]{8})-\d{8} | -([0-9a-f]{8})_\d{8} |
                          (?<!-[0-9a-f]{4})-(?=\d*[a-f])([0-9a-f]{8,64}) )
                      (?:\ ?\(\d+\))? \.(?:pth|pt|safetensors)(?:\.tar)?$""",
    re.VERBOSE | re.IGNORECASE,
)
DATE = re.compile(r'(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])')
# HRNet's ImageNet weights carry digits of something else: a public copy of W32's has the sha256 d6c378d1..., and of
# W48's none is known
NO_HASHES = {'36af842e', '8ef0771d'}


def digits_in_name(name: str) -> str | None:
    """The digits where a file's name carries those of a hash; None if there are none, or they are a date.

    Args:
        name: such as ``cid_hrnet-w32_42b7e6e6-20230207.pth`` or ``resnet50-0676ba61.pth``.
    """
    found = HASH.search(name)
    if not found:
        return None
    digits = found[1] or found[2] or found[3]
    digits = digits.lower()
    if DATE.fullmatch(digits):
        return None
    return digits


def hash_in_name(name: str) -> str | None:
    """The start of the sha256 that a file's name says its content has; None if it says none.

    Args:
        name: as for ``digits_in_name``.
    """
    digits = digits_in_name(name)
    if digits in NO_HASHES:
        return None
    return digits


def wrong_hash(path: Path) -> str:
    """What is wrong with a file whose name carries a hash that is not its own; '' if there is no such hash."""
    said = hash_in_name(path.name)
    if said is None:
        return ''
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while block := file.read(2**20):
            digest.update(block)
    found = digest.hexdigest()[: len(said)]
    if found == said:
        return ''
    return (
        f'its sha256 begins with {found} and not with {said} as its name says, so it is not whole, or not the file '
        'of this name; get it again, or rename it if you changed it yourself'
    )
