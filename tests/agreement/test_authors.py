"""The recipe 'reference' against figures that the authors' own data set and target generator printed.

``data/golden/authors_targets.json`` of the shared folder holds them for six images, each rotated, scaled, shifted and
mirrored twice; its note says how they were made. ``make agreement`` prints the largest differences.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from cid_mmpose.codecs import SizeAdaptiveHeatmap, gather_targets, render_crowd
from cid_mmpose.codecs.size_adaptive import sides_on_map
from cid_mmpose.data import CocoPeople, LoadImage, LossMask, RandomAffine, RandomMirror
from cid_mmpose.data.augment import affine_matrix
from tests.helpers.oracle import Shifts, drawn_people, labels

SIZE, CELLS = (512, 512), (128, 128)
TABLE = "recipe reference against the authors' own figures (largest difference, limit)"
# Some of the people, so that a clone without the shared folder is tested too: the image's width and height; rotation
# in degrees, scale, shift in image pixels, mirrored; the annotated box; width, height and radius in cells.
SOME_PEOPLE = [
    ((640, 427), 7.51, 1.423, (19, 67), False, (315.59, 188.55, 72.63, 155.57), 16, 33, 5),
    ((640, 427), 7.51, 1.423, (19, 67), False, (491, 190.87, 77.72, 29.84), 17, 7, 2),
    ((640, 427), -16.49, 0.975, (-36, 62), True, (270.92, 337.5, 122.07, 89.5), 38, 28, 8),
    ((640, 427), -16.49, 0.975, (-36, 62), True, (491, 190.87, 77.72, 29.84), 7, 9, 2),
    ((640, 474), -29.68, 1.366, (-95, 77), False, (174.97, 2.22, 465.03, 471.78), 62, 94, 20),
    ((640, 474), -1.92, 0.977, (-29, -41), True, (235.94, 32.52, 259.32, 305.02), 72, 85, 21),
    ((480, 640), -14.71, 1.084, (-5, 1), False, (1.43, 212.04, 118.84, 416.64), 30, 101, 12),
    ((480, 640), 3.21, 1.497, (88, 84), True, (400, 234.86, 64.26, 250.22), 12, 45, 5),
    ((640, 427), -20.39, 1.209, (-80, -94), True, (470.41, 0.48, 169.59, 158.23), 15, 37, 5),
    ((640, 427), -27.86, 1.136, (92, -7), False, (184.73, 2.26, 43.49, 92.65), 11, 16, 3),
    ((640, 422), -0.19, 0.936, (77, -77), False, (7.59, 110.85, 194.19, 267.18), 1, 71, 0),
    ((640, 422), -18.46, 1.269, (82, -64), True, (7.59, 110.85, 194.19, 267.18), 26, 64, 10),
]


def matrix_of(sides: tuple, rotation: float, scale: float, shift: tuple) -> np.ndarray:
    """The (2, 3) matrix of a case: the window's center is moved by ``shift`` from that of the image."""
    center = np.array(sides) / 2 + shift
    return affine_matrix(center, SIZE[0] / (min(sides) * scale), rotation, SIZE)


def move(item: dict, matrix: np.ndarray, mirrored: bool) -> dict:
    """An item through our transforms, with this matrix in the place of a random one."""
    affine = RandomAffine(input_size=SIZE)
    affine.draw_matrix = lambda shape, rng: matrix
    mirror = RandomMirror(prob=float(mirrored))
    return mirror.transform(affine.transform(item))


def encode(keypoints: np.ndarray, visible: np.ndarray, bbox: np.ndarray) -> dict:
    """Targets without jitter of the seeds."""
    return SizeAdaptiveHeatmap().encode(keypoints, visible, bbox, SIZE, Shifts(np.zeros((len(bbox), 2))))


def cases(shared: Path) -> Iterator[tuple]:
    """(case of the file, our item of its image after the same geometry)."""
    data = CocoPeople(
        ann_file=str(shared / 'data/coco_mini/annotations/person_keypoints_train2017.json'),
        data_prefix=dict(img=str(shared / 'data/coco_mini/train2017/')),
        pipeline=[],
    )
    places = {data.get_data_info(place)['img_id']: place for place in range(len(data))}
    for case in json.loads((shared / 'data/golden/authors_targets.json').read_text())['cases']:
        item = LoadImage().transform(data.get_data_info(places[case['image_id']]))
        height, width = item['img'].shape[:2]
        matrix = matrix_of((width, height), case['rotation'], case['scale'], case['shift'])
        moved = move(item, matrix, case['flip'])
        yield case, LossMask().transform(moved)


def sums_of(encoded: dict) -> tuple:
    """(18, 128, 128) maps of the crowd, and each seeded person's seed -> sum of the 17 maps."""
    targets = gather_targets([labels(encoded)], torch.device('cpu'))
    like = torch.zeros(1, 1, *CELLS[::-1])
    seeded = targets.seeded.nonzero()[:, 0]
    maps, _ = drawn_people(targets, seeded, like)
    seeds = [tuple(cell) for cell in targets.seed_cell[seeded].tolist()]
    sums = maps.double().sum((1, 2, 3)).tolist()
    return render_crowd(targets, CELLS, 1)[0], dict(zip(seeds, sums))


@pytest.mark.parametrize('sides, rotation, scale, shift, mirrored, box, width, height, radius', SOME_PEOPLE)
def test_a_turned_mirrored_and_clipped_box_has_the_authors_sides_and_radius(
    sides, rotation, scale, shift, mirrored, box, width, height, radius
):
    x, y, w, h = box
    item = dict(
        img=np.zeros((*sides[::-1], 3), np.uint8),
        keypoints=np.zeros((1, 17, 2)),
        keypoints_visible=np.ones((1, 17)),
        bbox=np.array([[x, y, x + w, y + h]]),
        flip_indices=range(17),
    )
    moved = move(item, matrix_of(sides, rotation, scale, shift), mirrored)
    on_map = sides_on_map(moved['bbox'] / 4, CELLS)
    assert np.ceil(on_map).tolist() == [[width], [height]]
    assert encode(moved['keypoints'], moved['keypoints_visible'], moved['bbox'])['radius'].tolist() == [radius]


def test_sides_and_radius_of_every_person_are_the_authors(shared, figures):
    people = 0
    side = radius = 0.0
    for case, item in cases(shared):
        encoded = encode(item['keypoints'], item['keypoints_visible'], item['bbox'])
        width, height = np.ceil(sides_on_map(item['bbox'] / 4, CELLS))
        assert item['id'] == [person['annotation_id'] for person in case['people']]
        for place, person in enumerate(case['people']):
            people += 1
            side = max(side, abs(width[place] - person['box_width_cells']))
            side = max(side, abs(height[place] - person['box_height_cells']))
            radius = max(radius, abs(encoded['radius'][place] - person['radius']))
    figures(TABLE, 'people', people, 68)
    figures(TABLE, 'sides of their boxes in cells', side, 0)
    figures(TABLE, 'radius in cells', radius, 0)
    assert (people, side, radius) == (68, 0, 0)


def test_maps_seeds_and_loss_mask_are_the_authors(shared, figures):
    difference = dict.fromkeys(('sum', 'person', 'ones', 'mask', 'seeds'), 0.0)
    for case, item in cases(shared):
        encoded = encode(item['keypoints'], item['keypoints_visible'], item['bbox'])
        crowd, person_sums = sums_of(encoded)
        expected_sums = dict(zip(map(tuple, case['seeds_xy']), case['person_sum']))
        crowd_sums = crowd.double().sum((1, 2)).numpy()
        ones = (crowd == 1).sum((1, 2)).numpy()
        found = dict(
            seeds=len(person_sums.keys() ^ expected_sums.keys()),
            sum=np.abs(crowd_sums - case['crowd_sum']).max(),
            ones=np.abs(ones - case['crowd_ones']).max(),
            mask=abs(int(item['heatmap_mask'].sum()) - case['mask_cells']),
            person=max(abs(person_sums[seed] - expected_sums[seed]) for seed in person_sums),
        )
        difference = {name: max(value, found[name]) for name, value in difference.items()}
    # their file keeps four digits, and sums of a few thousand in float32 are good to about as many
    figures(TABLE, "sums of the crowd's maps (18 an image, up to 1000)", difference['sum'], 1e-3)
    figures(TABLE, 'sums of the maps of a person (up to 10000)', difference['person'], 1e-2)
    figures(TABLE, 'cells equal to 1 in a map', difference['ones'], 0)
    # OpenCV 5 warps the mask in other arithmetic than OpenCV 4, which the authors' figures were made with
    mask_cells = 0 if int(cv2.__version__.partition('.')[0]) < 5 else 4
    figures(TABLE, 'cells of the loss mask', difference['mask'], mask_cells)
    figures(TABLE, 'seeds that differ', difference['seeds'], 0)
    assert difference['sum'] < 1e-3 and difference['person'] < 1e-2
    assert (difference['ones'], difference['seeds']) == (0, 0)
    assert difference['mask'] <= mask_cells
