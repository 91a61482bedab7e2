"""ONNX files by onnxruntime."""

import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from cid_mmpose.errors import BadInput

from .about import KEY, OUTPUTS, About
from .seal import check_seal
from .session import Port, Rows, check_ports, first_line, threads_asked

INSTALL = 'pip install onnxruntime'  # the extra would bring a second OpenCV into an environment that has one
CPU = 'CPUExecutionProvider'
# device as users name it -> the provider that computes there
PROVIDERS = dict(
    cpu=CPU,
    cuda='CUDAExecutionProvider',
    tensorrt='TensorrtExecutionProvider',
    rocm='ROCMExecutionProvider',
    coreml='CoreMLExecutionProvider',
    directml='DmlExecutionProvider',
    openvino='OpenVINOExecutionProvider',
)


def onnxruntime_of() -> ModuleType:
    """The package; BadInput where it is missing."""
    try:
        import onnxruntime
    except ImportError as error:
        raise BadInput(f'a file .onnx is run by onnxruntime, which cannot be imported ({error}): {INSTALL}') from error
    return onnxruntime


class OnnxSession:
    """An ONNX file that is ready to run, see ``session.Session``.

    Args:
        path: of the file.
        device: 'cpu', 'cuda', 'cuda:1' or another of ``PROVIDERS``; None takes CUDA where onnxruntime has it.

    Raises:
        BadInput: onnxruntime is missing, the file is none that ``cid export`` wrote, or the device cannot be used.
    """

    def __init__(self, path: str, device: str | None = None) -> None:
        runtime = onnxruntime_of()
        _check_file(path)
        provider, number = _provider(device, runtime.get_available_providers())
        options = runtime.SessionOptions()
        options.log_severity_level = 3  # errors; warnings are of how a graph is optimised
        options.intra_op_num_threads = threads_asked() or 0  # 0: one for each core
        wanted: list[Any] = [provider] if number is None else [(provider, {'device_id': number})]
        if provider != CPU:
            wanted.append(CPU)
        try:
            self.session = runtime.InferenceSession(path, options, providers=wanted)
        except Exception as error:  # onnxruntime has a class for each cause, none of them public
            raise BadInput(
                f'{path}: onnxruntime {runtime.__version__} cannot load it ({first_line(error)}); export the model '
                'again, or update onnxruntime'
            ) from error
        carried = self.session.get_modelmeta().custom_metadata_map
        self.about = About.from_json(carried.get(KEY), path)
        self.path = path
        inputs = [_port(each) for each in self.session.get_inputs()]
        outputs = [_port(each) for each in self.session.get_outputs()]
        check_ports(inputs, outputs, self.about, path)

        used = self.session.get_providers()[0]
        if used != provider and device is not None:
            raise BadInput(f'device {device!r}: {provider} of onnxruntime could not be started; take cpu')
        if used != provider:
            warnings.warn(f'{provider} of onnxruntime could not be started: {used} is taken', stacklevel=2)
        self.where = f'onnxruntime {runtime.__version__}, {used}'

    def run(self, images: np.ndarray) -> Rows:
        """See ``session.Session``."""
        try:
            return Rows(*self.session.run(OUTPUTS, {'images': images}))
        except Exception as error:
            why = first_line(error)
            raise BadInput(f'{self.path}: onnxruntime stopped at images {images.shape} ({why})') from error


def _check_file(path: str) -> None:
    if not Path(path).is_file():
        raise BadInput(f'{path}: no such file; name one that cid export wrote')
    if not Path(path).stat().st_size:
        raise BadInput(f'{path}: is empty; export the model again')
    check_seal(Path(path))


def _provider(device: str | None, available: list[str]) -> tuple[str, int | None]:
    """The provider for a device, and which of its devices."""
    if device is None:
        return (PROVIDERS['cuda'] if PROVIDERS['cuda'] in available else CPU), None
    kind, _, number = str(device).partition(':')
    provider = PROVIDERS.get(kind.lower())
    if provider is None or (number and not number.isdigit()):
        raise BadInput(f'device {device!r}: of an .onnx file it is one of {", ".join(PROVIDERS)}, or such as cuda:1')
    if provider not in available:
        raise BadInput(
            f'device {device!r}: the installed onnxruntime has no {provider} (it has {", ".join(available)}); take '
            'cpu, or install the onnxruntime that has it, such as onnxruntime-gpu'
        )
    return provider, int(number) if number else None


def _port(given: Any) -> Port:
    """An input or output; its free sides have names."""
    sides = [side if type(side) is int else None for side in given.shape]
    return Port(given.name, sides, given.type == 'tensor(uint8)')
