"""What the header of a JPEG file says, without decoding it: where its pixels begin, how large they are."""

from collections.abc import Iterator

# marks of a file
START = b'\xff\xd8'
SCAN = b'\xff\xda'
END = b'\xff\xd9'
FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # second byte of the marks of a segment that says the size
REDUCTIONS = (8, 4, 2)  # a decoder leaves out frequencies of the 8 x 8 blocks, and gives every s-th pixel of each


def header_marks(data: bytes) -> Iterator[int]:
    """Places of the marks in a JPEG file's header; last comes where its pixels begin, or where the header breaks off.

    Segments are passed over whole: a thumbnail in one has marks of its own.
    """
    at = len(START)
    while data[at : at + 1] == b'\xff' and data[at : at + 2] != SCAN:
        if data[at + 1 : at + 2] == b'\xff':  # padding
            at += 1
        else:
            yield at
            at += 2 + int.from_bytes(data[at + 2 : at + 4], 'big')
    yield at


def is_cut_off(data: bytes) -> bool:
    """Whether the bytes of a JPEG file end before the image does.

    OpenCV before 4.11 fills the rest with whatever the memory held; of other formats it gives no image at all.
    """
    return data.startswith(START) and END not in data[max(header_marks(data)) :]


def stored_size(data: bytes) -> tuple | None:
    """(H, W) in pixels of a JPEG file, as stored; None of other files and where the header does not say it."""
    if not data.startswith(START):
        return None
    for at in header_marks(data):
        if len(data) >= at + 9 and data[at] == 0xFF and data[at + 1] in FRAMES:
            height = int.from_bytes(data[at + 5 : at + 7], 'big')
            width = int.from_bytes(data[at + 7 : at + 9], 'big')
            return (height, width) if height > 0 and width > 0 else None
    return None


def reduction_of(data: bytes, shortest: int | None) -> int:
    """By how much a file may be reduced as it is decoded: 8, 4 or 2, else 1.

    Args:
        data: bytes of the file.
        shortest: pixels that the short side must still have; None reduces nothing.
    """
    if not shortest:
        return 1
    size = stored_size(data)
    if size is None:
        return 1

    height, width = size
    header = data[: max(header_marks(data))]
    may_turn = b'Exif' in header
    for reduction in REDUCTIONS:
        # A side that is no multiple ends in part of a pixel; an image that is turned may begin with it, and all the
        # others would lie beside their place.
        is_whole = height % reduction == 0 and width % reduction == 0
        if (is_whole or not may_turn) and min(size) >= shortest * reduction:
            return reduction
    return 1


def reduced(size: tuple, reduction: int) -> tuple:
    """(H, W) of an image of ``size`` that was decoded at 1 / ``reduction``: a part of a pixel counts as one."""
    height, width = size
    return -(-height // reduction), -(-width // reduction)
