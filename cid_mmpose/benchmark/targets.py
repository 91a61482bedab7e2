"""Targets: encoding in the worker, drawing where the loss is."""

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import torch

from cid_mmpose.codecs import SizeAdaptiveHeatmap, axes_of_people, gather_targets, render_crowd, render_people

from .measure import Row, in_turns
from .subjects import TRAIN_SIZE, Scene, crowd, mmpose_codec, our_sample

IMAGES = 10  # encoded in a row at each turn, as a worker does


def targets(options: SimpleNamespace) -> Iterator[Row]:
    """Encoding of one image's people, and drawing those of a batch where the loss is."""
    rng = np.random.default_rng(0)
    for people in (1, 5, 15, 30):
        scene = crowd(rng, people)
        yield from encode(options, scene)
    yield from draw(options, [crowd(rng, 10) for _ in range(20)])


def encode(options: SimpleNamespace, scene: Scene) -> Iterator[Row]:
    """Time of encoding one image's people, and size of what is handed over."""
    case = f'{len(scene.keypoints)} people'
    ours = SizeAdaptiveHeatmap()
    theirs = mmpose_codec()

    def encode_ours() -> dict:
        return ours.encode(scene.keypoints, scene.visible, scene.bbox, TRAIN_SIZE)

    def encode_mmpose() -> dict:
        return theirs.encode(scene.keypoints, scene.visible, scene.bbox)

    times = in_turns(dict(ours=encode_ours, mmpose=encode_mmpose), options.repeats, torch.device('cpu'), IMAGES)
    yield Row('targets', case, 'encode, ms', times['ours'], times['mmpose'])

    our_size = size_of(encode_ours()) / 1e3
    mmpose_size = size_of(encode_mmpose()) / 1e3
    yield Row('targets', case, 'kB an image', our_size, mmpose_size)


def draw(options: SimpleNamespace, scenes: list[Scene]) -> Iterator[Row]:
    """Time of drawing the maps of a batch of images where the loss is."""
    labels = [our_sample(scene).gt_instance_labels for scene in scenes]
    size = (128, 128)

    def draw_all() -> None:
        people = gather_targets(labels, options.device)
        render_crowd(people, size, len(labels))
        everyone = torch.arange(len(people.radius), device=options.device)
        axes = axes_of_people(people, everyone, size)
        for gx, gy in zip(axes.x.split(8), axes.y.split(8)):
            render_people(gx, gy)

    times = in_turns(dict(ours=draw_all), options.repeats, options.device)
    yield Row('targets', '200 people of 20 images', 'draw all maps on the device, ms', times['ours'], None)


def size_of(encoded: dict) -> int:
    """Bytes of the arrays that a codec hands over."""
    return sum(value.nbytes for value in encoded.values() if isinstance(value, np.ndarray))
