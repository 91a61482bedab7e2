"""LoadImage: every kind of image becomes 8-bit BGR as annotated, and what is no image is named."""

import io
import zlib

import cv2
import numpy as np
import pytest
from mmengine.registry import DefaultScope
from mmpose.registry import TRANSFORMS
from PIL import Image

from cid_mmpose.data import LoadImage, ResizeImage
from cid_mmpose.data.headers import is_cut_off, size_of
from cid_mmpose.data.image_file import decode_image
from cid_mmpose.errors import BadInput
from tests.helpers.images import shared

SHAPE = (48, 64)  # height, width in pixels
RAMP = np.add.outer(np.arange(48) * 3, np.arange(64)).astype(np.uint8)  # 0 .. 204, brighter to the right and below
COLOUR = np.stack([RAMP, 255 - RAMP, np.full(SHAPE, 90, np.uint8)], -1)  # as RGB
TURNED = 6  # EXIF: the viewer turns the image by 90 degrees clockwise


def encode(kind: str, pixels: np.ndarray = COLOUR, **options) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def turned_jpeg() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = TURNED
    return encode('JPEG', exif=exif, quality=95)


def thumbnail_jpeg() -> bytes:
    """A JPEG with a whole small JPEG, end mark included, in its header."""
    small = b'Exif\0\0' + encode('JPEG', COLOUR[::4, ::4])
    segment = b'\xff\xe1' + (len(small) + 2).to_bytes(2, 'big') + small
    data = encode('JPEG')
    return data[:2] + segment + data[2:]


def load(path, shape=SHAPE, **options) -> dict:
    return LoadImage(**options).transform(dict(img_path=str(path), ann_shape=shape))


@pytest.mark.parametrize('kind', ['PNG', 'BMP', 'TIFF', 'PPM'])
def test_colours_come_as_bgr_unchanged_from_lossless_files(kind):
    assert np.array_equal(decode_image(encode(kind), SHAPE), COLOUR[..., ::-1])


@pytest.mark.parametrize('kind, options', [('JPEG', {}), ('JPEG', dict(progressive=True)), ('WEBP', {})])
def test_colours_come_nearly_unchanged_from_lossy_files(kind, options):
    image = decode_image(encode(kind, quality=95, **options), SHAPE)
    assert np.abs(image.astype(int) - COLOUR[..., ::-1]).mean() < 3


def test_grey_images_get_three_equal_channels():
    for kind in ('PNG', 'BMP'):
        assert np.array_equal(decode_image(encode(kind, RAMP), SHAPE), np.stack([RAMP] * 3, -1))


def test_alpha_is_dropped_and_palettes_are_looked_up():
    alpha = np.dstack([COLOUR, RAMP])
    assert np.array_equal(decode_image(encode('PNG', alpha), SHAPE), COLOUR[..., ::-1])
    indexed, stream = Image.fromarray(RAMP // 100, 'P'), io.BytesIO()
    indexed.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    indexed.save(stream, 'PNG')
    image = decode_image(stream.getvalue(), SHAPE)
    assert image[0, 0].tolist() == [30, 20, 10] and image[47, 63].tolist() == [90, 80, 70]


@pytest.mark.parametrize('pixels', [RAMP, COLOUR[..., ::-1]], ids=['grey', 'colour'])
def test_16_bit_images_come_as_8_bit(pixels):
    data = cv2.imencode('.png', pixels.astype(np.uint16) * 257)[1].tobytes()
    image = decode_image(data, SHAPE)
    assert image.dtype == np.uint8 and image.shape == (48, 64, 3)
    assert np.array_equal(image, pixels if pixels.ndim == 3 else np.stack([pixels] * 3, -1))


def test_a_turned_jpeg_comes_as_it_was_annotated():
    stored = decode_image(turned_jpeg(), SHAPE)
    shown = decode_image(turned_jpeg(), SHAPE[::-1])
    assert stored.shape == (48, 64, 3) and shown.shape == (64, 48, 3)
    assert np.array_equal(np.rot90(stored, -1), shown)
    assert np.array_equal(decode_image(turned_jpeg(), None), shown)  # nobody annotated it: as a viewer shows it


@pytest.mark.parametrize(
    'kind, options',
    [('JPEG', {}), ('JPEG', dict(progressive=True)), ('PNG', {}), ('BMP', {}), ('WEBP', {}), ('TIFF', {})],
)
@pytest.mark.parametrize('part', [0.05, 0.3, 0.6, 0.9, 0.99])
def test_a_file_cut_off_anywhere_holds_no_image(kind, options, part):
    data = encode(kind, **options)
    assert decode_image(data[: int(part * len(data))], SHAPE) is None


def test_a_cut_is_seen_without_opencv_whose_older_versions_make_up_the_rest():
    for options in ({}, dict(progressive=True)):
        data = encode('JPEG', **options)
        assert not is_cut_off(data)
        assert [cut for cut in range(2, len(data), 5) if not is_cut_off(data[:cut])] == []


def test_a_cut_in_the_image_is_seen_behind_a_whole_thumbnail():
    data = thumbnail_jpeg()
    assert decode_image(data, SHAPE).shape == (48, 64, 3)
    assert not is_cut_off(data)
    assert [cut for cut in range(2, len(data), 7) if not is_cut_off(data[:cut])] == []


@pytest.mark.parametrize('tail', [b'\0' * 9, b'made by a camera', b'\xff\xda\0\1', b'\xff\xd8\xff\xe0 IDAT'])
def test_bytes_behind_the_end_of_an_image_do_no_harm(tail):
    for data in (encode('JPEG'), encode('PNG'), thumbnail_jpeg()):
        assert np.array_equal(decode_image(data + tail, SHAPE), decode_image(data, SHAPE))


def test_padding_before_a_header_mark_is_passed_over():
    data = encode('JPEG')
    assert decode_image(data[:2] + b'\xff\xff' + data[2:], SHAPE) is not None


def test_the_size_in_a_header_is_the_image_s_not_its_thumbnail_s():
    assert size_of(thumbnail_jpeg()) == SHAPE


@pytest.mark.parametrize('options', [{}, dict(progressive=True), dict(optimize=True)])
def test_the_header_of_a_jpeg_says_the_stored_size(options):
    data = encode('JPEG', **options)
    assert size_of(data) == SHAPE
    assert size_of(data[:2] + b'\xff\xff' + data[2:]) == SHAPE  # padding
    assert size_of(turned_jpeg()) == SHAPE


@pytest.mark.parametrize('data', [b'\xff\xd8', b'\xff\xd8\xff', encode('JPEG')[:20]])
def test_a_jpeg_header_that_breaks_off_says_no_size(data):
    assert size_of(data) is None


NO_IMAGES = {
    'a start of JPEG': b'\xff\xd8\xff',
    'a start of PNG': b'\x89PNG\r\n\x1a\n',
    'half a BMP': b'BM' + b'\0' * 9,
    'a start of TIFF': b'II*\0\xff\xff',
    'another RIFF': b'RIFF\0\0\0\0WAVE',
    'GIF of no size': b'GIF89a' + b'\0' * 20,
    'PNM of words': b'P6 wide high',
    'JPEG 2000': b'\xff\x4f\xff\x51' + b'\0' * 40,
}
OTHER_KINDS = {
    'a page': b'<!DOCTYPE html><html></html>',
    'SVG': b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    'PDF': b'%PDF-1.7',
    'HDR': b'#?RADIANCE\n',
    'EXR': b'\x76\x2f\x31\x01',
    'text': b'nobody',
    'zeros': b'\0' * 500,
    'PSD': b'8BPS\0\1',
    'PFM': b'PF\n64 48\n-1.0\n',
    'JPEG XL': b'\xff\x0a' + b'\0' * 20,
    'two bytes': b'\xff\xd8',
}


@pytest.mark.parametrize('kind', OTHER_KINDS)
def test_a_file_of_another_kind_is_named_with_the_kinds_that_are_read(tmp_path, kind):
    (tmp_path / 'page.jpg').write_bytes(OTHER_KINDS[kind])
    with pytest.raises(BadInput, match=r'page.jpg: not an image of a kind that is read \(JPEG, PNG, .*\); convert it'):
        load(tmp_path / 'page.jpg')


def test_an_empty_file_is_called_empty(tmp_path):
    (tmp_path / 'page.jpg').touch()
    with pytest.raises(BadInput, match='page.jpg: empty, 0 bytes; get it again'):
        load(tmp_path / 'page.jpg')


@pytest.mark.parametrize('data', NO_IMAGES.values(), ids=NO_IMAGES)
def test_what_is_no_image_is_named_or_skipped_with_a_count(tmp_path, data):
    path = tmp_path / 'page.jpg'
    path.write_bytes(data)
    with pytest.raises(BadInput, match='page.jpg: not a complete image of a kind OpenCV reads; get it again'):
        load(path)
    step = LoadImage(unreadable='skip')
    assert step.transform(dict(img_path=str(path))) is None and len(step.skipped) == 1
    assert step.transform(dict(img_path=str(path))) is None and len(step.skipped) == 1


def test_a_header_with_more_pixels_than_opencv_takes_is_no_image():
    data = bytearray(encode('PNG'))
    data[16:24] = (100000).to_bytes(4, 'big') * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, 'big')
    assert decode_image(bytes(data), SHAPE) is None


@pytest.mark.parametrize('unreadable', ['error', 'skip'])
def test_a_missing_file_is_always_an_error(tmp_path, unreadable):
    with pytest.raises(BadInput, match='gone.jpg: no such image; give the path of one, or set data_root and data_pre'):
        load(tmp_path / 'gone.jpg', unreadable=unreadable)


def test_an_image_of_another_size_than_annotated_is_named(tmp_path):
    (tmp_path / 'a.png').write_bytes(encode('PNG'))
    with pytest.raises(BadInput, match="a.png: is 64 x 48 pixels, but fields 'width' and 'height' .* say 80 x 60"):
        load(tmp_path / 'a.png', shape=(60, 80))


def test_a_loaded_image_brings_its_shape_and_one_in_memory_stays(tmp_path):
    (tmp_path / 'a.png').write_bytes(encode('PNG'))
    loaded = load(tmp_path / 'a.png')
    assert loaded['img_shape'] == loaded['ori_shape'] == (48, 64)
    drawn = LoadImage().transform(dict(img=COLOUR, img_path='not a file'))
    assert drawn['img'] is COLOUR and drawn['img_shape'] == (48, 64)


def test_an_unknown_option_is_refused():
    with pytest.raises(ValueError, match="unreadable must be one of .*'ignore'"):
        LoadImage(unreadable='ignore')


def test_no_real_image_is_taken_for_cut_off():
    files = sorted(shared('').glob('*/*/*.jpg'))
    assert len(files) >= 65
    assert [path.name for path in files if is_cut_off(path.read_bytes())] == []
    assert [path.name for path in files if not is_cut_off(path.read_bytes()[:-100])] == []


@pytest.mark.parametrize(
    'new, old, step', [('LoadImage', 'LoadPicture', LoadImage), ('ResizeImage', 'ResizePicture', ResizeImage)]
)
def test_configs_of_version_0_1_0_find_the_steps_that_have_new_names(new, old, step):
    with DefaultScope.overwrite_default_scope('mmpose'):
        assert TRANSFORMS.get(f'cid_mmpose.{new}') is step
        assert TRANSFORMS.get(f'cid_mmpose.{old}') is step
    assert step.__name__ == new
