"""What a training can go on from: the state of its own optimizer and schedules, in numbers that are numbers."""
from typing import Any, Iterator, List, Mapping, Optional, Tuple

import numpy as np
import torch
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor
from torch.optim import Optimizer

from cid_mmpose.models.checkpoint_layouts import wrong_tensor

NEW_RUN = 'a new run starts from its weights with load_from'
HUB_PARTS = ('log_scalars', 'runtime_info', 'resumed_keys')
# options of torch's optimizers that came with some version, or that schedulers add; they do not tell optimizers apart
LOOSE_OPTIONS = {'foreach', 'maximize', 'capturable', 'differentiable', 'fused', 'decoupled_weight_decay', 'params',
                 'param_names'}
TELLING_OPTIONS = {'betas', 'eps', 'amsgrad', 'momentum', 'dampening', 'nesterov', 'alpha', 'centered', 'rho',
                   'lr_decay', 'initial_accumulator_value', 'etas', 'step_sizes', 'momentum_decay'}
MOMENTS = {'exp_avg', 'exp_avg_sq', 'max_exp_avg_sq', 'momentum_buffer', 'square_avg'}  # of the shape of their weight
ADAM_STATE = {'step', 'exp_avg', 'exp_avg_sq'}
ADAMS = ('Adam', 'AdamW', 'NAdam', 'RAdam')


def why_no_training_state(checkpoint: Mapping[str, Any], runner: Runner) -> Optional[str]:
    """Why a run cannot go on from a checkpoint, with the way out; None if it can.

    Args:
        checkpoint: as read.
        runner: of the run, with its optimizer and schedulers built.
    """
    if 'optimizer' not in checkpoint and 'message_hub' not in checkpoint:
        return f'holds weights but not the state of a training run; {NEW_RUN}'
    wanted = dict(meta=dict, message_hub=dict, optimizer=dict)
    if runner.param_schedulers:
        wanted['param_schedulers'] = (list, dict)
    missing = [part for part, kind in wanted.items() if not isinstance(checkpoint.get(part), kind)]
    if missing:
        return f'holds no {" and no ".join(missing)}, so it is not the whole state of a training run; {NEW_RUN}'
    wrong = _why_no_progress(checkpoint) or _why_other_optimizer(checkpoint, runner)
    wrong = wrong or _why_other_schedulers(checkpoint, runner)
    return wrong and f'{wrong}; {NEW_RUN}'


def _why_no_progress(checkpoint: Mapping[str, Any]) -> str:
    """What is wrong with where the run was, '' if nothing is."""
    for name in ('epoch', 'iter'):
        value = checkpoint['meta'].get(name)
        if type(value) is not int or value < 0:
            return f'meta.{name} is {_short(value)} and not a whole number'
    missing = [part for part in HUB_PARTS if not isinstance(checkpoint['message_hub'].get(part), dict)]
    return f'its message_hub holds no {" and no ".join(missing)}' if missing else ''


def _why_other_optimizer(checkpoint: Mapping[str, Any], runner: Runner) -> str:
    """How the optimizer of a checkpoint differs from the run's, '' if it does not."""
    saved = checkpoint['optimizer']
    if not isinstance(runner.optim_wrapper, OptimWrapper):   # of several optimizers; mmengine compares their names
        return _why_not_finite('optimizer', saved)
    before = optimizer_type(checkpoint['meta'].get('cfg'))
    now = optimizer_type(runner.cfg.pretty_text)
    if before and now and before != now:
        return f'is the state of a training with {before}, and this run trains with {now}'
    own = runner.optim_wrapper.optimizer
    return _why_other_groups(saved, own) or _why_not_finite('optimizer', saved) or _why_other_moments(saved, own)


def optimizer_type(config: Any) -> Optional[str]:
    """The optimizer that the text of a config names, None if it cannot be told.

    Args:
        config: as mmengine writes it into checkpoints.
    """
    if not isinstance(config, str):
        return None
    _, _, rest = ('\n' + config).partition('\noptim_wrapper = ')
    block = rest.partition('\n)')[0] if '\n)' in rest else rest.partition('\n\n')[0]
    _, _, options = block.partition('optimizer=dict(')
    _, _, kind = options.partition("type='")
    return kind.partition("'")[0].rpartition('.')[2] or None


def _why_other_groups(saved: Mapping[str, Any], own: Optimizer) -> str:
    groups = saved.get('param_groups')
    if not isinstance(groups, list) or not isinstance(saved.get('state'), dict):
        return 'its optimizer has no param_groups or no state'
    if len(groups) != len(own.param_groups):
        return f'its optimizer has {len(groups)} groups of weights, that of this run {len(own.param_groups)}'
    for number, (group, ours) in enumerate(zip(groups, own.param_groups)):
        if not isinstance(group, dict) or not isinstance(group.get('params'), list):
            return f'optimizer.param_groups[{number}] names no weights'
        if len(group['params']) != len(ours['params']):
            return (f'its optimizer has {len(group["params"])} weights in group {number}, that of this run '
                    f'{len(ours["params"])}')
        apart = _options_apart(group, own)
        if apart:
            return (f'is the state of another optimizer than {type(own).__name__}, which this run trains with: '
                    f'{", ".join(apart)}')
        rate = group['lr']
        if isinstance(rate, bool) or not isinstance(rate, (int, float, Tensor)):
            return f'optimizer.param_groups[{number}].lr is {_short(rate)} and no number'
    return ''


def _options_apart(group: Mapping[str, Any], own: Optimizer) -> List[str]:
    """What tells the optimizer of a group of weights from the run's own.

    Args:
        group: of a checkpoint.
        own: of the run.
    """
    lacking = own.defaults.keys() - group.keys() - LOOSE_OPTIONS
    foreign = (group.keys() & TELLING_OPTIONS) - own.defaults.keys()
    apart = [f'it has no {name}' for name in sorted(lacking)] + [f'it has {name}' for name in sorted(foreign)]
    decoupled = 'decoupled_weight_decay'   # tells AdamW from Adam where this torch has it
    if decoupled in own.defaults and group.get(decoupled, own.defaults[decoupled]) != own.defaults[decoupled]:
        apart.append(f'its {decoupled} is {_short(group[decoupled])}')
    return apart


def _why_other_moments(saved: Mapping[str, Any], own: Optimizer) -> str:
    """How the moments do not belong to the weights, '' if they do."""
    numbers = [number for group in saved['param_groups'] for number in group['params']]
    weights = [weight for group in own.param_groups for weight in group['params']]
    if not all(isinstance(number, int) for number in numbers) or len(set(numbers)) != len(numbers):
        return 'optimizer.param_groups does not number its weights'
    by_number = dict(zip(numbers, weights))
    needed = ADAM_STATE if type(own).__name__ in ADAMS else set()
    if needed and not saved['state']:
        return 'its optimizer has no moments'
    for number, state in saved['state'].items():
        if number not in by_number or not isinstance(state, dict):
            return f'optimizer.state has a number {_short(number)} that is none of its weights'
        if needed - state.keys():
            return f'optimizer.state[{number}] has no {", ".join(sorted(needed - state.keys()))}'
        for name in MOMENTS & state.keys() - {key for key, value in state.items() if value is None}:
            what = wrong_tensor(state[name])
            if what or state[name].shape != by_number[number].shape:
                what = what or f'is {tuple(state[name].shape)}, its weight {tuple(by_number[number].shape)}'
                return f'optimizer.state[{number}].{name} {what}'
    return ''


def _why_other_schedulers(checkpoint: Mapping[str, Any], runner: Runner) -> str:
    """How the schedules of a checkpoint differ from the run's, '' if they do not."""
    saved = checkpoint.get('param_schedulers')
    own = runner.param_schedulers
    if not isinstance(own, list) or not own:
        return ''
    if not isinstance(saved, list) or len(saved) != len(own):
        return f'it has {len(saved)} schedules (param_schedulers), this run {len(own)}'
    for number, (state, ours) in enumerate(zip(saved, own)):
        lacking = sorted(ours.state_dict().keys() - (state.keys() if isinstance(state, dict) else ()))
        if lacking:
            return (f'param_schedulers[{number}] is not the state of this run\'s {type(ours).__name__}, it has no '
                    f'{", ".join(lacking)}')
    return _why_not_finite('param_schedulers', saved)


def _why_not_finite(name: str, value: Any) -> str:
    """Which number in there is NaN or infinite, '' if none is."""
    for place, number in _numbers(name, value):
        number = torch.as_tensor(number)
        if not number.isfinite().all():
            return f'{place} is NaN or infinite, so the training that wrote it went wrong'
    return ''


def _numbers(place: str, value: Any) -> Iterator[Tuple[str, Any]]:
    """All numbers in there, with where they are."""
    if isinstance(value, Mapping):
        for name, inside in value.items():
            step = f'.{name}' if isinstance(name, str) else f'[{name}]'
            yield from _numbers(place + step, inside)
    elif isinstance(value, (list, tuple)):
        for number, inside in enumerate(value):
            yield from _numbers(f'{place}[{number}]', inside)
    elif isinstance(value, Tensor) and not wrong_tensor(value):
        yield place, value
    elif isinstance(value, (float, np.floating)):
        yield place, float(value)


def _short(value: Any) -> str:
    return repr(value)[:40]
