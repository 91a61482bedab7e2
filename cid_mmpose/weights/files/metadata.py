"""The versions of layers, which torch keeps in an attribute of the dict of weights."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any


def metadata_of(state: Mapping[str, Any]) -> dict[str, Any]:
    """Name of a part of the model -> what torch notes of it; empty where nothing is noted.

    Args:
        state: weights by name.
    """
    return getattr(state, '_metadata', {})


def set_metadata(state: OrderedDict, metadata: OrderedDict) -> None:
    """Gives weights what torch notes of them; a plain dict cannot hold it.

    Args:
        state: weights by name.
        metadata: name of a part of the model -> what is noted of it.
    """
    state._metadata = metadata  # type: ignore[attr-defined]  # torch's own attribute, on a class of Python's
