"""mmengine's loaders of checkpoints, in a way that runs no code out of a file.

They read files of torch and of safetensors (``weights/files``), from the disk and from the web, whichever version of
torch is installed. ``compat.stack.secure_checkpoints`` puts them in the place of mmengine's.
"""

import collections
import itertools
import re
import stat
import urllib.request
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cid_mmpose.errors import BadInput
from cid_mmpose.files import LONGEST_NAME, NO_TEXT, mode_at

from .files import Refused, read_torch_file
from .files.downloads import fetched
from .files.hashes import wrong_hash
from .files.metadata import metadata_of, set_metadata
from .files.safetensors_files import is_safetensors, read_safetensors

SCHEME = re.compile(r'([A-Za-z][A-Za-z0-9+.-]+)://')
# imported when it is needed: compat/import_steps.py has this module imported along with mmengine.runner
MMENGINE_ZOO = 'mmengine.runner.checkpoint'
PAGES = (b'<!doctype', b'<html', b'<?xml')


def load_from_local(filename: str, map_location: Any = None) -> Any:
    """The content of a checkpoint file, without running anything in it.

    Args:
        filename: path, ``~`` and ``file://`` allowed.
        map_location: as for ``torch.load``.

    Raises:
        BadInput: naming the file when it is missing, cut off, no checkpoint, not the file of the hash in its name, or
            holds more than data.
    """
    path = path_of(str(filename))
    content = read_file(path, str(filename), map_location)
    if complaint := _why_no_weights(content):
        raise BadInput(f'{filename}: {complaint}')
    return note_file(content, str(filename))


def path_of(name: str) -> Path:
    """The path that a name of a file stands for, of a file that is there.

    Args:
        name: path or file:// address.

    Raises:
        BadInput: it is neither, or there is no such file.
    """
    scheme = SCHEME.match(name)
    if scheme:
        kind = scheme.group(1)
        if kind.lower() in ('http', 'https'):  # mmengine takes them in small letters only
            raise BadInput(f'{name}: write {kind.lower()}:// in small letters')
        if kind.lower() != 'file':
            raise BadInput(f'{name}: checkpoints are read from files and from http(s), not from {kind}://')

    try:
        path = _path_in_address(name) if scheme else Path(name).expanduser()
        _check_is_file(path, name)
    except BadInput:
        raise
    except (ValueError, RuntimeError, OSError) as error:
        raise BadInput(f'{name!r:.200}: is no path of a file ({error})') from error
    return path


def _path_in_address(name: str) -> Path:
    """The path that a file:// address stands for."""
    parts = urlsplit(name)
    if parts.netloc not in ('', 'localhost'):
        raise BadInput(f'{name}: names a file of the host {parts.netloc}; give file:///path')
    return Path(urllib.request.url2pathname(parts.path))


def _check_is_file(path: Path, name: str) -> None:
    """BadInput if there is no file at a path."""
    mode = mode_at(path)
    if mode is None:
        raise BadInput(f'{name}: no such checkpoint file')
    if stat.S_ISDIR(mode):
        raise BadInput(f'{name}: is a folder; give a checkpoint file')
    if not stat.S_ISREG(mode):
        raise BadInput(f'{name}: is no file that can be read twice, such as a pipe or a device; give a checkpoint file')


def _why_no_weights(content: dict) -> str:
    """Why a content cannot be weights by name, alone or under ``state_dict``, beside ``meta``; '' if it can."""
    state = content.get('state_dict', content)
    if not isinstance(state, dict):
        return f'its state_dict is a {type(state).__name__} and no weights by name; give a checkpoint'
    for name in itertools.chain(content, state):
        if not isinstance(name, str):
            return f'holds {name!r:.40} where the name of a weight should be; give a checkpoint'
        if NO_TEXT.search(name) or len(name) > LONGEST_NAME:  # it could not be printed, or would write on the screen
            return f'has a weight named {ascii(name):.40}, which no network has; give a checkpoint'

    meta = content.get('meta', {})
    if not isinstance(meta, dict) or not isinstance(meta.get('dataset_meta', {}), dict):
        return 'its meta is not what a training writes; give a checkpoint, or its state_dict alone'
    return ''


def read_file(path: Path, name: str, map_location: Any = None) -> dict:
    """The content of a file that is there; BadInput as ``load_from_local``.

    Args:
        path: of the file.
        name: what the messages call it.
        map_location: as for ``torch.load``.
    """
    try:
        wrong = _no_checkpoint(path) or wrong_hash(path)
        if not wrong:
            content = _content(path, map_location)
            if isinstance(content, dict):
                return content
            wrong = f'holds a {type(content).__name__} and no weights by name; give a checkpoint'
    except Refused as refused:
        raise BadInput(f'{name}: {refused}') from refused
    except OSError as error:
        raise BadInput(f'{name}: cannot be read ({error.strerror or error})') from error
    except Exception as error:  # a damaged file goes wrong in any way there is
        raise BadInput(f'{name}: {_damage(error)}') from error
    raise BadInput(f'{name}: {wrong}')


def _content(path: Path, map_location: Any) -> Any:
    if is_safetensors(path):
        return read_safetensors(path, map_location)
    return read_torch_file(path, map_location)


def _no_checkpoint(path: Path) -> str:
    """What a file is instead of a checkpoint, as far as its first bytes tell; '' if they tell nothing."""
    with path.open('rb') as file:
        start = file.read(64)
    head = start.lstrip().lower()
    if head.startswith(PAGES):
        return 'this is a web page, not a checkpoint; the download went wrong, get it again'
    if head.startswith(b'version https://git-lfs'):
        return 'is a pointer of git-lfs and not the file itself; run git lfs pull'
    if not head:
        return 'is empty; get it again'
    return ''


def _damage(error: Exception) -> str:
    """What is wrong with a file that could not be read, out of the error of its reader."""
    what = 'not a complete checkpoint of PyTorch (cut off, damaged, or of another kind); get it again'
    if isinstance(error, (KeyError, IndexError)):  # of the reader's own tables: says nothing to a user
        return what
    text = ' '.join(str(error).split())
    plain = text.encode('ascii', 'backslashreplace').decode()
    said = f'{type(error).__name__} {plain[:100]}'
    return f'{what}. Its reader says: {said}'.rstrip()


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

    metadata = collections.OrderedDict(metadata_of(state))
    of_model = metadata.get('', {})
    metadata[''] = {**of_model, 'file': name}
    noted = collections.OrderedDict(state)
    set_metadata(noted, metadata)
    if state is checkpoint:
        return noted
    return {**checkpoint, 'state_dict': noted}


def load_from_http(filename: str, map_location: Any = None) -> Any:
    """As ``load_from_local`` for a URL; the file is kept in torch's hub folder."""
    path = fetched(filename, _check_readable)
    return load_from_local(str(path), map_location)


def _check_readable(path: Path, name: str) -> None:
    """BadInput if a file cannot be read as a checkpoint."""
    read_file(path, name, 'cpu')


def load_from_zoo(filename: str, map_location: Any = None) -> Any:
    """As ``load_from_http`` for the names of ``torchvision://``, ``open-mmlab://`` and ``mmcls://``."""
    scheme, name = filename.split('://', 1)
    urls_of_models = ZOOS[scheme]
    table = urls_of_models()
    if scheme.startswith('open'):
        new_names = _models('get_deprecated_model_names')
        name = new_names().get(name, name)
    if name not in table:
        raise BadInput(f'{filename}: {scheme} knows no model of this name')
    weights = load_from_http(table[name], map_location)
    if scheme != 'mmcls':
        return weights

    # a whole classifier: its backbone, as mmengine hands it over
    state = weights.get('state_dict', weights)
    backbone = {}
    for key, value in state.items():
        if key.startswith('backbone.'):
            backbone[key.removeprefix('backbone.')] = value
    return dict(state_dict=backbone)


def load_from_store(filename: str, map_location: Any = None) -> Any:
    """Raises BadInput: object stores are not read."""
    raise BadInput(f'{filename}: checkpoints are read from files and from http(s); copy it to a file first')


def _models(function: str) -> Callable[[], dict[str, str]]:
    """What gives the names and URLs of a zoo, by the name of mmengine's function."""

    def table() -> dict[str, str]:
        zoo = import_module(MMENGINE_ZOO)
        return getattr(zoo, function)()

    return table


ZOOS: dict[str, Callable[[], dict[str, str]]] = {
    'torchvision': _models('get_torchvision_models'),
    'modelzoo': _models('get_torchvision_models'),
    'open-mmlab': _models('get_external_models'),
    'openmmlab': _models('get_external_models'),
    'mmcls': _models('get_mmcls_models'),
}

# prefixes, spelled as mmengine has them, so that each of its own loaders is replaced -> loader
LOADERS: dict[tuple, Callable] = {
    ('',): load_from_local,
    ('http://', 'https://'): load_from_http,
    tuple(f'{scheme}://' for scheme in ZOOS): load_from_zoo,
    ('pavi://', r'(\S+\:)?s3://', r'(\S+\:)?petrel://'): load_from_store,
}
