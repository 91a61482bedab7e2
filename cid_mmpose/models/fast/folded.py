"""The backbone in testing: a copy with batch normalisation folded into the convolutions before it, compiled on demand.

What it saves: one pass over the maps for each layer; in half precision also the rounding of weights at every call, and
compiled the passes of ReLU and addition. Why it is equal: batch normalisation in evaluation is linear, so its factor
and shift can be part of the weights. That holds in float32 only: in half precision the folded weights are rounded.
"""

import inspect
import warnings
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from cid_mmpose.errors import BadInput

from .apart import Apart, can_take_apart
from .folding import fold
from .fused import can_fuse, fused

OLDEST_TO_COMPILE = 2, 11  # torch, the oldest that was tried (2.11.0 on a GPU)

# A graph that torch's cache on disk has of a CPU with other instructions, or of one that is kept from some, gave wrong
# maps in silence and broke the heap (torch 2.14.1), so that cache is left aside; that of compiled C++ stays.
COMPILING = dict(freezing=True, fx_graph_cache=False)


class WeightState(NamedTuple):
    """Identity and version of a weight, to notice that it has changed."""

    tensor: Tensor  # held, so that no other tensor can get its address
    address: int
    version: int  # counts the changes in place that autograd sees

    @classmethod
    def of(cls, tensor: Tensor) -> 'WeightState':
        """That of a parameter or buffer now."""
        return cls(tensor, tensor.data_ptr(), version_of(tensor))

    def holds(self, tensor: Tensor) -> bool:
        """Whether it is that of a tensor now."""
        is_same = tensor is self.tensor and tensor.data_ptr() == self.address
        return is_same and version_of(tensor) == self.version


def version_of(tensor: Tensor) -> int:
    """How often autograd saw a tensor change; 0 of an inference tensor, whose changes it does not count."""
    return 0 if tensor.is_inference() else tensor._version


def weights_of(network: nn.Module) -> list[Tensor]:
    """All parameters and buffers, those that are shared as often as they occur.

    Asking each module itself takes a seventh of the time of ``parameters()``, which also makes their names; before each
    image that counts where a GPU waits for the next layers.
    """
    tensors: list[Tensor | None] = []
    modules: list[nn.Module | None] = [network]
    while modules:
        module = modules.pop()
        if module is not None:
            tensors += module._parameters.values()
            tensors += module._buffers.values()
            modules += module._modules.values()
    return [tensor for tensor in tensors if tensor is not None]


def same_state(state: Sequence[WeightState], tensors: Sequence[Tensor]) -> bool:
    """Whether all weights are as they were.

    Args:
        state: of the weights of a backbone, earlier.
        tensors: its weights now.
    """
    return len(state) == len(tensors) and all(map(WeightState.holds, state, tensors))


class FoldedBackbone:
    """Makes and keeps folded copies of a backbone, and makes them anew when the weights have changed."""

    def __init__(self) -> None:
        self.state: list[WeightState] = []  # of the backbone when the copies were made
        self.copies: dict[tuple, Callable] = {}  # by dtype, mode, and whether it is fused

    def forget(self) -> None:
        """The next call makes a new copy."""
        if any(mode for _, mode, _ in self.copies):
            torch.compiler.reset()  # nothing else gives back programs, and at 256 of them torch compiles no more
        self.state = []
        self.copies = {}

    def __getstate__(self) -> dict:
        """Copies are left out of a saved or copied model; they are made again."""
        return dict(state=[], copies={})

    def __call__(self, backbone: nn.Module, inputs: Tensor, dtype: torch.dtype, mode: str | None = None) -> tuple:
        """The maps of a backbone in evaluation.

        Args:
            backbone: what is copied.
            inputs: images (B, 3, h, w).
            dtype: to compute in.
            mode: one of ``COMPILE_MODES``; None does not compile.

        Raises:
            BadInput: this machine or this torch cannot do it.
        """
        program = self._program(backbone, inputs, dtype, mode)
        if dtype is torch.float16 and inputs.device.type == 'cpu' and not cpu_autocasts_float16():
            raise BadInput(
                f"model.test_cfg: precision='float16' does not run on a CPU with torch {torch.__version__}; "
                "take 'bfloat16' or 'float32', or update torch"
            )
        half = dtype in (torch.float16, torch.bfloat16)
        # autocast for layers that stay in float32 between others that do not
        with torch.autocast(inputs.device.type, dtype if half else None, enabled=half):
            return program(inputs.to(dtype))

    def takes_apart(self, backbone: nn.Module, inputs: Tensor, dtype: torch.dtype, mode: str | None = None) -> bool:
        """Whether a call shares out the images of a batch itself; arguments as of a call."""
        is_fused = mode is None and can_fuse(backbone, inputs, dtype)
        return is_fused and isinstance(self._program(backbone, inputs, dtype, mode), Apart)

    def _program(self, backbone: nn.Module, inputs: Tensor, dtype: torch.dtype, mode: str | None) -> Callable:
        """The copy of a backbone that is called, of its weights now."""
        tensors = weights_of(backbone)
        if not same_state(self.state, tensors):
            self.forget()
            self.state = [WeightState.of(tensor) for tensor in tensors]
        key = dtype, mode, mode is None and can_fuse(backbone, inputs, dtype)
        program = self.copies.get(key)
        if program is None:  # another thread may forget the copies at any time, but not this one
            program = self.copies[key] = program_of(backbone, *key)
        return program


def program_of(backbone: nn.Module, dtype: torch.dtype, mode: str | None, is_fused: bool) -> Callable:
    """A folded copy of a backbone, as it is, compiled, or fused (``fused.py``)."""
    copy = folded_copy(backbone, dtype)
    if mode:
        return compiled(copy, mode)
    if is_fused:
        with torch.inference_mode(False), torch.no_grad():
            copy = fused(copy)
        return Apart(copy) if can_take_apart(copy) else copy
    return copy


def cpu_autocasts_float16() -> bool:
    """Whether this torch runs float16 under autocast on a CPU; old ones know bfloat16 only."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return torch.autocast('cpu', torch.float16)._enabled


def folded_copy(backbone: nn.Module, dtype: torch.dtype) -> nn.Module:
    """A copy for evaluation: batch normalisation folded into the convolutions before it, weights in ``dtype``."""
    # no inference tensors even if the first call is in inference mode: a later one may want gradients of the images
    with torch.inference_mode(False), torch.no_grad():
        copy = deepcopy(backbone)
        copy.train(False)  # a statement of its own: HRNet.train returns None
        return fold(copy).to(dtype).requires_grad_(False)


def can_compile() -> bool:
    """Whether this torch compiles networks as it is done here; older ones were not tried."""
    major, minor = torch.__version__.split('.')[:2]
    return (int(major), int(minor)) >= OLDEST_TO_COMPILE


def can_isolate() -> bool:
    """Whether torch.compile itself keeps the programs of several networks of one class apart."""
    return 'isolate_recompiles' in inspect.signature(torch.compile).parameters


def compiled(network: nn.Module, mode: str) -> Callable:
    """A network by torch.compile, with its weights as constants.

    There is a program for the first size of images that comes, and a more general one, slower to compile and to run,
    for all others (two if the next size is a square).

    Args:
        network: in evaluation.
        mode: one of ``COMPILE_MODES`` that is not None.

    Returns:
        What is called with images (B, 3, h, w) as the network is.

    Raises:
        BadInput: if this torch is too old; when called, if it cannot be compiled here.
    """
    if not can_compile():
        needed = '.'.join(map(str, OLDEST_TO_COMPILE))
        raise BadInput(
            f'model.test_cfg: compile={mode!r} needs torch {needed} or newer, this is {torch.__version__}; '
            'leave compile out, or update torch'
        )
    one_size = compiled_apart(network, mode, dynamic=False)
    any_size = compiled_apart(network, mode, dynamic=True)
    first_shape: list[torch.Size] = []  # empty before the first call; a list, because the closure changes it

    def call(inputs: Tensor) -> tuple:
        if not first_shape:
            first_shape.append(inputs.shape)
        program = one_size if inputs.shape == first_shape[0] else any_size
        try:
            # settings of the whole process, for this call: as options of torch.compile they would not reach the part
            # that tells weights from inputs
            with torch._inductor.config.patch(COMPILING):
                return program(inputs)
        except torch._dynamo.exc.BackendCompilerFailed as error:
            why = ' '.join(str(error).split('\n\n')[0].split())  # behind that come hints for torch's developers
            raise BadInput(
                f'model.test_cfg: compile={mode!r} does not work here: {why}; install what is missing (on a '
                'CPU a C++ compiler such as g++) or leave compile out'
            ) from error

    return call


def compiled_apart(network: nn.Module, mode: str, dynamic: bool) -> Callable:
    """A network by torch.compile, whose programs do not count among those of other networks.

    torch keeps eight programs of a piece of code, and runs what comes after them uncompiled. All networks of a class
    are one piece of code, so with the weights of each as constants the ninth network would be such a case.
    """
    options: dict[str, Any] = dict(mode=mode, dynamic=dynamic)
    if can_isolate():
        options['isolate_recompiles'] = True
        return torch.compile(network, **options)

    def run(images: Tensor) -> tuple:
        return network(images)

    # functions of one def share their code, by which torch keeps programs: this one gets a copy
    run.__code__ = run.__code__.replace()
    return torch.compile(run, **options)
