"""Checkpoints from one layout to another: any of those in the world to ours, and any to MMPose 1.x."""

import os
import os.path as osp
import tempfile
from collections import OrderedDict

import torch
from mmengine.runner import CheckpointLoader
from torch import Tensor

from cid_mmpose.errors import BadInput
from cid_mmpose.files import check_file
from cid_mmpose.models.gfd import OFFSET_SCALE

from .files.hashes import hash_in_name
from .files.safetensors_files import INSTALL, has_safetensors, write_safetensors
from .layouts import (
    CELL_CENTER,
    MMPOSE_1,
    OURS,
    in_second_layout,
    num_weights,
    rename,
    translate,
    why_not_finite,
    wrong_tensor,
)

TARGETS = {'ours': OURS, 'mmpose': MMPOSE_1}
SAFETENSORS = '.safetensors'  # ending of the files of that format
SPATIAL_CONV = 'head.gfd.spatial.conv'
BORDER_NOTE = (
    'the offset of the relative coordinates went into the bias of the spatial convolution, which differs '
    'in the two outer rows and columns of cells'
)


def convert(source: str, target: str, to: str, force: bool = False) -> str:
    """Writes the weights of a checkpoint in another layout, with the ``meta`` of the file; returns what was done.

    The state of a training run (optimizer, schedulers, logs) is left out. ``docs/checkpoints.md`` says what becomes of
    the cell center on the way to MMPose.

    Args:
        source: path or URL of a checkpoint in any layout.
        target: path of the file to write.
        to: 'ours', or 'mmpose' for MMPose 1.x.
        force: whether an existing target may be replaced.

    Raises:
        BadInput: the source is no checkpoint of CID, or lacks what the target needs; the target exists, cannot be
            written, or has a name that promises a hash.
    """
    _check_target(target, force)
    if target.endswith(SAFETENSORS) and (to != 'ours' or not has_safetensors()):
        why = f'that package is not installed: {INSTALL}' if to == 'ours' else 'MMPose reads no safetensors'
        raise BadInput(f'{target}: {why}; or name the file .pth')
    checkpoint = CheckpointLoader.load_checkpoint(source, map_location='cpu', logger='silent')
    weights, layout = translate(checkpoint)
    lacking = [part for part in OURS.parts if f'{part}.weight' not in weights]
    if len(lacking) == len(OURS.parts):
        raise BadInput(f'{source}: holds no head of CID in any known layout; give a checkpoint of CID')
    if lacking and to == 'mmpose':
        raise BadInput(
            f"{source}: has no {', '.join(lacking)}, and MMPose's head needs all parts; only models with "
            "recalibration='fused' can go there"
        )
    _check_whole(source, weights)
    _check_numbers(source, weights)
    moved = to == 'mmpose' and move_cell_center(weights)
    _write(dict(meta=checkpoint.get('meta', {}), state_dict=_state(weights, to)), target)
    done = f'{target}: {layout.name} to {TARGETS[to].name}, {num_weights(weights)} weights'
    if target.endswith(SAFETENSORS):
        done = f'{done}; weights alone, their meta is left out'
    return f'{done}; {BORDER_NOTE}' if moved else done


def _check_target(path: str, force: bool) -> None:
    check_file(path)
    if osp.exists(path) and not force:
        raise BadInput(f'{path}: is already there; choose another name, or --force to replace it')
    if hash_in_name(osp.basename(path)):
        raise BadInput(
            f'{path}: the {hash_in_name(osp.basename(path))} in this name would be taken for the hash of '
            'the file; choose another name'
        )


def _check_whole(source: str, weights: dict[str, Tensor]) -> None:
    """BadInput if a part of the head under our names lacks its weight or bias, or is there in a second layout too."""
    wanted = {part: {f'{part}.weight', f'{part}.bias'} for part in OURS.parts}
    broken = sorted(name for names in wanted.values() if names & weights.keys() for name in names - weights.keys())
    if broken:
        raise BadInput(f'{source}: has no {", ".join(broken)}; give a whole checkpoint')
    if double := in_second_layout(weights):
        raise BadInput(f'{source}: {double}')


def _check_numbers(source: str, weights: dict[str, Tensor]) -> None:
    """BadInput if a weight is no plain tensor of real numbers, or is NaN or infinite somewhere."""
    for name, value in weights.items():
        wrong = wrong_tensor(value)
        if not wrong and (value.is_meta or value.is_complex()):
            wrong = 'holds no real numbers'
        if wrong:
            raise BadInput(f'{source}: {name} {wrong}; save the state_dict of the model with torch.save')
    if broken := why_not_finite(weights, weights):
        raise BadInput(f'{source}: {broken}')


def move_cell_center(weights: dict[str, Tensor]) -> bool:
    """Takes ``cell_center`` out of weights under our names, so that they give the same with MMPose's 0.5; in place.

    The convolution over the relative coordinates is linear, so the constant by which they differ becomes a part of
    its bias: (0.5 - cell_center) / 32 times the sum of the kernels of O_x and O_y. The zeros that pad the map do not
    differ, so this is exact except in the two outer rows and columns, where the 5x5 kernel reaches over the border.

    Returns whether there was anything to move.
    """
    shift = MMPOSE_1.cell_center - float(weights.pop(CELL_CENTER))
    if shift:
        kernel, bias = weights[f'{SPATIAL_CONV}.weight'], weights[f'{SPATIAL_CONV}.bias']
        weights[f'{SPATIAL_CONV}.bias'] = bias + shift / OFFSET_SCALE * kernel[:, 1:].sum((1, 2, 3))
    return shift != 0


def _state(weights: dict[str, Tensor], to: str) -> OrderedDict:
    """The weights as a state dict of the target's program."""
    state = OrderedDict(rename(weights, OURS, TARGETS[to]))
    # MMPose reads the version of a part here, and without it renames its own 1.x names as if they were those of 0.x
    state._metadata = OrderedDict({'': dict(version=2), 'head': dict(version=2)})
    return state


def _write(checkpoint: dict, path: str) -> None:
    """Saves a checkpoint, for the ending ``.safetensors`` in that format; the file gets its name when it is whole."""
    folder = osp.dirname(osp.abspath(path))
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix='.convert-') as scratch:
        whole = osp.join(scratch, osp.basename(path))
        if path.endswith(SAFETENSORS):
            write_safetensors(checkpoint['state_dict'], whole)
        else:
            torch.save(checkpoint, whole)
        os.replace(whole, path)
