"""A network as an ONNX file, by torch's exporter that reads the program; never by the older one, which traces."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from cid_mmpose.errors import BadInput
from cid_mmpose.runtime.about import KEY, MULTIPLE, OUTPUTS, About
from cid_mmpose.runtime.predictor import MAX_INPUT_PIXELS, least_side

from .network import ExportedCID

LEAST_TORCH = (2, 9)  # whose exporter knows all that the graph is made of
INSTALL = "pip install 'cid_mmpose[export]'"
MOST_SIDE = 2**14  # pixels of a free side
MOST_IMAGES = 2**10  # of a free batch


def check_exporter() -> None:
    """BadInput unless torch, onnx and onnxscript can export."""
    found = tuple(int(number) for number in torch.__version__.split('.')[:2])
    if found < LEAST_TORCH:
        least = '.'.join(map(str, LEAST_TORCH))
        raise BadInput(
            f'cid export needs torch {least} or newer, here is {torch.__version__}: older ones trace a model, which '
            'succeeds and is wrong; update torch, or export on another machine'
        )
    for name in ('onnx', 'onnxscript'):
        try:
            import_module(name)
        except ImportError as error:
            raise BadInput(f'cid export needs {name}, which cannot be imported ({error}): {INSTALL}') from error


def write_onnx(network: ExportedCID, about: About, path: Path) -> None:
    """Writes the file.

    Args:
        network: in evaluation.
        about: what the file says of itself.
        path: of the file.

    Raises:
        BadInput: torch cannot export this network.
    """
    images = _example(about)
    with _quiet():
        try:
            program = torch.onnx.export(
                network,
                (images,),
                dynamo=True,
                opset_version=about.opset,
                input_names=['images'],
                output_names=list(OUTPUTS),
                dynamic_shapes=(_free_sides(about),),
                verbose=False,
            )
        except torch.onnx.OnnxExporterError as error:
            reason = str(error.__cause__ or error).strip().partition('\n')[0]
            raise BadInput(f'torch {torch.__version__} cannot export this network ({reason:.300})') from error
    assert program is not None
    proto = program.model_proto
    describe(proto, about)
    path.write_bytes(proto.SerializeToString())


def _example(about: About) -> torch.Tensor:
    """Images of a size that the graph takes; where it is free, one that nothing else in the graph has."""
    least = least_side(about.max_people, about.stride)
    check_rows(about.max_people, least)
    width, height = about.size or (max(least, 160) + 2 * MULTIPLE, max(least, 160))
    return torch.zeros(about.batch or 2, height, width, 3, dtype=torch.uint8)


def check_rows(max_people: int, least: int) -> None:
    """BadInput if the shortest images that have a cell for each row are larger than the network takes.

    Args:
        max_people: rows of an image.
        least: shortest side in pixels, see ``least_side``.
    """
    if least**2 > MAX_INPUT_PIXELS:
        raise BadInput(
            f'max_people={max_people}: images would need sides of {least} pixels to have a cell for each person; take '
            'fewer'
        )


def _free_sides(about: About) -> dict[int, Any] | None:
    """Which sides of the images are free, as torch.export has it."""
    free: dict[int, Any] = {}
    if about.batch is None:
        free[0] = torch.export.Dim('batch', min=1, max=MOST_IMAGES)
    if about.size is None:
        least = least_side(about.max_people, about.stride) // MULTIPLE
        for axis, name in ((1, 'rows'), (2, 'columns')):
            free[axis] = MULTIPLE * torch.export.Dim(name, min=least, max=MOST_SIDE // MULTIPLE)
    return free or None


def describe(proto: Any, about: About) -> None:
    """Puts into a graph what it says of itself, and takes out what the exporter notes of torch's own graph."""
    from cid_mmpose import __version__

    del proto.metadata_props[:]
    for nodes in (proto.graph.node, proto.graph.input, proto.graph.output, proto.graph.value_info):
        for each in nodes:
            del each.metadata_props[:]
            each.doc_string = ''
    entry = proto.metadata_props.add()
    entry.key = KEY
    entry.value = about.to_json()
    proto.producer_name = 'cid_mmpose'
    proto.producer_version = __version__
    proto.doc_string = 'CID, Contextual Instance Decoupling: keypoints of everyone in an image'


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's notes for those who write exporters."""
    names = ('torch.onnx', 'onnxscript', 'onnx_ir', 'torch.export', 'torch._dynamo')
    levels = {name: logging.getLogger(name).level for name in names}
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        for name in names:
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
