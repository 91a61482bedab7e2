"""Neck and head by themselves, on random maps: training step, memory, testing."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import torch
from mmpose.models.necks import FeatureMapProcessor
from torch import nn

from .measure import Row, agreement, in_turns, peak_mib
from .subjects import (
    TEST_SIZE,
    TRAIN_SIZE,
    branches,
    crowd,
    mmpose_model,
    mmpose_sample,
    our_model,
    our_sample,
    test_samples,
)

STACK = FeatureMapProcessor(concat=True)  # MMPose's neck


def head(options: SimpleNamespace) -> Iterator[Row]:
    """Neck and head: a training step of 4 images at 512 px, and flip testing at 704 x 512."""
    yield from train_head(options)
    for people in options.counts:
        ours = our_model(people, None, options.device).head
        theirs = mmpose_model_of_head(ours, people)
        maps = [branches(1, TEST_SIZE, options.device, seed) for seed in (0, 1)]
        plain = [[branch.contiguous() for branch in half] for half in maps]
        settings = dict(flip_test=True, max_instances=people, score_threshold=0.0)
        programs = dict(
            ours=lambda: ours.predict(maps, test_samples(1, TEST_SIZE), dict(flip_test=True)),
            mmpose=lambda: theirs.predict([STACK(half) for half in plain], test_samples(1, TEST_SIZE), settings),
        )
        with torch.no_grad():
            times = in_turns(programs, options.repeats, options.device)
            mine, expected = (program()[0] for program in programs.values())
        yield Row('head', f'{people} people', 'testing with flip, ms', *times.values())
        yield from agreement('head', f'{people} people', mine, expected)


def mmpose_model_of_head(ours: nn.Module, people: int) -> nn.Module:
    """MMPose's head with the weights of our head alone."""
    whole = our_model(people, None, next(ours.parameters()).device)
    whole.head.load_state_dict(ours.state_dict())
    return mmpose_model(whole).head


def train_head(options: SimpleNamespace) -> Iterator[Row]:
    """Forward and backward of neck and head, down to the four branches."""
    rng, memory = np.random.default_rng(0), {}
    for people in (32, 100, 500):
        scenes = [crowd(rng, people // 4) for _ in range(4)]
        ours = our_model(30, None, options.device).head.train()
        maps = branches(4, TRAIN_SIZE, options.device)
        plain = [branch.contiguous() for branch in maps]
        programs = dict(ours=train_step(ours, maps, [our_sample(scene) for scene in scenes], lambda feats: feats))
        if people <= 100:  # MMPose's codec keeps at most 30 people an image
            programs['mmpose'] = train_step(
                mmpose_model_of_head(ours, 30).train(), plain, [mmpose_sample(scene) for scene in scenes], STACK
            )
        times = in_turns(programs, options.repeats, options.device)
        yield Row('head', f'{people} people in 4 images', 'training step, ms', times['ours'], times.get('mmpose'))
        peaks = {name: peak_mib(program, options.device) for name, program in programs.items()}
        memory[people] = peaks['ours']
        yield Row('head', f'{people} people in 4 images', 'training step, peak MiB', peaks['ours'], peaks.get('mmpose'))
    if memory[100]:
        yield Row('head', '500 people over 100', 'peak memory, times', memory[500] / memory[100], None)


def train_step(module: nn.Module, maps: list[torch.Tensor], samples: list, neck: Callable) -> Callable:
    """A call that computes the losses and all gradients."""
    leaves = [branch.detach().requires_grad_() for branch in maps]
    if maps[0].device.type != 'cpu':
        samples = [sample.to(maps[0].device) for sample in samples]

    def step() -> None:
        for tensor in [*leaves, *module.parameters()]:
            tensor.grad = None
        sum(module.loss(neck(leaves), samples).values()).backward()

    return step
