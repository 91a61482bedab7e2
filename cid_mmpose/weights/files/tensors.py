"""Tensors out of the pickle of a checkpoint, never of more numbers than the file holds."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .makers import MAKERS
from .pickles import Maker, Refused, refusal

# the end of a storage's name in a pickle -> the numbers in it
STORAGE_DTYPES = {
    'DoubleStorage': torch.float64,
    'FloatStorage': torch.float32,
    'HalfStorage': torch.float16,
    'BFloat16Storage': torch.bfloat16,
    'LongStorage': torch.int64,
    'IntStorage': torch.int32,
    'ShortStorage': torch.int16,
    'CharStorage': torch.int8,
    'ByteStorage': torch.uint8,
    'BoolStorage': torch.bool,
    'ComplexDoubleStorage': torch.complex128,
    'ComplexFloatStorage': torch.complex64,
    'UntypedStorage': torch.uint8,
}
STORAGE_NAME = re.compile(r'torch\.(?:cuda\.|storage\.)?(\w+Storage)')
PLAIN_DTYPE = re.compile(r'torch\.(?:float(?:16|32|64|8_\w+)|bfloat16|u?int(?:8|16|32|64)|bool|complex(?:64|128))')
MOST_REPEATED = 2**20  # elements of a tensor that repeats a few numbers of the file (``expand``)
# what torch can save and no model of ours takes: end of the function's name -> what it makes
OTHER_TENSORS = {
    '_rebuild_sparse_tensor': 'a sparse tensor',
    '_rebuild_qtensor': 'a quantised tensor',
    '_rebuild_meta_tensor_no_storage': 'a tensor without numbers (of the meta device)',
    '_rebuild_nested_tensor': 'a nested tensor',
    '_rebuild_wrapper_subclass': 'a tensor of a class of its own',
    '_rebuild_device_tensor_from_numpy': 'a tensor of a device that is unknown here',
    '_rebuild_device_tensor_from_cpu_tensor': 'a tensor of a device that is unknown here',
}


class Stored(NamedTuple):
    """Numbers of the file."""

    data: Tensor  # (bytes, ) uint8
    dtype: torch.dtype


def make_tensor(
    stored: Stored,
    offset: int,
    size: tuple,
    stride: tuple,
    requires_grad: bool = False,
    hooks: Any = None,
    dtype: Any = None,
    metadata: Any = None,
) -> Tensor:
    """A tensor over stored numbers, as torch lays it out.

    Args:
        stored: the numbers.
        offset: of the first element, in elements.
        size: of the tensor.
        stride: steps from one element to the next, in elements, one for each dimension.
        requires_grad: whether it is trained.
        hooks: not taken over.
        dtype: of the elements where the storage has none.
        metadata: not taken over.
    """
    if not isinstance(stored, Stored):
        raise ValueError('a tensor without a storage')
    if not isinstance(dtype, torch.dtype):
        dtype = stored.dtype
    if not PLAIN_DTYPE.fullmatch(str(dtype)):
        raise Refused(f'holds numbers of {dtype}, which no model of CID takes')

    numbers = stored.data.view(dtype)
    _check_layout(numbers.numel(), offset, size, stride)
    start = numbers.storage_offset() + offset
    made = torch.empty(0, dtype=dtype, device=numbers.device)
    made.set_(numbers.untyped_storage(), start, size, stride)
    return made.requires_grad_(bool(requires_grad))


def _check_layout(available: int, offset: int, size: tuple, stride: tuple) -> None:
    """ValueError if a layout leads out of the storage; torch would make it larger, of memory that nobody wrote.

    Args:
        available: elements of the storage.
        offset: of the first element.
        size: of the tensor.
        stride: in elements.
    """
    size = tuple(size)
    stride = tuple(stride)
    if len(size) != len(stride):
        raise ValueError('a tensor with an impossible layout')
    for number in (offset, *size, *stride):
        if type(number) is not int or number < 0:
            raise ValueError('a tensor with an impossible layout')

    elements = 1
    last = offset
    for side, step in zip(size, stride):
        elements *= side
        last += (side - 1) * step

    if elements and last >= available:
        raise ValueError(f'a tensor over {last + 1} stored numbers, of which there are {available}')
    if elements > max(available, MOST_REPEATED):
        raise ValueError(f'a tensor of {elements} elements over {available} stored numbers')


def make_tensor_3(
    stored: Stored,
    offset: int,
    size: tuple,
    stride: tuple,
    requires_grad: bool,
    hooks: Any,
    dtype: torch.dtype,
    metadata: Any = None,
) -> Tensor:
    """As ``make_tensor``, of numbers that torch keeps without their dtype.

    Args:
        stored: as there.
        offset: as there.
        size: as there.
        stride: as there.
        requires_grad: as there.
        hooks: as there.
        dtype: as there.
        metadata: as there.
    """
    return make_tensor(stored, offset, size, stride, requires_grad, hooks, dtype)


def make_tensor_2(
    stored: Stored,
    offset: int,
    size: tuple,
    stride: tuple,
    requires_grad: bool = False,
    hooks: Any = None,
    metadata: Any = None,
) -> Tensor:
    """As ``make_tensor``, of numbers whose dtype is the storage's.

    Args:
        stored: as there.
        offset: as there.
        size: as there.
        stride: as there.
        requires_grad: as there.
        hooks: as there.
        metadata: as there.
    """
    return make_tensor(stored, offset, size, stride, requires_grad)


def make_parameter(data: Tensor, requires_grad: bool = True, *_) -> torch.nn.Parameter:
    """A parameter of a tensor."""
    if not isinstance(data, Tensor):
        raise ValueError('a parameter without a tensor')
    return torch.nn.Parameter(data, bool(requires_grad))


def make_of_type(maker: Maker, kind: Any, arguments: tuple, *_) -> Tensor:
    """A tensor that had attributes of its own when it was saved; they are not taken over."""
    if not isinstance(maker, Maker) or maker.name not in TENSOR_MAKERS:
        name = getattr(maker, 'name', type(maker).__name__)
        raise refusal(name)
    return maker.make(*arguments)


def make_size(sides: Any = ()) -> torch.Size:
    """A shape."""
    if type(sides) is not tuple:
        raise ValueError('a shape of another form')
    for side in sides:
        if type(side) is not int:
            raise ValueError('a shape of another form')
    return torch.Size(sides)


def make_device(kind: str = 'cpu', *index: int) -> torch.device:
    """The name of a device."""
    return torch.device(kind, *index)


def _makers() -> dict[str, Maker]:
    """Full name in a pickle -> what makes a tensor or a parameter."""
    functions: dict[str, Callable[..., Tensor]] = {
        '_rebuild_tensor': make_tensor_2,
        '_rebuild_tensor_v2': make_tensor_2,
        '_rebuild_tensor_v3': make_tensor_3,
        '_rebuild_parameter': make_parameter,
        '_rebuild_parameter_with_state': make_parameter,
    }
    table = {}
    for name, function in functions.items():
        full = f'torch._utils.{name}'
        table[full] = Maker(full, function)
    return table


TENSOR_MAKERS = _makers()
OTHER_MAKERS = {
    'torch._tensor._rebuild_from_type_v2': Maker('torch._tensor._rebuild_from_type_v2', make_of_type),
    'torch.Size': Maker('torch.Size', make_size),
    'torch.device': Maker('torch.device', make_device),
    'torch.nn.parameter.Parameter': torch.nn.Parameter,
    'torch.Tensor': Tensor,
}  # as types, for ``make_of_type``


class Names(dict):
    """Full name in a pickle of torch -> what it stands for; numpy's, mmengine's and Python's are there from the start.

    Names of storages and of dtypes are found by their form, as each version of torch has its own.
    """

    def __init__(self) -> None:
        super().__init__({**MAKERS, **TENSOR_MAKERS, **OTHER_MAKERS})

    def __contains__(self, name: object) -> bool:
        if super().__contains__(name):
            return True
        found = self._of_torch(str(name))
        if found is None:
            return False
        self[name] = found
        return True

    def _of_torch(self, name: str) -> Any | None:
        found = STORAGE_NAME.fullmatch(name)
        storage = found.group(1) if found else ''
        if storage in STORAGE_DTYPES:
            return STORAGE_DTYPES[storage]
        if storage.startswith('Q'):
            raise Refused('holds a quantised tensor, which no model of CID takes; give weights of plain numbers')
        function = name.rpartition('.')[2]
        if name.startswith('torch._utils.') and function in OTHER_TENSORS:
            kind = OTHER_TENSORS[function]
            raise Refused(f'holds {kind}, which no model of CID takes; give weights of plain numbers')
        if PLAIN_DTYPE.fullmatch(name):
            dtype = name.partition('.')[2]
            return getattr(torch, dtype, None)
        return None


def placing(map_location: Any) -> Callable[[Tensor, str], Tensor]:
    """What puts bytes (n, ) on the device where they should be.

    Args:
        map_location: as for ``torch.load``: None for the device that the file states, where it is there; a device; a
            dict from stated to wanted ones; or a function of a storage and the stated device.
    """

    def on_one_device(data: Tensor, stated: str) -> Tensor:
        return data.to(map_location)

    def on_mapped_device(data: Tensor, stated: str) -> Tensor:
        wanted = map_location.get(stated, stated)
        return _on_stated(data, str(wanted))

    def by_function(data: Tensor, stated: str) -> Tensor:
        storage = map_location(data.untyped_storage(), stated)
        if storage is None:
            return _on_stated(data, stated)
        placed = torch.empty(0, dtype=torch.uint8, device=storage.device)
        return placed.set_(storage)

    if map_location is None:
        return _on_stated
    if isinstance(map_location, (str, torch.device)):
        return on_one_device
    if isinstance(map_location, dict):
        return on_mapped_device
    return by_function


def _on_stated(data: Tensor, stated: str) -> Tensor:
    """The bytes on the stated device, or on the CPU where there is none of that name."""
    device = re.fullmatch(r'cuda(?::(\d+))?', stated)
    if not device or not torch.cuda.is_available():
        return data
    index = int(device.group(1) or 0)
    if index >= torch.cuda.device_count():
        return data
    return data.to(stated)
