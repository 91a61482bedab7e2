"""Kind and size of an image from its header, and the bound on pixels, before anything is decoded."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from cid_mmpose.data import LoadImage, headers, image_file
from cid_mmpose.data.headers import MAX_PIXELS, problem_of_header, size_of
from cid_mmpose.data.image_file import decode_image
from cid_mmpose.errors import BadInput
from tests.helpers.images import shared

WIDTH, HEIGHT = 64, 48
RGB = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
IMAGE = Image.fromarray(RGB)


def encoded(kind: str, image: Image.Image = IMAGE, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png_of(width: int, height: int, *chunks: bytes) -> bytes:
    """A small PNG that claims this size; ``chunks`` stand between header and pixels."""
    data = encoded('PNG')
    head = b'IHDR' + struct.pack('>II', width, height) + data[24:29]
    return data[:12] + head + struct.pack('>I', zlib.crc32(head)) + b''.join(chunks) + data[33:]


def jpeg_of(width: int, height: int) -> bytes:
    """A small JPEG that claims this size."""
    data = bytearray(encoded('JPEG'))
    at = data.index(b'\xff\xc0')
    data[at + 5 : at + 9] = struct.pack('>HH', height, width)
    return bytes(data)


def tiff_of_tiles(side: int) -> bytes:
    """A TIFF of 64 x 48 pixels whose tiles are ``side`` pixels wide and high."""
    tags = [
        (256, 4, WIDTH),
        (257, 4, HEIGHT),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (277, 3, 1),
        (322, 4, side),
        (323, 4, side),
        (324, 4, 8),
        (325, 4, 100),
    ]
    fields = b''.join(struct.pack('<HHII', tag, kind, 1, value) for tag, kind, value in tags)
    return b'II*\0' + struct.pack('<I', 8) + struct.pack('<H', len(tags)) + fields + b'\0' * 500


KINDS = ['JPEG', 'PNG', 'BMP', 'GIF', 'TIFF', 'WEBP', 'PPM', 'JPEG2000']


@pytest.mark.parametrize('kind', KINDS)
def test_the_header_of_every_kind_says_its_size(kind):
    assert size_of(encoded(kind)) == (HEIGHT, WIDTH)


@pytest.mark.parametrize('mode', ['1', 'L', 'P', 'RGBA', 'I;16', 'CMYK'])
@pytest.mark.parametrize('kind', ['PNG', 'TIFF', 'JPEG', 'BMP'])
def test_images_of_other_colours_are_read_as_8_bit_bgr_of_the_size_in_the_header(kind, mode):
    image = Image.fromarray(RGB).convert('L').convert('I;16') if mode == 'I;16' else Image.fromarray(RGB).convert(mode)
    try:
        data = encoded(kind, image)
    except (OSError, KeyError):
        pytest.skip(f'{kind} holds no {mode}')
    assert size_of(data) == (HEIGHT, WIDTH)
    made = decode_image(data, (HEIGHT, WIDTH))
    assert made is None or (made.shape == (HEIGHT, WIDTH, 3) and made.dtype == np.uint8)


def test_of_many_pages_and_frames_the_first_is_read():
    pages = [Image.fromarray(np.roll(RGB, 9 * i, 1)) for i in range(9)]
    tiff = encoded('TIFF', pages[0], save_all=True, append_images=pages[1:])
    assert size_of(tiff) == (HEIGHT, WIDTH)
    assert np.array_equal(decode_image(tiff, None), RGB[..., ::-1])
    webp = encoded('WEBP', pages[0], save_all=True, append_images=pages[1:], lossless=True)
    assert size_of(webp) == (HEIGHT, WIDTH)
    gif = encoded('GIF', pages[0], save_all=True, append_images=pages[1:])
    assert size_of(gif) == (HEIGHT, WIDTH)


def test_text_of_any_length_in_a_png_does_not_hide_its_size():
    text = b'zTXt' + b'Comment\0\0' + zlib.compress(b'x' * 5_000_000)
    chunk = struct.pack('>I', len(text) - 4) + text + struct.pack('>I', zlib.crc32(text))
    data = png_of(WIDTH, HEIGHT, chunk)
    assert size_of(data) == (HEIGHT, WIDTH)
    assert np.array_equal(decode_image(data, None), RGB[..., ::-1])


@pytest.mark.parametrize(
    'data',
    [jpeg_of(65500, 65500), png_of(20000, 20000), png_of(2**31 - 1, 2**31 - 1), tiff_of_tiles(2**16)],
    ids=['JPEG', 'PNG', 'the largest PNG', 'TIFF of large tiles'],
)
def test_a_header_beyond_the_bound_is_refused_before_anything_is_decoded(tmp_path, monkeypatch, data):
    monkeypatch.setattr(image_file, 'decode_image', lambda *args: pytest.fail('it was decoded'))
    path = tmp_path / 'a.jpg'
    path.write_bytes(data)
    with pytest.raises(
        BadInput,
        match=rf'a.jpg: \d+ x \d+ pixels are more than max_pixels={MAX_PIXELS} of cid_mmpose.'
        r'LoadImage; set that higher, make the image smaller, or leave it out \(of the annotation file\)',
    ):
        LoadImage().transform(dict(img_path=str(path), ann_shape=(HEIGHT, WIDTH)))
    step = LoadImage(unreadable='skip')
    assert step.transform(dict(img_path=str(path), ann_shape=(HEIGHT, WIDTH))) is None and len(step.skipped) == 1


def test_the_bound_is_an_option(tmp_path):
    (tmp_path / 'a.png').write_bytes(encoded('PNG'))
    results = dict(img_path=str(tmp_path / 'a.png'))
    assert LoadImage(max_pixels=WIDTH * HEIGHT).transform(dict(results))['img'].shape == (HEIGHT, WIDTH, 3)
    with pytest.raises(BadInput, match='a.png: 64 x 48 pixels are more than max_pixels=3071 of'):
        LoadImage(max_pixels=WIDTH * HEIGHT - 1).transform(dict(results))
    with pytest.raises(ValueError, match='max_pixels must be above 0, got 0'):
        LoadImage(max_pixels=0)


def test_a_file_longer_than_any_image_within_the_bound_is_not_read(tmp_path):
    with open(tmp_path / 'a.bmp', 'wb') as file:
        file.truncate(2**40)  # takes no room on the disk
    with pytest.raises(BadInput, match='a.bmp: 1099511627776 bytes are more than an image of max_pixels='):
        LoadImage().transform(dict(img_path=str(tmp_path / 'a.bmp')))


def test_another_size_than_annotated_is_said_from_the_header(tmp_path, monkeypatch):
    monkeypatch.setattr(image_file, 'decode_image', lambda *args: pytest.fail('it was decoded'))
    (tmp_path / 'a.png').write_bytes(png_of(5000, 5000))
    with pytest.raises(BadInput, match="a.png: is 5000 x 5000 pixels, but fields 'width' and 'height' .* say 64 x 48"):
        LoadImage().transform(dict(img_path=str(tmp_path / 'a.png'), ann_shape=(HEIGHT, WIDTH)))


def test_a_folder_in_the_place_of_an_image_is_named(tmp_path):
    (tmp_path / 'a.png').mkdir()
    with pytest.raises(BadInput, match='a.png: is no file; give the path of an image, or set data_root'):
        LoadImage().transform(dict(img_path=str(tmp_path / 'a.png')))


def test_headers_cut_off_or_changed_are_read_without_an_exception():
    rng = np.random.default_rng(0)
    for kind in KINDS:
        data = encoded(kind)
        for cut in range(0, min(len(data), 400), 7):
            size = size_of(data[:cut])
            assert size is None or min(size) > 0
        for _ in range(60):
            changed = bytearray(data)
            for place in rng.integers(0, min(len(data), 200), 4):
                changed[place] = rng.integers(0, 256)
            size = size_of(bytes(changed))
            assert size is None or (min(size) > 0 and problem_of_header(bytes(changed), size, 1) is not None)


@pytest.mark.parametrize('folder', ['coco_mini/train2017', 'coco_mini/val2017'])
def test_real_images_are_as_large_as_their_headers_say(folder):
    for path in sorted(shared(folder).glob('*.jpg')):
        data = path.read_bytes()
        assert size_of(data) == cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape[:2]


def test_there_is_a_reader_for_each_kind_that_the_message_names():
    for kind in headers.KINDS:
        assert kind.name in headers.NO_KIND
