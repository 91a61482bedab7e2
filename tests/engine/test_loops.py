"""The training loop that ends in time, and the bar that shows it, on a model of one number."""

import logging
from io import StringIO
from types import SimpleNamespace

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner
from rich.console import Console

from cid_mmpose.engine import loops
from cid_mmpose.engine.hooks import ProgressHook, progress

ETA_MIN, LR = 0.001, 0.1


class Toy(BaseModel):
    """One weight, whose square is the loss."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, inputs, data_samples=None, mode='loss'):
        return dict(loss=self.weight.square().sum())


def toy_runner(tmp_path, longest=100, minutes=1.0, **settings):
    """A runner of ``TimedTrainLoop`` with warm-up and a rate that falls to its end."""
    schedule = [
        dict(type='LinearLR', start_factor=0.1, begin=0, end=10, by_epoch=False),
        dict(type='PolyLR', power=1, eta_min=ETA_MIN, begin=10, end=longest, by_epoch=False),
    ]
    return Runner(
        Toy(),
        str(tmp_path),
        default_scope='mmpose',
        experiment_name=tmp_path.name,
        param_scheduler=schedule,
        train_dataloader=dict(
            batch_size=1, num_workers=0, dataset=Numbers(), sampler=dict(type='InfiniteSampler', shuffle=True)
        ),
        train_cfg=dict(type='cid_mmpose.TimedTrainLoop', max_iters=longest, minutes=minutes),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=LR)),
        **settings,
    )


class Numbers(torch.utils.data.Dataset):
    """A few items of which the model takes nothing."""

    metainfo = {}

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return dict(inputs=float(index))


def clock(monkeypatch, runner, seconds_of):
    """Lets iteration i take ``seconds_of(i)``."""

    def now():
        return float(sum(seconds_of(i) for i in range(runner.iter)))

    monkeypatch.setattr(loops, 'time', SimpleNamespace(monotonic=now))


@pytest.mark.parametrize('seconds, iterations', [(0.1, 100), (1.0, 60), (2.0, 30), (10.0, 6), (100.0, 6)])
def test_a_run_makes_as_many_iterations_as_fit_into_its_minute(tmp_path, monkeypatch, seconds, iterations):
    runner = toy_runner(tmp_path)
    clock(monkeypatch, runner, lambda i: seconds)
    runner.train()
    assert runner.iter == iterations  # the clock is looked at after 5, and one more is made then


def test_a_run_that_was_slow_at_first_makes_up_for_it(tmp_path, monkeypatch):
    runner = toy_runner(tmp_path)
    clock(monkeypatch, runner, lambda i: 2.0 if i < 10 else 0.1)
    runner.train()
    assert runner.iter == 100


def test_a_run_that_slows_down_still_ends_within_its_minute(tmp_path, monkeypatch):
    runner, spent = toy_runner(tmp_path, longest=200), lambda i: 0.25 if i < 100 else 1.0
    clock(monkeypatch, runner, spent)
    runner.train()
    assert 55 < sum(spent(i) for i in range(runner.iter)) <= 60


@pytest.mark.parametrize('seconds', [0.1, 1.0])
def test_the_rate_comes_down_to_the_end_of_the_run_wherever_that_is(tmp_path, monkeypatch, seconds):
    runner = toy_runner(tmp_path)
    clock(monkeypatch, runner, lambda i: seconds)
    runner.train()
    assert runner.optim_wrapper.get_lr()['lr'][0] == pytest.approx(ETA_MIN)


@pytest.mark.parametrize('minutes', [0, -1, float('nan')])
def test_a_run_without_time_is_refused(tmp_path, minutes):
    with pytest.raises(ValueError, match='minutes must be above 0'):
        toy_runner(tmp_path, minutes=minutes).train()


@pytest.mark.parametrize('terminal', [True, False])
def test_the_bar_stands_for_lines_of_losses_on_a_terminal_only(tmp_path, monkeypatch, terminal):
    screen, lines = StringIO(), StringIO()
    monkeypatch.setattr(progress, 'Console', lambda **_: Console(file=screen, force_terminal=terminal, width=120))
    runner = toy_runner(
        tmp_path,
        longest=20,
        log_processor=dict(by_epoch=False),
        default_hooks=dict(logger=dict(type='LoggerHook', interval=5)),
        custom_hooks=[ProgressHook()],
    )
    handler = logging.StreamHandler(lines)
    runner.logger.addHandler(handler)
    runner.train()
    assert ('20/20' in screen.getvalue()) == terminal
    assert ('Iter(train)' in lines.getvalue()) != terminal
    assert handler.filters == []
    assert 'Iter(train)' in open(runner.logger.log_file, encoding='utf-8').read()
