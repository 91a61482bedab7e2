"""The sha256 of an exported file at its own end: one that was cut, changed or put beside other weights is refused.

A flipped bit in the weights still makes a model, which finds people at wrong places. So a file ends with the sha256 of
all that stands before: an .onnx with one more entry of its metadata, an .xml with a comment, an .engine with a line;
the weights beside an .xml count as a part of it. Other programs read past the first two.
"""

import hashlib
from pathlib import Path

from cid_mmpose.errors import BadInput

KEY = b'cid_mmpose_sha256'
DIGITS = 64  # of a sha256 in hexadecimal
CHUNK = 2**20  # bytes that are read at a time

# ModelProto.metadata_props (field 14) of onnx.proto, a StringStringEntryProto of key (1) and value (2). Each stands
# behind its number and kind in one byte and its length in another; a repeated field may be added at the end of a file.
ENTRY = b'\x0a%c%b\x12%c' % (len(KEY), KEY, DIGITS)
ONNX = (b'\x72%c%b' % (len(ENTRY) + DIGITS, ENTRY), b'')
XML = (b'<!-- ' + KEY + b' ', b' -->\n')
ENGINE = (b'\n' + KEY + b' ', b'\n')


def seal(path: Path) -> None:
    """Adds the sha256 of a whole file to its end.

    Args:
        path: of an .onnx, an .engine, or an .xml whose .bin lies beside it.
    """
    before, after = _ends(path)
    digest = _digest(path, path.stat().st_size)
    with path.open('ab') as file:
        file.write(before + digest.encode() + after)


def check_seal(path: Path) -> None:
    """BadInput unless a file is to the byte what ``seal`` left.

    Args:
        path: of an .onnx, an .engine, or an .xml whose .bin lies beside it.
    """
    before, after = _ends(path)
    length = end_length(path)
    try:
        size = path.stat().st_size
        with path.open('rb') as file:
            file.seek(max(0, size - length))
            end = file.read()
        is_sealed = len(end) == length and end.startswith(before) and end.endswith(after)
        digest = _digest(path, size - length) if is_sealed else ''
    except OSError as error:
        raise BadInput(f'{path}: cannot be read ({error.strerror}); export the model again') from error
    if not is_sealed:
        raise BadInput(
            f'{path}: does not end as a file of cid export does: it was cut, changed, or written by another program; '
            'get it again, or export the model'
        )
    if end[len(before) : len(before) + DIGITS] != digest.encode():
        raise BadInput(
            f'{path}: its sha256 is not the one that it was written with{_beside(path)}; get it again, or export the '
            'model'
        )


def _ends(path: Path) -> tuple[bytes, bytes]:
    """What stands before and behind the sha256."""
    return {'.xml': XML, '.engine': ENGINE}.get(path.suffix.lower(), ONNX)


def end_length(path: Path) -> int:
    """Bytes that ``seal`` adds to a file.

    Args:
        path: whose ending tells its kind.
    """
    before, after = _ends(path)
    return len(before) + DIGITS + len(after)


def _beside(path: Path) -> str:
    """For a message: what else may be wrong."""
    if path.suffix.lower() != '.xml':
        return ': it was changed'
    return f': it or {path.with_suffix(".bin").name} was changed, or they are of two exports'


def sha256_of(path: Path) -> str:
    """The sha256 of a whole file.

    Args:
        path: of the file.
    """
    return _sha256([(path, path.stat().st_size)])


def _digest(path: Path, length: int) -> str:
    """The sha256 of the first bytes of a file, and of the weights beside it."""
    parts = [(path, length)]
    if path.suffix.lower() == '.xml':
        weights = path.with_suffix('.bin')
        parts.append((weights, weights.stat().st_size))
    return _sha256(parts)


def _sha256(parts: list[tuple[Path, int]]) -> str:
    """The sha256 of files, of each so many of its first bytes."""
    digest = hashlib.sha256()
    for part, left in parts:
        with part.open('rb') as file:
            while left > 0:
                chunk = file.read(min(CHUNK, left))
                if not chunk:
                    break
                digest.update(chunk)
                left -= len(chunk)
    return digest.hexdigest()
