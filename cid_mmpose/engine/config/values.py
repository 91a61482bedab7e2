"""Whether a value of a config is of the kind that a constructor's annotation, or its default, asks for."""

import collections.abc
import inspect
import math
import os
import types
import typing
from collections.abc import Sequence
from typing import Any

from cid_mmpose.data.values import is_number

ANYTHING = (Any, inspect.Parameter.empty)
LISTS = (list, tuple, collections.abc.Sequence, collections.abc.Iterable, set)
DICTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
NAMES = {int: 'a whole number', float: 'a number', bool: 'True or False', str: 'a text', type(None): 'None'}
UNIONS = (typing.Union, types.UnionType)  # Union[X, Y], and X | Y


def fits(value: Any, kind: Any, strict: bool = True) -> bool:
    """Whether a value is of a kind; True where that cannot be told.

    Args:
        value: of a config.
        kind: an annotation.
        strict: whether the annotation means what it says. The stack's own often say 'dict' for a list of dicts, 'int'
            for any number that is one, or a tuple of one for a tuple of any length; unless strict they may.
    """
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind in ANYTHING or isinstance(kind, (str, typing.TypeVar)):
        return True
    if origin in UNIONS:
        return any(fits(value, part, strict) for part in inner)
    if origin is typing.Literal:
        return value in inner

    plain = origin or kind
    if plain in NAMES:
        return _fits_plain(value, plain) or (not strict and _fits_loosely(value, plain))
    if plain in LISTS:
        return _fits_list(value, plain, inner, strict)
    if _is_dict_kind(plain):
        return isinstance(value, dict) or (not strict and isinstance(value, (list, tuple)))
    if plain is collections.abc.Callable:
        return callable(value) or isinstance(value, (str, dict))
    return True


def _fits_plain(value: Any, kind: type) -> bool:
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind is float:
        return is_number(value) and not math.isnan(value)
    if kind is str:
        return isinstance(value, (str, os.PathLike))
    return isinstance(value, kind)


def _fits_loosely(value: Any, kind: type) -> bool:
    """A number that is whole or a truth value where one is wanted; what is built from a dict."""
    if isinstance(value, dict) and 'type' in value:
        return True
    number = isinstance(value, (int, float)) and math.isfinite(value)
    if kind is bool:
        return number and value in (0, 1)
    return kind is int and number and not isinstance(value, bool) and value == int(value)


def _fits_list(value: Any, kind: type, inner: Sequence[Any], strict: bool) -> bool:
    if not strict and isinstance(value, dict):
        return True
    if not isinstance(value, (list, tuple, set)):
        return False
    if not inner:
        return True
    if not strict:
        return all(item is None or _fits_one_of(item, inner) for item in value)
    parts = inner
    if kind is not tuple or inner[-1] is Ellipsis:  # any number of one kind
        parts = [inner[0]] * len(value)
    return len(value) == len(parts) and all(map(fits, value, parts))


def _fits_one_of(value: Any, kinds: Sequence[Any]) -> bool:
    return any(fits(value, kind, strict=False) for kind in kinds)


def _has_words(kind: Any) -> bool:
    """Whether an annotation has words of its own, where others only have the name of a class."""
    plain = typing.get_origin(kind) or kind
    return plain in NAMES or plain in LISTS or plain in DICTS


def _is_dict_kind(kind: Any) -> bool:
    return kind in DICTS or (inspect.isclass(kind) and issubclass(kind, dict))


def fits_default(value: Any, default: Any) -> bool:
    """Whether a value can stand for a default, where there is no annotation: no text for a number or a truth value.

    Args:
        value: of a config.
        default: of a parameter.
    """
    if isinstance(value, float) and math.isnan(value):
        return False
    return not (isinstance(default, (bool, int, float)) and isinstance(value, str))


def kind_of(default: Any) -> str:
    """What a value in place of a default has to be, in words."""
    return NAMES[bool] if isinstance(default, bool) else NAMES[float]


def in_words(kind: Any) -> str:
    """An annotation in words, such as 'a whole number or None'."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in UNIONS:
        known = [part for part in inner if _has_words(part)]
        words = [in_words(part) for part in known or inner]
        return ' or '.join(dict.fromkeys(words))  # each once
    if origin is typing.Literal:
        return 'one of ' + ', '.join(map(repr, inner))

    plain = origin or kind
    if plain in NAMES:
        return NAMES[plain]
    if plain in LISTS:
        return _list_in_words(plain, inner)
    if _is_dict_kind(plain):
        return 'a dict'
    return getattr(plain, '__name__', str(plain))


def _list_in_words(kind: type, inner: Sequence[Any]) -> str:
    if not inner or isinstance(inner[0], typing.TypeVar):
        return 'a list'
    item = in_words(inner[0]).partition(' ')[2] or in_words(inner[0])
    if kind is tuple and inner[-1] is not Ellipsis:
        return f'a list of {len(inner)}: ' + ', '.join(in_words(part) for part in inner)
    return f'a list of {item}s' if inner[0] in (int, float, str, dict) else 'a list'
