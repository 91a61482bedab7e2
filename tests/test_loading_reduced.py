"""LoadImage at reduced size: when, how large, and that everything else stays as it is at full size."""

import numpy as np
import pytest
from images import build_data, coco_mini, config, person, pipeline, tiny_config
from mmengine.dataset import Compose
from PIL import Image
from test_loading import encode, load, thumbnail_jpeg

from cid_mmpose.data import LoadImage
from cid_mmpose.data.image_file import decode_image
from cid_mmpose.data.jpeg import reduced, reduction_of, stored_size
from cid_mmpose.errors import BadInput


def colours(width: int, height: int) -> np.ndarray:
    """RGB, brighter to the right and below, so that halves of it are nearly the same image."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.dstack([x, y, 255 - x]).astype(np.uint8)


def jpeg(width: int, height: int, turn: int = 0, **options) -> bytes:
    exif = Image.Exif()
    if turn:
        exif[0x0112] = turn
        options.update(exif=exif)
    return encode('JPEG', colours(width, height), quality=95, **options)


def means(image: np.ndarray, s: int) -> np.ndarray:
    """Mean of each s x s pixels; sides are multiples of s."""
    h, w, _ = image.shape
    return image.astype(float).reshape(h // s, s, w // s, s, 3).mean((1, 3))


@pytest.mark.parametrize('data', [jpeg(64, 48), jpeg(64, 48, progressive=True), jpeg(64, 48, turn=6)])
def test_the_header_says_the_stored_size(data):
    assert stored_size(data) == (48, 64)
    assert stored_size(data[:2] + b'\xff\xff' + data[2:]) == (48, 64)  # padding


def test_the_size_is_the_image_s_not_its_thumbnail_s():
    assert stored_size(thumbnail_jpeg()) == (48, 64)


@pytest.mark.parametrize('data', [b'', b'\xff\xd8', b'\xff\xd8\xff', encode('PNG'), jpeg(64, 48)[:20]])
def test_other_files_and_cut_headers_say_no_size_and_are_not_reduced(data):
    assert stored_size(data) is None and reduction_of(data, 1) == 1


@pytest.mark.parametrize(
    'size, shortest, expected',
    [
        ((640, 480), 512, 1),
        ((640, 640), 320, 2),
        ((640, 480), 240, 2),
        ((640, 480), 241, 1),
        ((640, 480), 120, 4),
        ((640, 480), 60, 8),
        ((640, 480), 1, 8),
        ((640, 480), None, 1),
        ((2048, 1365), 683, 1),
        ((2048, 1366), 683, 2),
    ],
)
def test_the_short_side_keeps_as_many_pixels_as_asked(size, shortest, expected):
    assert reduction_of(jpeg(*size), shortest) == expected


def test_an_image_that_may_be_turned_is_only_reduced_to_whole_pixels():
    assert reduction_of(jpeg(64, 48, turn=6), 1) == 8
    assert reduction_of(jpeg(68, 48, turn=6), 1) == 4  # 68 is no multiple of 8
    assert reduction_of(jpeg(67, 48, turn=6), 1) == 1 and reduction_of(jpeg(67, 48), 1) == 8


@pytest.mark.parametrize('s', [2, 4, 8])
@pytest.mark.parametrize('turn', [0, 1, 3, 6, 8])
@pytest.mark.parametrize('by_annotation', ['stored', 'shown', 'nobody'])
def test_each_pixel_is_the_mean_of_those_it_stands_for_turned_as_at_full_size(s, turn, by_annotation):
    data = jpeg(128, 96, turn)
    turned = turn in (6, 8) and by_annotation != 'stored'
    shape = None if by_annotation == 'nobody' else (128, 96) if turned else (96, 128)
    whole, part = decode_image(data, shape), decode_image(data, shape, s)
    assert part.shape == (whole.shape[0] // s, whole.shape[1] // s, 3) and part.dtype == np.uint8
    assert np.abs(part - means(whole, s)).max() < 6


@pytest.mark.parametrize('s', [2, 4, 8])
def test_a_side_that_is_no_multiple_ends_in_part_of_a_pixel(s):
    part = decode_image(jpeg(131, 97), (97, 131), s)
    assert part.shape[:2] == reduced((97, 131), s) == (-(-97 // s), -(-131 // s))


@pytest.mark.parametrize(
    'width, height, turn, shape',
    [(128, 96, 0, (96, 128)), (131, 97, 0, (97, 131)), (128, 96, 6, (128, 96)), (128, 96, 6, None)],
)
def test_shapes_are_those_of_the_whole_image(tmp_path, width, height, turn, shape):
    (tmp_path / 'a.jpg').write_bytes(jpeg(width, height, turn))
    made = load(tmp_path / 'a.jpg', shape, shortest=24)
    assert made['reduction'] == 4 and made['img'].shape[:2] == reduced(made['ori_shape'], 4)
    assert made['ori_shape'] == made['img_shape'] == (shape or (128, 96))


@pytest.mark.parametrize('shape', [(97, 128), (96, 127), (95, 128), (48, 64)])
def test_an_image_of_another_size_is_named_even_where_both_are_read_alike(tmp_path, shape):
    (tmp_path / 'a.jpg').write_bytes(jpeg(128, 96))
    with pytest.raises(BadInput, match=f'a.jpg: is 128 x 96 pixels, but .* say {shape[1]} x {shape[0]}'):
        load(tmp_path / 'a.jpg', shape, shortest=24)


@pytest.mark.parametrize('options', [{}, dict(progressive=True)])
@pytest.mark.parametrize('part', [0.01, 0.3, 0.6, 0.99])
def test_a_cut_off_file_is_refused_or_left_out_as_at_full_size(tmp_path, options, part):
    data = jpeg(128, 96, **options)
    (tmp_path / 'a.jpg').write_bytes(data[: int(part * len(data))])
    with pytest.raises(BadInput, match='a.jpg: not a complete image'):
        load(tmp_path / 'a.jpg', (96, 128), shortest=24)
    assert load(tmp_path / 'a.jpg', (96, 128), shortest=24, unreadable='skip') is None


def test_other_kinds_of_files_are_read_whole(tmp_path):
    (tmp_path / 'a.png').write_bytes(encode('PNG'))
    made = load(tmp_path / 'a.png', shortest=6)
    assert made['reduction'] == 1 and made['img'].shape == (48, 64, 3)


def test_images_are_read_whole_unless_asked_and_coco_s_always_at_512_px(tmp_path):
    (tmp_path / 'a.jpg').write_bytes(jpeg(2048, 2048))
    assert load(tmp_path / 'a.jpg', None)['reduction'] == 1
    for loader in ('train_dataloader', 'test_dataloader'):
        assert pipeline(config(side=512), loader).transforms[0].shortest is None
    assert all(reduction_of(jpeg(640, side), shortest) == 1 for side in (480, 640) for shortest in (512, 683))


@pytest.mark.parametrize('shortest', [0, -5])
def test_a_short_side_without_pixels_is_refused(shortest):
    with pytest.raises(ValueError, match='shortest must be above 0'):
        LoadImage(shortest=shortest)


@pytest.mark.parametrize('turn', [1, 6])
@pytest.mark.parametrize('seed', range(3))
def test_training_at_reduced_size_gives_the_same_people_and_nearly_the_same_image(tmp_path, turn, seed):
    (tmp_path / 'a.jpg').write_bytes(jpeg(1024, 768, turn))
    height, width = (1024, 768) if turn == 6 else (768, 1024)
    keypoints = np.array(person(box=(200, 150, 300, 400))['keypoints'], np.float32).reshape(1, 17, 3)
    made = []
    for shortest in (None, 342):  # 256 / 0.75
        cfg = tiny_config(256)
        cfg.train_dataloader.dataset.pipeline[0].shortest = shortest
        item = dict(
            img_path=str(tmp_path / 'a.jpg'),
            ann_shape=(height, width),
            img_id=1,
            id=[1],
            keypoints=keypoints[..., :2],
            keypoints_visible=np.ones((1, 17)),
            bbox=np.array([[200, 150, 500, 550]], np.float32),
            flip_indices=list(range(17)),
            invalid_segs=[[[50, 50, 400, 60, 300, 300]]],
        )
        np.random.seed(seed)
        made.append(Compose(pipeline(cfg).transforms)(item))
    whole, part = made
    assert whole['data_samples'].ori_shape == part['data_samples'].ori_shape == (height, width)
    for field, value in whole['data_samples'].gt_instance_labels.items():
        assert np.array_equal(value, part['data_samples'].gt_instance_labels[field]), field
    masks = [sample['data_samples'].gt_fields.heatmap_mask.numpy() for sample in made]
    assert (masks[0] != masks[1]).mean() < 0.02  # on the border of the region
    inner = np.kron(masks[0] & masks[1], np.ones((1, 4, 4), bool))[0]
    assert np.abs(whole['inputs'].float() - part['inputs'].float()).numpy()[:, inner].mean() < 2


def test_real_images_at_their_own_size_do_not_change_with_the_option():
    whole, part = (coco_mini(config(side=512)) for _ in range(2))
    part.test_dataloader.dataset.pipeline[0].shortest = 512
    for index in range(0, 26, 6):
        one, other = (build_data(cfg, 'test_dataloader')[index] for cfg in (whole, part))
        assert np.array_equal(one['inputs'], other['inputs'])
