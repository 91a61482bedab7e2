"""Targets: encoding in the worker, drawing where the loss is."""

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import torch

from cid_mmpose.codecs import SizeAdaptiveHeatmap, axes_of_people, gather_targets, render_crowd, render_people

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
    size = (128, 128)

    def draw() -> None:
        people = gather_targets(labels, options.device)
        render_crowd(people, size, len(labels))
        everyone = torch.arange(len(people.radius), device=options.device)
        axes = axes_of_people(people, everyone, size)
        for gx, gy in zip(axes.x.split(8), axes.y.split(8)):
            render_people(gx, gy)

    yield Row(
        'targets',
        '200 people of 20 images',
        'draw all maps on the device, ms',
        *in_turns(dict(ours=draw), options.repeats, options.device).values(),
        None,
    )


def size_of(encoded: dict) -> int:
    """Bytes of the arrays that a codec hands over."""
    return sum(value.nbytes for value in encoded.values() if isinstance(value, np.ndarray))
