"""Runs of a tiny model on eight images, in this process or by a command."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from tests.helpers.images import ROOT, coco, person, tiny_config, use_data, write_coco

IMAGES = 8
BATCH = 2
ENVIRONMENT = {
    **os.environ,
    'OMP_NUM_THREADS': '1',
    'PYTHONWARNINGS': 'ignore',
    'PYTHONPATH': os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')]),
}


def free_port() -> int:
    """A port that nothing listens on now, for processes that meet."""
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        return taken.getsockname()[1]


def write_tiny_config(folder: Path) -> str:
    """A config file of a tiny model on 8 images, two epochs of four iterations, the second at a tenth of the rate."""
    people = [person(i, i, box=(20, 10, 50, 50)) for i in range(1, IMAGES + 1)]
    write_coco(folder, coco(people, IMAGES, size=(96, 72)))
    cfg = use_data(tiny_config(), folder, ('people.json', ''), ('people.json', ''))
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        loader.update(num_workers=0, persistent_workers=False, batch_size=BATCH)
    cfg.update(
        val_dataloader=cfg.test_dataloader,
        log_level='WARNING',
        randomness=dict(seed=0),
        param_scheduler=[dict(type='MultiStepLR', milestones=[1], by_epoch=True)],
    )
    cfg.train_cfg.update(max_epochs=2, val_interval=1)
    cfg.default_hooks.logger.interval = 1
    cfg.dump(str(folder / 'tiny.py'))
    return str(folder / 'tiny.py')


def named(name: str, **options) -> dict:
    """Options that give a run in this process its own logger and visualizer, which mmengine keeps by their names."""
    return {'experiment_name': name, 'visualizer.name': name, **options}


def scalars(folder) -> list:
    """The lines that the runs of a work folder logged, oldest run first."""
    files = sorted(folder.glob('*/vis_data/scalars.json'))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def rates(folder) -> list:
    """Iteration and learning rate of each line that the runs of a work folder logged."""
    return [(row['iter'], row['lr']) for row in scalars(folder) if 'iter' in row]


def command(*arguments, launcher=()) -> subprocess.CompletedProcess:
    """Runs Python with these words to its end; ``launcher`` are words before them."""
    return subprocess.run(
        [sys.executable, *launcher, *map(str, arguments)], env=ENVIRONMENT, text=True, capture_output=True
    )
