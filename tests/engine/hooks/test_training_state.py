"""What ``--resume`` goes on from: the whole state of a training of this run, and nothing else."""

import copy
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import MODELS
from mmengine.runner import Runner
from torch import nn

from cid_mmpose import registry  # noqa: F401  our loaders in mmengine's place
from cid_mmpose.engine.hooks import CheckpointFitHook
from cid_mmpose.engine.hooks.training_state import optimizer_type
from cid_mmpose.errors import BadInput


@MODELS.register_module()
class TwoLayers(BaseModel):
    """A network that trains in no time."""

    def __init__(self, hidden: int = 3) -> None:
        super().__init__()
        self.first = nn.Linear(2, hidden)
        self.second = nn.Linear(hidden, 1)

    def forward(self, inputs: list, mode: str) -> dict:
        return dict(loss=self.second(self.first(torch.stack(inputs))).square().mean())


ADAM = dict(type='Adam', lr=0.01)
STEPS = dict(type='MultiStepLR', milestones=[3], by_epoch=True)


def runner(folder: Path, optimizer: dict = ADAM, schedules: tuple = (STEPS,), epochs: int = 2, **options) -> Runner:
    """A run of two epochs of two iterations."""
    data = [dict(inputs=torch.ones(2)) for _ in range(4)]
    cfg = Config(
        dict(
            model=dict(type='TwoLayers'),
            work_dir=str(folder),
            default_scope='mmengine',
            train_dataloader=dict(dataset=data, batch_size=2, sampler=dict(type='DefaultSampler', shuffle=False)),
            train_cfg=dict(by_epoch=True, max_epochs=epochs),
            param_scheduler=list(schedules),
            optim_wrapper=dict(type='OptimWrapper', optimizer=optimizer),
            log_level='WARNING',
            experiment_name=f'{folder.name}{id(data)}',
            **options,
        )
    )
    made = Runner.from_cfg(cfg)
    made.register_hook(CheckpointFitHook())
    return made


@pytest.fixture(scope='module')
def written(tmp_path_factory) -> bytes:
    """The checkpoint after two epochs, as mmengine writes it."""
    folder = tmp_path_factory.mktemp('first')
    runner(folder).train()
    return (folder / 'epoch_2.pth').read_bytes()


@pytest.fixture
def checkpoint(written) -> dict:
    return torch.load(io.BytesIO(written), weights_only=False)


def resumed(tmp_path: Path, checkpoint, **options) -> Runner:
    """A run that goes on from a checkpoint for a third epoch."""
    path = tmp_path / 'w.pth'
    if isinstance(checkpoint, bytes):
        path.write_bytes(checkpoint)
    else:
        torch.save(checkpoint, path)
    made = runner(tmp_path / 'second', epochs=3, resume=True, load_from=str(path), **options)
    made.train()
    return made


def refused(tmp_path: Path, checkpoint: dict, **options) -> str:
    """The line with which a resume is refused, without file and way out."""
    with pytest.raises(BadInput) as caught:
        resumed(tmp_path, checkpoint, **options)
    text = str(caught.value)
    assert '\n' not in text and text.startswith(f'{tmp_path}/w.pth: ')
    assert text.endswith('; a new run starts from its weights with load_from')
    assert not (tmp_path / 'second' / 'epoch_3.pth').exists()
    return text[len(f'{tmp_path}/w.pth: ') : text.rindex('; ')]


def test_a_run_goes_on_from_its_own_checkpoint(tmp_path, written):
    made = resumed(tmp_path, written)
    assert (made.iter, made.epoch) == (6, 3)
    assert made.optim_wrapper.optimizer.state_dict()['state'][0]['step'] == 6
    assert len(made.message_hub.log_scalars['train/loss'].data[0]) == 6


@pytest.mark.parametrize(
    'optimizer', [dict(type='SGD', lr=0.1), dict(type='SGD', lr=0.1, momentum=0.9), dict(type='AdamW', lr=0.1)]
)
def test_runs_with_other_optimizers_go_on_from_theirs(tmp_path, optimizer):
    runner(tmp_path / 'first', optimizer).train()
    made = resumed(tmp_path, (tmp_path / 'first' / 'epoch_2.pth').read_bytes(), optimizer=optimizer)
    assert made.iter == 6


@pytest.mark.parametrize(
    'schedule',
    [
        dict(type='LinearLR', start_factor=0.1, end=3, by_epoch=False),
        dict(type='CosineAnnealingLR', T_max=4),
        dict(type='OneCycleLR', eta_max=0.1, total_steps=6),
        dict(type='PolyLR', end=3),
        dict(type='ConstantLR'),
        dict(type='ExponentialLR', gamma=0.9),
        dict(type='StepLR', step_size=2),
    ],
)
def test_runs_with_any_schedule_go_on_from_theirs(tmp_path, schedule):
    runner(tmp_path / 'first', schedules=(schedule,)).train()
    made = resumed(tmp_path, (tmp_path / 'first' / 'epoch_2.pth').read_bytes(), schedules=(schedule,))
    assert made.iter == 6


def test_a_run_that_had_come_to_its_end_says_so(tmp_path, written):
    path = tmp_path / 'w.pth'
    path.write_bytes(written)
    made = runner(tmp_path / 'second', resume=True, load_from=str(path))
    logged = []
    made.logger.handle = lambda record: logged.append(record.getMessage())
    made.train()
    assert [line for line in logged if 'left to train' in line] == [
        'cid_mmpose: nothing is left to train: the checkpoint is of epoch 2 and iteration 4, the run has 2 epochs and '
        '4 iterations'
    ]


def test_weights_alone_and_half_a_state_are_refused(tmp_path, checkpoint):
    alone = dict(state_dict=checkpoint['state_dict'], meta=checkpoint['meta'])  # as convert_checkpoint.py writes them
    for weights in (alone, checkpoint['state_dict']):
        assert refused(tmp_path, weights) == 'holds weights but not the state of a training run'
    for part in ('optimizer', 'message_hub', 'param_schedulers', 'meta'):
        lacking = {name: value for name, value in checkpoint.items() if name != part}
        assert refused(tmp_path, lacking) == f'holds no {part}, so it is not the whole state of a training run'


def changed(checkpoint: dict, place: str, value) -> dict:
    """The checkpoint with another value at a place such as ``optimizer.state.0.step``; ``del`` takes it out."""
    made = copy.deepcopy(checkpoint)
    *way, last = [int(step) if step.isdigit() else step for step in place.split('.')]
    inside = made
    for step in way:
        inside = inside[step]
    if value is del_:
        del inside[last]
    else:
        inside[last] = value
    return made


del_ = object()
NAN = float('nan')
GROUP = 'optimizer.param_groups.0'


@pytest.mark.parametrize(
    'place, value, says',
    [
        (f'{GROUP}.lr', NAN, 'optimizer.param_groups[0].lr is NaN or infinite'),
        (f'{GROUP}.lr', 'fast', "optimizer.param_groups[0].lr is 'fast' and no number"),
        (f'{GROUP}.betas', (0.9, float('inf')), 'optimizer.param_groups[0].betas[1] is NaN or infinite'),
        (f'{GROUP}.eps', np.float64(NAN), 'optimizer.param_groups[0].eps is NaN or infinite'),
        (f'{GROUP}.params', [0, 1], 'its optimizer has 2 weights in group 0, that of this run 4'),
        (f'{GROUP}.params', [0, 1, 1, 2], 'optimizer.param_groups does not number its weights'),
        (f'{GROUP}.params', None, 'optimizer.param_groups[0] names no weights'),
        (
            f'{GROUP}.betas',
            del_,
            'is the state of another optimizer than Adam, which this run trains with: it has no betas',
        ),
        ('optimizer.param_groups', [], 'its optimizer has 0 groups of weights, that of this run 1'),
        ('optimizer.param_groups', {}, 'its optimizer has no param_groups or no state'),
        ('optimizer.state', {}, 'its optimizer has no moments'),
        ('optimizer.state.7', {}, 'optimizer.state has a number 7 that is none of its weights'),
        ('optimizer.state.1', dict(step=1), 'optimizer.state[1] has no exp_avg, exp_avg_sq'),
        ('optimizer.state.1.exp_avg', torch.full((3,), NAN), 'optimizer.state[1].exp_avg is NaN or infinite'),
        ('optimizer.state.1.exp_avg_sq', torch.ones(2), 'optimizer.state[1].exp_avg_sq is (2,), its weight (3,)'),
        ('optimizer.state.1.exp_avg', np.ones(3), 'optimizer.state[1].exp_avg is no tensor but a numpy array'),
        ('optimizer.state.1.step', -2, 'optimizer.state[1].step is -2 and no number of steps'),
        ('optimizer.state.1.step', torch.tensor(-1.0), 'optimizer.state[1].step is -1.0 and no number of steps'),
        ('optimizer.state.1.step', 'x', "optimizer.state[1].step is 'x' and no number of steps"),
        (
            'optimizer.state.1.exp_avg',
            torch.ones(3, dtype=torch.int64),
            'optimizer.state[1].exp_avg holds numbers of torch.int64, the model has torch.float32',
        ),
        (
            'optimizer.state.1.exp_avg_sq',
            torch.full((3,), -1.0),
            'optimizer.state[1].exp_avg_sq is a mean of squares with numbers below 0',
        ),
        (f'{GROUP}.lr', -1.0, 'optimizer.param_groups[0]: Invalid learning rate: -1.0'),
        (f'{GROUP}.betas', (0.9, 2.0), 'optimizer.param_groups[0]: Invalid beta parameter at index 1: 2.0'),
        (f'{GROUP}.betas', 'x', 'optimizer.param_groups[0]: Adam does not take its options ('),
        (f'{GROUP}.betas', (), 'optimizer.param_groups[0]: Adam does not take its options ('),
        (f'{GROUP}.weight_decay', -1, 'optimizer.param_groups[0]: Invalid weight_decay value: -1'),
        ('param_schedulers.0.milestones', 'x', "param_schedulers[0].milestones is 'x', this run has Counter({3: 1})"),
        (
            'param_schedulers.0.base_values',
            [0.1, 0.1],
            'param_schedulers[0].base_values is [0.1, 0.1], this run has [0.01]',
        ),
        ('param_schedulers.0.by_epoch', 'x', "param_schedulers[0].by_epoch is 'x', this run has True"),
        (
            'param_schedulers.0.last_step',
            'x',
            "param_schedulers[0].last_step is 'x', its training has come to iteration 4",
        ),
        ('param_schedulers.0.last_step', 10**30, 'param_schedulers[0].last_step is 1000000000'),
        ('param_schedulers', [], 'it has 0 schedules (param_schedulers), this run 1'),
        ('param_schedulers.0', {}, "param_schedulers[0] is not the state of this run's MultiStepLR, it has no "),
        ('param_schedulers.0.gamma', NAN, 'param_schedulers[0].gamma is NaN or infinite'),
        ('meta.iter', 1.5, 'meta.iter is 1.5 and not a whole number from 0'),
        ('meta.epoch', del_, 'meta.epoch is None and not a whole number from 0'),
        ('meta.epoch', -1, 'meta.epoch is -1 and not a whole number from 0'),
        ('meta.epoch', 10**30, 'meta.epoch is 1000000000'),
        ('meta.iter', 10**30, 'meta.epoch is 2 and meta.iter 1000000000'),
        ('meta.seed', 'x', "meta.seed is 'x' and no seed"),
        ('meta.seed', -1, 'meta.seed is -1 and no seed'),
        ('message_hub', dict(log_scalars={}), 'its message_hub holds no runtime_info and no resumed_keys'),
    ],
)
def test_a_state_that_is_damaged_is_refused_with_the_place(tmp_path, checkpoint, place, value, says):
    assert refused(tmp_path, changed(checkpoint, place, value)).startswith(says)


def test_the_state_of_another_optimizer_is_refused_by_name_or_by_its_options(tmp_path, checkpoint):
    sgd = dict(type='SGD', lr=0.1, momentum=0.9)
    adamw = dict(type='AdamW', lr=0.1)
    assert refused(tmp_path, checkpoint, optimizer=sgd) == (
        'is the state of a training with Adam, and this run trains with SGD'
    )
    assert refused(tmp_path, checkpoint, optimizer=adamw) == (
        'is the state of a training with Adam, and this run trains with AdamW'
    )
    unnamed = changed(checkpoint, 'meta.cfg', del_)
    assert refused(tmp_path, unnamed, optimizer=sgd) == (
        'is the state of another optimizer than SGD, which this run trains with: it has no dampening, it has no '
        'momentum, it has no nesterov, it has amsgrad, it has betas, it has eps'
    )


def test_a_run_with_more_schedules_is_another(tmp_path, checkpoint):
    warm = dict(type='LinearLR', start_factor=0.1, end=1)
    assert refused(tmp_path, checkpoint, schedules=(warm, STEPS)) == (
        'it has 1 schedules (param_schedulers), this run 2'
    )


def test_no_text_in_a_checkpoint_is_run_as_a_config(tmp_path, checkpoint):
    checkpoint['meta']['config'] = f"open({str(tmp_path / 'sprung')!r}, 'w')\n"
    resumed(tmp_path, checkpoint)
    assert not (tmp_path / 'sprung').exists()


@pytest.mark.parametrize(
    'text, kind',
    [
        (
            "a = 1\noptim_wrapper = dict(\n    optimizer=dict(lr=1, type='Adam'),\n    type='AmpOptimWrapper')\nb = 2",
            'Adam',
        ),
        ("optim_wrapper = dict(optimizer=dict(type='torch.optim.SGD'))", 'SGD'),
        ("optim_wrapper = dict(type='OptimWrapper')", None),
        ('', None),
        (None, None),
        (7, None),
    ],
)
def test_the_optimizer_is_read_out_of_the_text_of_a_config(text, kind):
    assert optimizer_type(text) == kind
