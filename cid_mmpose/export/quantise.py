"""int8: weights and inputs of convolutions in 8 bits, from what calibration images make of them.

What is quantised is the backbone, from its first convolution to its last; the head stays in float32.
"""

import io
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cid_mmpose.errors import BadInput
from cid_mmpose.runtime.about import About

from .graph import describe
from .openvino_graph import converted, save_openvino
from .tensorrt_engine import write_engine

INSTALL = "pip install 'cid_mmpose[int8]'"
CONVOLUTION = 'Conv'  # of ONNX
# options of onnxruntime's quantiser
FOR_TENSORRT = dict(ActivationSymmetric=True, WeightSymmetric=True, AddQDQPairToWeight=True, QuantizeBias=False)
# What stays in float32 as a user reads it, and the names of the weights of what does not; from the fastest to the most
# careful.
CHOICES = {
    'the head': r'backbone\.',
    'the head, the stem and the first stage': r'backbone\.(?!conv|stem|layer1)',
}


def nncf_of() -> Any:
    """The package; BadInput where it is missing."""
    try:
        import nncf
    except ImportError as error:
        raise BadInput(f'int8 needs nncf, which cannot be imported ({error}): {INSTALL}') from error
    return nncf


def quantise(onnx_file: Path, about: About, weights: str, images: Sequence[np.ndarray], path: Path) -> list[Path]:
    """Writes a graph in int8.

    Args:
        onnx_file: the graph in float32.
        about: what that file says of itself.
        weights: pattern of the names of the weights that are quantised, see ``CHOICES``.
        images: (B, h, w, 3) uint8 BGR each, as the graph takes them.
        path: of the file, .onnx, .xml or .engine.

    Returns:
        The files; the one that is named comes last.
    """
    import onnx

    about = replace(about, precision='int8')
    proto = onnx.load(str(onnx_file))
    chosen = {
        node.name for node in proto.graph.node if node.op_type == CONVOLUTION and re.match(weights, node.input[1])
    }
    if path.suffix == '.xml':
        model = converted(onnx_file)
        about = replace(about, made_by=dict(about.made_by, nncf=nncf_of().__version__))
        return save_openvino(_by_nncf(model, _others(model, chosen), images), about, path)
    quantised = path.with_suffix('.onnx')
    is_engine = path.suffix == '.engine'
    result = by_onnxruntime(onnx_file, _between(proto, chosen), images, quantised, for_tensorrt=is_engine)
    describe(result, about)
    quantised.write_bytes(result.SerializeToString())
    return write_engine(quantised, about, path) if is_engine else [path]


def _by_nncf(model: Any, others: Sequence[str], images: Sequence[np.ndarray]) -> Any:
    """A model of OpenVINO in int8, but for some of its nodes.

    Args:
        model: in float32.
        others: names of the nodes that stay in float32.
        images: (B, h, w, 3) uint8 BGR each.
    """
    nncf = nncf_of()
    with _quiet():
        return nncf.quantize(
            model,
            nncf.Dataset([dict(images=each) for each in images]),
            subset_size=len(images),
            preset=nncf.QuantizationPreset.MIXED,  # convolutions behind additions have inputs of both signs
            ignored_scope=nncf.IgnoredScope(names=list(others)),
        )


def by_onnxruntime(
    onnx_file: Path, nodes: Sequence[str], images: Sequence[np.ndarray], path: Path, for_tensorrt: bool = False
) -> Any:
    """A model of ONNX some of whose nodes are in int8.

    Args:
        onnx_file: in float32.
        nodes: names of the nodes that are quantised.
        images: (B, h, w, 3) uint8 BGR each.
        path: where onnxruntime may write.
        for_tensorrt: TensorRT takes whole numbers around zero alone, and quantises weights itself; CPUs are faster with
            activations from 0 to 255.
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

    class Reader(CalibrationDataReader):
        waiting = iter([dict(images=each) for each in images])

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self.waiting, None)

    with _quiet():
        quantize_static(
            str(onnx_file),
            str(path),
            Reader(),
            nodes_to_quantize=list(nodes),
            op_types_to_quantize=[CONVOLUTION, 'Add'],
            per_channel=True,
            activation_type=QuantType.QInt8 if for_tensorrt else QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options=FOR_TENSORRT if for_tensorrt else {},
        )
    return onnx.load(str(path))


def _between(proto: Any, chosen: set[str]) -> list[str]:
    """Names of the chosen nodes and of those between them.

    Args:
        proto: of ONNX.
        chosen: names of convolutions.
    """
    leads_there: set[str] = set()  # outputs from which a chosen convolution can be reached
    between = []
    for node in reversed(proto.graph.node):
        reaches = bool(leads_there.intersection(node.output))
        if node.name in chosen or reaches:
            leads_there.update(node.input)
        if node.name in chosen or (reaches and node.op_type != CONVOLUTION):
            between.append(node.name)
    return between


def _others(model: Any, chosen: set[str]) -> list[str]:
    """Names of the nodes of a model of OpenVINO that are neither chosen nor between chosen ones.

    Args:
        model: whose nodes have the names of ONNX, some with a word behind them.
        chosen: names of convolutions in ONNX.
    """
    leads_there: set[str] = set()  # names of nodes
    others = []
    for node in reversed(model.get_ordered_ops()):
        name = node.get_friendly_name()
        if node.get_type_name() in ('Constant', 'Parameter', 'Result'):
            continue
        is_convolution = 'Convolution' in node.get_type_name()
        is_chosen = is_convolution and name.partition('/')[0] in chosen
        if is_chosen or name in leads_there:
            leads_there.update(each.get_node().get_friendly_name() for each in node.input_values())
        if not is_chosen and (is_convolution or name not in leads_there):
            others.append(name)
    return others


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the notes and bars of NNCF and onnxruntime."""
    nowhere = io.StringIO()
    logging.disable(logging.WARNING)
    try:
        with redirect_stdout(nowhere), redirect_stderr(nowhere):
            yield
    finally:
        logging.disable(logging.NOTSET)
