"""Chance after a resume: losses are those of the run that went on."""

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook

from cid_mmpose.engine.hooks import random_stream
from cid_mmpose.engine.hooks.random_stream import KEY, RandomStreamHook, set_stream, stream
from tests.helpers.slow import slow_but
from tests.helpers.toy_run import Notes, toy_runner


def draws() -> list:
    return [random.random(), random.gauss(0, 1), float(np.random.normal()), np.random.randint(9), float(torch.rand(1))]


@pytest.mark.parametrize('before', [0, 1, 700])
def test_a_stream_that_is_brought_back_gives_the_same_numbers_again(before):
    for _ in range(before):  # an odd number of normal numbers leaves one waiting
        draws()
    state = stream()
    first = draws() + draws()
    assert draws() != first[:5]
    set_stream(state)
    assert draws() + draws() == first and state.dtype == torch.int64


class Draws(Hook):
    """Draws at random at the end of an epoch, as a validation does."""

    def after_train_epoch(self, runner) -> None:
        for hook in runner.hooks:
            if isinstance(hook, RandomStreamHook):
                hook.before_val(runner)
                np.random.random(99)
                torch.rand(99)
                hook.after_val(runner)


class Copy(Hook):
    """Copies the checkpoints in the middle of a run: what is left of it if it is killed there.

    Args:
        folder: where to.
    """

    priority = 'HIGHEST'

    def __init__(self, folder) -> None:
        self.folder = folder

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        if runner.iter != 8:
            return
        self.folder.mkdir()
        paths = sorted(Path(runner.work_dir).glob('*.pth'), key=lambda path: path.stat().st_mtime)
        for path in paths:
            shutil.copy(path, self.folder)
        (self.folder / 'last_checkpoint').write_text(str(self.folder / paths[-1].name))


def losses(folder, name, *hooks, **options) -> dict:
    """The loss of each iteration of a run."""
    notes = Notes()
    runner = toy_runner(folder, name, notes, *hooks, **options)
    runner.train()
    end_workers(runner.train_dataloader)
    return notes.losses


def end_workers(loader) -> None:
    """Ends those that live on, which takes 5 s for each of them when it is left to Python's collector."""
    if loader._iterator is not None:
        loader._iterator._shutdown_workers()


BY_ITERATION = dict(train_cfg=dict(by_epoch=False, max_iters=16), checkpoint=dict(by_epoch=False, interval=3))
WAYS = {
    'one process': dict(),
    'workers that live on': dict(workers=2, persistent=True),
    'workers that are started anew': dict(workers=2),
    'without a seed': dict(randomness=dict(seed=None)),
    'without a seed, workers': dict(randomness=dict(seed=None), workers=2, persistent=True),
    'by iterations': BY_ITERATION,
    'by iterations, workers': dict(BY_ITERATION, workers=2, persistent=True),
    'by iterations, without a seed': dict(BY_ITERATION, randomness=dict(seed=None)),
}


@pytest.mark.parametrize('way', slow_but(['workers that live on', 'without a seed', 'by iterations'], WAYS))
def test_a_run_that_is_stopped_and_resumed_has_the_losses_of_one_that_went_on(tmp_path, monkeypatch, way):
    monkeypatch.setattr('time.sleep', lambda seconds: None)  # mmengine's, when the data begin anew
    options = dict(dict(epochs=4), **WAYS[way])
    hooks = [RandomStreamHook(), Draws(), Copy(tmp_path / 'killed')]
    whole = losses(tmp_path / 'whole', f'{way} whole', *hooks, **options)
    again = losses(tmp_path / 'killed', f'{way} again', RandomStreamHook(), Draws(), resume=True, **options)
    first = 6 if 'iterations' in way else 8  # the last checkpoint before iteration 8
    assert list(whole) == list(range(16)) and list(again) == list(range(first, 16))
    assert again == {i: loss for i, loss in whole.items() if i >= first}


def test_without_the_hook_the_losses_are_other_ones(tmp_path):
    whole = losses(tmp_path / 'whole', 'plain whole', Copy(tmp_path / 'killed'), epochs=4)
    again = losses(tmp_path / 'killed', 'plain again', resume=True, epochs=4)
    assert list(again) == list(range(8, 16)) and all(again[i] != whole[i] for i in again)


@pytest.mark.parametrize('change', ['workers', 'processes', 'none'])
def test_a_checkpoint_of_another_machine_is_gone_on_from_with_a_line_in_the_log(tmp_path, change, monkeypatch):
    said = []
    monkeypatch.setattr(random_stream, 'print_log', lambda text, *rest: said.append(text))
    losses(tmp_path, f'{change} one', RandomStreamHook(), epochs=1)
    file = tmp_path / 'epoch_1.pth'
    saved = torch.load(file, weights_only=False)
    if change == 'workers':
        saved[KEY][0]['num_workers'] = 7
    elif change == 'processes':
        saved[KEY] *= 2
    else:
        del saved[KEY]
    torch.save(saved, file)
    assert list(losses(tmp_path, f'{change} two', RandomStreamHook(), epochs=2, resume=True)) == [4, 5, 6, 7]
    why = 'holds no random stream' if change == 'none' else 'is of another number of processes or data workers'
    assert said == [
        f'cid_mmpose: the checkpoint {why}: chance starts anew, and the losses will be other ones than '
        'those of a run that had gone on'
    ]


def test_a_checkpoint_holds_streams_as_plain_tensors_and_the_best_one_none(tmp_path):
    losses(tmp_path, 'plain tensors', RandomStreamHook(), epochs=1)
    streams = torch.load(tmp_path / 'epoch_1.pth', weights_only=False)[KEY]
    assert [set(each) for each in streams] == [{'main', 'num_workers'}] or torch.cuda.is_available()
    assert torch.is_tensor(streams[0]['main']) and streams[0]['num_workers'] == 0
