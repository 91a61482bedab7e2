"""Files of the safetensors package: a table in JSON, then the numbers."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .pickles import Refused
from .tensors import placing

INSTALL = 'pip install safetensors'
LENGTH = 8  # bytes at the start of a file, which say how long the table behind them is


def is_safetensors(path: Path) -> bool:
    """Whether a file begins as those of safetensors do, whatever its name."""
    with path.open('rb') as file:
        start = file.read(LENGTH)
        brace = file.read(1)
    length = int.from_bytes(start, 'little')
    return brace == b'{' and length <= path.stat().st_size - LENGTH


def has_safetensors() -> bool:
    """Whether the package is installed."""
    return find_spec('safetensors') is not None


def read_safetensors(path: Path, map_location: Any = None) -> dict[str, Tensor]:
    """Name -> tensor of a file.

    Args:
        path: of the file.
        map_location: as for ``torch.load``.

    Raises:
        Refused: safetensors is not installed. A damaged file may raise any other exception.
    """
    if not has_safetensors():
        raise Refused(f'is a file of safetensors, and that package is not installed: {INSTALL}')
    from safetensors import safe_open

    place = placing(map_location)
    state = {}
    with safe_open(str(path), framework='pt', device='cpu') as file:
        for name in file.keys():
            tensor = file.get_tensor(name)
            own = tensor.clone()  # the package's own tensors lie in the file, and change and vanish with it
            numbers = own.flatten().view(torch.uint8)
            placed = place(numbers, 'cpu')
            state[name] = placed.view(tensor.dtype).view(tensor.shape)
    return state


def write_safetensors(state: Mapping[str, Tensor], path: str) -> None:
    """Writes weights, and nothing beside them, where the package is installed.

    Args:
        state: name -> tensor.
        path: of the file.
    """
    from safetensors.torch import save_file

    alone = {name: value.contiguous().clone() for name, value in state.items()}  # none may share its numbers
    save_file(alone, path, dict(format='pt'))
