"""An ONNX file as an engine of TensorRT, and whether TensorRT has all operators that a file is made of.

The network is strongly typed: what is computed in which precision stands in the ONNX file.
"""

from pathlib import Path
from typing import Any

import numpy as np

from cid_mmpose.errors import BadInput
from cid_mmpose.runtime.about import About
from cid_mmpose.runtime.tensorrt_file import join_parts, messages_of, tensorrt_of

# ONNX's operators that TensorRT 8.4 and newer take: those with a Y in the support matrix of its parser,
# https://github.com/onnx/onnx-tensorrt/blob/main/docs/operators.md
OPERATORS = frozenset(
    """
    Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization Cast Ceil Celu Clip Concat
    Constant ConstantOfShape Conv ConvTranspose Cos Cosh CumSum DepthToSpace DequantizeLinear Div Dropout Einsum Elu
    Equal Erf Exp Expand EyeLike Flatten Floor Gather GatherElements GatherND Gemm GlobalAveragePool GlobalLpPool
    GlobalMaxPool Greater GreaterOrEqual GRU HardSigmoid Identity If InstanceNormalization IsNaN LeakyRelu Less
    LessOrEqual Log LogSoftmax Loop LRN LSTM LpNormalization LpPool MatMul Max MaxPool Mean Min Mul Neg Not Or Pad Pow
    PRelu QuantizeLinear Range ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd
    ReduceSum ReduceSumSquare Relu Reshape Resize ReverseSequence RNN Round Scan ScatterElements ScatterND Selu Shape
    Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Tan Tanh
    ThresholdedRelu Tile TopK Transpose Unsqueeze Upsample Where Xor
    """.split()
)
MOST_TOPK = 3840  # values that its TopK gives at most


def problems_of(onnx_file: Path) -> list[str]:
    """What of an ONNX file TensorRT does not take; empty if nothing.

    Args:
        onnx_file: path.
    """
    import onnx

    graph = onnx.load(onnx_file, load_external_data=False).graph
    constants = {each.name: each for each in graph.initializer}
    found = {_full_name(node) for node in graph.node}
    problems = [f'operator {name}' for name in sorted(found - OPERATORS)]

    uint8 = onnx.TensorProto.UINT8
    inputs = {each.name for each in graph.input if each.type.tensor_type.elem_type == uint8}
    for node in graph.node:
        if node.op_type not in ('Cast', 'Shape') and inputs & set(node.input):
            problems.append(f'{node.op_type} of uint8 values')
        if node.op_type == 'TopK':
            count = constants.get(node.input[1])
            if count is None or onnx.numpy_helper.to_array(count).max() > MOST_TOPK:
                problems.append(f'TopK of more than {MOST_TOPK} values')
        if node.op_type in ('QuantizeLinear', 'DequantizeLinear') and len(node.input) > 2:
            zero = constants.get(node.input[2])
            values = None if zero is None else onnx.numpy_helper.to_array(zero)
            if values is None or values.dtype != np.int8 or values.any():
                problems.append(f'{node.op_type} that is not int8 around zero')
    return list(dict.fromkeys(problems))


def _full_name(node: Any) -> str:
    """The name of a node's operator, with its domain where that is not ONNX's own."""
    return f'{node.domain}.{node.op_type}' if node.domain else node.op_type


def write_engine(onnx_file: Path, about: About, path: Path) -> list[Path]:
    """Builds an engine on this machine's GPU.

    Args:
        onnx_file: the graph as ONNX, of a fixed size.
        about: what the file says of itself.
        path: of the file .engine.

    Raises:
        BadInput: TensorRT is missing, or does not take the graph, or there is no GPU.
    """
    problems = problems_of(onnx_file)
    if problems:
        raise BadInput(f'{path.name}: TensorRT does not take {", ".join(problems)} of this graph; export to .onnx')
    tensorrt = tensorrt_of().tensorrt
    messages = messages_of(tensorrt)
    try:
        builder = tensorrt.Builder(messages)
    except Exception as error:  # of its own binding, without a class
        raise BadInput(
            f'TensorRT {tensorrt.__version__} cannot be started ({messages.error}); is there a GPU?'
        ) from error
    network = builder.create_network(1 << int(tensorrt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = tensorrt.OnnxParser(network, messages)
    if not parser.parse(onnx_file.read_bytes()):
        reason = parser.get_error(0).desc() if parser.num_errors else messages.error
        raise BadInput(f'TensorRT {tensorrt.__version__} cannot read the graph ({reason:.200})')

    config = builder.create_builder_config()
    config.clear_flag(tensorrt.BuilderFlag.TF32)  # which keeps 10 bits of a float32 and moves keypoints
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise BadInput(f'TensorRT {tensorrt.__version__} cannot build an engine ({messages.error})')
    path.write_bytes(join_parts(bytes(plan), about.to_json()))
    return [path]
