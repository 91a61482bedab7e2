"""OpenVINO files: a graph .xml and its weights .bin beside it."""

import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from cid_mmpose.errors import BadInput

from .about import KEY, OUTPUTS, About
from .seal import check_seal
from .session import Port, Rows, check_ports, threads_asked

INSTALL = 'pip install openvino'  # the extra would bring a second OpenCV into an environment that has one
# precision of a file -> OpenVINO's name of what it is computed in, where the device can
HINTS = dict(float32='f32', float16='f16', bfloat16='bf16')


def openvino_of() -> ModuleType:
    """The package; BadInput where it is missing."""
    try:
        import openvino
    except ImportError as error:
        raise BadInput(f'a file .xml is run by openvino, which cannot be imported ({error}): {INSTALL}') from error
    return openvino


def check_bfloat16(device: str = 'CPU') -> None:
    """BadInput unless a device computes in bfloat16 by itself; otherwise OpenVINO takes float32 without a word.

    Args:
        device: OpenVINO's name of it.
    """
    able = openvino_of().Core().get_property(device, 'OPTIMIZATION_CAPABILITIES')
    if 'BF16' not in able:
        raise BadInput(
            f'precision bfloat16: {device} has no such instructions (it has {", ".join(able)}), and openvino would '
            'compute in float32; take float32 or int8'
        )


class OpenVinoSession:
    """An OpenVINO file that is ready to run, see ``session.Session``.

    Args:
        path: of the file .xml.
        device: 'cpu', 'gpu', 'npu' or 'auto', also as 'gpu.1'; None takes the CPU.

    Raises:
        BadInput: openvino is missing, the file is none that ``cid export`` wrote, or the device cannot be used.
    """

    def __init__(self, path: str, device: str | None = None) -> None:
        openvino = openvino_of()
        for part in (Path(path), Path(path).with_suffix('.bin')):
            if not part.is_file():
                raise BadInput(f'{part}: no such file; the .xml and the .bin of an export belong together')
        check_seal(Path(path))
        core = openvino.Core()
        name = _device(device, core.available_devices)
        try:
            model = core.read_model(path)
        except Exception as error:  # openvino has one class for everything
            raise BadInput(f'{path}: openvino cannot read it ({_line(error)}); export the model again') from error
        self.about = About.from_json(_said(model), path)
        inputs = [_port(each) for each in model.inputs]
        outputs = [_port(each) for each in model.outputs]
        check_ports(inputs, outputs, self.about, path)
        hints: dict[str, Any] = {'PERFORMANCE_HINT': 'LATENCY'}
        hints['INFERENCE_PRECISION_HINT'] = HINTS.get(self.about.precision, 'f32')
        if name == 'CPU' and threads_asked():
            hints['INFERENCE_NUM_THREADS'] = threads_asked()
        try:
            self.compiled = core.compile_model(model, name, hints)
        except Exception as error:
            raise BadInput(f'{path}: openvino cannot run it on {name} ({_line(error)}); take cpu') from error
        self.path = path
        used = str(self.compiled.get_property('INFERENCE_PRECISION_HINT').to_string())
        wanted = hints['INFERENCE_PRECISION_HINT']
        if used != wanted:
            warnings.warn(
                f'{path}: {name} does not compute in {self.about.precision}; openvino takes {used}', stacklevel=2
            )
        self.where = f'openvino {openvino.__version__.partition("-")[0]}, {name}, {used}'

    def run(self, images: np.ndarray) -> Rows:
        """See ``session.Session``."""
        try:
            found = self.compiled({'images': images})
        except Exception as error:
            raise BadInput(f'{self.path}: openvino stopped at images {images.shape} ({_line(error)})') from error
        return Rows(*(found[name] for name in OUTPUTS))


def _device(device: str | None, available: list[str]) -> str:
    """OpenVINO's name of a device."""
    if device is None:
        return 'CPU'
    name = str(device).upper()
    kinds = {each.partition('.')[0] for each in available} | {'AUTO'}
    if name not in available and name not in kinds:
        raise BadInput(f'device {device!r}: openvino has {", ".join(available)} here; take one of these, or auto')
    return name


def _said(model: Any) -> str | None:
    """What a file says of itself; None if nothing."""
    if not model.has_rt_info([KEY]):
        return None
    return model.get_rt_info([KEY]).astype(str)


def _port(given: Any) -> Port:
    """An input or output."""
    sides = [None if side.is_dynamic else side.get_length() for side in given.get_partial_shape()]
    return Port(given.get_any_name(), sides, given.get_element_type().get_type_name() == 'u8')


def _line(error: Exception) -> str:
    """The last line of what openvino says, behind the places in its own code."""
    return str(error).strip().rpartition('\n')[2][:200]
