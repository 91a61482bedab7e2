"""Reads many damaged and crafted checkpoints in one process, and counts what became of them.

    python tests/helpers/fuzz_checkpoints.py --files 5000 --dtypes 500 --seed 0

A crash takes this process down, so the tests start it as one of its own, with a limit of memory.
"""

import argparse
import io
import json
import pickle
import random
import resource
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

import cid_mmpose  # noqa: F401  before anything imports MMPose
from cid_mmpose.errors import BadInput
from cid_mmpose.weights.loaders import load_from_local

CHECKED = ('zip', 'protocol 4')  # formats with a checksum: what loads is what was written
MEMORY = 8 * 10**9  # bytes of address space
SECONDS = 10.0  # for one file
CODES = [
    'O8',
    'O',
    'O4',
    'V8',
    'V',
    'f8',
    'f4',
    'i8',
    'b1',
    'u1',
    'c16',
    'U3',
    'S2',
    'M8',
    'm8',
    'f16',
    'O,O',
    '(2,)O',
    'f8,O',
    'i4,(3,2)f8',
    'x',
    '',
    'U0',
    'S0',
    'U999999999',
    '|O',
    '>f8',
    'a5',
    'p',
    'P',
    8,
    None,
    [('a', 'O')],
]
STATES = [3, '|', None, None, None, -1, -1, 0]  # numpy's of a plain dtype: one field after the other is changed
ODD = [
    0,
    1,
    4,
    63,
    -1,
    2**31,
    2**63,
    -(2**63),
    '<',
    '>',
    '|',
    '=',
    'O',
    None,
    True,
    (),
    ('a',),
    ('f8', (2,)),
    {},
    {'a': ('O', 0)},
    {'a': (1, 2, 3)},
    1.5,
    'x' * 99,
]


def training_checkpoint() -> dict:
    """Each kind of thing that a training run writes."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    model(torch.randn(2, 3, 8, 8)).sum().backward()
    optimizer.step()
    history = HistoryBuffer()
    for value in range(5):
        history.update(value / 2)
    meta = dict(
        epoch=1,
        iter=5,
        sigmas=np.array([0.1, 0.2], np.float32),
        names=np.array(['a', 'b']),
        ids={1, 2},
        matrix=np.asfortranarray(np.eye(3)),
        number=np.float64(0.5),
    )
    hub = dict(
        log_scalars=OrderedDict(loss=history),
        runtime_info=OrderedDict(iter=5, lr=np.float32(0.1)),
        resumed_keys=OrderedDict(loss=True),
    )
    return dict(
        state_dict=model.state_dict(),
        optimizer=optimizer.state_dict(),
        message_hub=hub,
        meta=meta,
        param_schedulers=[dict(milestones=Counter({90: 1}), last_step=5)],
    )


def base_files() -> Iterator[tuple[str, bytes]]:
    """A sound file of each format: its name and content."""
    for name, options in (
        ('zip', {}),
        ('old', dict(_use_new_zipfile_serialization=False)),
        ('protocol 4', dict(pickle_protocol=4)),
    ):
        written = io.BytesIO()
        torch.save(training_checkpoint(), written, **options)
        yield name, written.getvalue()
    try:
        from safetensors.torch import save
    except ImportError:
        return
    yield 'safetensors', save({'weight': torch.arange(12.0).reshape(3, 4), 'half': torch.ones(3).half()})


def damaged(data: bytes, rng: random.Random) -> bytes:
    """The same file cut, with bits flipped, bytes written over, or pieces taken out, doubled or put elsewhere."""
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 5, 30])):
        if not changed:
            break
        way = rng.randrange(6)
        place = rng.randrange(len(changed))
        length = rng.choice([1, 2, 4, 8, 64])
        if way == 0:
            changed[place] ^= 1 << rng.randrange(8)
        elif way == 1:
            changed[place : place + length] = rng.choice([b'\0', b'\xff', b'\x7f', b'\x80']) * length
        elif way == 2:
            changed[place : place + length] = rng.randbytes(length)
        elif way == 3:
            del changed[place : place + length]
        elif way == 4:
            other = rng.randrange(len(changed))
            changed[place:place] = changed[other : other + length]
        else:
            del changed[max(place, 1) :]
    return bytes(changed)


def damaged_pickle(data: bytes, rng: random.Random) -> bytes:
    """A zip of torch's whose checksums are right and whose pickle is damaged."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(written, 'w') as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, damaged(content, rng) if name.endswith('data.pkl') else content)
    return written.getvalue()


class Called:
    """Pickled as a call of a function with arguments, and a state."""

    def __init__(self, function, arguments: tuple, *state) -> None:
        self.said = (function, arguments, *state)

    def __reduce__(self) -> tuple:
        return self.said


def crafted_dtype(number: int, rng: random.Random) -> dict:
    """A checkpoint with a numpy array or number of an odd dtype, of which one field or several are changed."""
    plain = rng.random() < 0.3  # then the dtype is sound, and what is done with it may not be
    code = 'f8' if plain else CODES[number % len(CODES)]
    state = list(STATES)
    for _ in range(0 if plain else rng.choice([0, 1, 1, 2])):
        state[rng.randrange(len(state))] = rng.choice(ODD)
    if rng.random() < 0.1 and not plain:
        state = state[: rng.randrange(len(state))]
    dtype = Called(np.dtype, (code, False, True), *([tuple(state)] if rng.random() < 0.9 else []))
    data = rng.choice([b'A' * 8, b'A' * 16, b'', [object], ['a'], 'AAAAAAAA', rng.randbytes(24)])
    data = data if data != [object] else [None]
    if rng.random() < 0.4:
        scalar = np.float64(0).__reduce__()[0]
        return dict(state_dict={}, meta=dict(number=Called(scalar, (dtype, data))))
    shape = rng.choice([(1,), (2,), (), (0,), (-1,), (-2, -1), (2**40,), (2**32, 2**32), (1, 1), (0, 2**62), [1]])
    make = np.empty(0).__reduce__()[0]
    array = Called(
        make,
        (np.ndarray, rng.choice([(0,), (1,), (2**40,)]), rng.choice([b'b', b'O'])),
        (rng.choice([1, 1, 1, 0, 2]), shape, dtype, rng.random() < 0.5, data),
    )
    return dict(state_dict={}, meta=dict(array=array))


def same_weights(content: dict) -> bool:
    """Whether the weights are those of ``training_checkpoint``."""
    whole = training_checkpoint()['state_dict']
    found = content.get('state_dict', {})
    return found.keys() == whole.keys() and all(torch.equal(found[name], whole[name]) for name in whole)


def dtype_files(count: int, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """Crafted dtypes in zips of torch's."""
    for number in range(count):
        written = io.BytesIO()
        with zipfile.ZipFile(written, 'w') as archive:
            archive.writestr('archive/data.pkl', pickle.dumps(crafted_dtype(number, rng), protocol=2))
            archive.writestr('archive/version', '3\n')
        yield 'dtype', written.getvalue()


def damaged_files(count: int, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """Damaged files of all formats in turn."""
    bases = list(base_files())
    for number in range(count):
        name, data = bases[number % len(bases)]
        if name in ('zip', 'protocol 4') and rng.random() < 0.5:
            yield f'{name}, pickle', damaged_pickle(data, rng)
        else:
            yield name, damaged(data, rng)


def outcome(path: Path, kind: str) -> str:
    """'loaded', 'refused' as it should be, or what went wrong."""
    started = time.perf_counter()
    try:
        content = load_from_local(str(path), 'cpu')
        became = 'loaded' if kind not in CHECKED or same_weights(content) else 'silently other'
    except BadInput as error:
        became = 'refused' if len(str(error).splitlines()) == 1 and str(error).startswith(str(path)) else 'bad message'
    except Exception as error:  # this is what is looked for
        became = f'traceback of {type(error).__name__}'
    return became if time.perf_counter() - started < SECONDS else 'too slow'


def main() -> None:
    """Prints, as JSON, how many files of each kind became what, and by how much the memory in use has grown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--files', type=int, default=5000)
    parser.add_argument('--dtypes', type=int, default=500)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--keep', help='folder for the files that went wrong')
    args = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter('ignore')
    rng = random.Random(args.seed)
    counts: dict = {}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'w.pth'
        for files in (damaged_files(args.files, rng), dtype_files(args.dtypes, rng)):
            for kind, data in files:
                path.write_bytes(data)
                became = outcome(path, kind)
                counts.setdefault(kind, Counter())[became] += 1
                if args.keep and became not in ('loaded', 'refused'):
                    (Path(args.keep) / f'{kind} {became} {random.random()}.pth').write_bytes(data)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    json.dump(dict(counts=counts, grown=grown), sys.stdout)


if __name__ == '__main__':
    main()
