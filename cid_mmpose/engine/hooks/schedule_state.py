"""Whether the state of learning rate schedules in a checkpoint is one that the schedules of a run can go on from."""

from collections.abc import Mapping, Sequence
from typing import Any

from cid_mmpose.data.values import is_number

from .training_numbers import short, why_not_finite

COUNTS = ('last_step', '_global_step')


def without_functions(state: Mapping[str, Any]) -> dict[str, Any]:
    """The state of a schedule less the functions in it, which OneCycleLR has and no checkpoint should hold."""
    return {name: value for name, value in state.items() if not callable(value)}


def why_other_schedules(saved: Any, own: Any, iterations: int) -> str:
    """How the schedules of a checkpoint differ from the run's, '' if they do not.

    mmengine puts whatever is there into a schedule, and only the next step may fail on it, or go wrong in silence.

    Args:
        saved: the ``param_schedulers`` of a checkpoint.
        own: of the run; those of several optimizers, a dict, are not compared.
        iterations: that the checkpoint's training has come to.
    """
    if not isinstance(own, list):
        return ''
    if not isinstance(saved, list) or len(saved) != len(own):
        return f'it has {len(saved)} schedules (param_schedulers), this run {len(own)}'
    for number, (state, ours) in enumerate(zip(saved, own)):
        wanted = without_functions(ours.state_dict())
        lacking = sorted(wanted.keys() - (state.keys() if isinstance(state, dict) else ()))
        if lacking:
            return (
                f"param_schedulers[{number}] is not the state of this run's {type(ours).__name__}, it has no "
                f'{", ".join(lacking)}'
            )
        wrong = why_not_finite(f'param_schedulers[{number}]', state)
        wrong = wrong or _why_other_values(f'param_schedulers[{number}]', state, wanted, iterations)
        if wrong:
            return wrong
    return ''


def _why_other_values(place: str, state: Mapping[str, Any], wanted: Mapping[str, Any], iterations: int) -> str:
    """Which value of a schedule is of another kind than the run's own, '' if none is."""
    for name, ours in wanted.items():
        if name not in COUNTS and not _same_kind(state[name], ours):
            return f'{place}.{name} is {short(state[name])}, this run has {short(ours)}'
    for name in COUNTS:
        count = state.get(name, 0)
        if type(count) is not int or not -1 <= count <= iterations + 1:
            return f'{place}.{name} is {short(count)}, its training has come to iteration {iterations}'
    return ''


def _same_kind(value: Any, ours: Any) -> bool:
    """Whether a value can stand in the place of the run's own.

    Args:
        value: of a checkpoint.
        ours: of the run. None there stands for an option that is not given, and may be a number.
    """
    if ours is None:
        return value is None or is_number(value)
    if is_number(ours):
        return is_number(value)
    if isinstance(ours, Mapping):
        if not isinstance(value, Mapping):
            return is_number(value)
        return all(map(is_number, value.keys())) and all(map(is_number, value.values()))
    if isinstance(ours, (list, tuple)):
        return isinstance(value, (list, tuple)) and _same_list(value, ours)
    return type(value) is type(ours)


def _same_list(values: Sequence[Any], ours: list[Any]) -> bool:
    if not ours or not all(map(is_number, ours)):
        return True  # of dicts, as the phases of OneCycleLR
    return len(values) == len(ours) and all(map(is_number, values))
