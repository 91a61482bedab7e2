"""Values that a file says of itself, each read by what it must be; nobody computes with others."""

from collections.abc import Callable, Mapping
from typing import Any

Reader = Callable[[Any], Any]  # a value of JSON -> the value, or WrongValue
LONGEST = 60  # characters of a wrong value in a message


class WrongValue(ValueError):
    """A value is not what it must be; the message says what that is."""


class WrongField(ValueError):
    """A field is missing or has a wrong value; the message names it."""


def read(given: Any, readers: Mapping[str, Reader], section: str = '') -> dict[str, Any]:
    """The values of an object of JSON; fields that nobody reads are passed over.

    Args:
        given: the object.
        readers: field -> what reads it.
        section: where the object stands, for the messages.

    Raises:
        WrongField: a field is missing, or its value is wrong.
    """
    if type(given) is not dict:
        raise WrongField(f'{section or "it"} is {_short(given)}, not an object of JSON')
    values = {}
    for field, reader in readers.items():
        name = f'{section}.{field}' if section else field
        if field not in given:
            raise WrongField(f'{name} is missing')
        try:
            values[field] = reader(given[field])
        except WrongValue as error:
            raise WrongField(f'{name} is {_short(given[field])}, not {error}') from None
    return values


def whole(lowest: int, highest: int, *, multiple: int = 1, odd: bool = False) -> Reader:
    """Whole numbers.

    Args:
        lowest: the smallest.
        highest: the largest.
        multiple: of which they are multiples.
        odd: whether they must be odd.
    """
    kind = 'an odd number' if odd else 'a whole number' if multiple == 1 else f'a multiple of {multiple}'

    def reader(value: Any) -> int:
        is_right = type(value) is int and lowest <= value <= highest and value % multiple == 0
        if not is_right or (odd and value % 2 == 0):
            raise WrongValue(f'{kind} from {lowest} to {highest}')
        return value

    return reader


def number(lowest: float, highest: float, *, above: bool = False) -> Reader:
    """Numbers; never NaN.

    Args:
        lowest: the smallest.
        highest: the largest.
        above: whether ``lowest`` itself is none of them.
    """

    def reader(value: Any) -> float:
        is_number = type(value) in (int, float)
        if not is_number or not lowest <= value <= highest or (above and value == lowest):
            raise WrongValue(f'a number {"above" if above else "from"} {lowest:g} to {highest:g}')
        return float(value)

    return reader


def text(longest: int, *, printable: bool = False) -> Reader:
    """Texts.

    Args:
        longest: characters.
        printable: whether there must be some, and each of them can be seen.
    """

    def reader(value: Any) -> str:
        is_right = type(value) is str and len(value) <= longest
        if not is_right or (printable and not (value.strip() and value.isprintable())):
            raise WrongValue(f'a {"name" if printable else "text"} of at most {longest} characters')
        return value

    return reader


def one_of(*choices: Any) -> Reader:
    """Some values and no others.

    Args:
        *choices: the values.
    """

    def reader(value: Any) -> Any:
        for choice in choices:
            if type(value) is type(choice) and value == choice:
                return value
        raise WrongValue(f'one of {", ".join(map(repr, choices))}')

    return reader


def listing(each: Reader, length: int | None = None) -> Reader:
    """Lists as tuples.

    Args:
        each: reads a value of the list.
        length: how many there must be; None for any number.
    """

    def reader(value: Any) -> tuple:
        if type(value) is not list or length not in (None, len(value)):
            raise WrongValue('a list' if length is None else f'a list of {length}')
        try:
            return tuple(each(one) for one in value)
        except WrongValue as error:
            raise WrongValue(f'a list in which each is {error}') from None

    return reader


def names(each: Reader) -> Reader:
    """Objects of JSON as dictionaries.

    Args:
        each: reads a value.
    """

    def reader(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise WrongValue('an object of JSON')
        return {name: each(one) for name, one in value.items()}

    return reader


def maybe(given: Reader) -> Reader:
    """null, which is None, and what another reader takes.

    Args:
        given: the other reader.
    """

    def reader(value: Any) -> Any:
        if value is None:
            return None
        try:
            return given(value)
        except WrongValue as error:
            raise WrongValue(f'null or {error}') from None

    return reader


def hexadecimal(digits: int) -> Reader:
    """Texts of so many hexadecimal digits.

    Args:
        digits: their number.
    """

    def reader(value: Any) -> str:
        if type(value) is not str or len(value) != digits or set(value) - set('0123456789abcdef'):
            raise WrongValue(f'{digits} hexadecimal digits')
        return value

    return reader


def _short(value: Any) -> str:
    """A wrong value as a message shows it, on one line."""
    shown = repr(value)
    return shown if len(shown) <= LONGEST else f'{shown[:LONGEST]}...'
