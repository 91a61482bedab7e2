"""MMPose's meta information of data sets: names of keypoints, their partners in the mirror, links and sigmas."""

import warnings
from functools import cache
from typing import Any

import numpy as np

COCO = dict(from_file='configs/_base_/datasets/coco.py')  # MMPose's file of COCO's 17 keypoints


def parsed_metainfo(metainfo: dict) -> dict[str, Any]:
    """Meta information as MMPose parses it, without its warning that a file is one of its own.

    Args:
        metainfo: of a config: all of it, or ``from_file`` with the path of a file, which may be MMPose's.

    Raises:
        AssertionError, FileNotFoundError, KeyError, TypeError: of MMPose, where it cannot be used.
    """
    from mmpose.datasets.datasets.utils import parse_pose_metainfo

    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', message='The metainfo config file')
        return parse_pose_metainfo(metainfo)


@cache
def coco_sigmas() -> np.ndarray:
    """OKS fall-off of COCO's 17 keypoints, (17,) float32, in object sides."""
    return parsed_metainfo(COCO)['sigmas']
