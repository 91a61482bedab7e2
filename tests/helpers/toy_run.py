"""A run of mmengine with a network of four numbers, for tests of how runs go and end."""

from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import DATASETS, HOOKS, MODELS, init_default_scope
from mmengine.runner import Runner

from cid_mmpose.engine.hooks import CheckpointHook

SAMPLES = 8
BATCH = 2  # four iterations an epoch


@DATASETS.register_module(force=True)
class ToyData(BaseDataset):
    """Numbers with noise from numpy's global stream, as an augmentation draws it."""

    def load_data_list(self) -> list:
        return [dict(index=index) for index in range(SAMPLES)]

    def prepare_data(self, idx: int) -> dict:
        noise = np.random.normal(size=3)
        return dict(inputs=torch.tensor(noise, dtype=torch.float32) + idx)


@MODELS.register_module(force=True)
class ToyModel(BaseModel):
    """A linear layer behind batch normalisation, and a dropout that draws from torch's stream."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = torch.nn.BatchNorm1d(3)
        self.linear = torch.nn.Linear(3, 1)

    def forward(self, inputs, mode: str = 'tensor'):
        x = torch.stack(list(inputs)) if isinstance(inputs, (list, tuple)) else inputs
        value = self.linear(torch.nn.functional.dropout(self.norm(x), 0.5, self.training))
        if mode == 'loss':
            return dict(loss=(value - 1).square().mean())
        return [value]


@HOOKS.register_module(force=True)
class Spoil(Hook):
    """Makes what an iteration is given, or what it has, not a number.

    Args:
        when: iterations, from 0.
        what: 'input', or 'weight' for the weights after the iteration.
    """

    priority = 'VERY_LOW'

    def __init__(self, when, what: str = 'input') -> None:
        self.when = set(when)
        self.what = what

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        if runner.iter in self.when and self.what == 'input':
            data_batch['inputs'][0].fill_(float('nan'))

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        if runner.iter in self.when and self.what == 'weight':
            runner.model.linear.weight.data.fill_(float('nan'))


@HOOKS.register_module(force=True)
class Notes(Hook):
    """Keeps the loss of each iteration and the state before it."""

    priority = 'HIGHEST'

    def __init__(self) -> None:
        self.losses = {}
        self.states = {}

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        self.states[runner.iter] = {name: value.clone() for name, value in runner.model.state_dict().items()}

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        self.losses[runner.iter] = float(outputs['loss'].detach())


def toy_runner(
    folder: Path,
    name: str,
    *hooks: Hook,
    epochs: int = 3,
    wrapper=None,
    workers: int = 0,
    persistent: bool = False,
    checkpoint=None,
    resume=False,
    **changes,
) -> Runner:
    """A run in a folder, under a name of its own, with these hooks beside the default ones."""
    init_default_scope('mmengine')
    optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=0.01))
    optim_wrapper.update(wrapper or {})
    loader = dict(
        batch_size=BATCH,
        num_workers=workers,
        persistent_workers=persistent,
        dataset=dict(type='ToyData'),
        sampler=dict(type='DefaultSampler', shuffle=True),
        collate_fn=dict(type='pseudo_collate'),
    )
    options = dict(train_cfg=dict(by_epoch=True, max_epochs=epochs), randomness=dict(seed=0))
    options.update(changes)
    saving = dict(type=CheckpointHook, interval=1, max_keep_ckpts=2)
    saving.update(checkpoint or {})
    return Runner(
        model=dict(type='ToyModel'),
        work_dir=str(folder),
        train_dataloader=loader,
        optim_wrapper=optim_wrapper,
        experiment_name=name,
        log_level='WARNING',
        default_hooks=dict(checkpoint=saving),
        custom_hooks=list(hooks),
        resume=resume,
        cfg=Config(dict(train_dataloader=loader)),
        **options,
    )


def saved(folder: Path) -> list:
    """Names of the checkpoints in a folder, and of anything half-written."""
    return sorted(path.name for path in Path(folder).iterdir() if '.pth' in path.name)
