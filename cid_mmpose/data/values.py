"""Single values of an annotation file: which of them are numbers, ids and names of files, and how to print any."""

import json
from collections.abc import Sequence
from typing import Any

from cid_mmpose.files import LONGEST_NAME, NO_TEXT

FARTHEST = 1e9  # pixels
LARGEST_ID = 2**63  # the evaluation keeps ids as 64-bit integers
DEEPEST = 50  # lists and objects in each other; copying and pickling take some hundred of Python's stack
SHOWN = 40  # characters of a value in a message


def as_json(value: Any) -> str:
    """A value as the file has it, cut off where it is long; whatever it is, it can be printed."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (RecursionError, ValueError):  # lists in lists without end, or a number of thousands of digits
        return f'a {type(value).__name__} too large to show'
    shown = text[:SHOWN]
    return shown.encode('utf-8', 'backslashreplace').decode()  # half a character, "\ud800", cannot be printed


def is_number(value: Any) -> bool:
    """Whether a value is a number: true and false, which Python takes for 1 and 0, are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_coordinate(value: Any) -> bool:
    """Whether a value is a number that can lie in an image: not NaN, not infinite, not beyond ``FARTHEST``."""
    return is_number(value) and -FARTHEST < value < FARTHEST


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number, written as 3 or as 3.0."""
    return is_coordinate(value) and value == int(value)


def is_id(value: Any) -> bool:
    """Whether a value can be the id of an entry."""
    return isinstance(value, int) and not isinstance(value, bool) and -LARGEST_ID < value < LARGEST_ID


def is_file_name(value: Any) -> bool:
    """Whether a value can be the name of a file: text that is not empty and holds no control characters, nor halves of
    characters such as "\\ud800", and is not longer than a file system takes.
    """
    if not isinstance(value, str) or not value.strip():
        return False
    if NO_TEXT.search(value):
        return False
    lengths = [len(part.encode()) for part in value.split('/')]
    return max(lengths) <= LONGEST_NAME


def is_deep(value: Any) -> bool:
    """Whether lists and objects lie in each other more than ``DEEPEST`` times."""
    level = [value]
    for _ in range(DEEPEST):
        inside: list[Any] = []
        for each in level:
            if isinstance(each, (list, dict)):
                inside += each.values() if isinstance(each, dict) else each
        if not inside:
            return False
        level = inside
    return any(isinstance(each, (list, dict)) for each in level)


def no_coordinate(values: Sequence) -> str:
    """What the first of the values that is no coordinate is."""
    first = next(value for value in values if not is_coordinate(value))
    if not is_number(first):
        return f'{as_json(first)}, which is no number'
    if abs(first) < float('inf'):  # of NaN this is False, too
        return f'{as_json(first)}, which lies in no image'
    return 'a number that is not finite'
