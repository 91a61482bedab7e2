"""What an exported file will say of itself, out of the network and its config."""

import hashlib
from contextlib import suppress
from dataclasses import replace
from importlib import metadata
from typing import Any

import cid_mmpose
from cid_mmpose.data.resize import MODES, Resizing
from cid_mmpose.errors import BadInput
from cid_mmpose.inference.keypoints import KeypointSet
from cid_mmpose.inference.networks import Choice, pipeline_of
from cid_mmpose.inference.predictor import Predictor
from cid_mmpose.models import CID
from cid_mmpose.models.options import TestOptions
from cid_mmpose.runtime.about import MULTIPLE, About, Normalisation

from .options import ExportOptions

RESIZING = {'ResizeImage', 'ResizePicture', 'BottomupResize'}  # types of steps that are done outside torch too
# and those that change nothing of the image
OTHERS = {'LoadImage', 'LoadPicture', 'PackPoseInputs'}

PROGRAMS = ('torch', 'mmpose', 'onnx', 'onnxscript', 'openvino')


def resizing_step(choice: Choice) -> dict[str, Any]:
    """The step of the test pipeline that resizes.

    Args:
        choice: of ``inference.networks.choose``.

    Raises:
        BadInput: there is none, or another step or an option of it is one that the runtime does not have.
    """
    found = []
    for step in pipeline_of(choice.config, choice.config_file):
        kind = str(step.get('type')).rpartition('.')[2]
        if kind in RESIZING:
            found.append(step)
        elif kind not in OTHERS:
            raise BadInput(
                f'{choice.config_file}: its test pipeline has a step {kind}, which exported models do without; leave '
                'it out'
            )
    if len(found) != 1 or found[0].get('use_udp') or found[0].get('aug_scales'):
        raise BadInput(
            f'{choice.config_file}: exported models take a test pipeline with one step ResizeImage, without use_udp '
            'and aug_scales'
        )
    return dict(found[0])


def resizing_of(step: dict[str, Any], options: ExportOptions, name: str) -> Resizing:
    """How the exported model's images are resized.

    Args:
        step: of ``resizing_step``.
        options: of the export.
        name: of the model.

    Raises:
        BadInput: the inputs are no multiples of 32.
    """
    if options.fixed_size is not None:
        return Resizing(options.fixed_size, MULTIPLE, 'fit', _padding(step))
    width, height = step['input_size']
    size = (options.size, options.size) if options.size else (width, height)
    factor = step.get('size_factor', MULTIPLE)
    mode = step.get('resize_mode', 'fit')
    if factor % MULTIPLE or mode not in MODES:
        raise BadInput(f'{name}: size_factor={factor} of its pipeline must be a multiple of {MULTIPLE}')
    return Resizing(size, factor, mode, _padding(step))


def _padding(step: dict[str, Any]) -> tuple[float, float, float]:
    blue, green, red = step.get('pad_val', (0, 0, 0))
    return float(blue), float(green), float(red)


def about_of(predictor: Predictor, choice: Choice, resizing: Resizing, options: ExportOptions) -> About:
    """What the file will say.

    Args:
        predictor: of the network, with the options of the export.
        choice: that it was made of.
        resizing: of images.
        options: of the export.
    """
    network = predictor.network
    test = network.head.test.with_test_cfg(network.test_cfg)
    preprocessor = network.data_preprocessor
    return About(
        keypoint_set=_with_sigmas(predictor, test),
        resizing=resizing,
        normalisation=Normalisation(
            mean=tuple(preprocessor.mean.flatten().tolist()),
            std=tuple(preprocessor.std.flatten().tolist()),
            colors='rgb' if preprocessor._channel_conversion else 'bgr',
        ),
        max_people=test.max_people,
        min_score=test.min_score,
        nms=test.nms,
        flip=test.flip_test,
        blur=test.blur,
        stride=network.head.decoder.stride,
        precision=options.precision,
        batch=options.batch,
        size=options.fixed_size,
        model=predictor.weights,
        config_sha256=hashlib.sha256(choice.config.pretty_text.encode()).hexdigest(),
        weights_sha256=weights_hash(network),
        opset=options.opset,
        made_by=versions(),
    )


def versions() -> dict[str, str]:
    """The programs that make an exported file, and their versions; without those that are not installed."""
    found = dict(cid_mmpose=cid_mmpose.__version__)
    for name in PROGRAMS:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def weights_hash(network: CID) -> str:
    """The sha256 of the weights of a network, name by name.

    Args:
        network: on any device.
    """
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _with_sigmas(predictor: Predictor, test: TestOptions) -> KeypointSet:
    """The keypoints with the sigmas that the network's NMS has."""
    points = predictor.keypoint_set
    sigmas = test.keypoint_sigmas(len(points))
    return replace(points, sigmas=tuple(float(sigma) for sigma in sigmas))
