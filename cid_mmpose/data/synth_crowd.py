"""SynthCrowd: images of people that are drawn when asked for, with exact COCO-17 annotation; no file is read."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from mmpose.datasets.datasets.base import BaseCocoStyleDataset

from cid_mmpose.errors import BadInput
from cid_mmpose.registry import DATASETS

from .synth.parts import PARTS
from .synth.scene import Scene, crowd_index, render_scene

MAX_PEOPLE = 300  # per image; the owner map and the time per image set the limit
SIZE_LIMITS = 32, 4096  # px, of an image's sides
HEIGHT_LIMITS = 0.02, 3.0  # statures in image heights
IDS_PER_IMAGE = 1000  # annotation ids: image * this + person + 1
PERSON = dict(id=1, name='person', supercategory='person')


@DATASETS.register_module()
class SynthCrowd(BaseCocoStyleDataset):
    """Drawn people before drawn backgrounds, in the form of MMPose's bottom-up COCO data sets.

    Image ``i`` of a seed is the same on every machine, in every process and order. An item has the keys that
    ``CocoDataset(data_mode='bottomup')`` gives, with N people and K = 17 keypoints, and ``img`` (H, W, 3) uint8 BGR,
    which MMPose's ``LoadImage`` takes as it is: ``keypoints`` (N, K, 2) px, ``keypoints_visible`` (N, K) 0 or 1,
    ``bbox`` (N, 4) x1, y1, x2, y2 px of the whole body inside the image, ``area`` (N,) px seen of it, ``crowd_index``
    in [0, 1], and ``raw_ann_info``, N annotations as in a COCO file: visibility 2 seen, 1 hidden by a person, by
    furniture or by the own body, 0 outside the image. With nobody in the image the arrays have length 0. People of
    whom fewer than two keypoints are seen are left out of the image, so that a dense one may hold a few less than
    asked. ``CocoMetric(ann_file=None)`` evaluates on the test mode's items.

    Args:
        length: number of images, at least 1.
        seed: whole number >= 0; two seeds share no image. Train and evaluate on different ones.
        image_size: width and height in px, 32 to 4096.
        people: fewest and most people in an image, both included, 0 to 300.
        person_height: smallest and largest standing height in image heights, 0.02 to 3.
        overlap: 0 keeps people apart where there is room, 1 puts everybody in front of or behind another.
        turn: degrees by which people turn away from the camera at most, 0 to 180; 180 shows backs and profiles too.
        pipeline: transforms, as in every MMPose data set.
        test_mode: whether the items are for evaluation.

    Raises:
        BadInput: an option is out of its range.
    """

    METAINFO = dict(from_file='configs/_base_/datasets/coco.py')

    def __init__(
        self,
        *,
        length: int = 1000,
        seed: int = 0,
        image_size: Sequence[int] = (512, 512),
        people: Sequence[int] = (1, 5),
        person_height: Sequence[float] = (0.3, 0.9),
        overlap: float = 0.3,
        turn: float = 180,
        pipeline: Sequence[dict | Callable] = (),
        test_mode: bool = False,
    ) -> None:
        self.length = _whole('length', length, 1, 10**9)
        self.seed = _whole('seed', seed, 0, 2**63 - 1)
        self.image_size = _pair('image_size', image_size, *SIZE_LIMITS, whole=True, ordered=False)
        self.people = _pair('people', people, 0, MAX_PEOPLE, whole=True)
        self.person_height = _pair('person_height', person_height, *HEIGHT_LIMITS)
        self.overlap = float(_number('overlap', overlap, 0, 1))
        self.turn = float(_number('turn', turn, 0, 180))
        # No annotation file is None, not '': CocoMetric(ann_file=None) opens whatever else it is told.
        super().__init__(ann_file=None, data_mode='bottomup', pipeline=list(pipeline), test_mode=test_mode)
        self._metainfo.update(dataset_name='synth_crowd', CLASSES=[PERSON])

    def load_data_list(self) -> list[dict]:
        """Numbers and names of the images; the people come with each image."""
        width, height = self.image_size
        return [
            dict(img_id=index, img_path=f'synth_crowd/{self.seed}/{index:06d}.png', height=height, width=width)
            for index in range(self.length)
        ]

    def scene(self, index: int) -> Scene:
        """The image and its people, from far to near.

        Args:
            index: which image, in [0, length).
        """
        rng = np.random.default_rng([self.seed, index])
        return render_scene(rng, *self.image_size, self.people, self.person_height, self.overlap, self.turn)

    def get_data_info(self, idx: int) -> dict:
        """One item, see the class.

        Args:
            idx: which image, in [-length, length).
        """
        base = super().get_data_info(idx)
        image = {key: base.pop(key) for key in ('height', 'width')}
        scene = self.scene(base['img_id'])
        crowding = crowd_index(scene.boxes, scene.keypoints)
        image.update(img_id=base['img_id'], img_path=base['img_path'])
        parsed = [
            self.parse_data_info(dict(raw_ann_info=annotation, raw_img_info=image))
            for annotation in annotations(scene, base['img_id'])
        ]
        info = self._get_bottomup_data_infos(parsed, [image])[0] if parsed else _nobody(self.metainfo['num_keypoints'])
        return {**base, **info, 'crowd_index': crowding, 'img': scene.image}


def annotations(scene: Scene, img_id: int) -> list[dict]:
    """COCO annotations of one image's people, one dict each, of plain Python numbers.

    Args:
        scene: the image.
        img_id: its number, from which the annotations' ids follow.
    """
    result = []
    for index, (keypoints, box, area) in enumerate(zip(scene.keypoints, scene.boxes, scene.areas)):
        result.append(
            dict(
                id=img_id * IDS_PER_IMAGE + index + 1,
                image_id=img_id,
                category_id=PERSON['id'],
                iscrowd=0,
                keypoints=[float(v) for v in keypoints.ravel()],
                num_keypoints=int((keypoints[:, 2] > 0).sum()),
                bbox=[float(v) for v in box],
                area=float(area),
                segmentation=_silhouette(scene, index),
            )
        )
    return result


def _silhouette(scene: Scene, index: int) -> list[list]:
    """What is seen of one person as polygons, each a flat list of x, y in px."""
    x, y, width, height = scene.boxes[index]
    # A margin of a pixel: a drawn border may reach that far beyond the exact outline.
    left, top = max(int(x) - 1, 0), max(int(y) - 1, 0)
    part = scene.owners[top : int(y + height) + 3, left : int(x + width) + 3].astype(np.int32) - 1
    mask = (part // len(PARTS) == index) & (part >= 0)
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [(contour[:, 0] + [left, top]).astype(float).ravel().tolist() for contour in contours if len(contour) > 2]


def _nobody(keypoints: int) -> dict:
    """What an item says of its people when there are none: the same keys, arrays of length 0."""

    def empty(*shape: int) -> np.ndarray:
        return np.zeros((0, *shape), np.float32)

    arrays = dict(
        bbox=empty(4),
        bbox_score=empty(),
        keypoints=empty(keypoints, 2),
        keypoints_visible=empty(keypoints),
        area=empty(),
        category_id=np.zeros(0, int),
    )
    lists = ('num_keypoints', 'iscrowd', 'segmentation', 'id', 'raw_ann_info', 'invalid_segs')
    return {**arrays, **{key: [] for key in lists}}


def _number(name: str, value: float, low: float, high: float) -> float:
    """The value, if it is a number in [low, high]; BadInput names the option otherwise."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not low <= value <= high:
        raise BadInput(f'SynthCrowd: option {name!r} is {value!r}; give a number from {low:g} to {high:g}')
    return value


def _whole(name: str, value: int, low: int, high: int) -> int:
    """The value, if it is a whole number in [low, high]."""
    if not isinstance(value, (int, np.integer)):
        raise BadInput(f'SynthCrowd: option {name!r} is {value!r}; give a whole number')
    return int(_number(name, value, low, high))


def _pair(name: str, value: Sequence, low: float, high: float, whole: bool = False, ordered: bool = True) -> tuple:
    """Two numbers in [low, high], the first not above the second where they are a range."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise BadInput(f'SynthCrowd: option {name!r} is {value!r}; give two numbers')
    first, second = ((_whole if whole else _number)(name, part, low, high) for part in value)
    if ordered and first > second:
        raise BadInput(f'SynthCrowd: option {name!r} is {value!r}; give the smaller number first')
    return first, second
