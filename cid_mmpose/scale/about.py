"""What a folder of rows says of itself, and what all who write into it must agree on.

It is a file of its own, ``_about.json``, whose name readers of Parquet folders pass over.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cid_mmpose
from cid_mmpose.errors import BadInput
from cid_mmpose.files import partial_path, put_in_place
from cid_mmpose.inference.finder import PeopleFinder

FILE = '_about.json'
NOT_COMPARED = 'batch_size'  # of the options: it changes no result, and nodes may differ in it


def about_of(finder: PeopleFinder, model: Sequence[str | None], engine: str, shards: int, format: str) -> dict:
    """What is told, as plain values.

    Args:
        finder: of ``cid_mmpose.load``.
        model: what the user named it by, and the checkpoint.
        engine: 'local' or 'ray'.
        shards: into how many the images are shared out.
        format: 'jsonl' or 'parquet'.
    """
    options = asdict(finder.options)
    options.pop(NOT_COMPARED)
    named = [name for name in (*model, finder.weights) if name]
    settings = dict(options, weights=hash_of(named), engine=engine, shards=shards, format=format)
    return dict(
        written_by=f'cid_mmpose {cid_mmpose.__version__}',
        model=named[0],
        weights=finder.weights,
        settings=settings,
        keypoints=asdict(finder.keypoint_set),
    )


def hash_of(names: Sequence[str]) -> str:
    """sha256 over the files of a model, or over the name of what is no file, such as a URL.

    Args:
        names: of a model, its checkpoint and its weights.
    """
    whole = hashlib.sha256()
    files = dict.fromkeys(os.path.realpath(name) for name in names if os.path.isfile(name))
    for name in list(files):
        weights = f'{os.path.splitext(name)[0]}.bin'  # OpenVINO has its weights beside the graph
        if name.endswith('.xml') and os.path.isfile(weights):
            files[weights] = None
    for name in files:
        with open(name, 'rb') as file:
            while part := file.read(2**20):
                whole.update(part)
    if not files:
        whole.update(names[-1].encode())
    return whole.hexdigest()


def agree(folder: Path, about: dict[str, Any]) -> None:
    """Writes what a folder says of itself, or holds it against what stands there.

    Args:
        folder: of results; it is there.
        about: of ``about_of``.

    Raises:
        BadInput: the folder was begun with other settings.
    """
    path = folder / FILE
    if not path.exists():
        _put_first(path, json.dumps(about, indent=1) + '\n')
    try:
        before = json.loads(path.read_text(encoding='utf-8'))['settings']
        names = sorted({*before, *about['settings']})
    except (ValueError, LookupError, TypeError) as error:
        raise BadInput(f'{path}: is not what cid predict writes ({error!r:.80}); choose another --out') from error
    for name in names:
        old, new = before.get(name), about['settings'].get(name)
        if old != new:
            raise BadInput(
                f'{path}: this folder was begun with {name}={old}, not {new}; give the settings of before, or choose '
                'another --out'
            )


def _put_first(path: Path, text: str) -> None:
    """Writes a whole file unless another process was first."""
    partial = partial_path(path)
    try:
        partial.write_text(text, encoding='utf-8')
        try:
            os.link(partial, path)
        except FileExistsError:
            pass  # it is held against that one's
        except OSError:  # a file system without links
            put_in_place(partial, path)
    finally:
        partial.unlink(missing_ok=True)
