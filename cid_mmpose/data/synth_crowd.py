"""SynthCrowd: images of people that are drawn when asked for, with exact COCO-17 annotation; no file is read."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from mmpose.datasets.datasets.base import BaseCocoStyleDataset

from cid_mmpose.compat.metainfo import COCO
from cid_mmpose.errors import BadInput
from cid_mmpose.registry import DATASETS

from .synth.parts import PARTS
from .synth.scene import Scene, crowd_index, render_scene

MAX_PEOPLE = 300  # per image; the owner map and the time per image set the limit
SHORTEST, LONGEST = 32, 4096  # px, of an image's sides
SMALLEST, TALLEST = 0.02, 3.0  # statures in image heights
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

    METAINFO = COCO

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
        self.image_size = _pair('image_size', image_size, SHORTEST, LONGEST, _whole)
        self.people = _range('people', people, 0, MAX_PEOPLE, _whole)
        self.person_height = _range('person_height', person_height, SMALLEST, TALLEST, _number)
        self.overlap = float(_number('overlap', overlap, 0, 1))
        self.turn = float(_number('turn', turn, 0, 180))
        # No annotation file is None, not '': CocoMetric(ann_file=None) opens whatever else it is told.
        super().__init__(ann_file=None, data_mode='bottomup', pipeline=list(pipeline), test_mode=test_mode)
        self._metainfo.update(dataset_name='synth_crowd', CLASSES=[PERSON])

    def load_data_list(self) -> list[dict]:
        """Numbers and names of the images; the people come with each image."""
        width, height = self.image_size
        items = []
        for index in range(self.length):
            path = f'synth_crowd/{self.seed}/{index:06d}.png'
            items.append(dict(img_id=index, img_path=path, height=height, width=width))
        return items

    def scene(self, index: int) -> Scene:
        """The image and its people, from far to near.

        Args:
            index: which image, in [0, length).
        """
        rng = np.random.default_rng([self.seed, index])
        width, height = self.image_size
        return render_scene(rng, width, height, self.people, self.person_height, self.overlap, self.turn)

    def get_data_info(self, idx: int) -> dict:
        """One item, see the class.

        Args:
            idx: which image, in [-length, length).
        """
        item = super().get_data_info(idx)
        number = item['img_id']
        image = dict(height=item.pop('height'), width=item.pop('width'), img_id=number, img_path=item['img_path'])
        scene = self.scene(number)

        people = []
        for annotation in annotations(scene, number):
            person = self.parse_data_info(dict(raw_ann_info=annotation, raw_img_info=image))
            people.append(person)
        if people:
            of_image = self._get_bottomup_data_infos(people, [image])[0]
        else:
            of_image = _nobody(self.metainfo['num_keypoints'])

        item.update(of_image)
        item.update(crowd_index=crowd_index(scene.boxes, scene.keypoints), img=scene.image)
        return item


def annotations(scene: Scene, img_id: int) -> list[dict]:
    """COCO annotations of one image's people, one dict each, of plain Python numbers.

    Args:
        scene: the image.
        img_id: its number, from which the annotations' ids follow.
    """
    result = []
    for index in range(len(scene.keypoints)):
        keypoints = scene.keypoints[index]
        labelled = np.count_nonzero(keypoints[:, 2])
        annotation = dict(
            id=img_id * IDS_PER_IMAGE + index + 1,
            image_id=img_id,
            category_id=PERSON['id'],
            iscrowd=0,
            keypoints=keypoints.ravel().tolist(),
            num_keypoints=int(labelled),
            bbox=scene.boxes[index].tolist(),
            area=float(scene.areas[index]),
            segmentation=_silhouette(scene, index),
        )
        result.append(annotation)
    return result


def _silhouette(scene: Scene, index: int) -> list[list]:
    """What is seen of one person as polygons, each a flat list of x, y in px."""
    x, y, width, height = scene.boxes[index]
    # A margin of a pixel: a drawn border may reach that far beyond the exact outline.
    left = max(int(x) - 1, 0)
    top = max(int(y) - 1, 0)
    right = int(x + width) + 3
    bottom = int(y + height) + 3

    part = scene.owners[top:bottom, left:right].astype(np.int32) - 1
    mask = (part // len(PARTS) == index) & (part >= 0)
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)

    polygons = []
    for contour in contours:
        if len(contour) > 2:
            points = (contour.reshape(-1, 2) + [left, top]).astype(float)
            polygons.append(points.ravel().tolist())
    return polygons


def _nobody(num_keypoints: int) -> dict:
    """What an item says of its people when there are none: the same keys, arrays of length 0."""
    return dict(
        bbox=np.zeros((0, 4), np.float32),
        bbox_score=np.zeros(0, np.float32),
        keypoints=np.zeros((0, num_keypoints, 2), np.float32),
        keypoints_visible=np.zeros((0, num_keypoints), np.float32),
        area=np.zeros(0, np.float32),
        category_id=np.zeros(0, int),
        num_keypoints=[],
        iscrowd=[],
        segmentation=[],
        id=[],
        raw_ann_info=[],
        invalid_segs=[],
    )


def _number(name: str, value: float, low: float, high: float) -> float:
    """The value, if it is a number in [low, high]; BadInput names the option otherwise."""
    is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:
        raise BadInput(f'SynthCrowd: option {name!r} is {value!r}; give a number from {low:g} to {high:g}')
    return value


def _whole(name: str, value: int, low: int, high: int) -> int:
    """The value, if it is a whole number in [low, high]."""
    if not isinstance(value, (int, np.integer)):
        raise BadInput(f'SynthCrowd: option {name!r} is {value!r}; give a whole number')
    checked = _number(name, value, low, high)
    return int(checked)


def _pair(name: str, value: Sequence, low: float, high: float, checked: Callable) -> tuple:
    """Two numbers in [low, high], each passed through ``checked``: ``_number`` or ``_whole``."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise BadInput(f'SynthCrowd: option {name!r} is {value!r}; give two numbers')
    first = checked(name, value[0], low, high)
    second = checked(name, value[1], low, high)
    return first, second


def _range(name: str, value: Sequence, low: float, high: float, checked: Callable) -> tuple:
    """As ``_pair``, the first not above the second."""
    first, second = _pair(name, value, low, high, checked)
    if first > second:
        raise BadInput(f'SynthCrowd: option {name!r} is {value!r}; give the smaller number first')
    return first, second
