"""How fast this machine trains, and which of several configs its time suffices for."""

import time
from collections.abc import Sequence
from statistics import median

from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.device import get_device
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmpose.registry import DATASETS, MODELS

from .launch import load_config
from .screen import quiet_log

MEASURED = 4  # iterations, after one to warm up
ENOUGH = 0.5  # of a config's iterations; with fewer of them the next smaller one learns more


def choose(configs: Sequence[str], work_dir: str) -> Config:
    """The first config of which at least half the iterations fit into its time here, else the last; says which and why.

    Args:
        configs: paths, the one that takes longest first; their ``train_cfg`` is of a ``TimedTrainLoop``.
        work_dir: for the run.
    """
    for number, path in enumerate(configs):
        cfg = load_config(path, work_dir)
        seconds = seconds_per_iteration(cfg)
        longest = cfg.train_cfg.max_iters
        fitting = min(int(60 * cfg.train_cfg.minutes / seconds), longest)
        width, height = cfg.train_dataloader.dataset.image_size
        pace = f'images of {width} x {height} px: {seconds:.2f} s an iteration'

        is_last = number + 1 == len(configs)
        if fitting >= ENOUGH * longest or is_last:
            break
        print(f'{pace}, time for {fitting} of {longest}: too few, trying smaller ones', flush=True)
    print(f'{pace}; {fitting} iterations will take about {fitting * seconds / 60:.1f} min', flush=True)
    return cfg


def seconds_per_iteration(cfg: Config) -> float:
    """Median time of some training steps with a model that is thrown away, drawing of the images included.

    Args:
        cfg: a config whose images need no files.
    """
    loader = cfg.train_dataloader
    with DefaultScope.overwrite_default_scope('mmpose'), quiet_log():
        model = MODELS.build(cfg.model).to(get_device())
        dataset = DATASETS.build(loader.dataset)
        wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    model.train()
    times = []
    for step in range(MEASURED + 1):
        start = time.monotonic()
        first = step * loader.batch_size
        batch = pseudo_collate([dataset[first + index] for index in range(loader.batch_size)])
        losses = model.train_step(batch, wrapper)
        losses['loss'].item()  # waits for a GPU
        times.append(time.monotonic() - start)
    return median(times[1:])
