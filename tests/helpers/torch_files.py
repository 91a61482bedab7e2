"""Files of weights written by hand, and the line with which one is refused."""

import pickle
import zipfile
from pathlib import Path

import pytest

from cid_mmpose.errors import BadInput
from cid_mmpose.weights.loaders import load_from_local


def refused(path: Path) -> str:
    """The line with which a file is refused, without its name."""
    with pytest.raises(BadInput) as caught:
        load_from_local(str(path))
    text = str(caught.value)
    assert text.startswith(f'{path}: ') and '\n' not in text
    return text[len(f'{path}: ') :]


def zipped(path: Path, content, **members: bytes) -> Path:
    """A zip of torch's with this in its pickle, and storages as members."""
    data = content if isinstance(content, bytes) else pickle.dumps(content, 2)
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('archive/data.pkl', data)
        for name, value in members.items():
            archive.writestr(f'archive/data/{name[1:]}', value)
    return path
