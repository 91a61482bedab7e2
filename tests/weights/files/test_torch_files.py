"""Files of weights: each kind of thing that a training writes comes back, and no byte is taken for anything else."""

import collections
import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from cid_mmpose.errors import BadInput
from cid_mmpose.weights.files import Refused, read_torch_file
from cid_mmpose.weights.files.makers import MAKERS
from cid_mmpose.weights.files.pickles import DataUnpickler, check_data
from cid_mmpose.weights.loaders import load_from_local
from tests.helpers.fuzz_checkpoints import Called, training_checkpoint

FORMATS = {'zip': {}, 'old': dict(_use_new_zipfile_serialization=False), 'protocol 4': dict(pickle_protocol=4)}
RECONSTRUCT = np.empty(0).__reduce__()[0]
SCALAR = np.float64(0).__reduce__()[0]


@pytest.fixture(params=FORMATS)
def save(request, tmp_path):
    """Saves something in one of torch's formats; returns the file."""

    def write(content) -> Path:
        torch.save(content, tmp_path / 'w.pth', **FORMATS[request.param])
        return tmp_path / 'w.pth'

    return write


def refused(path: Path) -> str:
    """The line with which a file is refused, without its name."""
    with pytest.raises(BadInput) as caught:
        load_from_local(str(path))
    text = str(caught.value)
    assert text.startswith(f'{path}: ') and '\n' not in text
    return text[len(f'{path}: ') :]


def test_weights_and_moments_of_a_training_come_back_to_the_last_bit(save):
    wanted = training_checkpoint()
    found = read_torch_file(save(wanted))
    assert list(found['state_dict']) == list(wanted['state_dict'])
    assert all(torch.equal(found['state_dict'][name], value) for name, value in wanted['state_dict'].items())
    assert found['state_dict']._metadata == wanted['state_dict']._metadata
    moments, given = found['optimizer']['state'][0], wanted['optimizer']['state'][0]
    assert torch.equal(moments['exp_avg_sq'], given['exp_avg_sq']) and moments['step'] == 1
    assert found['optimizer']['param_groups'] == wanted['optimizer']['param_groups']
    assert found['param_schedulers'] == [dict(milestones={90: 1}, last_step=5)]


def test_logs_and_numpy_s_arrays_and_numbers_come_back(save):
    found = read_torch_file(save(training_checkpoint()))
    log = found['message_hub']['log_scalars']['loss']
    assert (log.mean(), log.statistics('max'), log.current()) == (1.0, 2.0, 2.0)
    log.update(7.0)
    assert log.current() == 7
    meta = found['meta']
    assert meta['sigmas'].dtype == np.float32 and meta['sigmas'].tolist() == [np.float32(0.1), np.float32(0.2)]
    assert meta['names'].tolist() == ['a', 'b'] and meta['ids'] == {1, 2}
    assert np.array_equal(meta['matrix'], np.eye(3)) and meta['number'] == 0.5
    assert type(found['message_hub']['runtime_info']['lr']) is np.float32


KINDS = dict(
    parameter=torch.nn.Parameter(torch.ones(2)),
    size=torch.Size([1, 2]),
    device=torch.device('cpu'),
    bytes=b'\x00\xff',
    bytearray=bytearray(b'ab'),
    frozen=frozenset([3]),
    complex=1 + 2j,
    big=2**100,
    none=None,
    lists=collections.defaultdict(list, a=[1]),
    sets=collections.defaultdict(set),
    dtype=torch.bfloat16,
    numpy_dtype=np.dtype('f4'),
    half=torch.tensor([1.5], dtype=torch.bfloat16),
    bools=np.array([True, False]),
    empty=torch.empty(0, 3),
    zero_d=torch.tensor(3),
    ordered=collections.OrderedDict(b=1, a=2),
    random=(3, tuple(range(625)), None),
    numpy_random=np.random.RandomState(0).get_state(),
)


@pytest.mark.parametrize('kind', KINDS)
def test_each_kind_of_thing_comes_back_equal(save, kind):
    found = read_torch_file(save({'it': KINDS[kind]}))['it']
    assert type(found) is type(KINDS[kind]) and repr(found) == repr(KINDS[kind])


def test_tensors_that_share_numbers_share_them_again(save):
    whole = torch.arange(12.0).reshape(3, 4)
    found = read_torch_file(save(dict(whole=whole, turned=whole.t(), row=whole[1], wide=torch.ones(1).expand(5))))
    assert found['turned'].tolist() == whole.t().tolist() and found['row'].tolist() == [4, 5, 6, 7]
    assert found['wide'].tolist() == [1] * 5
    found['whole'][1, 2] = 99
    assert found['turned'][2, 1] == 99 and found['row'][2] == 99


@pytest.mark.parametrize(
    'place, device',
    [
        ('meta', 'meta'),
        (torch.device('meta'), 'meta'),
        ({'cpu': 'cpu'}, 'cpu'),
        (None, 'cpu'),
        (lambda storage, location: storage, 'cpu'),
        (lambda storage, location: None, 'cpu'),
    ],
)
def test_tensors_go_where_they_are_asked_to(save, place, device):
    found = read_torch_file(save(dict(a=torch.arange(3.0))), place)['a']
    assert found.device.type == device and found.shape == (3,)
    assert device == 'meta' or found.tolist() == [0, 1, 2]


def test_a_file_without_checksums_is_read_and_one_with_wrong_ones_is_not(tmp_path):
    data = b'abcdefgh' * 100
    weights = dict(a=torch.frombuffer(bytearray(data), dtype=torch.uint8))
    torch.save(weights, tmp_path / 'w.pth')
    sound = (tmp_path / 'w.pth').read_bytes()
    (tmp_path / 'w.pth').write_bytes(sound.replace(b'abcdefgh', b'abcdefgi', 1))
    assert refused(tmp_path / 'w.pth').endswith("BadZipFile Bad CRC-32 for file 'w/data/0'")
    if hasattr(torch.serialization, 'set_crc32_options'):
        torch.serialization.set_crc32_options(False)
        try:
            torch.save(weights, tmp_path / 'v.pth')
        finally:
            torch.serialization.set_crc32_options(True)
        assert load_from_local(str(tmp_path / 'v.pth'))['a'].tolist() == list(data)


def zipped(path: Path, content, **members: bytes) -> Path:
    """A zip of torch's with this in its pickle, and storages as members."""
    data = content if isinstance(content, bytes) else pickle.dumps(content, 2)
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('archive/data.pkl', data)
        for name, value in members.items():
            archive.writestr(f'archive/data/{name[1:]}', value)
    return path


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


@pytest.mark.filterwarnings('ignore:Sparse CSR', 'ignore:torch.quantize')
@pytest.mark.parametrize(
    'thing, says',
    [
        (lambda: torch.eye(3).to_sparse(), 'holds a sparse tensor'),
        (lambda: torch.eye(3).to_sparse_csr(), 'holds a sparse tensor'),
        (lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8), 'holds a quantised tensor'),
        (lambda: torch.empty(2, device='meta'), r'holds a tensor without numbers \(of the meta device\)'),
    ],
    ids=['sparse', 'csr', 'quantised', 'meta'],
)
def test_tensors_of_other_kinds_are_refused_by_kind(save, thing, says):
    with pytest.raises(Refused, match=says + ', which no model of CID takes; give weights of plain numbers'):
        read_torch_file(save(dict(a=thing())))


def test_arrays_of_objects_and_of_structures_are_refused_by_code(tmp_path):
    for array in (
        np.array([{}], object),
        np.zeros(1, [('a', 'f4')]),
        np.array(['2020-01-01'], 'M8[D]'),
        np.zeros(1, 'V8'),
    ):
        torch.save(dict(meta=array), tmp_path / 'w.pth')
        assert refused(tmp_path / 'w.pth').startswith('refused: it holds a numpy array of ')


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


def test_what_numpy_1_and_numpy_2_call_their_functions_makes_no_difference():
    for core in ('core', '_core'):
        for name in ('_reconstruct', 'scalar'):
            assert MAKERS[f'numpy.{core}.multiarray.{name}'].name == f'numpy.{core}.multiarray.{name}'
        data = pickle.dumps([np.array([1.5, 2.5]), np.float32(3)], 2)
        data = data.replace(b'numpy._core', b'numpy.core').replace(b'numpy.core', f'numpy.{core}'.encode())
        array, number = DataUnpickler(io.BytesIO(data), MAKERS).load()
        assert array.tolist() == [1.5, 2.5] and number == 3


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


def nested(depth: int, kind) -> list:
    inside = 1
    for _ in range(depth):
        inside = kind(inside)
    return inside


@pytest.mark.parametrize(
    'kind',
    [lambda inside: [inside], lambda inside: (inside,), lambda inside: {'a': inside}],
    ids=['list', 'tuple', 'dict'],
)
def test_containers_are_read_to_a_depth_of_a_hundred(kind):
    check_data(nested(100, kind))
    with pytest.raises(Refused, match='nested deeper than 100'):
        check_data(nested(102, kind))


def test_a_list_inside_itself_and_one_shared_below_many_are_told_apart():
    loop: list = []
    loop.append(loop)
    with pytest.raises(Refused, match='nested deeper'):
        check_data(loop)
    shared: list = [1]
    for _ in range(60):
        shared = [shared, shared]  # 2**60 ways to the innermost
    check_data(shared)
    chain = nested(60, lambda inside: [inside])
    with pytest.raises(Refused, match='nested deeper'):
        check_data([chain, nested(60, lambda inside: [inside, chain])])


def test_a_hundred_thousand_brackets_are_refused_and_hurt_nobody(tmp_path):
    for opening in (b']', b')'):
        closing = b'a' if opening == b']' else b''
        many = b'\x80\x02' + (opening * 100_000 + closing * 99_999 if closing else b')' + b'\x85' * 100_000) + b'.'
        assert refused(zipped(tmp_path / 'w.pth', many))


@pytest.mark.filterwarnings('ignore:.torch.jit')
def test_packed_and_foreign_archives_are_named(tmp_path):
    torch.save(dict(a=torch.zeros(10**6)), tmp_path / 'w.pth')
    with (
        zipfile.ZipFile(tmp_path / 'w.pth') as old,
        zipfile.ZipFile(tmp_path / 'v.pth', 'w', zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    assert refused(tmp_path / 'v.pth').startswith('is packed, which torch.save does not do')
    with zipfile.ZipFile(tmp_path / 'u.zip', 'w') as archive:
        archive.write(tmp_path / 'w.pth', 'w.pth')
    assert refused(tmp_path / 'u.zip').startswith('is a zip archive, but none that torch.save wrote; unpack it')
    torch.jit.script(torch.nn.Linear(1, 1)).save(str(tmp_path / 't.pt'))
    assert refused(tmp_path / 't.pt').startswith('is a program of TorchScript and no checkpoint')


def test_tars_and_cut_zips_are_named(tmp_path):
    import tarfile

    torch.save(dict(a=torch.zeros(9)), tmp_path / 'w.pth')
    with tarfile.open(tmp_path / 'w.tar', 'w') as archive:
        archive.add(tmp_path / 'w.pth', 'storages')
    assert refused(tmp_path / 'w.tar').startswith('is a tar archive; unpack it if the checkpoint is in there')
    (tmp_path / 'w.pth').write_bytes((tmp_path / 'w.pth').read_bytes()[:-30])
    assert refused(tmp_path / 'w.pth').startswith('not a complete checkpoint of PyTorch')


def test_the_files_that_once_crashed_or_gave_tracebacks_are_one_line(shared):
    folder = shared / 'cases' / 'checkpoints'
    for path in sorted(folder.glob('*.pth')):
        assert refused(path).startswith(('refused: it holds a numpy array of', 'not a complete checkpoint'))
    assert len(list(folder.glob('*.pth'))) >= 4
