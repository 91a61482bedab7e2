"""What a device does with CID-W32 alone: training steps in each precision, compiled testing, memory of a crowd."""

from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace

import numpy as np
import torch
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from torch import nn

from cid_mmpose.engine.optim import BFloat16OptimWrapper

from .head import train_step
from .measure import Row, in_turns, peak_mib
from .predict import tester, works
from .subjects import TEST_SIZE, TRAIN_SIZE, branches, crowd, our_model, our_sample, random_images, untrained_model

STEPS = 10  # of training in each precision
PEOPLE = (30, 500)
COMPILE_MODES = ('default', 'reduce-overhead')


def device(options: SimpleNamespace) -> Iterator[Row]:
    """Yields the rows of all three parts."""
    yield from training_steps(options)
    yield from compiled_testing(options)
    yield from memory_of_crowds(options)


def training_steps(options: SimpleNamespace) -> Iterator[Row]:
    """Two images of 512 x 512 with five people each, Adam, without reading data; the loss must come down."""
    # bfloat16 is measured as asked for, also on a CPU that imitates it
    wrappers = dict(float32=OptimWrapper, bfloat16=partial(BFloat16OptimWrapper, insist=True))
    if options.device.type == 'cuda':
        wrappers['float16'] = AmpOptimWrapper  # it does not run on a CPU

    rng = np.random.default_rng(0)
    samples = []
    for _ in range(2):
        sample = our_sample(crowd(rng, 5))
        samples.append(sample.to(options.device))

    for name, wrapper in wrappers.items():
        model = untrained_model(options.device)
        losses: list[float] = []
        step = step_of(model, samples, wrapper, losses)
        times = in_turns(dict(step=step), STEPS, options.device)

        case = f'2 images, {name}'
        if not losses[-1] < losses[0]:  # or it is NaN
            raise ArithmeticError(f'{case}: the loss went from {losses[0]} to {losses[-1]} in {len(losses)} steps')
        yield Row('device', case, 'training step, ms', times['step'], None)
        yield Row('device', case, 'first loss', losses[0], None)
        yield Row('device', case, f'loss after {STEPS} steps', losses[-1], None)

        peak = peak_mib(step, options.device)
        yield Row('device', case, 'training step, peak MiB', peak, None)


def step_of(model: nn.Module, samples: list, wrapper: Callable, losses: list[float]) -> Callable:
    """A call that trains one step and adds its loss to ``losses``.

    Args:
        model: to train.
        samples: of the images of its only batch, which are random.
        wrapper: makes an optimizer's wrapper, which decides on the precision.
        losses: of the steps so far.
    """
    place = next(model.parameters()).device
    images = random_images(len(samples), TRAIN_SIZE, place)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    steps = wrapper(optimizer=optimizer)

    def step() -> None:
        model.train()
        with steps.optim_context(model):
            parts = model.loss(images, samples)
            total = sum(parts.values())
        steps.update_params(total)
        losses.append(total.item())

    return step


def compiled_testing(options: SimpleNamespace) -> Iterator[Row]:
    """An image of 704 x 512 with flip test: the folded backbone as it is, and by both modes of ``compile``."""
    model = our_model(30, None, options.device)
    image = random_images(1, TEST_SIZE, options.device)
    programs = dict(folded=tester(model, image, 'float32'))
    for mode in COMPILE_MODES:
        program = tester(model, image, 'float32', mode)
        if works(program):
            programs[f'compile={mode}'] = program

    times = in_turns(programs, options.repeats, options.device)
    for name, time in times.items():
        yield Row('device', '30 people', f'testing, {name}, ms', time, None)

    plain = heatmaps_of(model, image, None)
    for mode in COMPILE_MODES:
        if f'compile={mode}' in programs:
            compiled = heatmaps_of(model, image, mode)
            change = (compiled - plain).abs().max().item()
            yield Row('device', '30 people', f'compile={mode}: largest change of the heatmaps', change, None)


def heatmaps_of(model: nn.Module, image: torch.Tensor, mode: str | None) -> torch.Tensor:
    """Heatmaps of everyone in an image, by the folded backbone.

    Args:
        model: ours.
        image: (1, 3, h, w).
        mode: of ``compile``; None for none.

    Returns:
        (K, H, W).
    """
    program = tester(model, image, 'float32', mode, heatmaps=True)
    found = program()
    return found[0].pred_fields.heatmaps


def memory_of_crowds(options: SimpleNamespace) -> Iterator[Row]:
    """Peak memory of the head in training, and of the whole network in testing, with few and with many people."""
    image = random_images(1, TEST_SIZE, options.device)
    for people in PEOPLE:
        case = f'{people} people'

        head = our_model(people, None, options.device).head.train()
        maps = branches(1, TRAIN_SIZE, options.device)
        rng = np.random.default_rng(0)
        scene = crowd(rng, people)
        step = train_step(head, maps, [our_sample(scene)])
        peak = peak_mib(step, options.device)
        yield Row('device', case, 'training step of the head, peak MiB', peak, None)

        model = our_model(people, None, options.device)
        program = tester(model, image)
        peak = peak_mib(program, options.device)
        yield Row('device', case, 'testing with flip, peak MiB', peak, None)
