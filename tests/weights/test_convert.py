"""Checkpoints converted to ours and to MMPose's layout."""

import copy
import runpy
import sys
from collections import OrderedDict

import numpy as np
import pytest
import torch
from mmengine.runner import load_checkpoint

from cid_mmpose.errors import BadInput
from cid_mmpose.models import Roots
from cid_mmpose.weights.convert import convert
from tests.helpers.images import ROOT
from tests.helpers.public_weights import CELL_CENTERS, LAYOUTS, mmpose_model, named_as, ours, saved, with_module

SPATIAL_BIAS = 'head.gfd_module.spatial_attention.conv.bias'


@pytest.fixture(scope='module')
def theirs():
    """MMPose's own CID."""
    return mmpose_model()


@pytest.fixture(scope='module')
def source(theirs) -> OrderedDict:
    """Its weights; the tests that load others into it put them back."""
    return copy.deepcopy(theirs.state_dict())


def read(path) -> dict:
    return torch.load(path, weights_only=True)


def equal(first: dict, second: dict) -> bool:
    return set(first) == set(second) and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize('layout', LAYOUTS)
def test_every_layout_becomes_ours_with_its_cell_center_and_its_meta(source, tmp_path, layout):
    meta = dict(epoch=140, dataset_meta=dict(dataset_name='coco'))
    path = saved(dict(meta=meta, state_dict=with_module(named_as(layout, source)), optimizer={}), tmp_path / 'w.pth')
    assert convert(path, str(tmp_path / 'new' / 'ours.pth'), 'ours').startswith(f'{tmp_path}/new/ours.pth: ')
    written = read(tmp_path / 'new' / 'ours.pth')
    assert list(written) == ['meta', 'state_dict'] and written['meta'] == meta
    assert float(written['state_dict'].pop('head.gfd.spatial.cell_center')) == CELL_CENTERS[layout]
    assert equal(written['state_dict'], named_as('ours', source))


def test_mmpose_s_weights_come_back_from_ours_as_they_were_and_load_into_mmpose(theirs, source, tmp_path):
    path = saved(named_as('mmpose 1.x', source), tmp_path / 'w.pth')
    there, back = str(tmp_path / 'ours.pth'), str(tmp_path / 'back.pth')
    convert(path, there, 'ours')
    assert convert(there, back, 'mmpose') == f'{back}: cid_mmpose to MMPose 1.x, 279 weights'
    assert equal(read(back)['state_dict'], source)
    with torch.no_grad():
        theirs.head.gfd_module.fuse_attention.weight.zero_()
    load_checkpoint(theirs, back, strict=True)
    assert equal(theirs.state_dict(), source)


def masks(part, gfd, features: torch.Tensor, root: list) -> torch.Tensor:
    """(H, W) of one root: what ``part`` gives for it while ``gfd`` runs."""
    kept = []
    handle = part.register_forward_hook(lambda module, given, result: kept.append(result.flatten(0, -3)[0]))
    with torch.no_grad():
        gfd(features, features[:, :, root[1], root[0]], torch.tensor([root]), torch.tensor([0]))
    handle.remove()
    return kept[0]


def test_mmpose_computes_with_the_authors_weights_what_we_do_except_in_the_two_outer_cells(
    theirs, source, tmp_path, figures
):
    path = saved(named_as('authors', source), tmp_path / 'w.pth')
    there = str(tmp_path / 'mmpose.pth')
    assert convert(path, there, 'mmpose') == (
        f"{there}: the authors' code to MMPose 1.x, 279 weights; the offset of the relative coordinates went into the "
        'bias of the spatial convolution, which differs in the two outer rows and columns of cells'
    )
    model = ours()
    load_checkpoint(model, path)
    load_checkpoint(theirs, there, strict=True)
    features = torch.randn(1, 60, 12, 14, generator=torch.Generator().manual_seed(3))
    gfd, module = model.head.gfd, theirs.head.gfd_module
    with torch.no_grad():
        root = Roots(torch.tensor([[3, 7]]), torch.tensor([0]))
        mine = gfd(features, features[:, :, 7, 3], root).masks[0]
    apart = (mine - masks(module.spatial_attention.conv, module, features, [3, 7]).sigmoid()).abs()
    inside = apart[2:-2, 2:-2].max()
    apart[2:-2, 2:-2] = 0
    figures("the authors' weights converted to MMPose: difference of the spatial mask", 'inside', inside, 1e-5)
    figures(
        "the authors' weights converted to MMPose: difference of the spatial mask", 'outer two cells', apart.max(), 0.1
    )
    assert inside < 1e-5 and 1e-4 < apart.max() < 0.1
    theirs.load_state_dict(named_as('mmpose 1.x', source))


def test_the_moved_bias_is_the_sum_of_the_kernels_of_the_coordinates_over_64(source, tmp_path):
    weights = named_as('authors', source)
    kernel = torch.zeros(1, 3, 5, 5)
    kernel[0, 0], kernel[0, 1, 2, 2], kernel[0, 2, 0, 0] = 9, 32, -16
    weights.update({'gfd.s_attn.conv.weight': kernel, 'gfd.s_attn.conv.bias': torch.tensor([1.0])})
    convert(saved(weights, tmp_path / 'w.pth'), str(tmp_path / 'mmpose.pth'), 'mmpose')
    assert read(tmp_path / 'mmpose.pth')['state_dict'][SPATIAL_BIAS].tolist() == [1.25]  # 1 + (32 - 16) / 64


def refused(*arguments) -> str:
    with pytest.raises(BadInput) as caught:
        convert(*map(str, arguments))
    return str(caught.value)


def test_an_existing_file_is_replaced_by_force_only_and_nothing_else_is_left(source, tmp_path):
    path, target = saved(named_as('authors', source), tmp_path / 'w.pth'), tmp_path / 'old.pth'
    target.write_text('kept')
    assert refused(path, target, 'ours') == f'{target}: is already there; choose another name, or --force to replace it'
    assert target.read_text() == 'kept'
    convert(path, str(target), 'ours', force=True)
    assert set(read(target)['state_dict']) == set(ours().state_dict())
    assert sorted(child.name for child in tmp_path.iterdir()) == ['old.pth', 'w.pth']


def test_a_write_that_fails_leaves_the_old_file(source, tmp_path, monkeypatch):
    path, target = saved(named_as('authors', source), tmp_path / 'w.pth'), tmp_path / 'old.pth'
    target.write_text('kept')

    def half(checkpoint, name) -> None:
        open(name, 'wb').write(b'half')
        raise OSError('disk full')

    monkeypatch.setattr(torch, 'save', half)
    with pytest.raises(OSError, match='disk full'):
        convert(path, str(target), 'ours', force=True)
    assert target.read_text() == 'kept' and len(list(tmp_path.iterdir())) == 2


def test_what_cannot_be_converted_is_named_with_the_way_out(source, tmp_path):
    weights = named_as('ours', source)
    path = saved(weights, tmp_path / 'w.pth')
    other = saved({'fc.weight': torch.zeros(1)}, tmp_path / 'other.pth')
    part = saved({name: weights[name] for name in weights if 'channel' not in name}, tmp_path / 'part.pth')
    number = saved(torch.zeros(1), tmp_path / 'number.pth')
    new = tmp_path / 'new.pth'
    assert refused(other, new, 'ours') == (
        f'{other}: holds no head of CID in any known layout; give a checkpoint of CID'
    )
    assert refused(number, new, 'ours') == f'{number}: holds a Tensor and no weights by name; give a checkpoint'
    assert refused(part, new, 'mmpose') == (
        f"{part}: has no head.gfd.channel.attention, and MMPose's head needs all parts; only models with "
        "recalibration='fused' can go there"
    )
    assert refused(tmp_path / 'gone.pth', new, 'ours') == f'{tmp_path}/gone.pth: no such checkpoint file'
    hashed = tmp_path / 'cid_42b7e6e6-20230207.pth'
    assert refused(path, hashed, 'ours') == (
        f'{hashed}: the 42b7e6e6 in this name would be taken for the hash of the file; choose another name'
    )
    assert 'is a folder; name a file' in refused(path, tmp_path, 'ours')
    assert not new.exists() and not hashed.exists()


def test_safetensors_go_in_and_out(source, tmp_path):
    safetensors = pytest.importorskip('safetensors.torch')
    safetensors.save_file(named_as('authors', source), str(tmp_path / 'theirs.safetensors'))
    target = str(tmp_path / 'ours.safetensors')
    assert convert(str(tmp_path / 'theirs.safetensors'), target, 'ours') == (
        f"{target}: the authors' code to cid_mmpose, 280 weights; weights alone, their meta is left out"
    )
    written = safetensors.load_file(target)
    assert float(written.pop('head.gfd.spatial.cell_center')) == 0
    assert equal(written, named_as('ours', source))
    model = ours()
    load_checkpoint(model, target, strict=True)
    assert equal({name: model.state_dict()[name] for name in written}, written)
    assert refused(target, tmp_path / 'theirs2.safetensors', 'mmpose') == (
        f'{tmp_path}/theirs2.safetensors: MMPose reads no safetensors; or name the file .pth'
    )


def test_what_is_no_number_is_not_converted(source, tmp_path):
    for value, says in (
        (torch.ones(32) + 0j, 'holds no real numbers; save'),
        (np.ones(32), 'is no tensor but a numpy'),
        (torch.full((32,), torch.nan), 'is NaN or infinite (1 such weights)'),
    ):
        weights = {**named_as('ours', source), 'head.gfd.fuse.bias': value}
        path = saved(weights, tmp_path / 'w.pth')
        assert refused(path, tmp_path / 'new.pth', 'mmpose').startswith(f'{path}: head.gfd.fuse.bias {says}')


@pytest.mark.parametrize('to', ['ours', 'mmpose'])
def test_half_a_part_and_two_layouts_in_one_file_are_refused(source, tmp_path, to):
    half = dict(source)
    del half['head.gfd_module.conv_down.bias']
    says = refused(saved(half, tmp_path / 'half.pth'), str(tmp_path / 'new.pth'), to)
    assert says.endswith('half.pth: has no head.gfd.conv_down.bias; give a whole checkpoint')
    both = {**source, 'gfd.conv_down.bias': source['head.gfd_module.conv_down.bias']}
    says = refused(saved(both, tmp_path / 'both.pth'), str(tmp_path / 'new.pth'), to)
    assert says.endswith('both.pth: holds the head in two layouts, also as gfd.conv_down.bias; take one out')
    assert not (tmp_path / 'new.pth').exists()


def test_the_command_prints_what_it_did_or_one_error(source, tmp_path, monkeypatch, capsys):
    path, target = saved(named_as('mmpose 0.x', source), tmp_path / 'w.pth'), tmp_path / 'ours.pth'
    tool = str(ROOT / 'tools' / 'convert_checkpoint.py')
    monkeypatch.setattr(sys, 'argv', [tool, path, str(target), '--to', 'ours'])
    runpy.run_path(tool, run_name='__main__')
    assert capsys.readouterr().out == f'{target}: MMPose 0.x to cid_mmpose, 280 weights\n'
    with pytest.raises(SystemExit) as left:
        runpy.run_path(tool, run_name='__main__')
    assert (left.value.code, capsys.readouterr().err) == (
        2,
        f'error: {target}: is already there; choose another name, or --force to replace it\n',
    )
