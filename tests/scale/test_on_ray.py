"""How a cluster is taken, and how it ends; ``test_on_ray_killed.py`` runs one."""

import pytest

from cid_mmpose.errors import BadInput, RunStopped
from cid_mmpose.scale.on_ray import Places, check_names, places_of, reason_of, start_ray


@pytest.mark.parametrize(
    'resources, device, workers, places',
    [
        (dict(CPU=8), None, None, Places(7, 0)),
        (dict(CPU=8), 'cpu', 3, Places(3, 0)),
        (dict(CPU=64, GPU=8), None, None, Places(8, 1)),
        (dict(CPU=64, GPU=8), 'cuda', 2, Places(2, 1)),
        (dict(CPU=64, GPU=8), 'cpu', None, Places(63, 0)),
        (dict(CPU=4, GPU=8), None, None, Places(3, 1)),
    ],
)
def test_there_is_a_worker_for_each_gpu_or_for_each_cpu_but_one(resources, device, workers, places):
    assert places_of(resources, device, workers) == places


@pytest.mark.parametrize(
    'resources, device, workers, says',
    [
        (dict(CPU=8), None, 8, '--workers 8: the cluster has 8 CPUs and 0 GPUs, which is room for 7 workers'),
        (dict(CPU=1), None, None, 'which is room for 0 workers'),
        (dict(CPU=8), 'cuda', None, '8 CPUs and 0 GPUs, which is room for 0 workers'),
        (dict(CPU=8, GPU=1), 'cuda:0', None, '--device cuda:0: Ray gives each worker a GPU of its own; give cuda'),
    ],
)
def test_workers_for_which_there_is_no_room_are_refused(resources, device, workers, says):
    with pytest.raises(BadInput, match=says):
        places_of(resources, device, workers)


def test_videos_are_refused():
    check_names(['a.jpg', 'https://host/b.png'])
    with pytest.raises(BadInput, match='b.mp4: --engine ray takes images'):
        check_names(['a.jpg', 'b.mp4'])


def test_what_a_process_of_the_cluster_says_is_one_line():
    text = 'ray::Finder()\n  File "a.py"\ncid_mmpose.errors.BadInput: a.pth: no such file\nThe actor died.'
    assert str(reason_of(RuntimeError(text))) == 'a.pth: no such file'
    other = reason_of(RuntimeError('ray::Finder()\nOut of memory'))
    assert isinstance(other, RunStopped) and str(other).startswith('Ray: Out of memory; see to that, and give the same')


def test_a_cluster_that_does_not_answer_is_one_line(monkeypatch):
    ray = pytest.importorskip('ray', reason='Ray is not installed (make test-scale has it)')

    def no_answer(**_):
        raise ConnectionError('Ray cluster is not reachable.\nCheck the port.')

    monkeypatch.setenv('RAY_ADDRESS', 'head:6379')
    monkeypatch.setattr(ray, 'init', no_answer)
    says = r'RAY_ADDRESS=head:6379: no cluster answers \(Ray cluster is not reachable.\); start one, or take --shard'
    with pytest.raises(BadInput, match=says):
        start_ray(ray, 2)
