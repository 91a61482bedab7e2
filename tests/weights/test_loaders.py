"""Checkpoints: what a training run wrote comes back, and nothing in a file is ever run."""

import hashlib
import os
import pickle
import subprocess
import sys
from collections import Counter, OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader, load_checkpoint, save_checkpoint

from cid_mmpose import registry
from cid_mmpose.errors import BadInput
from cid_mmpose.weights import loaders
from cid_mmpose.weights.files import safetensors_files
from cid_mmpose.weights.files.hashes import hash_in_name


def load(path) -> dict:
    """As mmengine loads everything."""
    return CheckpointLoader.load_checkpoint(str(path), map_location='cpu')


def test_every_loader_of_mmengine_is_replaced_once_the_registry_is_imported():
    assert registry.SCOPE == 'cid_mmpose'
    assert {loader.__module__ for loader in CheckpointLoader._schemes.values()} == {'cid_mmpose.weights.loaders'}


@pytest.mark.slow
def test_this_module_may_be_the_first_that_is_imported():
    code = (
        'import cid_mmpose.weights.loaders as ours; from mmengine.runner import CheckpointLoader; '
        "print(CheckpointLoader._schemes['http://'] is ours.load_from_http, len(ours.ZOOS['mmcls']()) > 0)"
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)},
    )
    assert done.stdout == 'True True\n', done.stderr


def training_checkpoint() -> dict:
    """Each kind of object that mmengine puts into a checkpoint."""
    history = HistoryBuffer()
    history.update(3.0)
    history.update(5.0)
    return dict(
        state_dict=OrderedDict(weight=torch.arange(3.0), half=torch.ones(2, dtype=torch.bfloat16)),
        optimizer=dict(state={0: dict(step=torch.tensor(7.0))}, param_groups=[dict(lr=np.float64(0.5), params=[0])]),
        param_schedulers=[dict(milestones=Counter({90: 1, 120: 1}))],
        message_hub=dict(log_scalars=OrderedDict({'train/loss': history}), runtime_info=OrderedDict(iter=2)),
        meta=dict(dataset_meta=dict(sigmas=np.array([0.1, 0.2], np.float32), names=np.array(['a', 'b']), ids={1, 2})),
    )


def test_a_training_checkpoint_comes_back_whole(tmp_path):
    save_checkpoint(training_checkpoint(), str(tmp_path / 'a.pth'))
    back = load(tmp_path / 'a.pth')
    assert back['state_dict']['weight'].tolist() == [0, 1, 2] and back['state_dict']['half'].dtype == torch.bfloat16
    history = back['message_hub']['log_scalars']['train/loss']
    assert history.mean() == 4 and history.statistics('max') == 5
    assert back['optimizer']['param_groups'][0]['lr'] == 0.5 and back['optimizer']['state'][0]['step'] == 7
    assert back['param_schedulers'][0]['milestones'] == {90: 1, 120: 1}
    meta = back['meta']['dataset_meta']
    assert meta['sigmas'].dtype == np.float32 and meta['names'].tolist() == ['a', 'b'] and meta['ids'] == {1, 2}


@pytest.mark.parametrize('core', ['core', '_core'])
def test_arrays_of_numpy_1_and_of_numpy_2_come_back(tmp_path, core):
    save_checkpoint(dict(array=np.array([1.5, 2.5]), number=np.float32(3)), str(tmp_path / 'a.pth'))
    path = rewrite(
        tmp_path / 'a.pth',
        lambda data: data.replace(b'numpy._core', b'numpy.core').replace(b'numpy.core', f'numpy.{core}'.encode()),
    )
    assert load(path)['array'].tolist() == [1.5, 2.5] and load(path)['number'] == 3


def rewrite(path: Path, change) -> Path:
    """Changes the pickle inside a torch file."""
    from zipfile import ZipFile

    changed = path.with_name('changed.pth')
    with ZipFile(path) as old, ZipFile(changed, 'w') as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, change(data) if name.endswith('data.pkl') else data)
    return changed


class Trap:
    """Unpickled the plain way, it makes a file."""

    def __init__(self, path: Path, call=os.system) -> None:
        self.asks = call, (f'touch {path}',)

    def __reduce__(self):
        return self.asks


@pytest.mark.parametrize('save', [torch.save, lambda data, path: path.write_bytes(pickle.dumps(data, 2))])
def test_a_trapped_checkpoint_is_refused_by_name_and_not_run(tmp_path, save):
    save(dict(state_dict={}, meta=Trap(tmp_path / 'sprung')), tmp_path / 'trap.pth')
    with pytest.raises(BadInput) as caught:
        load(tmp_path / 'trap.pth')
    assert str(caught.value).startswith(f'{tmp_path / "trap.pth"}: refused: it asks to run posix.system')
    assert not (tmp_path / 'sprung').exists()


def test_the_trap_would_spring_without_us(tmp_path):
    torch.save(Trap(tmp_path / 'sprung'), tmp_path / 'trap.pth')
    torch.load(tmp_path / 'trap.pth', weights_only=False)
    assert (tmp_path / 'sprung').exists()


def cut(path: Path, keep: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])


@pytest.mark.parametrize('keep', [0.3, 0.99])
def test_a_cut_off_checkpoint_is_named(tmp_path, keep):
    save_checkpoint(training_checkpoint(), str(tmp_path / 'a.pth'))
    cut(tmp_path / 'a.pth', keep)
    with pytest.raises(BadInput, match='a.pth: not a complete checkpoint .*get it again'):
        load(tmp_path / 'a.pth')


@pytest.mark.parametrize(
    'content, says',
    [
        (b'<!DOCTYPE html><html>404</html>', 'this is a web page'),
        (b'', 'is empty'),
        (b'{"coco/AP": 1.0}', 'not a complete checkpoint'),
        (b'\x00' * 99, 'not a complete checkpoint'),
    ],
)
def test_a_file_that_is_no_checkpoint_is_named_with_what_it_is(tmp_path, content, says):
    (tmp_path / 'a.pth').write_bytes(content)
    with pytest.raises(BadInput, match=f'a.pth: {says}'):
        load(tmp_path / 'a.pth')


def test_a_checkpoint_that_is_not_there_is_named():
    with pytest.raises(BadInput, match='gone.pth: no such checkpoint file'):
        load('gone.pth')


@pytest.mark.parametrize(
    'name, digits',
    [
        ('cid_hrnet-w32_8xb20-140e_coco-512x512_42b7e6e6-20230207.pth', '42b7e6e6'),  # MMPose 1.x
        ('hrnet_w32_coco_512x512-867b9659_20220928.pth', '867b9659'),  # MMPose 0.x
        ('cid_00000000-20230207.pth', '00000000'),
        ('cid_42b7e6e6-20230207.safetensors', '42b7e6e6'),
        ('resnet50-0676ba61.pth', '0676ba61'),
        ('a-0676ba6112ef.pt', '0676ba6112ef'),
        ('a-deadbeef.pth.tar', 'deadbeef'),
        ('faster_rcnn_20200130-047c8118.pth', '047c8118'),
        ('cid_42b7e6e6-20230207 (1).pth', '42b7e6e6'),
        ('resnet50-0676ba61(12).pth', '0676ba61'),  # of browsers
        ('cid-867B9659_20220928.pth', '867b9659'),
        ('cid-DEADBEEF.PTH', 'deadbeef'),
        ('hrnet_w32-36af842e.pth', None),
        ('hrnet_w48-8ef0771d.pth', None),  # known not to be hashes
        ('cid-20231105.pth', None),
        ('cid_20230101-20230207.pth', None),  # dates
        ('run-12345678.pth', None),
        ('model-00010000.pth', None),  # numbers
        ('w-3f2504e0-4f89-11d3-9a0c-0305e82c3301.pth', None),  # a UUID
        ('cid_w32-cafe.pth', None),
        ('cid-0676ba61-best.pth', None),
        ('epoch_140.pth', None),
        ('resnet50-0676ba61.json', None),
    ],
)
def test_a_name_carries_a_hash_in_three_forms_and_no_date_or_number_is_one(name, digits):
    assert hash_in_name(name) == digits


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize('form', ['cid_{:.8}-20230207.pth', 'cid-{:.8}_20230207.pth', 'cid-{}.pth'])
def test_a_file_is_checked_against_the_hash_in_its_name(tmp_path, form):
    torch.save(dict(state_dict={}), tmp_path / 'w.pth')
    digest = sha256(tmp_path / 'w.pth')
    right, wrong = tmp_path / form.format(digest), tmp_path / form.format('c0ffee00' + digest[8:])
    right.write_bytes((tmp_path / 'w.pth').read_bytes())
    wrong.write_bytes((tmp_path / 'w.pth').read_bytes())
    assert load(right)['state_dict'] == {}
    with pytest.raises(BadInput) as caught:
        load(wrong)
    said = ('c0ffee00' + digest[8:], digest) if form == 'cid-{}.pth' else ('c0ffee00', digest[:8])
    assert str(caught.value) == (
        f'{wrong}: its sha256 begins with {said[1]} and not with {said[0]} as its name says, so it is not whole, or '
        'not the file of this name; get it again, or rename it if you changed it yourself'
    )


def test_a_web_page_is_called_one_even_if_its_name_carries_a_hash(tmp_path):
    (tmp_path / 'cid_42b7e6e6-20230207.pth').write_text('<html>not found</html>')
    with pytest.raises(BadInput, match='20230207.pth: this is a web page'):
        load(tmp_path / 'cid_42b7e6e6-20230207.pth')


@pytest.mark.parametrize(
    'wrap',
    [dict, lambda weights: dict(state_dict=weights), lambda weights: dict(best_state_dict=weights)],
    ids=['bare', 'state_dict', 'best'],
)
def test_the_file_is_noted_where_a_module_s_hooks_see_it_and_versions_stay(tmp_path, wrap):
    model, seen = torch.nn.BatchNorm1d(1), []
    torch.save(wrap(model.state_dict()), tmp_path / 'w.pth')
    model._register_load_state_dict_pre_hook(lambda state, prefix, metadata, *rest: seen.append(metadata))
    load_checkpoint(model, str(tmp_path / 'w.pth'))
    assert seen[0]['file'] == str(tmp_path / 'w.pth')
    assert load(tmp_path / 'w.pth').keys() == wrap(model.state_dict()).keys()
    loaders.note_file(checkpoint := dict(state_dict=model.state_dict()), 'other.pth')
    assert checkpoint['state_dict']._metadata == {'': dict(version=2)}  # of batch norm; the one given is not changed
    assert loaders.note_file(checkpoint, 'x')['state_dict']._metadata == {'': dict(version=2, file='x')}


def test_what_holds_no_weights_comes_back_as_it_is():
    for thing in (3, [1], dict(state_dict=5)):
        assert loaders.note_file(thing, 'w.pth') is thing


def test_names_of_a_zoo_become_urls_and_a_classifier_gives_its_backbone(tmp_path, monkeypatch):
    asked = []
    weights = {'backbone.conv': torch.ones(1), 'head.fc': torch.ones(1)}
    monkeypatch.setattr(loaders, 'load_from_http', lambda url, where: asked.append(url) or weights)
    monkeypatch.setitem(loaders.ZOOS, 'mmcls', lambda: {'net': 'https://example.org/net.pth'})
    assert list(load('mmcls://net')['state_dict']) == ['conv']
    assert asked == ['https://example.org/net.pth']
    with pytest.raises(BadInput, match='mmcls://other: mmcls knows no model of this name'):
        load('mmcls://other')
    with pytest.raises(BadInput, match='copy it to a file first'):
        load('s3://bucket/net.pth')


def test_weights_load_into_a_model_through_mmengine(tmp_path):
    source, target = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)
    torch.save(dict(state_dict=source.state_dict()), tmp_path / 'w.pth')
    load_checkpoint(target, str(tmp_path / 'w.pth'), strict=True)
    assert torch.equal(source.weight, target.weight)


def test_a_list_is_no_checkpoint(tmp_path):
    torch.save([1, 2], tmp_path / 'list.pth')
    with pytest.raises(BadInput, match='list.pth: holds a list and no weights by name'):
        loaders.load_from_local(str(tmp_path / 'list.pth'))


def test_safetensors_are_read_as_any_checkpoint_whatever_their_name(tmp_path):
    safetensors = pytest.importorskip('safetensors.torch')
    weight, bias = torch.arange(6.0).reshape(2, 3), torch.ones(2, dtype=torch.bfloat16)
    wanted = dict(weight=weight, bias=bias, number=torch.tensor(3))
    for name in ('w.safetensors', 'w.pth'):
        safetensors.save_file(wanted, str(tmp_path / name), dict(format='pt'))
        found = load(tmp_path / name)
        assert found.keys() == wanted.keys()
        assert all(torch.equal(found[key], value) and found[key].dtype == value.dtype for key, value in wanted.items())
    target = torch.nn.Linear(3, 2)
    load_checkpoint(target, str(tmp_path / 'w.safetensors'))
    assert torch.equal(target.weight, wanted['weight']) and target.bias.tolist() == [1, 1]
    cut(tmp_path / 'w.safetensors', 0.9)
    with pytest.raises(BadInput, match='w.safetensors: not a complete checkpoint'):
        load(tmp_path / 'w.safetensors')


def test_without_the_package_safetensors_are_refused_with_its_command(tmp_path, monkeypatch):
    table = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    (tmp_path / 'w.safetensors').write_bytes(len(table).to_bytes(8, 'little') + table + bytes(4))
    monkeypatch.setattr(safetensors_files, 'find_spec', lambda name: None)
    with pytest.raises(BadInput) as caught:
        load(tmp_path / 'w.safetensors')
    assert str(caught.value) == (
        f'{tmp_path}/w.safetensors: is a file of safetensors, and that package is not '
        'installed: pip install safetensors'
    )


@pytest.mark.parametrize(
    'content, says',
    [
        (dict(state_dict=5), 'its state_dict is a int and no weights by name'),
        (dict(state_dict=[torch.ones(1)]), 'its state_dict is a list'),
        ({0: torch.ones(1)}, 'holds 0 where the name of a weight should be'),
        ({'\ud800': torch.ones(1)}, r"has a weight named '\\ud800', which no network has"),
        (dict(state_dict={'a\nb': torch.ones(1)}), r"has a weight named 'a\\nb', which no network has"),
        ({'\x1b[2J': torch.ones(1)}, r"has a weight named '\\x1b\[2J', which no network has"),
        ({'x' * 5000: torch.ones(1)}, "has a weight named 'xxx"),
        (dict(state_dict={('a', 'b'): 1}), r"holds \('a', 'b'\) where the name of a weight should be"),
        (dict(state_dict={}, meta=5), 'its meta is not what a training writes'),
        (dict(state_dict={}, meta=dict(dataset_meta='coco')), 'its meta is not what a training writes'),
    ],
)
def test_what_holds_no_weights_by_name_is_refused(tmp_path, content, says):
    torch.save(content, tmp_path / 'w.pth')
    with pytest.raises(BadInput, match=f'w.pth: {says}'):
        load(tmp_path / 'w.pth')


def test_folders_pipes_devices_and_other_places_are_named(tmp_path):
    os.mkfifo(tmp_path / 'pipe.pth')
    for name, says in (
        (tmp_path, 'is a folder; give a checkpoint file'),
        (tmp_path / 'pipe.pth', 'is no file that can'),
        ('/dev/zero', 'is no file that can be read twice'),
        ('~nobody_here/w.pth', 'is no path of a file'),
        ('ftp://a/w.pth', 'checkpoints are read from files and from http'),
        ('HTTPS://a/w.pth', 'write https:// in small letters'),
        ('x' * 5000, 'is no path of a file'),
        ('file://server/w.pth', 'names a file of the host server'),
        ('', 'is a folder'),
    ):
        with pytest.raises(BadInput) as caught:
            load(name)
        assert says in str(caught.value) and len(str(caught.value).splitlines()) == 1


def test_a_file_url_is_the_file(tmp_path):
    torch.save(dict(state_dict=dict(a=torch.ones(1))), tmp_path / 'my w.pth')
    assert load((tmp_path / 'my w.pth').as_uri())['state_dict']['a'] == 1


@pytest.mark.skipif(os.geteuid() == 0, reason='root may read every file')
def test_a_file_that_may_not_be_read_is_named(tmp_path):
    (tmp_path / 'w.pth').write_bytes(b'x')
    (tmp_path / 'w.pth').chmod(0)
    with pytest.raises(BadInput, match='w.pth: cannot be read .Permission denied'):
        load(tmp_path / 'w.pth')


def test_a_pointer_of_git_lfs_is_named(tmp_path):
    (tmp_path / 'w.pth').write_text('version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n')
    with pytest.raises(BadInput, match='w.pth: is a pointer of git-lfs'):
        load(tmp_path / 'w.pth')
