"""Small images and COCO files for the tests, made in a folder of the test's own."""

import copy
import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmcv.transforms import BaseTransform
from mmengine.config import Config
from mmengine.dataset import BaseDataset, Compose
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, MODELS

from cid_mmpose.data import CocoPeople

ROOT = Path(__file__).resolve().parents[2]
WIDTH, HEIGHT = 64, 48  # pixels of a made image
BOX = (10, 5, 20, 30)  # x, y, w, h of a made person
PERSON = dict(id=1, name='person')


def shared(path: str) -> Path:
    """A file or folder of the shared data; skips the test where it is not there."""
    folder = Path(os.environ.get('CID_SHARED', ROOT.parent / 'shared')) / 'data' / path
    if not folder.exists():
        pytest.skip(f'{folder} is not there; CID_SHARED names the shared folder')
    return folder


def person(number: int = 1, image: int = 1, box: tuple = BOX, **changes) -> dict:
    """An annotation: 17 seen keypoints on the diagonal of a box, the whole box as its region; then the changes."""
    x, y, w, h = box
    keypoints = [[x + w * i / 16, y + h * i / 16, 2] for i in range(17)]
    outline = [[x, y, x + w, y, x + w, y + h, x, y + h]]
    made = dict(
        id=number,
        image_id=image,
        category_id=1,
        iscrowd=0,
        bbox=[x, y, w, h],
        area=w * h,
        keypoints=np.ravel(keypoints).tolist(),
        num_keypoints=17,
        segmentation=outline,
    )
    return {**made, **changes}


def without(annotation: dict, *fields: str) -> dict:
    """The annotation less some of its fields."""
    return {key: value for key, value in annotation.items() if key not in fields}


def coco(people: list, images: int = 1, categories: list = (PERSON,), size: tuple = (WIDTH, HEIGHT)) -> dict:
    """What an annotation file holds: images 1, 2, ... of ``size``, and these people in them."""
    entries = [dict(id=i, file_name=f'{i}.png', width=size[0], height=size[1]) for i in range(1, images + 1)]
    return dict(images=entries, annotations=copy.deepcopy(people), categories=copy.deepcopy(list(categories)))


def write_coco(folder: Path, data: dict) -> Path:
    """Writes ``people.json`` and its images, speckled and no two alike; returns the file."""
    for image in data['images']:
        pixels = np.random.default_rng(image['id']).integers(0, 256, (image['height'], image['width'], 3), np.uint8)
        cv2.imwrite(str(folder / image['file_name']), pixels)
    path = folder / 'people.json'
    path.write_text(json.dumps(data))
    return path


def data_set(path: Path, **options) -> CocoPeople:
    """A ``CocoPeople`` of a written file."""
    return CocoPeople(ann_file=str(path), data_prefix=dict(img=str(path.parent)), **options)


def config(name: str = 'cid_hrnet-w32_coco.py', side: int = 64) -> Config:
    """A config of the project with square inputs of ``side`` pixels and no weights to fetch."""
    cfg = Config.fromfile(ROOT / 'configs' / name)
    init_default_scope('mmpose')
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        for step in loader.dataset.pipeline:
            if 'input_size' in step:
                step.input_size = (side, side)
    cfg.model.backbone.init_cfg = None
    return cfg


def step(loader: dict, kind: str) -> dict:
    """The step of a config's data loader that is of this type, whatever its scope.

    Args:
        loader: such as ``cfg.train_dataloader``.
        kind: name of the class.
    """
    return step_in(loader.dataset.pipeline, kind)


def step_in(steps: list, kind: str) -> dict:
    """The step of a list that is of this type, whatever its scope.

    Args:
        steps: as a config has them.
        kind: name of the class.
    """
    (found,) = [step for step in steps if step.type.rpartition('.')[2] == kind]
    return found


def transform(data: BaseDataset, kind: str) -> BaseTransform:
    """The step of a built data set's pipeline that is of this class.

    Args:
        data: the data set.
        kind: name of the class.
    """
    (found,) = [step for step in data.pipeline.transforms if type(step).__name__ == kind]
    return found


def tiny_config(side: int = 64) -> Config:
    """As ``config``, with a backbone that takes a hundredth of a second an image."""
    cfg = config(side=side)
    extra = cfg.model.backbone.extra
    for name in ('stage1', 'stage2', 'stage3', 'stage4'):
        stage = extra[name]
        stage.update(
            num_modules=1,
            num_blocks=(1,) * stage.num_branches,
            num_channels=tuple(4 * 2**i for i in range(stage.num_branches)),
        )
    cfg.model.head.in_channels = 4 + 8 + 16 + 32
    return cfg


def use_data(cfg: Config, folder: Path, training: str, testing: str) -> Config:
    """Points a config at ``(annotation file, image folder)`` pairs, both below ``folder``."""
    for loader, (ann_file, images) in ((cfg.train_dataloader, training), (cfg.test_dataloader, testing)):
        loader.dataset.update(data_root=str(folder), ann_file=ann_file, data_prefix=dict(img=images))
    return cfg


def coco_mini(cfg: Config) -> Config:
    """Points a config at the real images of coco_mini."""
    parts = [(f'annotations/person_keypoints_{part}2017.json', f'{part}2017/') for part in ('train', 'val')]
    return use_data(cfg, shared('coco_mini'), *parts)


def build_model(cfg: Config):
    """The model of a config, with random weights."""
    return MODELS.build(cfg.model)


def build_data(cfg: Config, loader: str = 'train_dataloader'):
    """The data set of a config with its pipeline."""
    return DATASETS.build(cfg[loader].dataset)


def pipeline(cfg: Config, loader: str = 'train_dataloader') -> Compose:
    """The pipeline of a config alone."""
    return Compose(cfg[loader].dataset.pipeline)
