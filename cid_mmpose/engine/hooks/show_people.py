"""The images of a test run, each with the people the model found."""

import os
import os.path as osp
from collections.abc import Sequence

import cv2
import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.fileio import exists
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.structures import PoseDataSample

from cid_mmpose.data import LoadImage
from cid_mmpose.visualization import draw_people


class ShowPeople(Hook):
    """Writes each test image with its people into a folder, under the name that it has in the data set.

    MMPose's own hook reads every image from a file; this one also shows those that are made in memory.

    Args:
        folder: where to; made when the first image is written.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: Sequence[PoseDataSample] | None = None,
    ) -> None:
        """Writes the images of one batch; each process those of its own part of the data."""
        dataset = runner.test_dataloader.dataset
        for sample in outputs or ():
            path = osp.join(self.folder, image_name(sample.img_path, dataset.data_prefix.get('img', '')))
            os.makedirs(osp.dirname(path), exist_ok=True)
            cv2.imwrite(path, draw_people(image_of_sample(sample, dataset), sample, dataset.metainfo))


def image_of_sample(sample: PoseDataSample, dataset: BaseDataset) -> np.ndarray:
    """The whole image (H, W, 3) uint8 BGR that a prediction belongs to.

    Args:
        sample: its ``img_path`` is a file, or its ``img_id`` the index of an image made by the data set.
        dataset: the data set under test.
    """
    if not exists(sample.img_path):
        return dataset.get_data_info(sample.img_id)['img']
    return LoadImage().transform(dict(img_path=sample.img_path, ann_shape=sample.ori_shape))['img']


def image_name(path: str, prefix: str) -> str:
    """Path below the image folder ``prefix``, or the bare name of a file elsewhere; of a kind OpenCV can write.

    Args:
        path: of an image.
        prefix: the folder of the data set's images.
    """
    name = osp.relpath(path, prefix or '.')
    name = osp.basename(path) if name.startswith(osp.pardir) else name
    return name if cv2.haveImageWriter(name) else f'{name}.png'
