"""Size, work, memory and speed of the network (table 3)."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import torch
from torch import nn

from .measure import Row, Timing, in_turns, peak_mib
from .subjects import TRAIN_SIZE, mmpose_model, our_model, random_images, test_samples

try:
    from torch.utils.flop_counter import FlopCounterMode
except ImportError:  # torch 2.0
    FlopCounterMode = None


def table3(options: SimpleNamespace) -> Iterator[Row]:
    """Size and work of the network at 512 x 512, without flip (table 3: 29.4 M parameters, 43.2 GFLOPs)."""
    ours = our_model(30, None, options.device)
    mmpose = mmpose_model(ours)
    yield Row('table 3', 'W32', 'parameters, M', parameters_of(ours), parameters_of(mmpose))

    image = random_images(1, TRAIN_SIZE, options.device)
    for people in (1, 30):
        model = our_model(people, None, options.device)
        our_work = work(model, image)
        mmpose_work = work(mmpose_model(model), image)
        yield Row('table 3', f'W32, {people} people', 'GMAC', our_work, mmpose_work)

    case = 'W32, 30 people'
    runs = dict(ours=forward(ours, image), mmpose=forward(mmpose, image))
    peaks = {name: peak_mib(run, options.device) for name, run in runs.items()}
    yield Row('table 3', case, 'peak MiB', peaks['ours'], peaks['mmpose'])

    times = in_turns(runs, options.repeats, options.device)
    yield Row('table 3', case, 'ms an image', times['ours'], times['mmpose'])

    peak = convolution_rate(options)
    yield Row('table 3', '3x3 convolutions alone', 'GFLOP/s', peak, None)

    our_share = 100 * rate_of(our_work, times['ours']) / peak
    mmpose_share = 100 * rate_of(mmpose_work, times['mmpose']) / peak
    yield Row('table 3', case, 'share of that rate, %', our_share, mmpose_share)


def parameters_of(model: nn.Module) -> float:
    """Millions of numbers in a network's parameters."""
    count = sum(parameter.numel() for parameter in model.parameters())
    return count / 1e6


def rate_of(gmac: float, time: Timing) -> float:
    """Billions of operations a second: a multiply-add counts as two.

    Args:
        gmac: billions of multiply-adds of a run.
        time: of the run.
    """
    seconds = time.median / 1e3
    return 2 * gmac / seconds


def forward(model: nn.Module, image: torch.Tensor) -> Callable:
    """A call without flip test."""

    def call() -> None:
        model.test_cfg.update(flip_test=False)
        with torch.no_grad():
            model.predict(image, test_samples(1, TRAIN_SIZE))

    return call


def work(model: nn.Module, image: torch.Tensor) -> float:
    """Billions of multiply-adds of one prediction."""
    run = forward(model, image)
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops() / 2e9


def convolution_rate(options: SimpleNamespace, channels: int = 256, side: int = 64) -> float:
    """Billions of operations a second of float32 3x3 convolutions, most of the network's work, at their best."""
    layer = nn.Conv2d(channels, channels, 3, padding=1, bias=False, device=options.device)
    layer = layer.to(memory_format=torch.channels_last)
    maps = torch.randn(4, channels, side, side, device=options.device)
    maps = maps.to(memory_format=torch.channels_last)

    def convolve() -> None:
        layer(maps)

    with torch.no_grad():
        times = in_turns(dict(layer=convolve), 3 * options.repeats, options.device)
    operations = 2 * 9 * channels * maps.numel()
    return operations / times['layer'].low / 1e6
