"""Files of the safetensors package: a table in JSON, then the numbers."""
import json
from pathlib import Path
from typing import Any, Dict

import torch

from .pickles import Refused
from .tensors import placing

LENGTH = 8  # bytes at the start of a file, which say how long the table behind them is


def is_safetensors(path: Path) -> bool:
    """Whether a file begins as those of safetensors do, whatever its name."""
    with path.open('rb') as file:
        length = int.from_bytes(file.read(LENGTH), 'little')
        brace = file.read(1)
    return brace == b'{' and length <= path.stat().st_size - LENGTH


def read_safetensors(path: Path, map_location: Any = None) -> Dict[str, Any]:
    """Name -> tensor of a file; under ``state_dict``, beside ``meta``, if ``convert_checkpoint.py`` wrote it.

    Args:
        path: of the file.
        map_location: as for ``torch.load``.

    Raises:
        Refused: safetensors is not installed. A damaged file may raise any other exception.
    """
    try:
        from safetensors import safe_open
    except ImportError as error:
        raise Refused('is a file of safetensors, and that package is not installed: pip install safetensors') from error
    place = placing(map_location)
    state = {}
    with safe_open(str(path), framework='pt', device='cpu') as file:
        noted = file.metadata() or {}
        for name in file.keys():
            tensor = file.get_tensor(name)
            # a copy: the package's own tensors lie in the file, and change and vanish with it
            numbers = tensor.clone().flatten().view(torch.uint8)
            state[name] = place(numbers, 'cpu').view(tensor.dtype).view(tensor.shape)
    if 'meta' not in noted:
        return state
    return dict(meta=json.loads(noted['meta']), state_dict=state)

