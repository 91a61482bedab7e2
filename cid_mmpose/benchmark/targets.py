"""Targets: encoding in the worker, drawing where the loss is."""
from types import SimpleNamespace
from typing import Iterator

import numpy as np
import torch

from cid_mmpose.codecs import SizeAdaptiveHeatmap, gather_targets, gaussian_axes, render_people
from cid_mmpose.models.head import draw_crowd

from .measure import Row, in_turns
from .subjects import TRAIN_SIZE, crowd, mmpose_codec, our_sample

IMAGES = 10  # encoded in a row at each turn, as a worker does


def targets(options: SimpleNamespace) -> Iterator[Row]:
    """Encoding of one image's people, and drawing those of a batch where the loss is."""
    rng, ours, theirs = np.random.default_rng(0), SizeAdaptiveHeatmap(), mmpose_codec()
    for people in (1, 5, 15, 30):
        scene = crowd(rng, people)
        programs = dict(ours=lambda: ours.encode(*scene, TRAIN_SIZE), mmpose=lambda: theirs.encode(*scene))
        times = in_turns(programs, options.repeats, torch.device('cpu'), IMAGES)
        yield Row('targets', f'{people} people', 'encode, ms', *times.values())
        yield Row('targets', f'{people} people', 'kB an image', *(size_of(run()) / 1e3 for run in programs.values()))
    labels = [our_sample(crowd(rng, 10)).gt_instance_labels for _ in range(20)]
    like = torch.zeros(20, 1, 128, 128, device=options.device)

    def draw() -> None:
        people = gather_targets(labels, options.device)
        draw_crowd(people, like)
        drawn = people.keypoint_drawn
        radius, sigma = (size[:, None].expand(drawn.shape) for size in (people.radius, people.sigma))
        gx, gy = gaussian_axes(people.keypoint_cell, radius, sigma, drawn, (128, 128))
        for few in zip(gx.split(8), gy.split(8)):
            render_people(*few)

    yield Row('targets', '200 people of 20 images', 'draw all maps on the device, ms',
              *in_turns(dict(ours=draw), options.repeats, options.device).values(), None)


def size_of(encoded: dict) -> int:
    """Bytes of the arrays that a codec hands over."""
    return sum(value.nbytes for value in encoded.values() if isinstance(value, np.ndarray))
