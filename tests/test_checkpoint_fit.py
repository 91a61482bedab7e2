"""Checkpoints of other models are refused."""
from types import SimpleNamespace

import pytest
import torch
from mmengine.runner import EpochBasedTrainLoop

from cid_mmpose.errors import BadInput
from cid_mmpose.hooks import CheckpointFitHook
from cid_mmpose.hooks.checkpoint_fit import misfits

WIDE = {name: torch.zeros(shape) for name, shape in (('a.weight', (2, 3)), ('a.bias', (2, )), ('b.weight', (1, 2)),
                                                     ('b.bias', (1, )))}


def load(state: dict, train: bool = False, resume: bool = False) -> None:
    """Hands a checkpoint to the hook as a runner of the model ``a``, ``b`` does."""
    model = torch.nn.ModuleDict(dict(a=torch.nn.Linear(3, 2), b=torch.nn.Linear(2, 1)))
    loop = object.__new__(EpochBasedTrainLoop) if train else None
    runner = SimpleNamespace(model=model, _train_loop=loop, _resume=resume, _load_from='w.pth')
    CheckpointFitHook().after_load_checkpoint(runner, dict(state_dict=state))


def less(*names: str) -> dict:
    return {name: value for name, value in WIDE.items() if name not in names}


def test_a_weight_that_is_missing_or_of_another_shape_is_listed():
    found = {**less('a.bias'), 'b.weight': torch.zeros(4, 2), 'more': torch.zeros(1)}
    assert misfits(WIDE, found) == ['a.bias is missing', 'b.weight is (4, 2), the model has (1, 2)']


@pytest.mark.parametrize('train, resume', [(False, False), (True, True)])
def test_testing_and_resuming_need_every_weight(train, resume):
    load(WIDE, train, resume)
    load({f'module.{name}': value for name, value in WIDE.items()}, train, resume)   # saved by several processes
    with pytest.raises(BadInput, match=r'w.pth: .*1 of 4 weights do not fit \(b.bias is missing\)'):
        load(less('b.bias'), train, resume)


def test_starting_from_other_weights_needs_half_of_them():
    load(less('b.bias', 'b.weight'), train=True)
    with pytest.raises(BadInput, match='3 of 4 weights'):
        load(less('b.bias', 'b.weight', 'a.bias'), train=True)
