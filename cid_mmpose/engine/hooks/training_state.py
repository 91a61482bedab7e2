"""What a training can go on from: the state of its own optimizer and schedules, in numbers that are numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.optim import Optimizer

from cid_mmpose.data.values import is_number
from cid_mmpose.weights.layouts import wrong_kind, wrong_tensor

from .schedule_state import why_other_schedules
from .training_numbers import short, why_not_finite

NEW_RUN = 'a new run starts from its weights with load_from'
HUB_PARTS = ('log_scalars', 'runtime_info', 'resumed_keys')
# options of torch's optimizers that came with some version, or that schedulers add; they do not tell optimizers apart
LOOSE_OPTIONS = {
    'foreach',
    'maximize',
    'capturable',
    'differentiable',
    'fused',
    'decoupled_weight_decay',
    'params',
    'param_names',
}
TELLING_OPTIONS = {
    'betas',
    'eps',
    'amsgrad',
    'momentum',
    'dampening',
    'nesterov',
    'alpha',
    'centered',
    'rho',
    'lr_decay',
    'initial_accumulator_value',
    'etas',
    'step_sizes',
    'momentum_decay',
}
CHECKED_OPTIONS = TELLING_OPTIONS | {'weight_decay'}  # that torch's optimizers look at when they are made
MOMENTS = {'exp_avg', 'exp_avg_sq', 'max_exp_avg_sq', 'momentum_buffer', 'square_avg'}  # of the shape of their weight
SQUARES = {'exp_avg_sq', 'max_exp_avg_sq', 'square_avg'}
ADAM_STATE = {'step', 'exp_avg', 'exp_avg_sq'}
MOST_ITERATIONS = 2**62
SEEDS = 2**32  # as many as numpy takes
ADAMS = ('Adam', 'AdamW', 'NAdam', 'RAdam')


def why_no_training_state(checkpoint: Mapping[str, Any], runner: Runner) -> str | None:
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
    if not wrong and runner.param_schedulers:
        wrong = why_other_schedules(checkpoint['param_schedulers'], runner.param_schedulers, checkpoint['meta']['iter'])
    return wrong and f'{wrong}; {NEW_RUN}'


def _why_no_progress(checkpoint: Mapping[str, Any]) -> str:
    """What is wrong with where the run was, '' if nothing is."""
    for name in ('epoch', 'iter'):
        value = checkpoint['meta'].get(name)
        if type(value) is not int or value < 0:
            return f'meta.{name} is {short(value)} and not a whole number from 0'
    epoch, iteration = checkpoint['meta']['epoch'], checkpoint['meta']['iter']
    if epoch > iteration or iteration > MOST_ITERATIONS:
        return f'meta.epoch is {short(epoch)} and meta.iter {short(iteration)}, which no training has come to'
    seed = checkpoint['meta'].get('seed')
    if seed is not None and (type(seed) is not int or not 0 <= seed < SEEDS):
        return f'meta.seed is {short(seed)} and no seed, a whole number from 0 to below 2^32'
    missing = [part for part in HUB_PARTS if not isinstance(checkpoint['message_hub'].get(part), dict)]
    return f'its message_hub holds no {" and no ".join(missing)}' if missing else ''


def _why_other_optimizer(checkpoint: Mapping[str, Any], runner: Runner) -> str:
    """How the optimizer of a checkpoint differs from the run's, '' if it does not."""
    saved = checkpoint['optimizer']
    if not isinstance(runner.optim_wrapper, OptimWrapper):  # of several optimizers; mmengine compares their names
        return why_not_finite('optimizer', saved)
    before = optimizer_type(checkpoint['meta'].get('cfg'))
    now = optimizer_type(runner.cfg.pretty_text)
    if before and now and before != now:
        return f'is the state of a training with {before}, and this run trains with {now}'
    own = runner.optim_wrapper.optimizer
    wrong = _why_other_groups(saved, own) or why_not_finite('optimizer', saved)
    wrong = wrong or _why_refused_options(saved['param_groups'], own)
    return wrong or _why_other_moments(saved, own)


def optimizer_type(config: Any) -> str | None:
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
            return (
                f'its optimizer has {len(group["params"])} weights in group {number}, that of this run '
                f'{len(ours["params"])}'
            )
        apart = _options_apart(group, own)
        if apart:
            return (
                f'is the state of another optimizer than {type(own).__name__}, which this run trains with: '
                f'{", ".join(apart)}'
            )
        rate = group['lr']
        if isinstance(rate, bool) or not isinstance(rate, (int, float, Tensor)):
            return f'optimizer.param_groups[{number}].lr is {short(rate)} and no number'
    return ''


def _why_refused_options(groups: list[Mapping[str, Any]], own: Optimizer) -> str:
    """What torch's own optimizer says against the options of a checkpoint, '' if nothing."""
    if not type(own).__module__.startswith('torch.optim'):
        return ''
    for number, group in enumerate(groups):
        options = {name: group[name] for name in own.defaults.keys() & CHECKED_OPTIONS & group.keys()}
        rate = group['lr']
        options['lr'] = rate.item() if isinstance(rate, Tensor) else rate
        try:
            type(own)([nn.Parameter(torch.zeros(1))], **options)
        except (TypeError, ValueError, RuntimeError, AttributeError, IndexError) as error:
            what = _first_line(error)
            if not isinstance(error, ValueError):  # torch's own words for a wrong value; others name no option
                what = f'{type(own).__name__} does not take its options ({what})'
            return f'optimizer.param_groups[{number}]: {what}'
    return ''


def _options_apart(group: Mapping[str, Any], own: Optimizer) -> list[str]:
    """What tells the optimizer of a group of weights from the run's own.

    Args:
        group: of a checkpoint.
        own: of the run.
    """
    lacking = own.defaults.keys() - group.keys() - LOOSE_OPTIONS
    foreign = (group.keys() & TELLING_OPTIONS) - own.defaults.keys()
    apart = [f'it has no {name}' for name in sorted(lacking)] + [f'it has {name}' for name in sorted(foreign)]
    decoupled = 'decoupled_weight_decay'  # tells AdamW from Adam where this torch has it
    if decoupled in own.defaults and group.get(decoupled, own.defaults[decoupled]) != own.defaults[decoupled]:
        apart.append(f'its {decoupled} is {short(group[decoupled])}')
    return apart


def _why_other_moments(saved: Mapping[str, Any], own: Optimizer) -> str:
    """How the moments do not belong to the weights, '' if they do."""
    numbers = _of_all_groups(saved['param_groups'])
    weights = _of_all_groups(own.param_groups)
    if not all(isinstance(number, int) for number in numbers) or len(set(numbers)) != len(numbers):
        return 'optimizer.param_groups does not number its weights'
    by_number = dict(zip(numbers, weights))
    needed = ADAM_STATE if type(own).__name__ in ADAMS else set()
    if needed and not saved['state']:
        return 'its optimizer has no moments'
    for number, state in saved['state'].items():
        if number not in by_number or not isinstance(state, dict):
            return f'optimizer.state has a number {short(number)} that is none of its weights'
        if needed - state.keys():
            return f'optimizer.state[{number}] has no {", ".join(sorted(needed - state.keys()))}'
        place = f'optimizer.state[{number}]'
        wrong = _why_no_step(place, state) or _why_no_moments(place, state, by_number[number])
        if wrong:
            return wrong
    return ''


def _of_all_groups(groups: Sequence[Mapping[str, Any]]) -> list:
    """The weights, or their numbers, of all groups of an optimizer."""
    found: list = []
    for group in groups:
        found += group['params']
    return found


def _why_no_step(place: str, state: Mapping[str, Any]) -> str:
    """What is wrong with the count of steps of one weight, '' if nothing is."""
    count = state.get('step', 0)
    if isinstance(count, Tensor) and count.numel() == 1 and not wrong_tensor(count):
        count = count.item()
    if not is_number(count) or count < 0 or count % 1:
        return f'{place}.step is {short(count)} and no number of steps'
    return ''


def _why_no_moments(place: str, state: Mapping[str, Any], weight: Tensor) -> str:
    """What is wrong with the moments of one weight, '' if nothing is.

    Args:
        place: of the state, for the message.
        state: name -> moment, None where there is none yet.
        weight: floating point.
    """
    for name in sorted(MOMENTS & state.keys()):
        moment = state[name]
        if moment is None:
            continue
        wrong = wrong_kind(moment, weight)
        if wrong:
            return f'{place}.{name} {wrong}'
        if moment.shape != weight.shape:
            return f'{place}.{name} is {tuple(moment.shape)}, its weight {tuple(weight.shape)}'
        if name in SQUARES and bool((moment < 0).any()):
            return f'{place}.{name} is a mean of squares with numbers below 0'
    return ''


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
