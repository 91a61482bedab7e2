"""What the header of an image file says before anything is decoded: its kind and its size.

A file of a few kB can claim 65500 x 65500 pixels, and decoding it takes 8 GB and half a minute. OpenCV has no call for
the header alone, so it is read here: of JPEG and PNG in place, of the other kinds by the classes of Pillow, which
decode nothing until they are asked for pixels. Pillow is imported at the first file that needs it: the doctor works
without it and says which files it could not look into. Of a JPEG file it is also told whether its end is missing.
"""

import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from typing import NamedTuple

MAX_PIXELS = 178_956_970  # where Pillow, too, takes a file for an attack: 512 MiB as 8-bit BGR
# marks of a JPEG file
JPEG_START = b'\xff\xd8'
JPEG_SCAN = b'\xff\xda'
JPEG_END = b'\xff\xd9'
JPEG_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # second byte of the marks of a segment that says the size
TILE_WIDTH, TILE_LENGTH = 322, 323  # tags of a TIFF file
NO_KIND = 'not an image of a kind that is read (JPEG, PNG, BMP, GIF, TIFF, WebP, PNM, JPEG 2000)'
INCOMPLETE = 'not a complete image of a kind OpenCV reads'


# of tags that nobody here reads; what matters is said in one line of our own
warnings.filterwarnings('ignore', module='PIL.TiffImagePlugin')


class Kind(NamedTuple):
    """A kind of image files."""

    name: str
    marks: tuple  # bytes that a file begins with, one or the other
    reader: Callable  # bytes of a file -> (H, W) in pixels, or None
    needs_pillow: bool = True


class Unusable(NamedTuple):
    """Why a file's image is not decoded."""

    text: str
    way_out: str


AGAIN = 'get it again'


def jpeg_marks(data: bytes) -> Iterator[int]:
    """Places of the marks in a JPEG file's header; last comes where its pixels begin, or where the header breaks off.

    Segments are passed over whole: a thumbnail in one has marks of its own.
    """
    at = len(JPEG_START)
    while data[at : at + 1] == b'\xff' and data[at : at + 2] != JPEG_SCAN:
        if data[at + 1 : at + 2] == b'\xff':  # padding
            at += 1
        else:
            yield at
            at += 2 + int.from_bytes(data[at + 2 : at + 4], 'big')
    yield at


def is_cut_off(data: bytes) -> bool:
    """Whether the bytes of a JPEG file end before the image does; False of other files.

    OpenCV before 4.11 fills the rest with whatever the memory held; of other formats it gives no image at all.
    """
    return data.startswith(JPEG_START) and JPEG_END not in data[max(jpeg_marks(data)) :]


def size_of_jpeg(data: bytes) -> tuple | None:
    """(H, W) in pixels of a JPEG file, as stored; None where the header does not say it."""
    for at in jpeg_marks(data):
        if len(data) >= at + 9 and data[at] == 0xFF and data[at + 1] in JPEG_FRAMES:
            height = int.from_bytes(data[at + 5 : at + 7], 'big')
            width = int.from_bytes(data[at + 7 : at + 9], 'big')
            return height, width
    return None


def size_of_png(data: bytes) -> tuple:
    """(H, W) in pixels of a PNG file, whose first part holds the size at a fixed place."""
    if data[12:16] != b'IHDR' or len(data) < 24:
        raise ValueError('a PNG file without a header')
    width = int.from_bytes(data[16:20], 'big')
    height = int.from_bytes(data[20:24], 'big')
    return height, width


def pillow_class(kind: str) -> Callable:
    """Pillow's class for a kind of files.

    Args:
        kind: as Pillow spells it, such as 'Bmp'.
    """
    module = import_module(f'PIL.{kind}ImagePlugin')
    return getattr(module, f'{kind}ImageFile')


def by_pillow(kind: str) -> Callable:
    """A function from the bytes of a file to (H, W) in pixels, of one of Pillow's classes.

    Args:
        kind: as Pillow spells it.
    """

    def size_of(data: bytes) -> tuple:
        width, height = pillow_class(kind)(BytesIO(data)).size
        return height, width

    return size_of


def size_of_tiff(data: bytes) -> tuple:
    """(H, W) in pixels of a TIFF file's first image, or of its tiles if those are larger: they are decoded whole."""
    image = pillow_class('Tiff')(BytesIO(data))
    tile_height = image.tag_v2.get(TILE_LENGTH, 0)
    tile_width = image.tag_v2.get(TILE_WIDTH, 0)
    if tile_height * tile_width > MAX_PIXELS:
        return tile_height, tile_width
    width, height = image.size
    return height, width


KINDS = (
    Kind('JPEG', (b'\xff\xd8\xff',), size_of_jpeg, needs_pillow=False),
    Kind('PNG', (b'\x89PNG\r\n\x1a\n',), size_of_png, needs_pillow=False),
    Kind('BMP', (b'BM',), by_pillow('Bmp')),
    Kind('GIF', (b'GIF87a', b'GIF89a'), by_pillow('Gif')),
    Kind('TIFF', (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+'), size_of_tiff),
    Kind('WebP', (b'RIFF',), by_pillow('WebP')),
    Kind('PNM', (b'P1', b'P2', b'P3', b'P4', b'P5', b'P6'), by_pillow('Ppm')),
    Kind('JPEG 2000', (b'\0\0\0\x0cjP  \r\n', b'\xff\x4f\xff\x51'), by_pillow('Jpeg2K')),
)


def kind_of(data: bytes) -> Kind | None:
    """The kind of an image file by its first bytes; None if it is none that is read."""
    for kind in KINDS:
        if data.startswith(kind.marks):
            return kind
    return None


def lacks_reader(data: bytes) -> bool:
    """Whether the header can only be read by Pillow, and Pillow is not installed.

    Args:
        data: bytes of an image's file.
    """
    kind = kind_of(data)
    return kind is not None and kind.needs_pillow and find_spec('PIL') is None


def size_of(data: bytes) -> tuple | None:
    """(H, W) in pixels of an image file, as stored; None where the header does not say it."""
    kind = kind_of(data)
    if kind is None:
        return None
    try:
        size = kind.reader(data)
    except Exception:  # what a class of Pillow raises at a broken header depends on the kind and on the version
        return None
    return size if size and min(size) > 0 else None


def problem_of_header(data: bytes, size: tuple | None, max_pixels: int = MAX_PIXELS) -> Unusable | None:
    """Why an image file is not to be decoded; None if nothing speaks against it so far.

    Args:
        data: bytes of the file.
        size: (H, W) in pixels, of ``size_of``.
        max_pixels: largest number of pixels that is decoded.
    """
    if not data:
        return Unusable('empty, 0 bytes', AGAIN)
    if kind_of(data) is None:
        return Unusable(NO_KIND, 'convert it')
    if size is None:
        return Unusable(INCOMPLETE, AGAIN)
    if size[0] * size[1] > max_pixels:
        return Unusable(
            f'{size[1]} x {size[0]} pixels are more than max_pixels={max_pixels} of cid_mmpose.LoadImage',
            'set that higher, make the image smaller',
        )
    return None
