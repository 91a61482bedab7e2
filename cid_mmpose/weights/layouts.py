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
        inner = [checkpoint[key] for key in HOLDERS if isinstance(checkpoint.get(key), Mapping)]
        if not inner:
            break
        checkpoint = inner[0]
    return checkpoint


def weights_of(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Name -> weight out of a checkpoint, or of bare weights; without the prefix of parallel training.

    Args:
        checkpoint: weights themselves, or a dict that holds them under one of ``HOLDERS``.
    """
    state = state_in(checkpoint)
    names = {name: re.sub(r'^keypoint_head\.', 'head.', re.sub(r'^module\.', '', name)) for name in state}
    return {new: state[old] for old, new in names.items() if not new.startswith('data_preprocessor.')}


def rename(weights: Mapping[str, Any], source: Layout, target: Layout) -> dict[str, Any]:
    """The same weights under the names of another layout; what is no part of the head keeps its name."""
    parts = dict(zip(source.parts, target.parts))
    split = {name: name.rpartition('.') for name in weights}
    return {parts.get(part, part) + dot + leaf: weights[name] for name, (part, dot, leaf) in split.items()}


def translate(checkpoint: Mapping[str, Any]) -> tuple[dict[str, Any], Layout]:
    """Weights of any layout under our names, with the ``cell_center`` that belongs to them, and their layout.

    Args:
        checkpoint: as for ``weights_of``. Weights of another model come back as they are, with ``OURS``.
    """
    weights = weights_of(checkpoint)
    parts = {name.rpartition('.')[0] for name in weights}
    layout = max(LAYOUTS, key=lambda known: len(parts.intersection(known.parts)))
    weights = rename(weights, layout, OURS)
    if any(name.startswith(SPATIAL) for name in weights):
        weights.setdefault(CELL_CENTER, torch.tensor(layout.cell_center))
    return weights, layout


def in_second_layout(weights: Mapping[str, Any]) -> str:
    """Why weights under our names are not those of one model: parts of the head under other names too; '' if they are."""
    foreign = {part for layout in LAYOUTS if layout is not OURS for part in layout.parts}
    double = sorted(name for name in weights if name.rpartition('.')[0] in foreign)
    return f'holds the head in two layouts, also as {", ".join(double[:SHOWN])}; take one out' if double else ''


def num_keypoints(weights: Mapping[str, Any]) -> int:
    """K of weights under our names; 0 where they have no maps of keypoints."""
    return next(iter(_shape(weights.get('head.gfd.heatmap.bias'))), 0)


def num_weights(weights: Iterable[str], part: str = '') -> int:
    """How many names below a part of the model there are, without those of counters."""
    return sum(name.startswith(part) and not name.endswith(COUNTER) for name in weights)


def wrong_tensor(value: Any) -> str:
    """What a value is instead of a tensor that holds its numbers one by one; '' if it is such a tensor."""
    if not isinstance(value, Tensor):
        kind = 'numpy array' if type(value).__module__ == 'numpy' else type(value).__name__
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
    fits = FLOATS if wanted.is_floating_point() else WHOLE_NUMBERS
    fits = fits + FLOATS if counter else fits
    if value.dtype not in fits and value.dtype != wanted.dtype:
        return f'holds numbers of {value.dtype}, the model has {wanted.dtype}'
    return ''


def wrong_kinds(wanted: Mapping[str, Tensor], found: Mapping[str, Any]) -> dict[str, str]:
    """What of the model's state ``wanted`` is in ``found`` but not as numbers like its own: name -> what it is."""
    both = [name for name in wanted if name in found]
    kinds = {name: wrong_kind(found[name], wanted[name], name.endswith(COUNTER)) for name in both}
    return {name: kind for name, kind in kinds.items() if kind}


def misfits(wanted: Mapping[str, Tensor], found: Mapping[str, Any]) -> dict[str, str]:
    """What of the model's state ``wanted`` is not in ``found`` with its shape: name -> what is wrong."""
    wrong = {name: 'is missing' for name in wanted if name not in found and not name.endswith(COUNTER)}
    kinds = wrong_kinds(wanted, found)
    for name, value in wanted.items():
        if name in kinds:
            wrong[name] = kinds[name]
        elif name in found and _shape(found[name]) != value.shape:
            wrong[name] = f'is {_shape(found[name])}, the model has {tuple(value.shape)}'
    return wrong


def prefix_of(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """What stands before the model's names of weights in the names of ``found``; '' if nothing does."""
    first = next(iter(wanted))
    longer = next((name for name in found if name.endswith(f'.{first}')), '')
    return longer[: -len(first)] if first not in found else ''


def why_not_finite(own: Mapping[str, Any], weights: Mapping[str, Any]) -> str | None:
    """Which of the model's weights is NaN or infinite somewhere, with the way out; None if none is.

    Args:
        own, weights: as for ``why_unfit``, when they fit; those on the meta device hold no numbers.
    """
    found = {name: weights[name] for name in own if isinstance(weights.get(name), Tensor) and not weights[name].is_meta}
    broken = [name for name, value in found.items() if not value.isfinite().all()]
    return (
        None
        if not broken
        else (
            f'{broken[0]} is NaN or infinite ({len(broken)} such weights): the training that wrote it went wrong; give an '
            'earlier checkpoint'
        )
    )


def listed(wrong: Mapping[str, str], wanted: Mapping[str, Any]) -> str:
    """How many of the wanted weights do not fit, and the first of them; ``wrong`` as ``misfits`` gives it."""
    shown = '; '.join(f'{name} {what}' for name, what in list(wrong.items())[:SHOWN])
    return f'{len(wrong)} of {num_weights(wanted)} weights do not fit ({shown}{"; ..." if len(wrong) > SHOWN else ""})'


def _shape(value: Any) -> tuple:
    return tuple(getattr(value, 'shape', ()))
