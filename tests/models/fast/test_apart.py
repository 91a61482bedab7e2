"""Images of a batch apart: the same maps for every number of images and cores, where images do not see each other."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from cid_mmpose.models.fast.apart import Apart, can_take_apart, compute_alone, workers_for


@pytest.fixture
def cores(request):
    """So many threads of torch's for a test."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.ModuleList([nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 5, 3, stride=2)]).eval()


def call(layers: nn.Module, images: torch.Tensor) -> list[torch.Tensor]:
    fine = layers[0](images).relu()
    return [fine, layers[1](fine)]


@pytest.mark.parametrize('context', [torch.enable_grad, torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize('cores', [1, 2, 4], indirect=True)
def test_the_maps_of_a_batch_are_those_of_its_images_and_each_has_its_share_of_the_cores(cores, context):
    layers = network()
    seen = []

    def run(images: torch.Tensor) -> list[torch.Tensor]:
        seen.append((len(images), torch.get_num_threads()))
        return call(layers, images)

    for count in (1, 2, 3, 4, 5):
        seen.clear()
        with context():
            images = torch.randn(count, 3, 9, 11)
            found = Apart(run)(images)
            expected = call(layers, images)
        for mine, other in zip(found, expected, strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-6)

        workers = workers_for(count, cores)
        left = count % workers
        assert sorted(seen) == sorted([(1, cores // workers)] * (count - left) + [(1, cores)] * left)
        assert torch.get_num_threads() == cores


@pytest.mark.parametrize('cores', [2], indirect=True)
def test_threads_that_come_later_compute_on_all_cores(cores):
    Apart(lambda image: [image + 1])(torch.zeros(2, 3, 4, 4))
    with ThreadPoolExecutor(1) as later:
        assert later.submit(torch.get_num_threads).result() == 2


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, 'fork'), reason='a system without fork')
def test_a_forked_process_has_threads_of_its_own():
    code = """
import os, signal, torch
from cid_mmpose.models.fast.apart import Apart

torch.set_num_threads(2)
network = Apart(lambda image: [image + 1])
images = torch.zeros(2, 3, 4, 4)
network(images)
child = os.fork()
if child == 0:
    signal.alarm(60)  # ends a child that waits for threads of its parent
    os._exit(0 if network(images)[0].eq(1).all() else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert subprocess.run([sys.executable, '-W', 'ignore', '-c', code], timeout=300).returncode == 0


@pytest.mark.parametrize(
    ('images', 'cores', 'workers'), [(1, 8, 1), (2, 1, 1), (2, 2, 2), (2, 3, 1), (2, 8, 2), (5, 6, 3), (16, 4, 4)]
)
def test_cores_are_shared_out_evenly_among_as_many_images_as_possible(images, cores, workers):
    assert workers_for(images, cores) == workers


@pytest.mark.parametrize('cores', [2], indirect=True)
def test_an_error_in_a_thread_reaches_the_caller(cores):
    def fail(images: torch.Tensor) -> list[torch.Tensor]:
        raise RuntimeError('no memory')

    with pytest.raises(RuntimeError, match='no memory'):
        Apart(fail)(torch.zeros(2, 3, 4, 4))


def test_a_network_in_which_images_are_seen_together_is_not_taken_apart():
    assert can_take_apart(nn.Sequential(nn.Conv2d(3, 4, 1), nn.GroupNorm(2, 4)))
    assert not can_take_apart(nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4, track_running_stats=False)))
    watched = network()
    watched[1].register_forward_hook(print)
    assert not can_take_apart(watched)


@pytest.mark.parametrize('cores', [3], indirect=True)
def test_a_thread_that_computes_alone_leaves_the_number_of_cores_to_all_others(cores):
    with ThreadPoolExecutor(1, initializer=compute_alone) as alone, ThreadPoolExecutor(1) as other:
        assert list(alone.map(lambda _: torch.get_num_threads(), range(4))) == [1] * 4
        assert other.submit(torch.get_num_threads).result() == 3
    assert torch.get_num_threads() == 3
