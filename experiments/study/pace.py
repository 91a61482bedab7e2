"""How long each method takes for an iteration, by which runs of equal time are made."""

import datetime
import tempfile
import time
from pathlib import Path
from statistics import median

import torch
from figures import machine
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmpose.registry import DATASETS, MODELS

from cid_mmpose.engine.screen import quiet_warnings

from .lines import PACE
from .one_run import THREADS, commit, config_of
from .plans import METHODS, Run

WARM_UP, MEASURED = 2, 20  # iterations of each method


class Training:
    """A method that is trained step by step, drawing of the images included.

    Args:
        cfg: of its run.
    """

    def __init__(self, cfg: Config) -> None:
        with DefaultScope.overwrite_default_scope('mmpose'):
            self.model = MODELS.build(cfg.model)
            self.dataset = DATASETS.build(cfg.train_dataloader.dataset)
            self.wrapper = build_optim_wrapper(self.model, cfg.optim_wrapper)
        self.model.train(True)
        self.batch = cfg.train_dataloader.batch_size

    def step(self, number: int) -> float:
        """Seconds of the iteration of this number."""
        start = time.perf_counter()
        first = number * self.batch
        images = [self.dataset[first + index] for index in range(self.batch)]
        self.model.train_step(pseudo_collate(images), self.wrapper)
        return time.perf_counter() - start


def seconds_per_iteration() -> dict:
    """The line with the median time of each method; they are measured in turns, so that none has the busier machine."""
    torch.set_num_threads(THREADS)
    with quiet_warnings(), tempfile.TemporaryDirectory() as folder:
        trainings = {}
        for method, (config, options) in METHODS.items():
            run = Run(PACE, method, config, options, 0)
            trainings[method] = Training(config_of(run, Path(folder)))
        times: dict[str, list[float]] = {method: [] for method in trainings}
        for number in range(WARM_UP + MEASURED):
            for method, training in trainings.items():
                times[method].append(training.step(number))
    pace = {method: round(median(values[WARM_UP:]), 4) for method, values in times.items()}
    return dict(
        key=PACE,
        study=PACE,
        pace=pace,
        commit=commit(),
        machine=machine(),
        torch=torch.__version__,
        threads=THREADS,
        date=datetime.date.today().isoformat(),
    )
