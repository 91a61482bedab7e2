"""Steps whose loss or gradient is not finite: what they change, how they are counted, when they stop a run."""

import math

import pytest
import torch
from mmengine.dist import get_rank
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import AmpOptimWrapper

from cid_mmpose.engine.hooks import FiniteStepsHook, RandomStreamHook
from cid_mmpose.engine.hooks.finite import Copies, not_finite
from cid_mmpose.errors import RunStopped
from tests.helpers.toy_run import Notes, Spoil, saved, toy_runner


def run(folder, name, *hooks, **options):
    """A run with the hook and notes of it; the notes, and what stopped it."""
    notes = Notes()
    runner = toy_runner(folder, name, notes, *hooks, **options)
    try:
        runner.train()
    except RunStopped as error:
        return runner, notes, str(error)
    return runner, notes, None


def same(left: dict, right: dict) -> bool:
    return all(torch.equal(left[name], right[name]) for name in left)


def test_a_step_that_is_not_finite_changes_neither_weights_nor_running_means(tmp_path):
    runner, notes, stopped = run(tmp_path, 'nan_once', FiniteStepsHook(), Spoil([2, 5]))
    assert stopped is None and [i for i, loss in notes.losses.items() if math.isnan(loss)] == [2, 5]
    assert [i for i in range(11) if same(notes.states[i], notes.states[i + 1])] == [2, 5]
    assert runner.message_hub.get_info('skipped_steps') == 2
    assert runner.message_hub.get_scalar('train/skipped_steps').current() == 2
    sound = [loss for loss in notes.losses.values() if not math.isnan(loss)]
    assert runner.message_hub.get_scalar('train/loss').mean(12) == pytest.approx(sum(sound) / 10)  # in the log
    assert saved(tmp_path) == ['epoch_2.pth', 'epoch_3.pth']


def test_without_the_hook_the_same_run_ends_with_weights_that_are_no_numbers(tmp_path):
    _, notes, stopped = run(tmp_path, 'nan_unwatched', Spoil([2]), checkpoint=dict(type='CheckpointHook'))
    assert notes.states[11]['linear.weight'].isnan().all() and stopped is None


def test_so_many_in_a_row_stop_the_run_with_iteration_and_losses_and_others_do_not(tmp_path):
    hook = FiniteStepsHook(max_in_a_row=3)
    _, notes, stopped = run(tmp_path, 'nan_row', hook, Spoil([1, 2, 5, 6, 7, 8]))
    assert (
        stopped.startswith(
            'training stopped at iteration 8: loss or gradient is not finite (loss nan), as in each '
            'of the last 3 steps, which were skipped; try a lower'
        )
        and '\n' not in stopped
    )
    assert saved(tmp_path) == ['epoch_1.pth'] and (tmp_path / 'last_checkpoint').read_text().endswith('epoch_1.pth')


def test_a_step_of_accumulated_gradients_is_skipped_as_a_whole(tmp_path):
    _, notes, _ = run(tmp_path, 'nan_accumulated', FiniteStepsHook(), Spoil([4]), wrapper=dict(accumulative_counts=2))
    weights = [notes.states[i]['linear.weight'] for i in range(12)]
    changed = [i for i in range(11) if not torch.equal(weights[i], weights[i + 1])]
    assert changed == [1, 3, 7, 9]  # a step after two iterations each, but for the one of 4 and 5


def test_a_loss_that_is_not_finite_though_its_gradients_are_is_skipped_too(tmp_path, monkeypatch):
    from tests.helpers.toy_run import ToyModel

    plain = ToyModel.forward

    def endless(self, inputs, mode='tensor'):
        output = plain(self, inputs, mode)
        return dict(loss=output['loss'] + math.inf) if mode == 'loss' else output

    monkeypatch.setattr(ToyModel, 'forward', endless)
    _, notes, stopped = run(tmp_path, 'inf_loss', FiniteStepsHook(max_in_a_row=12))
    assert 'loss inf' in stopped and same(notes.states[0], notes.states[11])


@pytest.mark.parametrize('clip', [dict(max_norm=1.0), dict(type='value', clip_value=1.0)])
def test_clipped_gradients_are_looked_at_too(tmp_path, clip):
    _, notes, _ = run(tmp_path, f'nan_{len(clip)}', FiniteStepsHook(), Spoil([2]), wrapper=dict(clip_grad=clip))
    assert [i for i in range(11) if same(notes.states[i], notes.states[i + 1])] == [2]


def test_a_run_without_trouble_is_the_same_with_and_without_the_hook(tmp_path):
    losses = [
        run(tmp_path / str(len(hooks)), f'plain{len(hooks)}', *hooks)[1].losses for hooks in ([], [FiniteStepsHook()])
    ]
    assert losses[0] == losses[1] and len(losses[0]) == 12


class Scaler:
    """A loss scaler that skips every step, as one does that meets infinite gradients."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def get_scale(self) -> float:
        return self.scale


@pytest.mark.parametrize('scale, loss, counted', [(2.0**15, 1.0, 0), (1.0, 1.0, 1), (2.0**15, math.nan, 1)])
def test_what_the_loss_scaler_skips_counts_only_if_no_scale_would_help(tmp_path, scale, loss, counted):
    runner = toy_runner(tmp_path, f'scaler{scale}{loss}')
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.optim_wrapper.loss_scaler = Scaler(scale)
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    hook = FiniteStepsHook()
    hook.before_train(runner)
    hook._note_losses(runner.model.train(), (), dict(loss=torch.tensor(loss)))
    hook.after_train_iter(runner, 0, outputs=dict(loss=torch.tensor(loss)))  # without a step of the optimizer
    assert hook.in_a_row == counted


class SpoilOne(Spoil):
    """Spoils the input of the second process alone."""

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        if get_rank() == 1:
            super().before_train_iter(runner, batch_idx, data_batch)


def one_of_two(rank: int, folder: str) -> None:
    """One of two processes that train together: two iterations an epoch."""
    torch.distributed.init_process_group('gloo', f'file://{folder}/store', rank=rank, world_size=2)
    notes = Notes()
    runner = toy_runner(
        folder,
        f'two{rank}',
        notes,
        FiniteStepsHook(max_in_a_row=3),
        RandomStreamHook(),
        SpoilOne([1, 4, 5, 6]),
        epochs=4,
    )
    runner.model = MMDistributedDataParallel(runner.model)  # mmengine wraps it where it has started the processes
    with pytest.raises(RunStopped, match='iteration 7: '):
        runner.train()
    states = [notes.states[i]['module.linear.weight'] for i in range(7)]
    changed = [i for i in range(6) if not torch.equal(states[i], states[i + 1])]
    assert changed == [0, 2, 3]
    torch.save(states, f'{folder}/states{rank}.pt')
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_skip_together_what_one_of_them_has_spoilt(tmp_path):
    torch.multiprocessing.spawn(one_of_two, (str(tmp_path),), nprocs=2)
    first, second = (torch.load(tmp_path / f'states{rank}.pt') for rank in (0, 1))
    assert all(torch.equal(one, other) for one, other in zip(first, second))
    assert len(torch.load(tmp_path / 'epoch_3.pth', weights_only=False)['random_streams']) == 2


@pytest.mark.skipif(not torch.cuda.is_available(), reason='float16 trains on a GPU only')
def test_float16_skips_by_itself_and_is_stopped_at_a_loss_that_is_no_number(tmp_path):
    wrapper = dict(type=AmpOptimWrapper, loss_scale='dynamic')
    _, notes, stopped = run(tmp_path, 'float16', FiniteStepsHook(max_in_a_row=3), Spoil([5, 6, 7]), wrapper=wrapper)
    assert 'iteration 8' in stopped


@pytest.mark.parametrize('value', [0, -1, 1.5, True, 'ten', None])
def test_an_option_that_is_no_number_of_steps_is_refused(value):
    with pytest.raises(ValueError, match='max_in_a_row must be a whole number above 0'):
        FiniteStepsHook(max_in_a_row=value)


@pytest.mark.parametrize(
    'value, bad', [(1.0, False), (math.nan, True), (math.inf, True), (-math.inf, True), (3e38, False)]
)
def test_one_value_among_many_tensors_is_found(value, bad):
    tensors = [torch.zeros(3), torch.zeros(2, 2).half(), torch.zeros(0), torch.tensor([0, value * 1e-19, value])]
    if value == 3e38:
        tensors[-1] = torch.tensor([1e18])
    assert bool(not_finite(tensors)) == bad and not bool(not_finite([]))


def test_float16_tensors_of_a_large_norm_are_finite():
    assert not bool(not_finite([torch.full((100,), 6e4).half()]))


def test_copies_bring_back_tensors_of_every_kind():
    tensors = [torch.zeros(3), torch.tensor(5), torch.zeros(2).bfloat16()]
    copies = Copies(tensors)
    for tensor in tensors:
        tensor.add_(1)
    copies.restore()
    assert [float(tensor.sum()) for tensor in tensors] == [0, 5, 0]
    tensors[1].add_(2)
    copies.keep()
    tensors[1].add_(2)
    copies.restore()
    assert int(tensors[1]) == 7
