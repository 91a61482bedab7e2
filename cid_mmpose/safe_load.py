"""Checkpoint loaders for mmengine that run no code out of the file.

A checkpoint is a pickle, and a pickle may call any function it names. These loaders let a file name only what a
training run of mmengine writes: tensors, numpy arrays, containers and mmengine's own log buffers. Torch's own
``weights_only`` unpickler does this from 2.6 on; before that it takes no such list, and ``_OldTorch`` does the same.
"""
import collections
import hashlib
import os
import pickle
import re
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Dict, Optional
from urllib.parse import urlparse

import numpy as np
import torch
from mmengine.config import ConfigDict
from mmengine.dist import barrier, get_rank
from mmengine.logging import HistoryBuffer
from mmengine.runner import checkpoint as mmengine_zoo

from .errors import BadInput

STATISTICS = ('min', 'max', 'mean', 'current')   # the methods every HistoryBuffer pickles along with its numbers
OLD_TORCH = {'torch.Size', 'torch.device', 'torch.nn.parameter.Parameter', 'torch._utils._rebuild_tensor_v2',
             'torch._utils._rebuild_tensor', 'torch._utils._rebuild_parameter', '_codecs.encode', 'builtins.set',
             'builtins.complex'}   # allowed before torch 2.6, beside dtypes and storages; newer torch has its own list
# The start of a file's sha256 at the end of its name, in the ways of OpenMMLab's two generations and of torch hub, or
# with the (1) of a browser behind it. Of torch hub's a number alone may be a date or a step, and the end of a UUID
# follows four digits.
HASH = re.compile(r'''(?: _([0-9a-f]{8})-\d{8} | -([0-9a-f]{8})_\d{8} |
                          (?<!-[0-9a-f]{4})-(?=\d*[a-f])([0-9a-f]{8,64}) ) (?:\ ?\(\d+\))? \.(?:pth|pt)(?:\.tar)?$''',
                  re.VERBOSE | re.IGNORECASE)
DATE = re.compile(r'(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])')
# HRNet's ImageNet weights carry digits of something else: a public copy of W32's has the sha256 d6c378d1..., and of
# W48's none is known
NO_HASHES = {'36af842e', '8ef0771d'}


def _log_statistic(owner: type, name: str) -> Callable:
    """What a checkpoint gets when it asks for ``getattr``: the plain one would let a file reach everything."""
    if owner is not HistoryBuffer or name not in STATISTICS:
        raise pickle.UnpicklingError(f'GLOBAL builtins.getattr({owner}, {name!r})')
    return getattr(HistoryBuffer, name)


def _allowed() -> Dict[str, Any]:
    """Full name in the file -> object, for what torch does not allow by itself."""
    array, number = np.empty(0).__reduce__()[0], np.float64(0).__reduce__()[0]
    objects = {f'numpy.{core}.multiarray.{thing.__name__}': thing   # under the names of numpy 1 and of numpy 2
               for core in ('core', '_core') for thing in (array, number)}
    dtypes = {type(np.dtype(code)) for code in '?bBhHiIlLefdUO'}
    for kind in (np.dtype, np.ndarray, *dtypes, collections.OrderedDict, collections.Counter, collections.defaultdict,
                 HistoryBuffer, ConfigDict, list, dict, int, float, str, bool):
        objects[f'{kind.__module__}.{kind.__qualname__}'] = kind
    objects['builtins.getattr'] = _log_statistic
    return objects


class _OldTorch(pickle.Unpickler):
    """The same rule for torch < 2.6: a name that is not on the list is refused before anything is called."""
    allowed = _allowed()

    def find_class(self, module: str, name: str) -> Any:
        module = 'builtins' if module == '__builtin__' else module   # its name in pickles of protocol 2
        full = f'{module}.{name}'
        if full in self.allowed:
            return self.allowed[full]
        if full in OLD_TORCH or re.fullmatch(r'torch\.\w+Storage', full) or _is_dtype(module, name):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f'GLOBAL {full}')


def _is_dtype(module: str, name: str) -> bool:
    return module == 'torch' and isinstance(getattr(torch, name, None), torch.dtype)


def _torch_load(path: Path, map_location: Any) -> Any:
    if tuple(map(int, re.findall(r'\d+', torch.__version__)[:2])) < (2, 6):
        old = SimpleNamespace(__name__='pickle', Unpickler=_OldTorch,
                              load=lambda file, **options: _OldTorch(file, **options).load())
        return torch.load(path, map_location=map_location, pickle_module=old, weights_only=False)
    with torch.serialization.safe_globals([(thing, name) for name, thing in _allowed().items()]):
        return torch.load(path, map_location=map_location, weights_only=True)


def load_from_local(filename: str, map_location: Any = None) -> Any:
    """The content of a checkpoint file, without running anything in it.

    Args: filename: path, ``~`` allowed. map_location: as for ``torch.load``.
    Raises BadInput naming the file when it is missing, cut off, no checkpoint, not the file of the hash in its name, or
    holds more than data.
    """
    path = Path(filename).expanduser()
    if not path.is_file():
        raise BadInput(f'{filename}: no such checkpoint file')
    return note_file(_read(path, filename, map_location), filename)


def _read(path: Path, name: str, map_location: Any = None) -> Any:
    """The content of a file; ``name`` is what the messages call it."""
    try:
        wrong = _no_checkpoint(path) or _wrong_hash(path)
        if not wrong:
            content = _torch_load(path, map_location)
            if isinstance(content, dict):
                return content
            wrong = f'holds a {type(content).__name__} and no weights by name; give a checkpoint'
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, AttributeError, TypeError,
            IndexError, OSError) as error:   # what torch.load is known to raise on files that are no checkpoints
        raise BadInput(f'{name}: {_why(str(error))}') from error
    raise BadInput(f'{name}: {wrong}')


def _no_checkpoint(path: Path) -> str:
    """What a file is instead of a checkpoint, as far as its first bytes tell; '' if they tell nothing."""
    with path.open('rb') as file:
        head = file.read(64).lstrip().lower()
    if head.startswith((b'<!doctype', b'<html', b'<?xml')):
        return 'this is a web page, not a checkpoint; the download went wrong, get it again'
    return '' if head else 'is empty; get it again'


def hash_in_name(name: str) -> Optional[str]:
    """The start of the sha256 that a file's name says its content has; None if it says none.

    Args: name: such as ``cid_hrnet-w32_42b7e6e6-20230207.pth`` or ``resnet50-0676ba61.pth``.
    """
    found = HASH.search(name)
    digits = next(filter(None, found.groups())).lower() if found else ''
    return None if not digits or digits in NO_HASHES or DATE.fullmatch(digits) else digits


def _wrong_hash(path: Path) -> str:
    """What is wrong with a file whose name carries a hash that is not its own; '' if there is no such hash."""
    said = hash_in_name(path.name)
    if said is None:
        return ''
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while block := file.read(2**20):
            digest.update(block)
    found = digest.hexdigest()[:len(said)]
    return '' if found == said else (
        f'its sha256 begins with {found} and not with {said} as its name says, so it is not whole, or not the file of '
        'this name; get it again, or rename it if you changed it yourself')


def _why(text: str) -> str:
    """What is wrong with a file that torch would not load, out of what torch says."""
    refused = re.search(r'GLOBAL (\S+)', text) or re.search(r'function (.+)', text)
    if refused and 'PytorchStreamReader' not in text:
        return (f'refused: it asks to run {refused.group(1)}, and a checkpoint should hold numbers only. If you trust '
                'it, load it yourself and save its state_dict alone')
    said = re.search(r'WeightsUnpickler error:\s*(.{1,100})', text) or re.search(r'(.{0,100})', text)
    return ('not a complete checkpoint of PyTorch (cut off, or of another kind); get it again. PyTorch says: '
            + said.group(1))


def note_file(checkpoint: Any, name: str) -> Any:
    """Lets the model that takes the weights name their file: torch hands the metadata of weights to its hooks.

    Args:
        checkpoint: weights, or a dict that holds them under ``state_dict``; else it comes back as it is.
        name: of the file.
    """
    if not isinstance(checkpoint, dict):
        return checkpoint
    state = checkpoint.get('state_dict', checkpoint)
    if not isinstance(state, dict):
        return checkpoint
    noted = collections.OrderedDict(state)   # a plain dict cannot hold metadata
    metadata = getattr(state, '_metadata', {})
    noted._metadata = collections.OrderedDict(metadata, **{'': {**metadata.get('', {}), 'file': name}})
    return noted if state is checkpoint else {**checkpoint, 'state_dict': noted}


def load_from_http(filename: str, map_location: Any = None) -> Any:
    """As ``load_from_local`` for a URL; the file is kept in torch's hub folder, where mmengine keeps it too."""
    target = Path(torch.hub.get_dir()) / 'checkpoints' / os.path.basename(urlparse(filename).path)
    if get_rank() == 0:
        _fetch(filename, target)
    barrier()
    _fetch(filename, target)   # on the first process of another machine
    return load_from_local(str(target), map_location)


def _fetch(url: str, target: Path) -> None:
    """Downloads a file that is not there yet; only one that loads gets its name, so that no half one is taken later."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix='.download-') as folder:
        fetched = Path(folder) / target.name
        try:
            torch.hub.download_url_to_file(url, str(fetched), progress=os.isatty(2))
        except OSError as error:   # urllib's errors are of this kind
            raise BadInput(f'{url}: cannot be downloaded ({error}); fetch it by hand and give the path of the file'
                           ) from error
        _read(fetched, url, 'cpu')
        os.replace(fetched, target)


def load_from_zoo(filename: str, map_location: Any = None) -> Any:
    """As ``load_from_http`` for the names of ``torchvision://``, ``open-mmlab://`` and ``mmcls://``."""
    scheme, name = filename.split('://', 1)
    table = ZOOS[scheme]()
    if scheme.startswith('open'):
        name = mmengine_zoo.get_deprecated_model_names().get(name, name)
    if name not in table:
        raise BadInput(f'{filename}: {scheme} knows no model of this name')
    weights = load_from_http(table[name], map_location)
    if scheme != 'mmcls':
        return weights
    state = weights.get('state_dict', weights)   # a whole classifier: its backbone, as mmengine hands it over
    return dict(state_dict={key[len('backbone.'):]: value for key, value in state.items()
                            if key.startswith('backbone.')})


def load_from_store(filename: str, map_location: Any = None) -> Any:
    """Raises BadInput: object stores are not read."""
    raise BadInput(f'{filename}: checkpoints are read from files and from http(s); copy it to a file first')


ZOOS: Dict[str, Callable[[], Dict[str, str]]] = {
    'torchvision': mmengine_zoo.get_torchvision_models, 'modelzoo': mmengine_zoo.get_torchvision_models,
    'open-mmlab': mmengine_zoo.get_external_models, 'openmmlab': mmengine_zoo.get_external_models,
    'mmcls': mmengine_zoo.get_mmcls_models}

# prefixes, spelled as mmengine has them, so that each of its own loaders is replaced -> loader
LOADERS: Dict[tuple, Callable] = {
    ('',): load_from_local,
    ('http://', 'https://'): load_from_http,
    tuple(f'{scheme}://' for scheme in ZOOS): load_from_zoo,
    ('pavi://', r'(\S+\:)?s3://', r'(\S+\:)?petrel://'): load_from_store,
}
