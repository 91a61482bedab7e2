"""Whether the numbers in the state of a training are numbers, and of the kind of the run's own."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cid_mmpose.weights.layouts import wrong_tensor


def why_not_finite(name: str, value: Any) -> str:
    """Which number in there is NaN or infinite, '' if none is."""
    for place, number in _numbers(name, value):
        number = torch.as_tensor(number)
        if not number.isfinite().all():
            return f'{place} is NaN or infinite, so the training that wrote it went wrong'
    return ''


def _numbers(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    """All numbers in there, with where they are."""
    if isinstance(value, Mapping):
        for name, inside in value.items():
            step = f'.{name}' if isinstance(name, str) else f'[{name}]'
            yield from _numbers(place + step, inside)
    elif isinstance(value, (list, tuple)):
        for number, inside in enumerate(value):
            yield from _numbers(f'{place}[{number}]', inside)
    elif isinstance(value, Tensor) and not wrong_tensor(value):
        yield place, value
    elif isinstance(value, (float, np.floating)):
        yield place, float(value)


def short(value: Any) -> str:
    """A value as it stands in a message."""
    return repr(value)[:40]
