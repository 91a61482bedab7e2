"""``cid export``: from a model to a file that has been run and held against torch."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import ConfigDict

from cid_mmpose.errors import BadInput
from cid_mmpose.files import check_file, put_in_place, unfinished_folder
from cid_mmpose.inference.load import predictor_of
from cid_mmpose.inference.networks import Choice, choose, pipeline_of
from cid_mmpose.inference.options import PredictOptions
from cid_mmpose.inference.predictor import Predictor
from cid_mmpose.inference.sources import find
from cid_mmpose.models.options import DTYPES
from cid_mmpose.runtime.about import About
from cid_mmpose.runtime.onnx_file import onnxruntime_of
from cid_mmpose.runtime.openvino_file import check_bfloat16, openvino_of
from cid_mmpose.runtime.predictor import ExportedPredictor, device_of, session_of
from cid_mmpose.runtime.seal import seal
from cid_mmpose.runtime.tensorrt_file import tensorrt_of

from .accuracy import AccuracyOptions, Judge, Measured
from .describe import RESIZING, about_of, resizing_of, resizing_step
from .graph import check_exporter, write_onnx
from .int8 import Int8Options, as_checked, calibration_images, in_int8
from .network import ExportedCID
from .openvino_graph import write_openvino
from .options import ExportOptions
from .quantise import nncf_of
from .tensorrt_engine import problems_of, write_engine
from .verify import TOLERANCES, Difference, check, compare, drawn_images, noise_images

FORMATS = dict(onnx='.onnx', openvino='.xml', tensorrt='.engine')  # format -> ending of its file


class Exported(NamedTuple):
    """What was written."""

    path: Path
    about: About
    difference: Difference
    problems: list[str]  # what of an ONNX file TensorRT does not take
    accuracy: Measured | None = None  # in int8, and where data are given
    kept: str | None = None  # of an int8 file, what stays in float32

    def text(self) -> str:
        """As a user reads it."""
        files = [self.path, self.path.with_suffix('.bin')] if self.path.suffix == '.xml' else [self.path]
        megabytes = sum(file.stat().st_size for file in files) / 2**20
        parts = [f'{self.path}: {megabytes:.1f} MiB']
        if self.kept is None:  # an int8 file was not compared itself
            parts.append(f'as torch: {self.difference.text()}')
        if self.accuracy is not None:
            parts.append(self.accuracy.text())
        if self.kept is not None:
            parts.append(f'{self.kept} stayed in float32')
        elif self.problems:
            parts.append(f'not for TensorRT: {", ".join(self.problems)}')
        return '; '.join(parts)


def export(
    model: str | os.PathLike,
    out: str | os.PathLike,
    *,
    checkpoint: str | os.PathLike | None = None,
    format: str = 'onnx',
    options: ExportOptions | None = None,
    images: Sequence[Any] = (),
    force: bool = False,
    accuracy: AccuracyOptions | None = None,
    int8: Int8Options | None = None,
) -> Exported:
    """Writes a model as a file for a runtime; nothing is left of a file that says something else than torch.

    Args:
        model: as ``cid_mmpose.load`` takes it.
        out: path of the file.
        checkpoint: as ``cid_mmpose.load`` takes it.
        format: one of ``FORMATS``.
        options: of the export.
        images: paths or arrays on which the file is held against torch, besides noise; none takes drawn people.
        force: whether an existing file may be replaced.
        accuracy: how the file is judged by its AP; None judges int8 alone, on drawn people.
        int8: how a file of precision int8 is made; None takes what ``Int8Options`` has.

    Raises:
        BadInput: the model, an option or the target is wrong, the file cannot be written, or it says something else
            than torch.
    """
    options = options or ExportOptions()
    path = Path(out)
    _check_target(path, format, force)
    check_exporter()
    _check_runtime(format)
    if format == 'tensorrt':
        options = _for_engine(options)
    _check_precision(format, options.precision)
    real_images = list(_images(images))

    choice = choose(model, checkpoint)
    chosen = _as_predicted(options)
    step = resizing_step(choice)
    predictor = predictor_of(choice, chosen, torch.device('cpu'), _steps(choice, options))
    resizing = resizing_of(step, options, choice.config_file)
    about = about_of(predictor, choice, resizing, as_checked(options))
    if accuracy is None and options.precision == 'int8':
        accuracy = AccuracyOptions()
    calibration = calibration_images(int8 or Int8Options(), choice.config) if options.precision == 'int8' else []
    judge = None if accuracy is None else _judge(predictor, choice, accuracy, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with unfinished_folder(path.parent) as folder:
        files = _write(_graph(predictor, about, format), about, format, folder / path.name)
        seal(files[-1])
        found = _held_against(predictor, files[-1], chosen, real_images, about.precision)
        if judge is None or about.precision == 'float32':
            check(found, about.precision, str(path))
        measured = kept = None
        if judge is not None and options.precision == 'int8':
            files, measured, kept = in_int8(files[-1], about, calibration, judge)
        elif judge is not None:
            measured = judge.accepted(files[-1], options.precision)
        _check_target(path, format, force)  # another export may have written it meanwhile
        for file in files:
            put_in_place(file, path.with_name(file.name))
    return Exported(path, about, found, problems_of(path) if format == 'onnx' else [], measured, kept)


def _as_predicted(options: ExportOptions) -> PredictOptions:
    """The options by which torch finds the people whom the file should find."""
    return PredictOptions(
        min_score=options.min_score,
        flip=options.flip,
        max_people=options.max_people,
        nms=options.nms,
        size=options.size,
    )


def _check_precision(format: str, precision: str) -> None:
    """BadInput if the runtime of a format does not compute in a precision, or what makes its files is missing."""
    if format == 'onnx' and precision == 'bfloat16':
        raise BadInput('onnxruntime has no convolution in bfloat16; take float16, or the format openvino')
    if format == 'openvino' and precision == 'bfloat16':
        check_bfloat16()
    if precision == 'int8' and format == 'openvino':
        nncf_of()
    if precision == 'int8' and format == 'tensorrt':
        onnxruntime_of()  # which quantises


def format_of(out: str | os.PathLike) -> str:
    """The format that a file is of by its ending.

    Args:
        out: path of the file.

    Raises:
        BadInput: its ending is none of them.
    """
    for name, ending in FORMATS.items():
        if Path(out).suffix == ending:
            return name
    raise BadInput(f'{out}: name a file that ends in {" or ".join(FORMATS.values())}')


def _check_runtime(format: str) -> None:
    """BadInput unless what runs the files of a format is installed."""
    if format == 'openvino':
        openvino_of()
    elif format == 'tensorrt':
        tensorrt_of()
    else:
        onnxruntime_of()


def _for_engine(options: ExportOptions) -> ExportOptions:
    """The options of an engine, which is built for one size: of one image where nothing else is said."""
    if options.fixed_size is None:
        raise BadInput(
            'format tensorrt: an engine is built for images of one size; say it, such as --fixed-size 704x512'
        )
    return replace(options, batch=options.batch or 1)


def _check_target(path: Path, format: str, force: bool) -> None:
    """BadInput if the file cannot be written, or is there already."""
    if format not in FORMATS:
        raise BadInput(f'format {format!r}: is one of {", ".join(FORMATS)}')
    if path.suffix != FORMATS[format]:
        raise BadInput(f'{path}: a file of format {format} ends in {FORMATS[format]}')
    parts = [path, path.with_suffix('.bin')] if format == 'openvino' else [path]
    for part in parts:
        check_file(str(part))
        if part.exists() and not force:
            raise BadInput(f'{part}: is already there; choose another name, or --force to replace it')


def _images(given: Sequence[Any]) -> Iterator[np.ndarray]:
    """The images on which a file is held against torch, besides noise."""
    if not given:
        yield from drawn_images()
        return
    for item in find(list(given)).items:
        if item.load is not None:
            yield item.load()


def _steps(choice: Choice, options: ExportOptions) -> list[ConfigDict] | None:
    """The pipeline for a fixed size of the input; None where the config's does."""
    if options.fixed_size is None:
        return None
    changes = dict(input_size=options.fixed_size, resize_mode='fit', size_factor=32)
    steps = []
    for step in pipeline_of(choice.config, choice.config_file):
        is_resizing = str(step.get('type')).rpartition('.')[2] in RESIZING
        steps.append(ConfigDict(step, **changes) if is_resizing else step)
    return steps


def _graph(predictor: Predictor, about: About, format: str) -> ExportedCID:
    """The network as a graph."""
    # OpenVINO chooses what it computes in by itself, see runtime/openvino_file.py
    dtype = torch.float32 if format == 'openvino' else DTYPES[about.precision]
    assert dtype is not None
    graph = ExportedCID(
        predictor.network,
        max_people=about.max_people,
        min_score=about.min_score,
        blur=about.blur,
        flip_indices=about.keypoint_set.swaps if about.flip else None,
        free_size=about.size is None,
        dtype=dtype,
    )
    graph.train(False)  # a statement of its own: HRNet.train returns None
    return graph.requires_grad_(False)


def _write(graph: ExportedCID, about: About, format: str, path: Path) -> list[Path]:
    """Writes the files of a format; the one that is named comes last."""
    if format == 'onnx':
        write_onnx(graph, about, path)
        return [path]
    onnx_file = path.with_suffix('.onnx')
    write_onnx(graph, about, onnx_file)
    write = write_openvino if format == 'openvino' else write_engine
    return write(onnx_file, about, path)


def _judge(predictor: Predictor, choice: Choice, accuracy: AccuracyOptions, path: Path) -> Judge:
    """What measures the files, with torch in float32."""
    predictor.network.test_cfg['precision'] = None
    return Judge(predictor, choice.config, accuracy, str(path))


def _held_against(
    predictor: Predictor, written: Path, options: PredictOptions, images: list[np.ndarray], precision: str
) -> Difference:
    """What torch and a file find in noise and in images, both without NMS."""
    everyone = replace(options, nms=1.0)
    predictor.network.test_cfg.update(everyone.test_cfg(), precision=None)  # the backbone as it is, not folded
    session = session_of(str(written), device_of(written))
    exported = ExportedPredictor(session, replace(everyone, size=None), str(written))
    return compare(predictor, exported, [*noise_images(), *images], TOLERANCES[precision].pixels)
