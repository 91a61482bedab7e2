"""A float32 file made into one of int8, as far as a data set shows that its AP stays."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mmengine.config import Config

from cid_mmpose.errors import BadInput
from cid_mmpose.inference.sources import find
from cid_mmpose.runtime.about import About
from cid_mmpose.runtime.predictor import ExportedPredictor
from cid_mmpose.runtime.seal import seal

from .accuracy import CALIBRATION_SEED, SYNTH, Judge, Measured, drawn_crowds, exported_model
from .options import ExportOptions
from .quantise import CHOICES, quantise


@dataclass(frozen=True)
class Int8Options:
    """How an int8 file is made.

    Args:
        calibrate: images whose maps set the ranges of 8 bits: a folder or other input of ``cid predict``, or 'synth'.
        calibration_images: how many of them at most.
    """

    calibrate: str = SYNTH
    calibration_images: int = 64


class MadeInt8(NamedTuple):
    """What ``in_int8`` has written."""

    files: list[Path]  # the one that is named comes last
    accuracy: Measured
    kept: str  # what stays in float32


def as_checked(options: ExportOptions) -> ExportOptions:
    """The options of the file that is held against torch: an int8 file is made of a float32 one.

    Args:
        options: of the export.
    """
    return replace(options, precision='float32') if options.precision == 'int8' else options


def calibration_images(options: Int8Options, config: Config) -> list[np.ndarray]:
    """The images that set the ranges, (h, w, 3) uint8 BGR each; read before the minutes that an export takes.

    Args:
        options: which images, and how many.
        config: of the model, which says how people are drawn.

    Raises:
        BadInput: there is none, or one cannot be read.
    """
    count = options.calibration_images
    if options.calibrate == SYNTH:
        crowds = drawn_crowds(config, CALIBRATION_SEED, count)
        return [crowds.get_data_info(number)['img'] for number in range(count)]
    items = find(options.calibrate).items
    loads = [item.load for _, item in zip(range(count), items) if item.load is not None]
    loaded = [load() for load in loads]
    if not loaded:
        raise BadInput(f'--calibrate {options.calibrate}: holds no image; give a folder with some, or {SYNTH}')
    return loaded


def in_int8(written: Path, about: About, images: Sequence[np.ndarray], judge: Judge) -> MadeInt8:
    """Writes a float32 export once more in int8, with as much of it in float32 as its AP needs.

    Args:
        written: the float32 file, beside its graph as ONNX.
        about: what it says of itself.
        images: of ``calibration_images``.
        judge: of its AP.

    Raises:
        BadInput: every choice costs more AP than may be.
    """
    packed = _packed(exported_model(written), images)
    costs = []
    for number, (kept, weights) in enumerate(CHOICES.items()):
        folder = written.parent / f'int8_{number}'
        folder.mkdir()
        files = quantise(written.with_suffix('.onnx'), about, weights, packed, folder / written.name)
        seal(files[-1])
        measured = judge.measure(files[-1])
        if judge.accepts(measured):
            return MadeInt8(files, measured, kept)
        costs.append(f'{measured.drop:.2f} with {kept} in float32')
    refusal = judge.refusal(f'int8 costs {", ".join(costs)}')
    raise BadInput(f'{refusal}; give other images with --calibrate, or a larger --max-drop')


def _packed(model: ExportedPredictor, images: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Images as the graph takes them, (B, h, w, 3) uint8 BGR each."""
    batch = model.about.batch or 1
    return [np.repeat(model.pack(image).image[None], batch, 0) for image in images]
