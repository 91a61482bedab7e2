"""One call for whatever shows people: the same people whatever they are given as, and in whatever batch."""

import io
import time

import cv2
import numpy as np
import pytest
from PIL import Image

import cid_mmpose
from cid_mmpose.errors import BadInput
from cid_mmpose.inference import People
from cid_mmpose.inference.ahead import ahead
from cid_mmpose.inference.images import image_of_array


def assert_same(people, others, atol=0.01):
    assert len(people) == len(others) > 0
    np.testing.assert_allclose(people.keypoints, others.keypoints, atol=atol)
    np.testing.assert_allclose(people.centers, others.centers, atol=atol)
    np.testing.assert_allclose(people.scores, others.scores, atol=1e-4)


@pytest.fixture(scope='module')
def model(work_folder):
    return cid_mmpose.load(work_folder, min_score=0.05, device='cpu')


def test_a_file_gives_a_list_of_one_result_that_tells_where_it_is_from(model, images):
    (people,) = model(images / '0.png')
    assert isinstance(people, People) and people.path == str(images / '0.png')
    assert people.image_size == (160, 120) and len(people) > 1 and people.names[0] == 'nose'
    assert people.image is None and people.frame is None
    assert (people.scores >= 0.05).all() and (np.diff(people.scores) <= 0).all()


@pytest.mark.parametrize('batch_size', [1, 4, 16])
def test_batches_and_the_order_of_the_images_change_nobody(work_folder, model, images, batch_size):
    alone = model(images)
    paths = [str(images / f'{number}.png') for number in (3, 1, 4, 0, 2)]
    shuffled = cid_mmpose.load(work_folder, min_score=0.05, batch_size=batch_size, device='cpu')(paths)
    assert [people.path for people in shuffled] == paths
    for people in shuffled:
        assert_same(people, alone[int(people.path[-5])])


def test_an_image_is_the_same_as_file_array_and_pillow(model, images):
    path = str(images / '0.png')
    bgr = cv2.imread(path)
    (expected,) = model(path)
    assert_same(model(bgr)[0], expected, 0)
    assert_same(model(bgr[..., ::-1], channels='rgb')[0], expected, 0)
    assert_same(model(np.dstack([bgr, bgr[..., 0]]))[0], expected, 0)
    assert_same(model(Image.open(path))[0], expected, 0)
    assert_same(model(Image.open(path).convert('RGBA'))[0], expected, 0)
    assert_same(model(bgr.astype(np.float32))[0], expected, 0)
    assert_same(model(f'file://{path}')[0], expected, 0)
    several = model([path, bgr, np.stack([bgr, bgr])])
    assert len(several) == 4 and [people.path for people in several] == [path, None, None, None]
    for people in several:
        assert_same(people, expected, 0)


def test_a_grey_image_is_one_of_three_equal_channels(model, images):
    grey = cv2.imread(str(images / '0.png'), cv2.IMREAD_GRAYSCALE)
    assert_same(model(grey)[0], model(np.dstack([grey] * 3))[0], 0)


@pytest.mark.parametrize(
    ('given', 'said'),
    [
        (np.zeros((4, 4, 3), np.float32) + 0.5, 'floats from 0 to 1; multiply by 255'),
        (np.full((4, 4, 3), 300.0), 'floats from 300 to 300'),
        (np.full((4, 4, 3), np.nan), 'floats from nan to nan'),
        (np.zeros((4, 4, 2), np.uint8), r'has shape \(4, 4, 2\)'),
        (np.zeros((0, 4, 3), np.uint8), r'has shape \(0, 4, 3\)'),
        (np.zeros((4, 4, 3), np.int64), 'holds int64'),
        ('nowhere.jpg', 'nowhere.jpg: no such file or folder'),
        ('nowhere/*.jpg', r'nowhere/\*.jpg: no file has such a name'),
        ('', 'an empty path'),
        ('~nosuchuser/a.jpg', '~nosuchuser/a.jpg: cannot be looked at'),
        ('http://[a/b.jpg', r'http://\[a/b.jpg: cannot be looked at'),
        ('x' * 300 + '.jpg', 'x: cannot be looked at .*File name too long'),
        ('99999999999999', 'camera 99999999999999: no camera has such a number'),
        (2**31, 'camera 2147483648: no camera has such a number'),
        ('s3://bucket/a.jpg', 'not from s3://'),
        (dict(), 'cannot look at a dict'),
        (b'abc', 'cannot look at a bytes'),
        (None, 'cannot look at a NoneType'),
        (True, 'cannot look at a bool'),
    ],
)
def test_what_is_no_image_is_one_clear_error(model, given, said):
    with pytest.raises(BadInput, match=said):
        model(given)


@pytest.mark.parametrize('mode', ['I;16', 'I', 'F'])
def test_grey_pillow_images_of_more_bits_are_those_of_the_arrays(mode):
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    given = Image.fromarray(grey.astype(np.uint16) * 257) if mode == 'I;16' else Image.fromarray(grey).convert(mode)
    assert given.mode == mode
    assert np.array_equal(image_of_array(given), grey[..., None].repeat(3, 2))


def test_pillow_values_outside_8_bits_are_refused_where_their_range_is_unknown():
    with pytest.raises(BadInput, match='holds floats from 0 to 1000'):
        image_of_array(Image.fromarray(np.array([[0, 1000]], np.int32)))


def test_a_pillow_image_that_cannot_be_read_is_one_clear_error(model, images):
    data = (images / '0.png').read_bytes()
    with pytest.raises(BadInput, match='a PIL image cannot be read .*; open it again'):
        model(Image.open(io.BytesIO(data[: len(data) // 2])))
    closed = Image.open(images / '0.png')
    closed.close()
    with pytest.raises(BadInput, match='a PIL image cannot be read .*; open it again'):
        model(closed)


def test_a_pillow_image_is_read_by_one_thread_at_a_time(monkeypatch):
    inside = []
    at_once = []

    def slow(image):
        inside.append(image)
        at_once.append(len(inside))
        time.sleep(0.05)
        inside.pop()
        return image

    monkeypatch.setattr('PIL.ImageOps.exif_transpose', slow)
    list(ahead([Image.new('RGB', (4, 4))] * 6, image_of_array, depth=6))
    assert at_once == [1] * 6


def test_other_words_for_the_channels_are_refused(model):
    with pytest.raises(BadInput, match="channels must be 'bgr' or 'rgb', got 'RGB'"):
        model(np.zeros((4, 4, 3), np.uint8), channels='RGB')


def test_a_folder_a_pattern_and_a_list_are_read_in_order(model, images):
    (images / 'notes.txt').write_text('no image')
    expected = [str(images / f'{number}.png') for number in range(5)]
    assert [people.path for people in model(images)] == expected
    assert [people.path for people in model(f'{images}/*.png')] == expected
    assert [people.path for people in model(expected[::-1])] == expected[::-1]


def test_a_pattern_that_only_folders_have_is_an_error(model, images):
    with pytest.raises(BadInput, match='no file has such a name'):
        model(f'{images.parent}/imag*')


def test_a_folder_without_images_is_an_error(model, tmp_path):
    with pytest.raises(BadInput, match='holds no image and no video'):
        model(tmp_path)


def test_nobody_is_a_normal_result(work_folder, images):
    (people,) = cid_mmpose.load(work_folder, min_score=1.0, device='cpu')(images / '0.png')
    assert len(people) == 0 and people.keypoints.shape == (0, 17, 2) and people.image_size == (160, 120)


@pytest.mark.parametrize('size', [(1, 1), (1, 40), (40, 1)])
def test_the_smallest_and_the_narrowest_images_have_a_result(model, size):
    width, height = size
    (people,) = model(np.zeros((height, width, 3), np.uint8))
    assert people.image_size == size


def test_an_image_too_narrow_for_the_network_is_one_clear_error(model):
    with pytest.raises(BadInput, match='array: is 20000 x 1 pixels, for which the network'):
        model(np.zeros((1, 20000, 3), np.uint8))


def test_a_generator_is_taken_bit_by_bit(model, images):
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield cv2.imread(str(images / '0.png'))

    results = model(endless(), stream=True)
    first = next(results)
    results.close()
    assert len(first) > 1 and first.image.shape == (120, 160, 3) and len(taken) < 6
    with pytest.raises(BadInput, match='may never end: call with stream=True'):
        model(endless())


def test_a_file_that_cannot_be_read_is_an_error_after_those_before_it(model, images):
    (images / '2.png').write_bytes((images / '2.png').read_bytes()[:200])
    results = model(images, stream=True)
    assert [next(results).path, next(results).path] == [str(images / '0.png'), str(images / '1.png')]
    with pytest.raises(BadInput, match='2.png: not a complete image'):
        next(results)


def test_people_above_a_score_are_those_that_a_lower_bound_finds_too(work_folder, model, images):
    """Roots below the bound are not looked at, which takes nobody away."""
    for people in model(images):
        bound = float(np.median(people.scores))
        (some,) = cid_mmpose.load(work_folder, min_score=bound, device='cpu')(people.path)
        assert_same(some, people.above(bound), 0)


def test_nms_afterwards_is_nms_in_the_network(work_folder, images):
    everyone = cid_mmpose.load(work_folder, min_score=0.05, nms=1.0, device='cpu')(images / '0.png')[0]
    some = cid_mmpose.load(work_folder, min_score=0.05, nms=0.3, device='cpu')(images / '0.png')[0]
    assert len(some) < len(everyone)
    assert_same(everyone.without_duplicates(0.3), some, 0)
