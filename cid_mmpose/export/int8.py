"""A float32 file made into one of int8, as far as a data set shows that its AP stays."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from mmengine.config import Config

from cid_mmpose.errors import BadInput
from cid_mmpose.inference.options import PredictOptions
from cid_mmpose.inference.sources import find
from cid_mmpose.runtime.about import About
from cid_mmpose.runtime.predictor import ExportedPredictor, device_of, session_of
from cid_mmpose.runtime.seal import seal

from .accuracy import CALIBRATION_SEED, SYNTH, Measured, average_precision, data_set, drawn_crowds, name_of
from .options import ExportOptions
from .quantise import CHOICES, quantise


@dataclass(frozen=True)
class Int8Options:
    """How an int8 file is made.

    Args:
        calibrate: images whose maps set the ranges of 8 bits: a folder or other input of ``cid predict``, or 'synth'.
        calibration_images: how many of them at most.
        data: on which AP is measured: 'synth', or an annotation file and the folder of its images.
        max_drop: how many points of AP it may cost.

    Raises:
        BadInput: ``max_drop`` is not from 0 to 100.
    """

    calibrate: str = SYNTH
    calibration_images: int = 64
    data: Sequence[str] = (SYNTH,)
    max_drop: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.max_drop <= 100:
            raise BadInput(f'max_drop must be from 0 to 100 points of AP, got {self.max_drop:g}')


def as_checked(options: ExportOptions) -> ExportOptions:
    """The options of the file that is held against torch: an int8 file is made of a float32 one.

    Args:
        options: of the export.
    """
    return replace(options, precision='float32') if options.precision == 'int8' else options


def in_int8(
    written: Path, onnx_file: Path, about: About, config: Config, options: Int8Options, name: str
) -> tuple[list[Path], Measured]:
    """Writes a float32 export once more in int8, with as much of it in float32 as its AP needs.

    Args:
        written: the float32 file.
        onnx_file: its graph as ONNX.
        about: what it says of itself.
        config: of the model.
        options: how the int8 file is made.
        name: of the file, for messages.

    Returns:
        The files, the one that is named last, and what AP they have.

    Raises:
        BadInput: every choice costs more AP than may be, or the data are wrong.
    """
    items = data_set(options.data, config)
    model = _model(written)
    images = _calibration(model, config, options)
    before = average_precision(model, items)
    if before <= 0:
        raise BadInput(
            f'{name}: AP is 0 in float32 on {name_of(options.data)}, so no drop could be seen; give data of people '
            'whom the model finds (--data)'
        )
    drops = []
    for number, (kept, weights) in enumerate(CHOICES.items()):
        folder = written.parent / f'int8_{number}'
        folder.mkdir()
        files = quantise(onnx_file, about, weights, images, folder / written.name)
        seal(files[-1])
        after = average_precision(_model(files[-1]), items)
        if before - after <= options.max_drop:
            return files, Measured(before, after, len(items), name_of(options.data), kept)
        drops.append(f'{before - after:.2f} with {kept} in float32')
    raise BadInput(
        f'{name}: int8 costs {", ".join(drops)}, more than {options.max_drop:g} AP (AP in float32 is {before:.2f} on '
        f'{name_of(options.data)}), and was not written; give other images with --calibrate, or a larger --max-drop'
    )


def _model(path: Path) -> ExportedPredictor:
    """A file with everyone whom an evaluation counts."""
    session = session_of(str(path), device_of(path))
    return ExportedPredictor(session, PredictOptions(min_score=session.about.min_score), str(path))


def _calibration(model: ExportedPredictor, config: Config, options: Int8Options) -> list[np.ndarray]:
    """Images as the graph takes them, (B, h, w, 3) uint8 BGR each."""
    count = options.calibration_images
    if options.calibrate == SYNTH:
        crowds = drawn_crowds(config, CALIBRATION_SEED, count)
        loaded = [crowds.get_data_info(number)['img'] for number in range(count)]
    else:
        items = find(options.calibrate).items
        loads = [item.load for _, item in zip(range(count), items) if item.load is not None]
        loaded = [load() for load in loads]
    if not loaded:
        raise BadInput(f'--calibrate {options.calibrate}: holds no image; give a folder with some, or {SYNTH}')
    batch = model.about.batch or 1
    return [np.repeat(model.pack(image).image[None], batch, 0) for image in loaded]
