"""What the head is trained on: features of small maps and people to find in them."""

import numpy as np

from . import oracle

SIZE = (96, 64)  # width and height of an image, in pixels
KEYS = {'loss_crowd', 'loss_person', 'loss_contrastive'}


def batch(*counts: int, seed: int = 0, **options):
    """Features of one map (B, 6, 16, 24), alike enough to contrast people, and B samples of so many random people."""
    scenes = [oracle.crowd(np.random.default_rng([seed, b]), count, 4, SIZE) for b, count in enumerate(counts)]
    samples = [oracle.sample(scene, SIZE, seed=b, **options) for b, scene in enumerate(scenes)]
    return [oracle.normal(len(counts), 6, 16, 24, seed=seed) / 2 + 1], samples
