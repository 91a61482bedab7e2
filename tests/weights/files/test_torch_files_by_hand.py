"""Files of weights that torch would not write: nothing is read beyond a storage, called or made."""

import collections
import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from cid_mmpose.weights.loaders import load_from_local
from tests.helpers.fuzz_checkpoints import Called
from tests.helpers.torch_files import refused, zipped

RECONSTRUCT = np.empty(0).__reduce__()[0]
SCALAR = np.float64(0).__reduce__()[0]


class Storage:
    """What a pickle says of a storage."""

    def __init__(self, key: str, size, kind=torch.FloatStorage) -> None:
        self.said = ('storage', kind, key, 'cpu', size)


class TensorPickler(pickle.Pickler):
    """Writes ``Storage`` as torch writes storages."""

    def persistent_id(self, thing):
        return thing.said if isinstance(thing, Storage) else None


def with_tensor(path: Path, *arguments, function=torch._utils._rebuild_tensor_v2, numbers: int = 4) -> Path:
    """A checkpoint whose only tensor is made by this function with these arguments, over four numbers of the file."""
    written = io.BytesIO()
    TensorPickler(written, 2).dump({'a': Called(function, arguments)})
    return zipped(path, written.getvalue(), _0=np.arange(numbers, dtype=np.float32).tobytes())


HOOKS = collections.OrderedDict()


def test_a_tensor_written_by_hand_is_read(tmp_path):
    path = with_tensor(tmp_path / 'w.pth', Storage('0', 4), 1, (3,), (1,), False, HOOKS)
    assert load_from_local(str(path))['a'].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    'offset, size, stride',
    [
        (0, (5,), (1,)),
        (1, (4,), (1,)),
        (4, (1,), (1,)),
        (2**62, (1,), (1,)),
        (0, (2,), (4,)),
        (0, (2, 2), (3, 1)),
        (0, (-1,), (1,)),
        (0, (-2, -2), (1, 1)),
        (-1, (1,), (1,)),
        (3, (2,), (-1,)),
        (0, (2**40,), (0,)),
        (0, (2**31, 2**31), (0, 0)),
        (0, (2,), ()),
        (0, ('2',), (1,)),
        (0, (2.0,), (1,)),
        (0, (True,), (1,)),
        (True, (1,), (1,)),
        (None, (1,), (1,)),
    ],
)
def test_no_tensor_reaches_beyond_its_storage(tmp_path, offset, size, stride):
    path = with_tensor(tmp_path / 'w.pth', Storage('0', 4), offset, size, stride, False, HOOKS)
    assert refused(path).startswith('not a complete checkpoint of PyTorch')


@pytest.mark.parametrize(
    'storage',
    [
        Storage('0', 5),
        Storage('0', 3),
        Storage('0', -4),
        Storage('0', 2**62),
        Storage('1', 4),
        Storage('../../data.pkl', 4),
        Storage('0', 4, torch.DoubleStorage),
        Storage('0', 4.0),
        Storage('0', '4'),
    ],
    ids=lambda storage: repr(storage.said[2:]),
)
def test_no_storage_is_read_that_is_not_in_the_file_with_its_size(tmp_path, storage):
    path = with_tensor(tmp_path / 'w.pth', storage, 0, (1,), (1,), False, HOOKS)
    if storage.said[4] == 4.0 and isinstance(storage.said[4], float):
        assert load_from_local(str(path))['a'].tolist() == [0]  # as many as there are
    else:
        assert refused(path).startswith('not a complete checkpoint of PyTorch')


@pytest.mark.parametrize('state', [(3, '|', None, None, None, -1, -1, 63), (3, '<', None, None, None, -1, -1, 0)])
def test_a_plain_dtype_stays_what_its_code_says_whatever_flags_stand_behind(tmp_path, state):
    dtype = Called(np.dtype, ('f8', False, True), state)
    path = zipped(tmp_path / 'w.pth', {'a': Called(SCALAR, (dtype, np.float64(2.5).tobytes()))})
    assert load_from_local(str(path))['a'] == 2.5


@pytest.mark.parametrize(
    'state',
    [
        (3, '>', None, None, None, -1, -1, 0),
        (3, '<', ('f8', (2,)), None, None, -1, -1, 0),
        (3, '|', None, ('a',), {'a': (np.dtype('f8'), 0)}, 8, 8, 0),
        (3, '|', None, None, None, 10**9, 1, 0),
        (3, '|', None, None, None, 0, 0, 0),
        (4, '<', None, None, None, -1, -1, 0, {}),
        (),
    ],
)
def test_a_dtype_with_more_to_it_than_its_code_is_refused(tmp_path, state):
    dtype = Called(np.dtype, ('f8', False, True), state) if state else Called(np.dtype, ('f8', False, True), ((),))
    path = zipped(tmp_path / 'w.pth', {'a': Called(SCALAR, (dtype, b'A' * 8))})
    assert refused(path).startswith(('refused: it holds a numpy array of another kind', 'not a complete checkpoint'))


@pytest.mark.parametrize(
    'shape, code, data',
    [
        ((2,), 'f8', b'A' * 8),
        ((-1,), 'f8', b''),
        ((-1, -1), 'f8', b'A' * 8),
        ((2**62, 4), 'f8', b''),
        (1, 'f8', b'A' * 8),
        ((1,), 'f8', 'A' * 8),
        ((1,), 'f8', [1.0]),
        ((1,), 'U2', b'\xff' * 8),
        ((1,), 'f8', bytearray(8)),
        ((1.0,), 'f8', b'A' * 8),
        ((True,), 'f8', b'A' * 8),
        ((1,) * 99, 'f8', b'A' * 8),
    ],
)
def test_an_array_whose_bytes_do_not_fit_is_refused(tmp_path, shape, code, data):
    array = Called(RECONSTRUCT, (np.ndarray, (0,), b'b'), (1, shape, np.dtype(code), False, data))
    path = zipped(tmp_path / 'w.pth', {'a': array})
    assert refused(path).startswith('not a complete checkpoint of PyTorch')


@pytest.mark.parametrize(
    'content',
    [
        {'a': Called(getattr, (collections.OrderedDict, 'clear'))},
        {'a': Called(bytearray, (2**45,))},
        {'a': Called(bytearray, ('ab', 'utf-8'))},
        {'a': Called(int, ('9' * 9999,))},
        {'a': Called(list, ('ab',))},
        {'a': Called(collections.Counter, ('abc',))},
        {'a': os.system},
        {'a': getattr},
        {'a': Called(collections.defaultdict, (os.system,))},
        {'a': Called(set, ([((1,),)],))},
        {'a': Called(eval, ('1',))},
        {'a': Called(torch.load, ('x',))},
        {'a': Called(torch.nn.Linear, (1, 1))},
        {('a', ('b',)): 1},
        {'a': Called(collections.OrderedDict, ([[('deep', ('key',)), 1]],))},
    ],
)
def test_nothing_else_is_called_or_made(tmp_path, content):
    assert refused(zipped(tmp_path / 'w.pth', content))


def test_a_hundred_thousand_brackets_are_refused_and_hurt_nobody(tmp_path):
    for opening in (b']', b')'):
        closing = b'a' if opening == b']' else b''
        many = b'\x80\x02' + (opening * 100_000 + closing * 99_999 if closing else b')' + b'\x85' * 100_000) + b'.'
        assert refused(zipped(tmp_path / 'w.pth', many))


def test_the_files_that_once_crashed_or_gave_tracebacks_are_one_line(shared):
    folder = shared / 'cases' / 'checkpoints'
    for path in sorted(folder.glob('*.pth')):
        assert refused(path).startswith(('refused: it holds a numpy array of', 'not a complete checkpoint'))
    assert len(list(folder.glob('*.pth'))) >= 4
