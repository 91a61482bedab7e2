"""An ONNX file as a file of OpenVINO."""

from pathlib import Path
from typing import Any

from cid_mmpose.errors import BadInput
from cid_mmpose.runtime.about import KEY, About
from cid_mmpose.runtime.openvino_file import openvino_of


def write_openvino(onnx_file: Path, about: About, path: Path) -> list[Path]:
    """Writes the graph and its weights.

    Args:
        onnx_file: the graph as ONNX.
        about: what the file says of itself.
        path: of the file .xml.

    Returns:
        The files, the graph last: who finds it finds its weights too.

    Raises:
        BadInput: openvino cannot convert the graph.
    """
    return save_openvino(converted(onnx_file), about, path)


def converted(onnx_file: Path) -> Any:
    """The graph as a model of OpenVINO.

    Args:
        onnx_file: the graph as ONNX.

    Raises:
        BadInput: openvino cannot convert it.
    """
    openvino = openvino_of()
    try:
        return openvino.convert_model(str(onnx_file))
    except Exception as error:  # openvino has one class for everything
        reason = str(error).strip().rpartition('\n')[2]
        raise BadInput(f'openvino {openvino.__version__} cannot convert the graph ({reason:.200})') from error


def save_openvino(model: Any, about: About, path: Path) -> list[Path]:
    """Writes a model of OpenVINO; arguments and files as of ``write_openvino``.

    Args:
        model: of ``converted``.
        about: what the file says of itself.
        path: of the file .xml.

    Raises:
        BadInput: openvino cannot write them.
    """
    model.set_rt_info(about.to_json(), [KEY])
    try:
        openvino_of().save_model(model, str(path), compress_to_fp16=about.precision == 'float16')
    except Exception as error:  # openvino does not say why
        reason = str(error).strip().rpartition('\n')[2]
        raise BadInput(f'{path.name}: openvino cannot write it ({reason:.200}); is there room on the disk?') from error
    return [path.with_suffix('.bin'), path]
