"""Files of weights: each kind of thing that a training writes comes back, what else torch writes is named."""

import collections
import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from cid_mmpose.weights.files import Refused, read_torch_file
from cid_mmpose.weights.files.makers import MAKERS
from cid_mmpose.weights.files.pickles import DataUnpickler
from cid_mmpose.weights.loaders import load_from_local
from tests.helpers.fuzz_checkpoints import training_checkpoint
from tests.helpers.torch_files import refused

FORMATS = {'zip': {}, 'old': dict(_use_new_zipfile_serialization=False), 'protocol 4': dict(pickle_protocol=4)}


@pytest.fixture(params=FORMATS)
def save(request, tmp_path):
    """Saves something in one of torch's formats; returns the file."""

    def write(content) -> Path:
        torch.save(content, tmp_path / 'w.pth', **FORMATS[request.param])
        return tmp_path / 'w.pth'

    return write


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


def test_what_numpy_1_and_numpy_2_call_their_functions_makes_no_difference():
    for core in ('core', '_core'):
        for name in ('_reconstruct', 'scalar'):
            assert MAKERS[f'numpy.{core}.multiarray.{name}'].name == f'numpy.{core}.multiarray.{name}'
        data = pickle.dumps([np.array([1.5, 2.5]), np.float32(3)], 2)
        data = data.replace(b'numpy._core', b'numpy.core').replace(b'numpy.core', f'numpy.{core}'.encode())
        array, number = DataUnpickler(io.BytesIO(data), MAKERS).load()
        assert array.tolist() == [1.5, 2.5] and number == 3


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
