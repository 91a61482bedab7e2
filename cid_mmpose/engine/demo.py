"""The demo: train on drawn people, evaluate, and show what CID sees."""

import os.path as osp
import time
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset, pseudo_collate
from mmpose.structures import PoseDataSample
from torch import nn

from cid_mmpose.files import check_writable, only_run_in
from cid_mmpose.inference import keypoint_set
from cid_mmpose.inference.options import PredictOptions
from cid_mmpose.inference.predictor import Predictor
from cid_mmpose.visualization import draw_people, sheet

from .hooks import LOSS_CURVE
from .interrupts import run_ends
from .launch import build_runner, load_config
from .pace import choose
from .screen import prints_in_log, quiet_warnings

SHOWN = 12  # held-out images on the sheet of people
ENLARGED = 2  # people in small images are shown at twice the size
EXPLAINED = 'explained'  # folder of the pages of one image
SMALL = 256  # px


@torch.no_grad()
def found_people(model: nn.Module, dataset: BaseDataset, indices: Sequence[int]) -> np.ndarray:
    """A sheet of test images, each with the people the model found."""
    images = []
    for index in indices:
        item = dataset[index]
        sample = model.test_step(pseudo_collate([item]))[0]
        image = dataset.get_data_info(index)['img']
        if len(image) < SMALL:
            image = enlarge(image)
            enlarge_people(sample)
        images.append(draw_people(image, sample, dataset.metainfo))
    return sheet(images, columns=4)


def enlarge(image: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8, ``ENLARGED`` times as large."""
    return cv2.resize(image, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)


def enlarge_people(sample: PoseDataSample) -> None:
    """Moves the people found in an image to where they are in the enlarged one.

    Args:
        sample: its ``pred_instances`` are changed.
    """
    found = sample.pred_instances
    found.keypoints = (found.keypoints + 0.5) * ENLARGED - 0.5  # the middle of a pixel, not its corner, is whole
    found.bboxes = (found.bboxes + 0.5) * ENLARGED - 0.5


def explain_most_people(model: nn.Module, dataset: BaseDataset, indices: Sequence[int], folder: str) -> str:
    """Explains, of some test images, the one in which the model finds the most people; see ``Explained.save``.

    Args:
        model: as ``write_images`` takes it.
        dataset: likewise.
        indices: of the images.
        folder: for the pages; it is made.

    Returns:
        The path of the sheet with everyone.
    """
    predictor = Predictor(
        model.eval(),
        dataset.pipeline,
        keypoint_set(dataset.metainfo),
        dataset.metainfo,
        PredictOptions(),
        weights=folder,
    )
    images = [dataset.get_data_info(index)['img'] for index in indices]
    counts = [len(people) for people in predictor(images)]
    most = counts.index(max(counts))
    sheet_path, *_ = predictor.explain(images[most]).save(folder)
    return str(sheet_path)


def write_images(model: nn.Module, dataset: BaseDataset, folder: str) -> list[str]:
    """Writes the people of some images, and the maps of one of them.

    Args:
        model: a ``cid_mmpose.CID``.
        dataset: a test data set whose items hold their image.
        folder: where to write; it exists.

    Returns:
        The paths of the files to open.
    """
    indices = range(min(SHOWN, len(dataset)))
    people = osp.join(folder, 'people.png')
    cv2.imwrite(people, found_people(model, dataset, indices))
    return [people, explain_most_people(model, dataset, indices, osp.join(folder, EXPLAINED))]


def shorten(cfg: Config) -> None:
    """Cuts the demo to a few iterations, so that a test can walk the whole way."""
    cfg.val_dataloader.dataset.length = 8
    cfg.train_cfg.update(max_iters=6, val_interval=6)
    cfg.default_hooks.logger.interval = 2


def run_demo(configs: Sequence[str], work_dir: str, quick: bool = False) -> float:
    """Trains, evaluates and writes the demo's images, then lists what to open.

    Args:
        configs: paths of configurations whose images are made in memory (SynthCrowd) and whose training is timed
            (``TimedTrainLoop``), the one that takes longest first; see ``pace.choose``.
        work_dir: folder for everything that is written.
        quick: a few iterations of the first one only, see ``shorten``.

    Returns:
        COCO AP in [0, 1] on the held-out images.

    Raises:
        BadInput: the folder cannot be written to, or another run is at work in it.
    """
    check_writable(work_dir)
    with quiet_warnings(), run_ends(work_dir), only_run_in(work_dir):
        if quick:
            cfg = load_config(configs[0], work_dir)
            shorten(cfg)
        else:
            cfg = choose(configs, work_dir)
        runner = build_runner(cfg)
        start = time.monotonic()
        with prints_in_log(runner.logger):
            model = runner.train()
        minutes = (time.monotonic() - start) / 60
    dataset = runner.val_loop.dataloader.dataset
    paths = write_images(model, dataset, work_dir)
    ap = runner.message_hub.get_scalar('val/coco/AP').current()
    width, height = dataset.image_size
    print(
        f'\nTrained {runner.iter} iterations and evaluated in {minutes:.1f} min; AP {100 * ap:.1f} on {len(dataset)} '
        f'held-out images of the same kind, {width} x {height} px. Open:'
    )
    for path in paths + [osp.join(work_dir, LOSS_CURVE)]:
        print(f'  {path}')
    return ap
