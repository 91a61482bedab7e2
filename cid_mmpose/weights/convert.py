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
from .files.metadata import set_metadata
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
    if target.endswith(SAFETENSORS):
        _check_safetensors(target, to)

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
    meta = checkpoint.get('meta', {})
    state = _state(weights, to)
    _write(dict(meta=meta, state_dict=state), target)

    done = f'{target}: {layout.name} to {TARGETS[to].name}, {num_weights(weights)} weights'
    if target.endswith(SAFETENSORS):
        done = f'{done}; weights alone, their meta is left out'
    if moved:
        done = f'{done}; {BORDER_NOTE}'
    return done


def _check_target(path: str, force: bool) -> None:
    check_file(path)
    if osp.exists(path) and not force:
        raise BadInput(f'{path}: is already there; choose another name, or --force to replace it')
    digits = hash_in_name(osp.basename(path))
    if digits:
        raise BadInput(
            f'{path}: the {digits} in this name would be taken for the hash of the file; choose another name'
        )


def _check_safetensors(path: str, to: str) -> None:
    """BadInput if the target's program reads no safetensors, or the package that writes them is not there."""
    if to != 'ours':
        raise BadInput(f'{path}: MMPose reads no safetensors; or name the file .pth')
    if not has_safetensors():
        raise BadInput(f'{path}: that package is not installed: {INSTALL}; or name the file .pth')


def _check_whole(source: str, weights: dict[str, Tensor]) -> None:
    """BadInput if a part of the head under our names lacks its weight or bias, or is there in a second layout too."""
    broken: list[str] = []
    for part in OURS.parts:
        wanted = {f'{part}.weight', f'{part}.bias'}
        missing = wanted - weights.keys()
        if len(missing) < len(wanted):
            broken.extend(missing)

    if broken:
        names = ', '.join(sorted(broken))
        raise BadInput(f'{source}: has no {names}; give a whole checkpoint')
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

    Args:
        weights: under our names.

    Returns:
        Whether there was anything to move.
    """
    cell_center = weights.pop(CELL_CENTER)
    shift = MMPOSE_1.cell_center - float(cell_center)
    if shift == 0:
        return False
    kernel = weights[f'{SPATIAL_CONV}.weight']
    bias = weights[f'{SPATIAL_CONV}.bias']
    of_offsets = kernel[:, 1:].sum((1, 2, 3))
    weights[f'{SPATIAL_CONV}.bias'] = bias + shift / OFFSET_SCALE * of_offsets
    return True


def _state(weights: dict[str, Tensor], to: str) -> OrderedDict:
    """The weights as a state dict of the target's program."""
    renamed = rename(weights, OURS, TARGETS[to])
    state = OrderedDict(renamed)
    # MMPose reads the version of a part here, and without it renames its own 1.x names as if they were those of 0.x
    versions = OrderedDict({'': dict(version=2), 'head': dict(version=2)})
    set_metadata(state, versions)
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
