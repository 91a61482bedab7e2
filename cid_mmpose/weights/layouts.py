"""The layouts in which the weights of CID exist, and how their names become ours.

Four programs name the same weights differently. The name of the last part (``weight``, ``bias``) and the whole backbone
are the same in all of them. ``docs/checkpoints.md`` lists the layouts.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor


class Layout(NamedTuple):
    """One way of naming the parts of the head."""

    name: str
    parts: tuple[str, ...]  # in the same order in every layout
    cell_center: float  # of weights whose file does not say it; see ``gfd.relative_coordinates``


OURS = Layout(
    'cid_mmpose',
    (
        'head.iia.conv',
        'head.gfd.conv_down',
        'head.gfd.channel.attention',
        'head.gfd.spatial.attention',
        'head.gfd.spatial.conv',
        'head.gfd.fuse',
        'head.gfd.heatmap',
    ),
    0.0,
)
AUTHORS = Layout(
    "the authors' code",
    (
        'iia.keypoint_center_conv',
        'gfd.conv_down',
        'gfd.c_attn.atn',
        'gfd.s_attn.atn',
        'gfd.s_attn.conv',
        'gfd.fuse_attn',
        'gfd.heatmap_conv',
    ),
    0.0,
)
MMPOSE_0 = Layout(  # its head is called keypoint_head in the file; ``weights_of`` and MMPose itself call it head
    'MMPose 0.x',
    (
        'head.keypoint_center_conv',
        'head.conv_down',
        'head.c_attn.atn',
        'head.s_attn.atn',
        'head.s_attn.conv',
        'head.fuse_attn',
        'head.heatmap_conv',
    ),
    0.0,
)
MMPOSE_1 = Layout(
    'MMPose 1.x',
    (
        'head.iia_module.keypoint_root_conv',
        'head.gfd_module.conv_down',
        'head.gfd_module.channel_attention.atn',
        'head.gfd_module.spatial_attention.atn',
        'head.gfd_module.spatial_attention.conv',
        'head.gfd_module.fuse_attention',
        'head.gfd_module.heatmap_conv',
    ),
    0.5,
)
LAYOUTS = (OURS, AUTHORS, MMPOSE_0, MMPOSE_1)

SPATIAL = 'head.gfd.spatial.'
CELL_CENTER = f'{SPATIAL}cell_center'
# the weights whose first dimension is the keypoints (and in IIA the root, last)
KEYPOINT_MAPS = ('head.iia.conv.weight', 'head.iia.conv.bias', 'head.gfd.heatmap.weight', 'head.gfd.heatmap.bias')
# where training programs put the weights; the authors' code writes the same ones under the first two
HOLDERS = ('state_dict', 'best_state_dict', 'model')
MOST_HOLDERS = 3  # one inside the other, as of programs that wrap what another saved
SHOWN = 5  # weights named in a message
FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)  # each can be taken for another
WHOLE_NUMBERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
COUNTER = 'num_batches_tracked'  # of batch norm; nothing that CID computes depends on it


def state_in(checkpoint: Mapping[str, Any]) -> Mapping[str, Any]:
    """Name -> weight as a checkpoint has them: under one of ``HOLDERS``, or one inside another, or bare."""
    for _ in range(MOST_HOLDERS):
        inner = _held(checkpoint)
        if inner is None:
            break
        checkpoint = inner
    return checkpoint


def _held(checkpoint: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a checkpoint has under the first of ``HOLDERS`` with something by name; None if there is none."""
    for key in HOLDERS:
        inner = checkpoint.get(key)
        if isinstance(inner, Mapping):
            return inner
    return None


def weights_of(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Name -> weight out of a checkpoint, or of bare weights; without the prefix of parallel training.

    Args:
        checkpoint: weights themselves, or a dict that holds them under one of ``HOLDERS``.
    """
    weights = {}
    for name, value in state_in(checkpoint).items():
        plain = re.sub(r'^module\.', '', name)
        plain = re.sub(r'^keypoint_head\.', 'head.', plain)
        if not plain.startswith('data_preprocessor.'):
            weights[plain] = value
    return weights


def rename(weights: Mapping[str, Any], source: Layout, target: Layout) -> dict[str, Any]:
    """The same weights under the names of another layout; what is no part of the head keeps its name."""
    parts = dict(zip(source.parts, target.parts))
    renamed = {}
    for name, value in weights.items():
        part, dot, leaf = name.rpartition('.')
        new = parts.get(part, part)
        renamed[new + dot + leaf] = value
    return renamed


class Translated(NamedTuple):
    """Weights under our names."""

    weights: dict[str, Any]
    layout: Layout  # that they came in


def translate(checkpoint: Mapping[str, Any]) -> Translated:
    """Weights of any layout under our names, with the ``cell_center`` that belongs to them, and their layout.

    Args:
        checkpoint: as for ``weights_of``. Weights of another model come back as they are, with ``OURS``.
    """
    weights = weights_of(checkpoint)
    parts = {name.rpartition('.')[0] for name in weights}

    def num_parts(known: Layout) -> int:
        return len(parts.intersection(known.parts))

    layout = max(LAYOUTS, key=num_parts)
    renamed = rename(weights, layout, OURS)
    if any(name.startswith(SPATIAL) for name in renamed):
        renamed.setdefault(CELL_CENTER, torch.tensor(layout.cell_center))
    return Translated(renamed, layout)


def in_second_layout(weights: Mapping[str, Any]) -> str:
    """Why weights are not those of one model: parts of the head under our names and under others; '' if they are.

    Args:
        weights: under our names.
    """
    foreign: set[str] = set()
    for layout in LAYOUTS:
        if layout is not OURS:
            foreign.update(layout.parts)

    double = sorted(name for name in weights if name.rpartition('.')[0] in foreign)
    if not double:
        return ''
    return f'holds the head in two layouts, also as {", ".join(double[:SHOWN])}; take one out'


def num_keypoints(weights: Mapping[str, Any]) -> int:
    """K of weights under our names; 0 where they have no maps of keypoints."""
    shape = shape_of(weights.get('head.gfd.heatmap.bias'))
    if not shape:
        return 0
    return shape[0]


def num_weights(weights: Iterable[str], part: str = '') -> int:
    """How many names below a part of the model there are, without those of counters."""
    return sum(name.startswith(part) and not name.endswith(COUNTER) for name in weights)


def wrong_tensor(value: Any) -> str:
    """What a value is instead of a tensor that holds its numbers one by one; '' if it is such a tensor."""
    if not isinstance(value, Tensor):
        kind = type(value).__name__
        if type(value).__module__ == 'numpy':
            kind = 'numpy array'
        return f'is no tensor but a {kind}'
    if value.is_quantized:
        return 'is quantised'
    if value.is_nested or value.layout is not torch.strided:
        return 'is sparse or nested'
    return ''


def wrong_kind(value: Any, wanted: Tensor, counter: bool = False) -> str:
    """What a value is instead of numbers like those of the model; '' if it has such numbers.

    Args:
        value: of a file.
        wanted: the model's own, floating point or whole.
        counter: whether it counts batches, which some programs do in floating point.
    """
    if wrong := wrong_tensor(value):
        return wrong
    if value.is_meta and not wanted.is_meta:
        return 'has no numbers (it is on the meta device)'

    fits: tuple[torch.dtype, ...] = WHOLE_NUMBERS
    if wanted.is_floating_point():
        fits = FLOATS
    if counter:
        fits = fits + FLOATS
    if value.dtype not in fits and value.dtype != wanted.dtype:
        return f'holds numbers of {value.dtype}, the model has {wanted.dtype}'
    return ''


def wrong_kinds(wanted: Mapping[str, Tensor], found: Mapping[str, Any]) -> dict[str, str]:
    """What of the model's state ``wanted`` is in ``found`` but not as numbers like its own: name -> what it is."""
    wrong = {}
    for name, own in wanted.items():
        if name not in found:
            continue
        kind = wrong_kind(found[name], own, name.endswith(COUNTER))
        if kind:
            wrong[name] = kind
    return wrong


def misfits(wanted: Mapping[str, Tensor], found: Mapping[str, Any]) -> dict[str, str]:
    """What of the model's state ``wanted`` is not in ``found`` with its shape: name -> what is wrong."""
    missing = {}
    for name in wanted:
        if name not in found and not name.endswith(COUNTER):
            missing[name] = 'is missing'

    different = {}
    kinds = wrong_kinds(wanted, found)
    for name, value in wanted.items():
        if name in kinds:
            different[name] = kinds[name]
        elif name in found:
            shape = shape_of(found[name])
            if shape != value.shape:
                different[name] = f'is {shape}, the model has {tuple(value.shape)}'
    return {**missing, **different}


def prefix_of(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """What stands before the model's names of weights in the names of ``found``; '' if nothing does."""
    first = next(iter(wanted))
    if first in found:
        return ''
    for name in found:
        if name.endswith(f'.{first}'):
            return name.removesuffix(first)
    return ''


def why_not_finite(own: Mapping[str, Any], weights: Mapping[str, Any]) -> str | None:
    """Which of the model's weights is NaN or infinite somewhere, with the way out; None if none is.

    Args:
        own: the model's state.
        weights: of a file, under our names and fit for the model; those on the meta device hold no numbers.
    """
    broken = []
    for name in own:
        value = weights.get(name)
        if isinstance(value, Tensor) and not value.is_meta and not value.isfinite().all():
            broken.append(name)

    if not broken:
        return None
    return (
        f'{broken[0]} is NaN or infinite ({len(broken)} such weights): the training that wrote it went wrong; give an '
        'earlier checkpoint'
    )


def listed(wrong: Mapping[str, str], wanted: Mapping[str, Any]) -> str:
    """How many of the wanted weights do not fit, and the first of them; ``wrong`` as ``misfits`` gives it."""
    first = list(wrong.items())[:SHOWN]
    shown = [f'{name} {what}' for name, what in first]
    if len(wrong) > SHOWN:
        shown.append('...')
    return f'{len(wrong)} of {num_weights(wanted)} weights do not fit ({"; ".join(shown)})'


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of a tensor or array; () for what has none."""
    shape = getattr(value, 'shape', ())
    return tuple(shape)
