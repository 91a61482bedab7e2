"""Pickles that hold data: an unpickler that builds what a checkpoint needs and nothing else.

It works on top of the standard library's unpickler in Python, with those of its instructions that data needs. Whatever
a pickle asks to call is a ``Maker`` of ours, found by the name that the pickle states, or it is refused.
"""

import collections
import pickle
import pickletools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
import torch

DEEPEST = 100  # containers inside each other; mmengine's own checkpoints have 8
# names of instructions (as in ``pickletools``) whose effect in the standard library is harmless
PLAIN_INSTRUCTIONS = {
    'PROTO',
    'STOP',
    'FRAME',
    'MARK',
    'NONE',
    'NEWFALSE',
    'NEWTRUE',
    'BININT',
    'BININT1',
    'BININT2',
    'LONG1',
    'BINFLOAT',
    'BINUNICODE',
    'SHORT_BINUNICODE',
    'SHORT_BINSTRING',
    'BINSTRING',
    'BINBYTES',
    'SHORT_BINBYTES',
    'EMPTY_TUPLE',
    'TUPLE',
    'TUPLE1',
    'TUPLE2',
    'TUPLE3',
    'EMPTY_LIST',
    'EMPTY_DICT',
    'EMPTY_SET',
    'GLOBAL',
    'STACK_GLOBAL',
    'BINGET',
    'LONG_BINGET',
    'BINPUT',
    'LONG_BINPUT',
    'MEMOIZE',
}
CODES = {instruction.name: ord(instruction.code) for instruction in pickletools.opcodes}
PLAIN_KEYS = (str, int, float, complex, bytes, type(None), np.generic, torch.dtype)
DICTS = (dict, collections.OrderedDict, collections.Counter, collections.defaultdict)


class Refused(Exception):
    """A file holds what is not taken; the message says what, to go behind the name of the file."""


class Readable(Protocol):
    """What a file needs for a pickle to be read from it."""

    def read(self, wanted: int, /) -> bytes:
        """The next bytes, at most as many as wanted."""

    def readline(self) -> bytes:
        """The next bytes to the end of their line."""


class Maker(NamedTuple):
    """What a pickle may call: a function of ours, in the place of the one that the pickle names."""

    name: str
    make: Callable
    fill: Callable | None = None  # called with what ``make`` made and its state, if the pickle gives it one


class Filling(NamedTuple):
    """How an object of a pickle takes its state."""

    fill: Callable
    made: Any  # the object, kept so that no other gets its id


def refusal(name: str) -> Refused:
    """The error for a pickle that asks for something that is not on the list.

    Args:
        name: full name of what it asks for.
    """
    shown = name.encode('unicode_escape').decode()[:100]
    return Refused(
        f'refused: it asks to run {shown}, and a checkpoint should hold numbers only. If you trust it, load '
        'it yourself and save its state_dict alone'
    )


class DataUnpickler(pickle._Unpickler):
    """Reads one pickle of data.

    Args:
        file: where the pickle starts; read to its end and not further. ``read`` must not give more than is there.
        names: full name -> what it stands for: a ``Maker``, or a value.
        read_storage: makes a storage out of what a pickle of torch says of it; without one there may be none.

    Raises:
        Refused: by ``load``, when the pickle asks for more than data. Damaged pickles raise whatever they may.
    """

    # of the standard library's class, undocumented there
    stack: list[Any]
    append: Callable[[Any], None]  # to the stack
    pop_mark: Callable[[], list[Any]]  # takes what is above the last mark from the stack

    def __init__(self, file: Readable, names: Mapping[str, Any], read_storage: Callable | None = None) -> None:
        super().__init__(file, encoding='utf-8', errors='surrogateescape')
        self.names = names
        self.read_storage = read_storage
        self.fillings: dict[int, Filling] = {}  # by the id of the object

    def find_class(self, module: str, name: str) -> Any:
        """What a name stands for; Refused if it is not on the list."""
        if module == '__builtin__':  # its name in pickles of protocol 2
            module = 'builtins'
        full = f'{module}.{name}'
        if full not in self.names:
            raise refusal(full)
        return self.names[full]

    def call(self) -> None:
        """Calls the maker on the stack with the arguments above it, and leaves in their place what it gives."""
        arguments = self.stack.pop()
        maker = self.stack[-1]
        if not isinstance(maker, Maker):
            name = getattr(maker, '__qualname__', type(maker).__name__)
            raise refusal(name)

        made = maker.make(*arguments)
        self.stack[-1] = made
        if maker.fill:
            self.fillings[id(made)] = Filling(maker.fill, made)

    def load(self) -> Any:
        """The content of the pickle."""
        content = super().load()
        check_data(content)
        return content

    def build(self) -> None:
        """Gives a state to the object below it on the stack."""
        state = self.stack.pop()
        made = self.stack[-1]
        filling = self.fillings.get(id(made))
        if filling is None:
            kind = type(made)
            raise refusal(f'{kind.__module__}.{kind.__qualname__}.__setstate__')
        filling.fill(made, state)

    def append_one(self) -> None:
        """Puts the top of the stack at the end of the list below it."""
        item = self.stack.pop()
        target = _exactly(self.stack[-1], list)
        target.append(item)

    def append_some(self) -> None:
        """Puts what is above the last mark at the end of the list below it."""
        items = self.pop_mark()
        target = _exactly(self.stack[-1], list)
        target.extend(items)

    def set_item(self) -> None:
        """Puts a key and its value, the top of the stack, into the dict below them."""
        value = self.stack.pop()
        key = self.stack.pop()
        target = _exactly(self.stack[-1], *DICTS)
        target[plain_key(key)] = value

    def set_items(self) -> None:
        """Puts the keys and values above the last mark into the dict below it."""
        items = self.pop_mark()
        keys = items[::2]
        values = items[1::2]
        target = _exactly(self.stack[-1], *DICTS)
        for key, value in zip(keys, values):
            target[plain_key(key)] = value

    def add_items(self) -> None:
        """Puts what is above the last mark into the set below it."""
        items = self.pop_mark()
        target = _exactly(self.stack[-1], set)
        target.update(map(plain_key, items))

    def freeze(self) -> None:
        """Makes a frozenset of what is above the last mark."""
        items = self.pop_mark()
        frozen = frozenset(map(plain_key, items))
        self.append(frozen)

    def storage(self) -> None:
        """Takes what is said of a storage from the stack and leaves the storage there."""
        said = self.stack.pop()
        if self.read_storage is None or type(said) is not tuple:
            raise pickle.UnpicklingError('a storage where there should be none')
        storage = self.read_storage(said)
        self.append(storage)

    # the method for each instruction by its code; the standard library's class knows no others
    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        CODES[name]: pickle._Unpickler.dispatch[CODES[name]] for name in PLAIN_INSTRUCTIONS
    }
    dispatch.update(
        {
            CODES['REDUCE']: call,
            CODES['NEWOBJ']: call,
            CODES['BUILD']: build,
            CODES['BINPERSID']: storage,
            CODES['APPEND']: append_one,
            CODES['APPENDS']: append_some,
            CODES['SETITEM']: set_item,
            CODES['SETITEMS']: set_items,
            CODES['ADDITEMS']: add_items,
            CODES['FROZENSET']: freeze,
        }
    )


def _exactly(thing: Any, *kinds: type) -> Any:
    """The thing if it is of one of these types and not of one derived from them."""
    if type(thing) not in kinds:
        raise pickle.UnpicklingError(f'a {type(thing).__name__} where a {kinds[0].__name__} should be')
    return thing


def plain_key(key: Any) -> Any:
    """A key of a dict or member of a set, if it is one that can be hashed in no time.

    Python hashes tuples of tuples without a limit, so that deep ones overflow its stack.
    """
    parts = key if type(key) is tuple else [key]
    for part in parts:
        if not isinstance(part, PLAIN_KEYS):
            raise pickle.UnpicklingError('a key of a dict that is neither text nor a number')
    return key


def check_data(content: Any) -> None:
    """Refused if something in there is nested deeper than ``DEEPEST``, or inside itself, or is no data.

    Args:
        content: of a pickle, containers in containers.
    """
    heights: dict[int, int] = {}  # id of a container -> containers inside each other, itself included

    def height(value: Any, depth: int) -> int:
        if isinstance(value, Maker):
            raise refusal(value.name)
        if not isinstance(value, (dict, list, tuple)):
            return 0
        if id(value) not in heights:
            if depth > DEEPEST:
                raise Refused(f'holds containers nested deeper than {DEEPEST}; give a checkpoint')
            inside = value.values() if isinstance(value, dict) else value
            tallest = max((height(item, depth + 1) for item in inside), default=0)
            heights[id(value)] = 1 + tallest
        if depth + heights[id(value)] > DEEPEST + 1:
            raise Refused(f'holds containers nested deeper than {DEEPEST}; give a checkpoint')
        return heights[id(value)]

    height(content, 0)
