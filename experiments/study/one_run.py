"""One run of a study: train, test, and the line of what came out."""

import datetime
import io
import json
import os
import random
import shutil
import subprocess
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch
from figures import machine
from mmengine.config import Config
from mmengine.runner import Runner
from torch import nn

from cid_mmpose.engine.config.check import check_config
from cid_mmpose.engine.hooks.loss_curve import read_curves
from cid_mmpose.engine.interrupts import run_ends
from cid_mmpose.engine.launch import build_runner, load_config
from cid_mmpose.engine.screen import prints_in_log, quiet_warnings
from cid_mmpose.errors import BadInput, FolderInUse
from cid_mmpose.files import only_run_in, write_whole

from . import parts  # noqa: F401  registers what the configs name
from .evaluate import Rules, evaluate
from .inside import inside
from .lines import as_dict, key_of
from .plans import CONFIGS, Run

ROOT = Path(__file__).resolve().parents[2]
THREADS = 1  # of a run, beside the process that draws; with more they wait for each other where the cores are busy
POINTS = 20  # of the loss curve in a line
WEIGHTS = 'weights.pth'
PATIENCE = 5  # s between two looks at what another process does
OF_CODE = ('cid_mmpose', 'configs', 'experiments', ':!experiments/results')  # paths on which the figures depend
KEYPOINTS = Rules('keypoints', 0.8)  # as MMPose's config of CID evaluates it
RULES = {  # of the others, what the network says
    'mmpose_cid': KEYPOINTS,
    'mmpose_cid_start': KEYPOINTS,
    'gpu_mmpose': KEYPOINTS,
    'mmpose_dekr': Rules('keypoints', 1.0),
}
OWN = Rules('own', 1.0)


def commit() -> str:
    """The commit of the checkout, with a plus sign where its code was changed since; '' outside of one."""
    try:
        name = _git('rev-parse', '--short=12', 'HEAD')
        changed = _git('status', '--porcelain', '--untracked-files=no', '--', *OF_CODE)
    except (OSError, subprocess.CalledProcessError):
        return ''
    return name + '+' * bool(changed)


def _git(*words: str) -> str:
    done = subprocess.run(['git', '-C', str(ROOT), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def config_of(run: Run, folder: Path) -> Config:
    """The config of a run as it is trained.

    Args:
        run: which.
        folder: its work folder.

    Raises:
        BadInput: an option has no place in the config.
    """
    cfg = load_config(str(CONFIGS / f'{run.config}.py'), str(folder), dict(run.options))
    cfg.update(val_cfg=None, val_dataloader=None, val_evaluator=None, randomness=dict(seed=run.seed))
    cfg.default_hooks.checkpoint.pop('save_best', None)  # nothing is evaluated before the end
    cfg.default_hooks.pop('progress', None)
    check_config(cfg, 'train')
    return cfg


def train(run: Run, folder: Path, start: Path | None) -> Runner:
    """Trains from the beginning; returns the runner, whose model is trained.

    Args:
        run: which.
        folder: its work folder; what an earlier attempt left there is removed.
        start: weights to begin with; None for random ones.
    """
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)  # logs and losses of an attempt that did not come to its end

    random.seed(run.seed)
    np.random.seed(run.seed)
    cfg = config_of(run, folder)
    if start:
        cfg.load_from = str(start)
    with run_ends(str(folder)):
        runner = build_runner(cfg)
        with prints_in_log(runner.logger):
            runner.train()
    for path in folder.glob('*.pth'):
        path.unlink()
    weights = io.BytesIO()
    torch.save(dict(state_dict=runner.model.state_dict(), meta=dict()), weights)
    write_whole(folder / WEIGHTS, weights.getvalue())
    return runner


def start_of(run: Run, root: Path) -> Path | None:
    """The weights that a run begins with, which are trained first if need be; None for random ones.

    Args:
        run: which.
        root: where the work folders are.
    """
    return weights_of(run.start, root) if run.start else None


def weights_of(run: Run, root: Path) -> Path:
    """The weights of a run: trained if this machine has none, or waited for while another process does that.

    Args:
        run: which.
        root: where the work folders are.
    """
    folder = root / key_of(run)
    while not (folder / WEIGHTS).is_file():
        try:
            with only_run_in(str(folder), 'running a study'):
                if not (folder / WEIGHTS).is_file():
                    train(run, folder, start_of(run, root))
        except FolderInUse:  # another process trains them: several runs begin with the same weights
            time.sleep(PATIENCE)
    return folder / WEIGHTS


def losses(folder: Path) -> list[list[float]]:
    """Iteration and loss, the mean over each of ``POINTS`` parts of the run.

    Args:
        folder: the work folder.
    """
    files = sorted(folder.glob('*/vis_data/scalars.json'))
    points = read_curves([str(file) for file in files], 1).get('loss', [])
    thin = []
    for part in np.array_split(np.array(points).reshape(-1, 2), min(POINTS, max(len(points), 1))):
        if len(part):
            thin.append([int(part[-1, 0]), round(float(part[:, 1].mean()), 4)])
    return thin


def speed(folder: Path, batch: int) -> dict[str, float]:
    """Images a second, the share of the time in which the network waits for them, and on a GPU the peak of memory.

    Args:
        folder: the work folder.
        batch: images of an iteration.
    """
    points = []
    for file in sorted(folder.glob('*/vis_data/scalars.json')):
        points += [json.loads(line) for line in file.read_text(encoding='utf-8').splitlines()]
    points = [point for point in points if 'time' in point and 'loss' in point]
    settled = points[len(points) // 5 :]  # at first workers start and programs are chosen
    if not settled:
        return {}
    seconds = median(point['time'] for point in settled)
    waiting = median(point['data_time'] / point['time'] for point in settled)
    found = dict(images_per_second=round(batch / seconds, 1), waiting=round(waiting, 3))
    if 'memory' in settled[-1]:
        found['peak_mib'] = max(point['memory'] for point in points)
    return found


def on() -> str:
    """What the figures depend on: the machine, and its GPU where there is one."""
    if not torch.cuda.is_available():
        return machine()
    return f'{torch.cuda.get_device_name()}, {machine()}'


def do(run: Run, folder: Path) -> dict:
    """Trains and tests; returns the line.

    Args:
        run: which.
        folder: for what it writes; it exists.

    Raises:
        BadInput: an option has no place in its config, or there is no GPU for a run that needs one.
    """
    if run.needs_gpu and not torch.cuda.is_available():
        raise BadInput(f'{run.row}: needs a GPU, and torch {torch.__version__} finds none; run it where there is one')
    torch.set_num_threads(THREADS)
    rules = RULES.get(run.config, OWN)
    with quiet_warnings():
        start = start_of(run, folder.parent)
        before, cpu_before = time.monotonic(), cpu_seconds()
        runner = train(run, folder, start)
        seconds, cpu = time.monotonic() - before, cpu_seconds() - cpu_before
        loader = Runner.build_dataloader(runner.cfg.test_dataloader, seed=0)
        bins = evaluate(runner.model, loader, rules)
        looks = inside(runner.model, loader)
    return dict(
        as_dict(run),
        commit=commit(),
        machine=on(),
        torch=torch.__version__,
        threads=THREADS,
        date=datetime.date.today().isoformat(),
        seconds=round(seconds, 1),
        cpu_seconds=round(cpu, 1),
        all_seconds=round(time.monotonic() - before, 1),
        iterations=runner.iter,
        speed=speed(folder, runner.cfg.train_dataloader.batch_size),
        parameters=parameters(runner.model),
        bins=bins,
        inside=looks,
        losses=losses(folder),
    )


def cpu_seconds() -> float:
    """Seconds that this process and its children that have ended spent computing."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def parameters(model: nn.Module) -> int:
    """How many numbers a network has learnt."""
    return sum(parameter.numel() for parameter in model.parameters())
