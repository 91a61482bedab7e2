"""Draws the made-up animals of docs/own_data.md: images of 128 px with one to three each, and their annotations.

    python experiments/draw_animals.py animals

The same images and annotations every time; numpy and OpenCV are all it takes.
"""

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

SIDE = 128  # pixels of an image
FINE = 4  # bits behind the point of the coordinates that OpenCV draws with
HEIGHT = (0.2, 0.38)  # of an animal at the shoulder, in image sides
NAMES = ('nose', 'tail', 'left_ear', 'right_ear', 'left_fore_paw', 'right_fore_paw', 'left_hind_paw', 'right_hind_paw')
LINKS = ((1, 2), (3, 1), (4, 1), (3, 5), (4, 6), (2, 7), (2, 8), (5, 7), (6, 8))  # from 1, as COCO counts


class Animal(NamedTuple):
    """An animal as it is drawn."""

    keypoints: np.ndarray  # (8, 2) x, y in pixels, in the order of NAMES
    neck: np.ndarray  # (2,) where the head begins
    hips: tuple[np.ndarray, np.ndarray]  # (2,) where the fore legs and the hind legs begin
    size: float  # height in pixels
    colour: np.ndarray  # (3,) BGR
    looks_left: bool


def pose(rng: np.random.Generator) -> Animal:
    """An animal of any size and place, with its head, tail and legs at any angle that it could have."""
    size = SIDE * rng.uniform(*HEIGHT)
    shoulder = np.array([0.5, -1.0])  # in heights of the animal, y down, from the middle of its body on the ground
    hip = np.array([-0.5, -0.95])
    neck = shoulder + [0.15, -0.1]
    head = neck + turned([0.32, -0.22], rng.uniform(-0.5, 0.5))
    nose = head + turned([0.3, 0.1], rng.uniform(-0.4, 0.4))
    ears = [head + turned([x, -0.3], rng.uniform(-0.2, 0.2)) for x in (-0.12, 0.08)]
    tail = hip + turned([-0.6, -0.1], rng.uniform(-0.9, 0.7))
    fore = [shoulder + turned([0, 0.95], rng.uniform(-0.45, 0.45)) for _ in range(2)]
    hind = [hip + turned([0, 0.9], rng.uniform(-0.45, 0.45)) for _ in range(2)]

    # an animal that looks to the right turns its right side to us; in the mirror that is its left one
    points = np.array([nose, tail, *ears, *fore, *hind, neck, shoulder, hip])
    looks_left = bool(rng.random() < 0.5)
    if looks_left:
        points[:, 0] *= -1
        points[[2, 3, 4, 5, 6, 7]] = points[[3, 2, 5, 4, 7, 6]]
    middle = SIDE * np.array([rng.uniform(0.25, 0.75), rng.uniform(0.6, 1.0)])
    points = points * size + middle
    colour = rng.uniform(100, 255, 3)
    return Animal(points[:8], points[8], (points[9], points[10]), size, colour, looks_left)


def turned(vector: list[float], angle: float) -> np.ndarray:
    """A vector (2,) turned by an angle in radians."""
    sine, cosine = np.sin(angle), np.cos(angle)
    return np.array([[cosine, -sine], [sine, cosine]]) @ vector


def draw(image: np.ndarray, animal: Animal) -> None:
    """Draws an animal: its far legs and ear dark, then the body, then the near ones.

    Args:
        image: (128, 128, 3) uint8, changed in place.
        animal: where and how.
    """
    near = 'left' if animal.looks_left else 'right'
    far = 'right' if animal.looks_left else 'left'
    nose, tail = animal.keypoints[:2]
    shoulder, hip = animal.hips
    for side in (far, near):
        colour = animal.colour * (1.0 if side == near else 0.55)
        ear, fore, hind = (animal.keypoints[NAMES.index(f'{side}_{part}')] for part in ('ear', 'fore_paw', 'hind_paw'))
        head = (animal.neck + nose) / 2
        stroke(image, head, ear, animal.size * 0.1, colour)
        stroke(image, shoulder, fore, animal.size * 0.12, colour)
        stroke(image, hip, hind, animal.size * 0.12, colour)
        if side == far:
            stroke(image, hip, tail, animal.size * 0.1, animal.colour * 0.8)
            stroke(image, shoulder, hip, animal.size * 0.45, animal.colour * 0.8)
            stroke(image, shoulder, animal.neck, animal.size * 0.3, animal.colour * 0.8)
            stroke(image, animal.neck, nose, animal.size * 0.2, animal.colour * 0.9)
    stroke(image, nose, nose, animal.size * 0.1, animal.colour * 0.2)


def stroke(image: np.ndarray, start: np.ndarray, end: np.ndarray, width: float, colour: np.ndarray) -> None:
    """A thick line with round ends, in pixels."""
    points = [tuple(int(round(value * 2**FINE)) for value in point) for point in (start, end)]
    cv2.line(image, *points, tuple(map(float, colour)), max(1, round(width)), cv2.LINE_8, FINE)


def scene(rng: np.random.Generator) -> tuple[np.ndarray, list[dict]]:
    """An image, and the annotations of its animals without ids."""
    image = cv2.resize(rng.uniform(0, 120, (5, 5, 3)), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    image = np.clip(image + rng.normal(0, 8, image.shape), 0, 255).astype(np.uint8)
    animals = sorted((pose(rng) for _ in range(rng.integers(1, 4))), key=height_of)  # the largest is nearest

    owner = np.full((SIDE, SIDE), -1)  # number of the animal that is seen at a pixel
    shapes = []
    for number, animal in enumerate(animals):
        shape = np.zeros((SIDE, SIDE, 3), np.uint8)
        draw(shape, animal._replace(colour=np.full(3, 255.0)))
        draw(image, animal)
        shapes.append(shape.any(2))
        owner[shapes[-1]] = number

    annotations = []
    for number, (animal, shape) in enumerate(zip(animals, shapes)):
        if (owner == number).sum() > shape.sum() / 3:  # of those behind others, those that can be recognised
            annotations.append(annotation_of(animal, shape, owner == number))
    return image, annotations


def height_of(animal: Animal) -> float:
    """Height of an animal in pixels."""
    return animal.size


def annotation_of(animal: Animal, shape: np.ndarray, seen: np.ndarray) -> dict:
    """An animal as COCO annotates it.

    Args:
        animal: as drawn.
        shape: (128, 128) bool, its pixels if nothing hid it.
        seen: (128, 128) bool, those that nothing hides.
    """
    keypoints = []
    for x, y in animal.keypoints.tolist():
        inside = 0 <= x < SIDE and 0 <= y < SIDE
        if inside:
            visible = 2 if seen[int(y), int(x)] else 1
            keypoints += [round(x, 1), round(y, 1), visible]
        else:
            keypoints += [0, 0, 0]
    rows, columns = np.nonzero(shape)
    low = [int(columns.min()), int(rows.min())]
    box = [*low, int(columns.max()) + 1 - low[0], int(rows.max()) + 1 - low[1]]
    return dict(
        category_id=1,
        bbox=box,
        area=int(shape.sum()),
        iscrowd=0,
        keypoints=keypoints,
        num_keypoints=sum(visible > 0 for visible in keypoints[2::3]),
    )


def write(folder: Path, name: str, number: int, seed: int) -> None:
    """Writes an annotation file and its images.

    Args:
        folder: for NAME.json and images/NAME_*.png.
        name: of the file.
        number: of images.
        seed: of the scenes.
    """
    rng = np.random.default_rng(seed)
    images, annotations = [], []
    for image_id in range(1, number + 1):
        image, animals = scene(rng)
        file_name = f'{name}_{image_id:03}.png'
        cv2.imwrite(str(folder / 'images' / file_name), image)
        images.append(dict(id=image_id, file_name=file_name, width=SIDE, height=SIDE))
        for animal in animals:
            annotations.append(dict(animal, id=len(annotations) + 1, image_id=image_id))
    category = dict(id=1, name='fox', keypoints=NAMES, skeleton=LINKS)
    content = dict(images=images, annotations=annotations, categories=[category])
    (folder / f'{name}.json').write_text(json.dumps(content))
    print(f'{folder / name}.json: {number} images, {len(annotations)} animals')


def main() -> None:
    """Reads the folder and draws into it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folder', type=Path)
    folder = parser.parse_args().folder
    (folder / 'images').mkdir(parents=True, exist_ok=True)
    write(folder, 'train', 60, seed=0)
    write(folder, 'test', 20, seed=1)


if __name__ == '__main__':
    main()
