"""What the pickle of a checkpoint may name: containers, numpy's arrays and mmengine's logs, each made by us.

numpy's own functions are not called with what a file says: out of a dtype of objects they make pointers of the bytes
of the file.
"""

import collections
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer

from .metadata import set_metadata
from .pickles import Maker, Refused, plain_key

NUMBER_CODE = re.compile(r'b1|[iu][1248]|f[248]|c(?:8|16)')  # bool, whole, real and complex numbers, and their bytes
TEXT_CODE = re.compile(r'[US][1-9]\d{0,5}')
NO_FIELDS = (None, None, None)  # of a dtype: neither an array inside, nor names of fields, nor fields
ARRAY_VERSION = 1
LATIN = ('latin1', 'latin-1', 'iso-8859-1')
STATISTICS = ('min', 'max', 'mean', 'current')  # the methods that every HistoryBuffer pickles along with its numbers
# numpy 1 and numpy 2 keep these functions in different modules
NUMPY_MODULES = ('numpy.core.multiarray', 'numpy._core.multiarray')


def make_dtype(code: str, align: bool = False, copy: bool = False) -> np.dtype:
    """The dtype of a code such as 'f8'; of text 'U' and 'S' with their length.

    Args:
        code: text.
        align: as numpy pickles it, and without a meaning here.
        copy: the same.
    """
    if type(code) is not str or not (NUMBER_CODE.fullmatch(code) or TEXT_CODE.fullmatch(code)):
        raise Refused(
            f'refused: it holds a numpy array of {str(code)[:20]!r}, and only plain numbers and text are '
            'read. Save its state_dict alone'
        )
    return np.dtype(code)


def fill_dtype(dtype: np.dtype, state: tuple) -> None:
    """Takes the state that numpy pickles with a dtype, if it says no more than the code did."""
    version, order, *fields = state[:5]
    size = state[5:7]
    own = (-1, -1)
    if dtype.kind in 'US':
        own = (dtype.itemsize, dtype.alignment)

    if version != 3 or order not in ('<', '|', '=') or tuple(fields) != NO_FIELDS or tuple(size) != own:
        raise Refused(
            'refused: it holds a numpy array of another kind than plain numbers of this machine. Save its '
            'state_dict alone'
        )


def make_array(kind: Any, shape: tuple = (0,), code: bytes = b'b') -> np.ndarray:
    """The empty array that is filled later; what is said of it here is what numpy says of all."""
    if kind is not np.ndarray:
        raise Refused('refused: it holds an array of a class of its own. Save its state_dict alone')
    return np.empty(0, np.int8)


def fill_array(array: np.ndarray, state: tuple) -> None:
    """Gives an array its shape, dtype and numbers, when they agree.

    Args:
        array: of ``make_array``.
        state: version, shape, dtype, whether columns come first, and the bytes.
    """
    version, shape, dtype, by_columns, data = state
    size = _num_elements(shape)
    if version != ARRAY_VERSION or not isinstance(dtype, np.dtype) or type(data) is not bytes:
        raise ValueError('an array of another form')
    if len(data) != size * dtype.itemsize:
        raise ValueError(f'an array with {len(data)} bytes for {size} elements')
    _check_text(data, dtype)
    checked: Any = (version, shape, dtype, bool(by_columns), data)  # numpy's own types of it differ between versions
    array.__setstate__(checked)


def make_number(dtype: np.dtype, data: bytes = b'') -> np.generic:
    """A number of numpy's out of its bytes."""
    if not isinstance(dtype, np.dtype) or type(data) is not bytes or len(data) != dtype.itemsize:
        raise ValueError('a number of another form')
    _check_text(data, dtype)
    return np.frombuffer(data, dtype)[0]


def _num_elements(shape: Any) -> int:
    if type(shape) is not tuple:
        raise ValueError('an array without a shape')
    size = 1
    for side in shape:
        if type(side) is not int or side < 0:
            raise ValueError('an array without a shape')
        size *= side
    return size


def _check_text(data: bytes, dtype: np.dtype) -> None:
    """UnicodeDecodeError if the bytes of text are no characters: numpy would take any."""
    if dtype.kind == 'U':
        data.decode('utf-32-le')


def make_bytes(text: Any = b'', encoding: str = 'latin1') -> bytes:
    """Bytes, which protocol 2 writes as text."""
    if isinstance(text, bytes):
        return text
    if type(text) is not str or encoding not in LATIN:
        raise ValueError('bytes of another form')
    return text.encode('latin1')


def make_bytearray(*arguments: Any) -> bytearray:
    """A bytearray of given bytes; one of a given size is not made, however large."""
    content = make_bytes(*arguments)
    return bytearray(content)


def make_set(items: Any = ()) -> set:
    """A set of plain keys."""
    if type(items) not in (list, tuple):
        raise ValueError('a set of another form')
    return set(map(plain_key, items))


def make_frozenset(items: Any = ()) -> frozenset:
    """A frozenset of plain keys."""
    made = make_set(items)
    return frozenset(made)


def make_complex(real: float = 0.0, imaginary: float = 0.0) -> complex:
    """A complex number of two real ones."""
    return complex(float(real), float(imaginary))


def make_ordered_dict(pairs: Any = ()) -> collections.OrderedDict:
    """An ordered dict, empty or of a list of pairs, as Python 2 wrote them."""
    made = collections.OrderedDict()
    for key, value in pairs:
        made[plain_key(key)] = value
    return made


def fill_ordered_dict(made: collections.OrderedDict, state: Mapping) -> None:
    """Keeps the versions of layers that torch saves with weights, and no other attribute."""
    metadata = state.get('_metadata')
    if not isinstance(metadata, dict):
        return
    kept = collections.OrderedDict()
    for part, noted in metadata.items():
        if isinstance(noted, dict) and isinstance(noted.get('version'), (int, type(None))):
            kept[part] = noted
    set_metadata(made, kept)


def make_counter(counts: Any = ()) -> collections.Counter:
    """A counter of a dict of counts."""
    if counts and type(counts) is not dict:
        raise ValueError('a counter of another form')
    return collections.Counter(counts)


def make_default_dict(kind: Any = None) -> collections.defaultdict:
    """An empty dict with a default of one of Python's types."""
    if isinstance(kind, Maker) and kind.make is make_set:
        kind = set
    if kind not in (None, *BUILTIN_TYPES, set):
        raise ValueError('a default of another form')
    return collections.defaultdict(kind)


def make_config_dict(content: Any = ()) -> ConfigDict:
    """mmengine's dict for configs."""
    if content and type(content) is not dict:
        raise ValueError('a ConfigDict of another form')
    return ConfigDict(content)


def make_log() -> HistoryBuffer:
    """An empty log of mmengine's."""
    return HistoryBuffer()


def fill_log(log: HistoryBuffer, state: Mapping) -> None:
    """Gives a log its numbers; its statistics are those of this mmengine.

    Args:
        log: an empty one.
        state: as mmengine pickles it.
    """
    values = state['_log_history']
    counts = state['_count_history']
    for array in (values, counts):
        if not isinstance(array, np.ndarray) or array.ndim != 1 or array.dtype.kind not in 'biuf':
            raise ValueError('a log without numbers')
    if len(values) != len(counts):
        raise ValueError('a log with more values than counts')
    log._log_history = values
    log._count_history = counts
    longest = int(state.get('max_length', log.max_length))
    log.max_length = max(longest, 1)


def make_statistic(owner: Any, name: str) -> None:
    """What a file gets that asks for ``getattr``; the plain one would let it reach everything."""
    if not isinstance(owner, Maker) or owner.make is not make_log or name not in STATISTICS:
        owner_name = getattr(owner, 'name', '?')
        raise Refused(f'refused: it asks to run builtins.getattr({owner_name}, {name!r:.40})')


BUILTIN_TYPES = (list, dict, int, float, str, bool, tuple)


def _table() -> dict[str, Any]:
    """Full name in a pickle -> what it stands for."""
    makers = [
        Maker('numpy.dtype', make_dtype, fill_dtype),
        Maker('_codecs.encode', make_bytes),
        Maker('builtins.bytearray', make_bytearray),
        Maker('builtins.bytes', make_bytes),
        Maker('builtins.set', make_set),
        Maker('builtins.frozenset', make_frozenset),
        Maker('builtins.complex', make_complex),
        Maker('builtins.getattr', make_statistic),
        Maker('collections.OrderedDict', make_ordered_dict, fill_ordered_dict),
        Maker('collections.Counter', make_counter),
        Maker('collections.defaultdict', make_default_dict),
        Maker('mmengine.config.config.ConfigDict', make_config_dict),
        Maker('mmengine.logging.history_buffer.HistoryBuffer', make_log, fill_log),
    ]
    for module in NUMPY_MODULES:
        makers.append(Maker(f'{module}._reconstruct', make_array, fill_array))
        makers.append(Maker(f'{module}.scalar', make_number))
    table: dict[str, Any] = {maker.name: maker for maker in makers}
    table['numpy.ndarray'] = np.ndarray
    for kind in BUILTIN_TYPES:
        table[f'builtins.{kind.__name__}'] = kind
    for name in STATISTICS:
        table[f'mmengine.logging.history_buffer.HistoryBuffer.{name}'] = None  # as protocol 4 names a method
    return table


MAKERS = _table()
