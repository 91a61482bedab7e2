"""Images that a browser sends: what is taken, what is refused and in which words."""

import base64
import struct
import zlib
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from cid_mmpose.errors import BadInput
from cid_mmpose.web.uploads import LIMITS, MAX_BYTES, MAX_PIXELS, image_of_upload, short_name


def sent(data: bytes, name: str = 'a.png', **other) -> dict:
    """What the page sends of a file."""
    return {'name': name, 'size': len(data), 'data': base64.b64encode(data).decode(), **other}


def png_header(width: int, height: int) -> bytes:
    """A PNG file that claims a size and ends there."""
    part = b'IHDR' + struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + struct.pack('>I', 13) + part + struct.pack('>I', zlib.crc32(part))


def test_an_image_arrives_pixel_by_pixel(image, upload):
    name, found = image_of_upload(upload)
    assert name == 'noise.png'
    np.testing.assert_array_equal(found, image)


def test_an_image_is_turned_as_its_metadata_say():
    turned = Image.new('RGB', (40, 20), 'red')
    exif = turned.getexif()
    exif[274] = 6  # a quarter turn
    file = BytesIO()
    turned.save(file, 'JPEG', exif=exif)
    assert image_of_upload(sent(file.getvalue()))[1].shape == (40, 20, 3)


def test_the_line_with_the_limits_says_those_that_hold():
    assert LIMITS.startswith(f'{MAX_BYTES / 2**20:.0f} MiB and {MAX_PIXELS / 1e6:.0f} megapixels at most')


@pytest.mark.parametrize(
    'upload, says',
    [
        (sent(b'', size=22 * 2**20), 'a.png: 22.0 MiB are more than the 20 MiB of this page'),
        (sent(bytes(MAX_BYTES + 1), size=3), 'a.png: 20.0 MiB are more than the 20 MiB of this page'),
        (sent(png_header(5001, 5000)), 'a.png: 5001 x 5000 pixels are more than the 25 megapixels of this page'),
        (sent(png_header(65500, 65500)), 'a.png: 65500 x 65500 pixels are more than the 25 megapixels of this page'),
        (sent(png_header(50, 50)), 'a.png: not a complete image of a kind OpenCV reads'),
        (sent(b'', 'none.jpg'), 'none.jpg: empty, 0 bytes'),
        (sent(b'dear', 'a.txt'), 'a.txt: not an image of a kind that is read (JPEG, PNG, '),
        (sent(b'<svg xmlns="http://www.w3.org/2000/svg"/>', 'a.svg'), 'a.svg: not an image of a kind that is read'),
        (dict(name='a.png', size=1, data='?'), 'a.png: did not arrive whole; give it again'),
        (dict(name='a.png', size=1, data=None), 'a.png: did not arrive whole; give it again'),
        ({}, 'image: did not arrive whole; give it again'),
    ],
)
def test_what_is_no_image_within_the_limits_is_refused_in_one_line(upload, says):
    with pytest.raises(BadInput) as refused:
        image_of_upload(upload)
    assert str(refused.value).startswith(says) and '\n' not in str(refused.value)


def test_a_jpeg_that_breaks_off_is_refused(image):
    data = cv2.imencode('.jpg', image)[1].tobytes()
    with pytest.raises(BadInput, match='a.jpg: not a complete image'):
        image_of_upload(sent(data[: len(data) // 2], 'a.jpg'))


@pytest.mark.parametrize(
    'name, short',
    [
        ('a b.png', 'a b.png'),
        ('/home/me/a.png', 'a.png'),
        (r'C:\me\a.png', 'a.png'),
        ('a\r\nb.png', 'ab.png'),
        ('x' * 300 + '.png', 'x' * 76 + '.png'),
        ('a\ud800.png', 'a.png'),
        ('', 'image'),
        (None, 'image'),
        (['a'], 'image'),
    ],
)
def test_a_name_loses_its_folders_and_what_does_not_fit_into_a_line(name, short):
    assert short_name(name) == short
