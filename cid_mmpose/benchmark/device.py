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
from .subjects import TEST_SIZE, TRAIN_SIZE, branches, crowd, our_model, our_sample

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
    samples = [our_sample(crowd(rng, 5)).to(options.device) for _ in range(2)]

    for name, wrapper in wrappers.items():
        model = our_model(30, None, options.device)
        losses: list[float] = []
        step = step_of(model, samples, wrapper, losses)
        time = in_turns(dict(step=step), STEPS, options.device)['step']
        case = f'2 images, {name}'
        yield Row('device', case, 'training step, ms', time, None)
        yield Row('device', case, 'first loss', losses[0], None)
        yield Row('device', case, f'loss after {STEPS} steps', losses[-1], None)
        yield Row('device', case, 'training step, peak MiB', peak_mib(step, options.device), None)


def step_of(model: nn.Module, samples: list, wrapper: Callable, losses: list[float]) -> Callable:
    """A call that trains one step and adds its loss to ``losses``."""
    place = next(model.parameters()).device
    images = torch.randn(len(samples), 3, *TRAIN_SIZE, device=place)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    steps = wrapper(optimizer=optimizer)

    def step() -> None:
        model.train()
        with steps.optim_context(model):
            total = sum(model.loss(images, samples).values())
        steps.update_params(total)
        losses.append(total.item())

    return step


def compiled_testing(options: SimpleNamespace) -> Iterator[Row]:
    """An image of 704 x 512 with flip test: the folded backbone as it is, and by both modes of ``compile``."""
    model = our_model(30, None, options.device)
    image = torch.randn(1, 3, *TEST_SIZE[::-1], device=options.device)
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
            change = (heatmaps_of(model, image, mode) - plain).abs().max()
            yield Row('device', '30 people', f'compile={mode}: largest change of the heatmaps', float(change), None)


def heatmaps_of(model: nn.Module, image: torch.Tensor, mode: str) -> torch.Tensor:
    """(K, H, W) of everyone in the image (1, 3, h, w), with the folded backbone in this mode of ``compile``."""
    found = tester(model, image, 'float32', mode, heatmaps=True)()
    return found[0].pred_fields.heatmaps


def memory_of_crowds(options: SimpleNamespace) -> Iterator[Row]:
    """Peak memory of the head in training, and of the whole network in testing, with few and with many people."""
    image = torch.randn(1, 3, *TEST_SIZE[::-1], device=options.device)
    for people in PEOPLE:
        rng = np.random.default_rng(0)
        head = our_model(people, None, options.device).head.train()
        maps = branches(1, TRAIN_SIZE, options.device)
        step = train_step(head, maps, [our_sample(crowd(rng, people))], lambda feats: feats)
        yield Row(
            'device', f'{people} people', 'training step of the head, peak MiB', peak_mib(step, options.device), None
        )

        model = our_model(people, None, options.device)
        peak = peak_mib(tester(model, image), options.device)
        yield Row('device', f'{people} people', 'testing with flip, peak MiB', peak, None)
