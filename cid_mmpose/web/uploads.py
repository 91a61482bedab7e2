"""Images that a browser sends: bounded in bytes and in pixels, decoded in memory, written nowhere."""

import base64
import binascii
import re
from typing import Any

import numpy as np

from cid_mmpose.data.headers import Unusable, size_of
from cid_mmpose.data.image_file import image_of_bytes
from cid_mmpose.errors import BadInput

MEBI = 2**20
MAX_BYTES = 20 * MEBI  # of a file
MAX_PIXELS = 25_000_000  # of its image
LONGEST_NAME = 80  # characters
LIMITS = f'{MAX_BYTES // MEBI} MiB and {MAX_PIXELS // 10**6} megapixels at most; kept in memory while this page is open'
NOT_FOR_NAMES = re.compile(r'[\x00-\x1f\x7f-\x9f\ud800-\udfff]')  # they break lines, and UTF-8 has no surrogates


def image_of_upload(given: dict[str, Any]) -> tuple[str, np.ndarray]:
    """Name and image of what the page sends.

    Args:
        given: ``name`` of the file, ``size`` in bytes, and ``data``, its content in base64; a file that is too large is
            not sent, so that its data are ''. Anybody may have written it.

    Returns:
        The name without folders, and (h, w, 3) uint8 BGR, turned as its metadata say.

    Raises:
        BadInput: it is too large, or no complete image.
    """
    name = short_name(given.get('name'))
    data = _content(given.get('data'), name)
    size = given.get('size')
    num_bytes = max(len(data), size) if isinstance(size, int) else len(data)
    if num_bytes > MAX_BYTES:
        raise BadInput(f'{name}: {num_bytes / MEBI:.1f} MiB are more than the {MAX_BYTES // MEBI} MiB of this page')

    stored = size_of(data)
    if stored is not None and stored[0] * stored[1] > MAX_PIXELS:
        raise BadInput(
            f'{name}: {stored[1]} x {stored[0]} pixels are more than the {MAX_PIXELS // 10**6} megapixels of this page'
        )
    image = image_of_bytes(data, name, max_pixels=MAX_PIXELS)
    if isinstance(image, Unusable):
        raise BadInput(f'{name}: {image.text}')
    return name, image


def short_name(name: Any) -> str:
    """The name of a file without its folders and without what would not fit into a line.

    Args:
        name: as a browser gives it.
    """
    last = re.split(r'[/\\]', name)[-1] if isinstance(name, str) else ''
    plain = NOT_FOR_NAMES.sub('', last).strip()
    return plain[-LONGEST_NAME:] or 'image'


def _content(text: Any, name: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise BadInput(f'{name}: did not arrive whole; give it again') from None
