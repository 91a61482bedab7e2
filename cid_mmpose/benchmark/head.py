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
    Scene,
    branches,
    crowd,
    mmpose_model,
    mmpose_sample,
    our_model,
    our_sample,
    test_samples,
)

NO_NECK = nn.Identity()  # our head reads the branches as they are
MMPOSE_PEOPLE = 30  # at most, an image, of MMPose's codec
STACK = FeatureMapProcessor(concat=True)  # MMPose's neck


def head(options: SimpleNamespace) -> Iterator[Row]:
    """Neck and head: a training step of 4 images at 512 px, and flip testing at 704 x 512."""
    yield from train_head(options)
    for people in options.counts:
        yield from flip_testing(options, people)


def flip_testing(options: SimpleNamespace, people: int) -> Iterator[Row]:
    """Flip testing of both heads, which find ``people`` people."""
    case = f'{people} people'
    ours = our_model(people, None, options.device).head
    theirs = mmpose_model_of_head(ours, people)
    maps = [branches(1, TEST_SIZE, options.device, seed) for seed in (0, 1)]  # of the image and of its mirror image
    plain = [contiguous(half) for half in maps]
    settings = dict(flip_test=True, max_instances=people, score_threshold=0.0)

    def predict_ours() -> list:
        return ours.predict(maps, test_samples(1, TEST_SIZE), dict(flip_test=True))

    def predict_mmpose() -> list:
        stacked = [STACK(half) for half in plain]
        return theirs.predict(stacked, test_samples(1, TEST_SIZE), settings)

    with torch.no_grad():
        times = in_turns(dict(ours=predict_ours, mmpose=predict_mmpose), options.repeats, options.device)
        found = predict_ours()
        expected = predict_mmpose()

    yield Row('head', case, 'testing with flip, ms', times['ours'], times['mmpose'])
    yield from agreement('head', case, found[0], expected[0])


def mmpose_model_of_head(ours: nn.Module, people: int) -> nn.Module:
    """MMPose's head with the weights of our head alone."""
    device = next(ours.parameters()).device
    whole = our_model(people, None, device)
    whole.head.load_state_dict(ours.state_dict())
    return mmpose_model(whole).head


def train_head(options: SimpleNamespace) -> Iterator[Row]:
    """Forward and backward of neck and head, down to the four branches."""
    rng = np.random.default_rng(0)
    memory = {}  # people -> MiB of ours
    for people in (32, 100, 500):
        case = f'{people} people in 4 images'
        scenes = [crowd(rng, people // 4) for _ in range(4)]
        programs = training_programs(scenes, options.device)
        times = in_turns(programs, options.repeats, options.device)
        yield Row('head', case, 'training step, ms', times['ours'], times.get('mmpose'))

        peaks = {name: peak_mib(program, options.device) for name, program in programs.items()}
        yield Row('head', case, 'training step, peak MiB', peaks['ours'], peaks.get('mmpose'))
        memory[people] = peaks['ours']

    if memory[100]:
        yield Row('head', '500 people over 100', 'peak memory, times', memory[500] / memory[100], None)


def training_programs(scenes: list[Scene], device: torch.device) -> dict[str, Callable]:
    """A training step of each head on the same images, by name; MMPose's only for as many people as its codec keeps."""
    ours = our_model(30, None, device).head.train()
    maps = branches(len(scenes), TRAIN_SIZE, device)
    samples = [our_sample(scene) for scene in scenes]
    programs = dict(ours=train_step(ours, maps, samples))

    largest = max(len(scene.keypoints) for scene in scenes)
    if largest <= MMPOSE_PEOPLE:
        theirs = mmpose_model_of_head(ours, MMPOSE_PEOPLE).train()
        samples = [mmpose_sample(scene) for scene in scenes]
        programs['mmpose'] = train_step(theirs, contiguous(maps), samples, STACK)
    return programs


def contiguous(maps: list[torch.Tensor]) -> list[torch.Tensor]:
    """The maps (B, C, H, W) in torch's usual order of memory, as MMPose's backbone has them."""
    return [branch.contiguous() for branch in maps]


def train_step(module: nn.Module, maps: list[torch.Tensor], samples: list, neck: nn.Module = NO_NECK) -> Callable:
    """A call that computes the losses and all gradients.

    Args:
        module: the head.
        maps: of the branches, (B, C, H, W) each.
        samples: B of them.
        neck: between the branches and the head.
    """
    device = maps[0].device
    leaves = [branch.detach().requires_grad_() for branch in maps]
    if device.type != 'cpu':
        samples = [sample.to(device) for sample in samples]

    def step() -> None:
        module.zero_grad()
        for leaf in leaves:
            leaf.grad = None

        losses = module.loss(neck(leaves), samples)
        total = sum(losses.values())
        total.backward()

    return step
