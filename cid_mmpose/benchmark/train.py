"""The whole training step, and what half precision does to the losses."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from torch import nn

from cid_mmpose import config_path
from cid_mmpose.engine.hooks.loss_curve import read_curves

from .measure import Row, in_turns
from .subjects import TRAIN_SIZE, crowd, mmpose_model, mmpose_sample, our_model, our_sample, random_images

ITERATIONS = 300  # of the loss curves
DEMO = 'cid_hrnet-w16-small_synthcrowd.py'
KINDS = dict(
    float32=dict(type='OptimWrapper'),
    bfloat16=dict(type='cid_mmpose.BFloat16OptimWrapper', insist=True),
)


def train(options: SimpleNamespace) -> Iterator[Row]:
    """CID-W32, two images of 512 x 512 with five people each, Adam; without reading data."""
    rng = np.random.default_rng(0)
    scenes = [crowd(rng, 5) for _ in range(2)]
    ours = our_model(30, None, options.device)
    theirs = mmpose_model(ours)

    our_samples = [our_sample(scene) for scene in scenes]
    mmpose_samples = [mmpose_sample(scene) for scene in scenes]
    programs = dict(
        ours=step_of(ours, our_samples),
        mmpose=step_of(theirs, mmpose_samples),
        bfloat16=step_of(ours, our_samples, torch.bfloat16),
    )
    times = in_turns(programs, options.repeats, options.device)

    yield Row('train', '2 images', 'float32 step, ms', times['ours'], times['mmpose'])
    yield Row('train', '2 images', 'bfloat16 step, ms', times['bfloat16'], times['mmpose'])
    if options.curves:
        yield from curves(options.out)


def step_of(model: nn.Module, samples: list, dtype: torch.dtype = torch.float32) -> Callable:
    """A call that trains one step.

    Args:
        model: to train.
        samples: of the images of its only batch, which are random.
        dtype: of the arithmetic, float32 or bfloat16.
    """
    device = next(model.parameters()).device
    if device.type != 'cpu':
        samples = [sample.to(device) for sample in samples]
    images = random_images(len(samples), TRAIN_SIZE, device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-5)

    def step() -> None:
        model.train()
        optimizer.zero_grad()
        with torch.autocast(device.type, torch.bfloat16, enabled=dtype is torch.bfloat16):
            losses = model.loss(images, samples)
        total = sum(losses.values())
        total.backward()
        optimizer.step()

    return step


def curves(out: Path) -> Iterator[Row]:
    """Losses of the demo's network on SynthCrowd in float32 and bfloat16."""
    runs = {}
    for name, kind in KINDS.items():
        folder = out / f'curve_{name}'
        cfg = Config.fromfile(config_path(DEMO))
        cfg.work_dir = str(folder)
        cfg.visualizer.name = name  # mmengine hands out the one it has under a name, with its folder
        cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=ITERATIONS, val_interval=2 * ITERATIONS)
        cfg.update(val_cfg=None, val_dataloader=None, val_evaluator=None)
        cfg.optim_wrapper.update(kind)

        runner = Runner.from_cfg(cfg)
        runner.train()

        files = sorted(str(path) for path in folder.glob('*/vis_data/scalars.json'))
        runs[name] = read_curves(files[-1:], ITERATIONS)
    yield from compare_curves(runs, out)


def compare_curves(runs: dict, out: Path) -> Iterator[Row]:
    """One plot of all runs' total losses, and the last value of each.

    Args:
        runs: name -> curves as ``read_curves`` returns them.
        out: folder of the plot.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout='constrained')
    axes = figure.subplots()
    for name, curves_of_run in runs.items():
        points = np.array(curves_of_run['loss'])  # (N, 2) iteration, loss
        axes.plot(points[:, 0], points[:, 1], label=name)
        case = f'{ITERATIONS} iterations of SynthCrowd, {name}'
        yield Row('train', case, 'last loss', float(points[-1, 1]), None)

    axes.set(xlabel='iteration', ylabel='loss', title='CID on SynthCrowd', yscale='log')
    axes.legend()
    figure.savefig(out / 'curves_float32_bfloat16.png')
