"""Single images, from wherever they come: (h, w, 3) uint8 BGR, or one clear error."""

import http.client
import threading
import urllib.request
from typing import Any

import numpy as np

from cid_mmpose.data.headers import MAX_PIXELS, Unusable
from cid_mmpose.data.image_array import bgr_of
from cid_mmpose.data.image_file import image_of_bytes, read_file
from cid_mmpose.errors import BadInput

MAX_BYTES = 2**28  # of an image from the web
SECONDS = 30.0  # without an answer, until a download is given up

_pillow_reads = threading.Lock()  # Pillow reads a file when its image is first used, which two threads must not do


def read_image(path: str) -> np.ndarray:
    """The image of a file, turned as its metadata say.

    Args:
        path: of the file.

    Raises:
        BadInput: there is no such file, or no complete image of at most ``MAX_PIXELS`` in it.
    """
    return _checked(image_of_bytes(read_file(path, MAX_PIXELS), path), path)


def download_image(url: str) -> np.ndarray:
    """The image of a URL; it is kept nowhere.

    Args:
        url: http or https.

    Raises:
        BadInput: it cannot be had, is larger than ``MAX_BYTES``, or is no complete image.
    """
    request = urllib.request.Request(url, headers={'User-Agent': 'cid_mmpose'})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            data = answer.read(MAX_BYTES + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise BadInput(f'{url}: cannot be downloaded ({error}); check the URL, or fetch it by hand') from error
    if len(data) > MAX_BYTES:
        raise BadInput(f'{url}: is larger than {MAX_BYTES} bytes; fetch it by hand')
    return _checked(image_of_bytes(data, url), url)


def image_of_array(source: Any, channels: str = 'bgr') -> np.ndarray:
    """The image of an array or of a PIL image.

    Args:
        source: (h, w, 3), (h, w, 4) or (h, w) of uint8, uint16, or floats from 0 to 255; or a PIL image.
        channels: 'bgr' or 'rgb', the order in an array.

    Raises:
        BadInput: the array is no image.
    """
    if not isinstance(source, np.ndarray):
        source = _of_pillow(source)
        channels = 'rgb'
    image = bgr_of(source)
    if image.dtype != np.uint8:
        image = image.round().astype(np.uint8)
    if channels == 'rgb':
        image = image[..., ::-1]
    return np.ascontiguousarray(image)


def _of_pillow(source: Any) -> np.ndarray:
    """The values of a PIL image: RGB, or grey where it has more than 8 bits."""
    from PIL import ImageOps

    try:
        with _pillow_reads:
            upright = ImageOps.exif_transpose(source)
            if upright.mode.startswith('I;16'):
                return np.asarray(upright).astype(np.uint16)
            if upright.mode in ('I', 'F'):
                return np.asarray(upright).astype(np.float32)
            return np.asarray(upright.convert('RGB'))
    except (OSError, SyntaxError, ValueError) as error:
        raise BadInput(f'a PIL image cannot be read ({error}); open it again, from a complete file') from error


def _checked(image: np.ndarray | Unusable, name: str) -> np.ndarray:
    if isinstance(image, Unusable):
        raise BadInput(f'{name}: {image.text}; {image.way_out}')
    return image
