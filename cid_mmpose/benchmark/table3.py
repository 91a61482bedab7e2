"""Size, work, memory and speed of the network (table 3)."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import torch
from torch import nn

from .measure import Row, in_turns, peak_mib
from .subjects import TRAIN_SIZE, mmpose_model, our_model, test_samples

try:
    from torch.utils.flop_counter import FlopCounterMode
except ImportError:  # torch 2.0
    FlopCounterMode = None


def table3(options: SimpleNamespace) -> Iterator[Row]:
    """Size and work of the network at 512 x 512, without flip (table 3: 29.4 M parameters, 43.2 GFLOPs)."""
    ours = our_model(30, None, options.device)
    models = (ours, mmpose_model(ours))
    yield Row('table 3', 'W32', 'parameters, M', *(sum(p.numel() for p in m.parameters()) / 1e6 for m in models))
    image = torch.randn(1, 3, *TRAIN_SIZE, device=options.device)
    for people in (1, 30):
        ours = our_model(people, None, options.device)
        gmac = [work(m, image) for m in (ours, mmpose_model(ours))]
        yield Row('table 3', f'W32, {people} people', 'GMAC', *gmac)
    runs = [forward(model, image) for model in models]
    yield Row('table 3', 'W32, 30 people', 'peak MiB', *(peak_mib(run, options.device) for run in runs))
    times = in_turns(dict(zip(('ours', 'mmpose'), runs)), options.repeats, options.device)
    yield Row('table 3', 'W32, 30 people', 'ms an image', *times.values())
    peak = convolution_rate(options)
    yield Row('table 3', '3x3 convolutions alone', 'GFLOP/s', peak, None)
    yield Row(
        'table 3',
        'W32, 30 people',
        'share of that rate, %',
        *(100 * 2e3 * each / time.median / peak for each, time in zip(gmac, times.values())),
    )


def forward(model: nn.Module, image: torch.Tensor) -> Callable:
    """A call without flip test."""

    def call() -> None:
        model.test_cfg.update(flip_test=False)
        with torch.no_grad():
            model.predict(image, test_samples(1, TRAIN_SIZE))

    return call


def work(model: nn.Module, image: torch.Tensor) -> float:
    """Billions of multiply-adds of one prediction."""
    with FlopCounterMode(display=False) as counter:
        forward(model, image)()
    return counter.get_total_flops() / 2e9


def convolution_rate(options: SimpleNamespace, channels: int = 256, side: int = 64) -> float:
    """Billions of operations a second of float32 3x3 convolutions, most of the network's work, at their best."""
    layer = nn.Conv2d(channels, channels, 3, padding=1, bias=False, device=options.device)
    maps = torch.randn(4, channels, side, side, device=options.device)
    layer, maps = (each.to(memory_format=torch.channels_last) for each in (layer, maps))
    with torch.no_grad():
        time = in_turns(dict(layer=lambda: layer(maps)), 3 * options.repeats, options.device)['layer']
    return 2 * 9 * channels * maps.numel() / time.low / 1e6
