"""Weights that a part of the model starts from (``init_cfg=dict(type='Pretrained', ...)``)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.model import PretrainedInit
from torch import nn

from cid_mmpose.errors import BadInput

from .layouts import listed, misfits, prefix_of, why_not_finite

NOT_THERE = 'is not in the pretrained model'  # mmengine's assertion about a prefix


@contextmanager
def pretrained_must_fit(model: nn.Module) -> Iterator[None]:
    """While mmengine initialises a model: BadInput if a file that a part starts from lacks a weight of that part.

    What a file has beyond the part, such as the classifier of ImageNet, is not looked at. The model itself is left to
    its own loading.

    Args:
        model: whose parts have an ``init_cfg``.
    """
    handles = []
    for name, part in model.named_modules():
        file = pretrained_file(part)
        if name and file:
            check = fit_check(part, f'model.{name}', file)
            handles.append(part._register_load_state_dict_pre_hook(check))
    try:
        yield
    except AssertionError as error:
        if NOT_THERE not in str(error):
            raise
        raise BadInput(
            f'init_cfg of type Pretrained: its prefix {error}; give the prefix that stands before the '
            'weights in its file'
        ) from error
    finally:
        for handle in handles:
            handle.remove()


def pretrained_file(part: nn.Module) -> str | None:
    """The file that a part of a model starts from, None if it starts from chance.

    Args:
        part: with ``init_cfg`` as mmengine takes it, a dict or a list of them.
    """
    options = getattr(part, 'init_cfg', None) or []
    if isinstance(options, dict):
        options = [options]
    for option in options:
        kind = option.get('type')
        if kind is PretrainedInit or str(kind).rpartition('.')[2] == 'Pretrained':
            return option.get('checkpoint')
    return None


def fit_check(part: nn.Module, name: str, file: str) -> Callable:
    """What torch calls before a part takes weights: BadInput if one is missing, of another shape or kind, or NaN.

    Args:
        part: of the model.
        name: of the part in the config.
        file: where the weights are from.
    """

    def check(state: dict[str, Any], prefix: str, *_) -> None:
        found = {}
        for key, value in state.items():
            if key.startswith(prefix):
                found[key.removeprefix(prefix)] = value
        own = part.state_dict()
        wrong = misfits(own, found)
        if not wrong:
            if complaint := why_not_finite(own, found):
                raise BadInput(f'{file}: {complaint}')
            return

        before = prefix_of(own, found)
        way_out = f'give weights of a {type(part).__name__} of this size'
        if before:
            way_out = f'set {name}.init_cfg.prefix={before!r}'
        raise BadInput(
            f'{file}: does not fit {name}: {listed(wrong, own)}; {way_out}, or {name}.init_cfg=None to '
            'start from chance'
        )

    return check
