"""Engines of TensorRT: a plan for one GPU and one version of TensorRT, with what the file says of itself behind it."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cid_mmpose.errors import BadInput

from .about import OUTPUTS, About
from .seal import check_seal, end_length
from .session import Port, Rows, check_ports, first_line

INSTALL = 'pip install tensorrt cuda-python'


class TensorRt(NamedTuple):
    """The packages that build and run engines."""

    tensorrt: Any
    cuda: Any  # the calls of CUDA's runtime, from cuda-python


def tensorrt_of() -> TensorRt:
    """The packages; BadInput where one is missing."""
    try:
        import tensorrt
        from cuda.bindings import runtime as cuda
    except (ImportError, OSError) as error:  # OSError: a library of NVIDIA's is missing
        raise BadInput(
            f'a file .engine is built and run by TensorRT, which cannot be imported ({first_line(error)}): {INSTALL}; '
            'or export to .onnx with --fixed-size, and let trtexec build the engine (docs/export.md)'
        ) from error
    return TensorRt(tensorrt, cuda)


def messages_of(tensorrt: Any) -> Any:
    """A logger of TensorRT that keeps the last error, as ``error``, and prints nothing.

    Args:
        tensorrt: the package.
    """

    kinds = tensorrt.ILogger.Severity

    class Messages(tensorrt.ILogger):
        def __init__(self) -> None:
            tensorrt.ILogger.__init__(self)
            self.error = 'no reason is given'

        def log(self, severity: Any, message: str) -> None:
            if severity in (kinds.ERROR, kinds.INTERNAL_ERROR):
                self.error = first_line(message)

    return Messages()


def join_parts(plan: bytes, said: str) -> bytes:
    """The content of a file .engine, which is yet to be sealed.

    Args:
        plan: of TensorRT.
        said: what the file says of itself, on one line.
    """
    return plan + b'\n' + said.encode()


def split_parts(content: bytes) -> tuple[bytes, str]:
    """The plan and what the file says of itself.

    Args:
        content: of a sealed file.
    """
    plan, _, said = content[: -end_length(Path('a.engine'))].rpartition(b'\n')
    return plan, said.decode(errors='replace')


class TensorRtSession:
    """An engine that is ready to run, see ``session.Session``.

    Args:
        path: of the file .engine.
        device: 'cuda', 'cuda:1' or 'tensorrt'; None takes the first GPU.

    Raises:
        BadInput: TensorRT is missing, the file is none that ``cid export`` wrote, or it is for another GPU or version.
    """

    def __init__(self, path: str, device: str | None = None) -> None:
        if not Path(path).is_file():
            raise BadInput(f'{path}: no such file; name one that cid export wrote')
        check_seal(Path(path))
        number = gpu_number(device)
        plan, said = split_parts(Path(path).read_bytes())
        self.about = About.from_json(said, path)
        self.path = path

        tensorrt, self.cuda = tensorrt_of()
        self._call('cudaSetDevice', number)
        messages = messages_of(tensorrt)
        self.runtime = tensorrt.Runtime(messages)
        self.engine = self.runtime.deserialize_cuda_engine(plan)
        if self.engine is None:
            raise BadInput(
                f'{path}: TensorRT {tensorrt.__version__} cannot load it on this GPU ({messages.error}); export it '
                'here: an engine is for one kind of GPU and one version of TensorRT'
            )
        self._check_ports(tensorrt)
        self.context = self.engine.create_execution_context()
        self.stream = self._call('cudaStreamCreate')
        self.outputs = {name: np.empty(tuple(self.engine.get_tensor_shape(name)), np.float32) for name in OUTPUTS}
        self.memory: dict[str, int] = {}  # name -> address on the GPU
        for name, array in self.outputs.items():
            self._make_room(name, array.nbytes)
        self._make_room('images', int(np.prod(self.engine.get_tensor_shape('images'))))
        self.where = f'tensorrt {tensorrt.__version__}, cuda:{number}'

    def run(self, images: np.ndarray) -> Rows:
        """See ``session.Session``."""
        wanted = tuple(self.engine.get_tensor_shape('images'))
        if images.shape != wanted:
            raise BadInput(f'{self.path}: its engine takes images {wanted}, not {images.shape}; export for that size')
        images = np.ascontiguousarray(images)
        kinds = self.cuda.cudaMemcpyKind
        to_gpu = kinds.cudaMemcpyHostToDevice
        self._call('cudaMemcpyAsync', self.memory['images'], images.ctypes.data, images.nbytes, to_gpu, self.stream)
        if not self.context.execute_async_v3(self.stream):
            raise BadInput(f'{self.path}: TensorRT stopped at images {images.shape}; export the model again')
        for name, array in self.outputs.items():
            to_host = kinds.cudaMemcpyDeviceToHost
            self._call('cudaMemcpyAsync', array.ctypes.data, self.memory[name], array.nbytes, to_host, self.stream)
        self._call('cudaStreamSynchronize', self.stream)
        return Rows(*(self.outputs[name].copy() for name in OUTPUTS))

    def _check_ports(self, tensorrt: Any) -> None:
        """BadInput unless inputs and outputs are those of an export."""
        inputs: list[Port] = []
        outputs: list[Port] = []
        for number in range(self.engine.num_io_tensors):
            name = self.engine.get_tensor_name(number)
            is_uint8 = self.engine.get_tensor_dtype(name) == tensorrt.DataType.UINT8
            port = Port(name, list(self.engine.get_tensor_shape(name)), is_uint8)
            is_input = self.engine.get_tensor_mode(name) == tensorrt.TensorIOMode.INPUT
            (inputs if is_input else outputs).append(port)
        check_ports(inputs, outputs, self.about, self.path)

    def _make_room(self, name: str, size: int) -> None:
        """Memory on the GPU for a tensor.

        Args:
            name: of the tensor.
            size: bytes.
        """
        self.memory[name] = self._call('cudaMalloc', size)
        self.context.set_tensor_address(name, self.memory[name])

    def _call(self, name: str, *arguments: Any) -> Any:
        """What a call of CUDA's runtime gives.

        Args:
            name: of the call.
            *arguments: of the call.

        Raises:
            BadInput: CUDA says that it failed.
        """
        status, *values = getattr(self.cuda, name)(*arguments)
        if status != self.cuda.cudaError_t.cudaSuccess:
            raise BadInput(f'{self.path}: CUDA stopped at {name} ({status}); is there a GPU, and room on it?')
        return values[0] if values else None


def gpu_number(device: str | None) -> int:
    """Which GPU a device names.

    Args:
        device: as ``TensorRtSession`` takes it.

    Raises:
        BadInput: it is no GPU.
    """
    kind, _, number = str(device or 'cuda').lower().partition(':')
    if kind not in ('cuda', 'tensorrt') or (number and not number.isdigit()):
        raise BadInput(f'device {device!r}: of an .engine file it is cuda, or such as cuda:1')
    return int(number or 0)
