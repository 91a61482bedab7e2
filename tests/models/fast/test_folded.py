"""The compiled backbone: the same answers, for every size of images, that follow the weights."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from torch import nn
from torch._dynamo.utils import counters

from cid_mmpose.errors import BadInput
from cid_mmpose.models.fast.folded import FoldedBackbone, can_compile, can_isolate, compiled, weights_of
from tests.helpers.three_images import IMAGES, model, samples

HEADER = Path(sysconfig.get_path('include'), 'Python.h')  # which what torch.compile writes includes
needs_compiler = pytest.mark.skipif(
    not (can_compile() and shutil.which(os.environ.get('CXX', 'g++')) and HEADER.is_file()),
    reason='no C++ compiler, no Python.h, or a torch that is too old to compile',
)


def small_network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1)).eval()


def num_programs() -> int:
    """How many programs torch.compile has made so far."""
    return counters['stats']['unique_graphs']


@pytest.mark.slow
@needs_compiler
@torch.no_grad()
@pytest.mark.parametrize('isolates', [True, False])
def test_every_size_and_set_of_weights_has_its_own_maps(isolates, monkeypatch):
    if isolates and not can_isolate():
        pytest.skip('this torch does not keep programs apart by itself')
    monkeypatch.setattr('cid_mmpose.models.fast.folded.can_isolate', lambda: isolates)
    pairs = []
    before = num_programs()
    for seed in range(10):  # left to itself, torch.compile leaves the ninth program of a class uncompiled
        network = small_network(seed)
        pairs.append((network, compiled(network, 'default')))
        for network, program in (pairs[0], pairs[-1]):
            torch.testing.assert_close(program(IMAGES), network(IMAGES), rtol=1e-5, atol=1e-6)
    assert num_programs() == before + 10
    network, program = pairs[0]
    for shape in ((4, 3, 96, 128), (2, 3, 128, 64), (6, 3, 160, 32), IMAGES.shape):
        images = torch.randn(shape)
        torch.testing.assert_close(program(images), network(images), rtol=1e-5, atol=1e-6)
    assert num_programs() == before + 11  # one more for all other sizes, where no two sides were equal


OTHER_SIZE = """
import torch
from cid_mmpose.models.fast.folded import compiled
from tests.models.fast.test_folded import IMAGES, small_network
with torch.no_grad():
    network = small_network(0)
    program = compiled(network, 'default')
    program(IMAGES)
    images = torch.randn(4, 3, 96, 128)
    print((program(images) - network(images)).abs().max().item())
"""


@needs_compiler
@pytest.mark.slow
def test_programs_that_were_made_with_other_instructions_are_not_taken(tmp_path):
    root = Path(__file__).parents[3]
    for limit in (dict(ONEDNN_MAX_CPU_ISA='AVX2', ATEN_CPU_CAPABILITY='avx2'), {}, dict(ONEDNN_MAX_CPU_ISA='AVX2')):
        environment = {**os.environ, 'TORCHINDUCTOR_CACHE_DIR': str(tmp_path), 'PYTHONPATH': str(root), **limit}
        done = subprocess.run([sys.executable, '-c', OTHER_SIZE], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-500:]
        assert float(done.stdout.split()[-1]) < 1e-5


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize('mode', ['default', 'reduce-overhead'])
@pytest.mark.parametrize('context', [torch.no_grad, torch.inference_mode])
def test_compiling_changes_no_map(mode, context):
    plain = model(flip_test=True, output_heatmaps=True)
    network = model(flip_test=True, output_heatmaps=True, compile=mode)
    with context():
        for _ in range(2):  # with the same weights in both; the second ones are other ones
            found, expected = (each.predict(IMAGES, samples(3)) for each in (network, plain))
            assert set(network.folded.copies) == {(torch.float32, mode, False)}
            for one, other in zip(found, expected):
                assert len(one.pred_instances.keypoints) > 3
                torch.testing.assert_close(one.pred_fields.heatmaps, other.pred_fields.heatmaps, rtol=0, atol=1e-5)
                apart = np.abs(one.pred_instances.keypoints - other.pred_instances.keypoints)
                assert (apart > 0.01).mean() < 0.01  # random maps have a few cells that are equal up to rounding
            for each in (network, plain):
                each.load_state_dict(
                    {
                        name: 0.9 * value if name.startswith('backbone.stage3') and value.ndim == 4 else value
                        for name, value in each.state_dict().items()
                    }
                )


@pytest.mark.slow
@needs_compiler
@pytest.mark.skipif(not can_isolate(), reason='networks have code of their own, of which there are never many programs')
@torch.no_grad()
def test_programs_of_old_weights_are_given_up():
    torch.compiler.reset()  # programs of other tests count as well
    network, folded = small_network(0), FoldedBackbone()
    with torch._dynamo.config.patch(accumulated_recompile_limit=3):  # as 256 of them would hit it
        for _ in range(5):
            before = num_programs()
            maps = folded(network, IMAGES, torch.float32, 'default')
            torch.testing.assert_close(maps, network(IMAGES), rtol=1e-5, atol=1e-6)
            assert num_programs() == before + 1
            network[0].weight.mul_(0.9)


@torch.no_grad()
def test_nothing_is_compiled_in_training():
    network = model(compile='default')
    with mock.patch('cid_mmpose.models.estimator.say') as said:
        network.train(True).train(False)
    said.assert_called_once()
    with mock.patch('torch.compile') as compile_:
        assert len(network.predict(IMAGES[:1], samples(1))[0].pred_instances) > 3
    compile_.assert_not_called()


def test_the_weights_are_all_parameters_and_buffers():
    network = model().backbone
    expected = [*network.parameters(), *network.buffers()]
    assert sorted(map(id, weights_of(network))) == sorted(map(id, expected))
    network.shared = nn.ModuleList([network.conv1, None])  # a part in two places, and one that is left out
    assert set(map(id, weights_of(network))) == set(map(id, expected))


@pytest.mark.parametrize('version, can', [('2.10.2', False), ('2.11.0a0+5228986', True), ('3.0.0', True)])
def test_early_builds_of_a_version_count_as_it(monkeypatch, version, can):
    monkeypatch.setattr(torch, '__version__', version)
    assert can_compile() == can


def test_an_old_torch_is_told_to_leave_compiling_out(monkeypatch):
    monkeypatch.setattr(torch, '__version__', '2.9.1+cu128')
    network = model(compile='default')
    with pytest.raises(BadInput, match=r"compile='default' needs torch 2.11 or newer, this is 2.9.1\+cu128; leave"):
        network.predict(IMAGES[:1], samples(1))


def test_float16_on_a_cpu_whose_torch_does_not_know_it_is_refused(monkeypatch):
    monkeypatch.setattr('cid_mmpose.models.fast.folded.cpu_autocasts_float16', lambda: False)
    with pytest.raises(BadInput, match="precision='float16' does not run on a CPU with torch .*; take 'bfloat16'"):
        model(precision='float16', insist=True).predict(IMAGES[:1], samples(1))


@pytest.mark.slow
@pytest.mark.skipif(not can_compile(), reason='a torch that is too old to compile')
def test_without_a_compiler_one_line_says_what_to_do(tmp_path):
    code = (
        'import torch; from cid_mmpose.models.fast.folded import compiled\n'
        "with torch.no_grad(): compiled(torch.nn.Conv2d(3, 4, 3), 'default')(torch.zeros(1, 3, 8, 8).add(1))"
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, 'CXX': str(tmp_path / 'none'), 'TORCHINDUCTOR_CACHE_DIR': str(tmp_path)},
    )
    last = done.stderr.strip().splitlines()[-1]
    assert 'BadInput' in last and "model.test_cfg: compile='default'" in last and 'leave compile out' in last
