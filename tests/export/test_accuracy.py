"""AP of what finds people: who says the annotations has 100, who says nobody 0."""

import json
from dataclasses import replace

import numpy as np
import pytest
from mmengine.config import Config

from cid_mmpose.errors import BadInput
from cid_mmpose.export.accuracy import AccuracyOptions, average_precision, data_set, drawn_crowds
from cid_mmpose.inference.keypoints import KeypointSet
from cid_mmpose.inference.people import People
from tests.helpers.images import coco, person, write_coco

SCENES = dict(type='cid_mmpose.SynthCrowd', image_size=(96, 64), people=(1, 2), length=9)
CONFIG = Config(dict(test_dataloader=dict(dataset=SCENES)))
POINTS = KeypointSet(tuple(f'point {number}' for number in range(17)), (), (), (0.05,) * 17)


class Knowing:
    """Finds in each image the people that it was told.

    Args:
        items: that will be asked for, in this order.
        share: of them that it finds.
        strangers: score of one person more in each image, who is not there; 0 for none.
    """

    keypoint_set = POINTS

    def __init__(self, items, share: float = 1.0, strangers: float = 0.0) -> None:
        self.items = iter([items.get_data_info(number) for number in range(len(items))])
        self.share = share
        self.strangers = strangers

    def __call__(self, image):
        item = next(self.items)
        count = int(len(item['keypoints']) * self.share)
        keypoints = np.asarray(item['keypoints'], np.float32)[:count]
        scores = np.ones(count, np.float32)
        if self.strangers:
            keypoints = np.concatenate([keypoints, keypoints[:1] + 1000])
            scores = np.append(scores, np.float32(self.strangers))
        height, width = image.shape[:2]
        found = People(
            keypoints=keypoints,
            keypoint_scores=np.ones(keypoints.shape[:2], np.float32),
            scores=scores,
            boxes=np.concatenate([keypoints.min(1), keypoints.max(1)], 1) if count else np.zeros((0, 4), np.float32),
            centers=keypoints.mean(1) if count else np.zeros((0, 2), np.float32),
            keypoint_set=POINTS,
            image_size=(width, height),
        )
        return [found]


@pytest.mark.parametrize('share, expected', [(1.0, 100), (0.0, 0)])
def test_the_annotations_of_drawn_people_have_100_and_nobody_has_0(share, expected):
    items = drawn_crowds(CONFIG, seed=1, count=4)
    assert average_precision(Knowing(items, share), items) == pytest.approx(expected)


@pytest.mark.parametrize('score, is_right', [(0.5, True), (2.0, False)])
def test_a_stranger_costs_ap_only_where_his_score_is_above_that_of_the_people(score, is_right):
    items = drawn_crowds(CONFIG, seed=1, count=4)
    found = average_precision(Knowing(items, strangers=score), items)
    assert found == pytest.approx(100) if is_right else 20 < found < 80


def test_drawn_people_are_those_of_the_models_config():
    (item,) = [drawn_crowds(CONFIG, seed=1, count=1).get_data_info(0)]
    assert item['img'].shape == (64, 96, 3)


def test_an_annotation_file_with_its_images_is_taken(tmp_path):
    path = write_coco(tmp_path, coco([person(1, 1, box=(20, 30, 60, 60))], 1, size=(200, 200)))
    folder = str(tmp_path)
    items = data_set([str(path), folder], Config({}))
    import cv2

    for image in json.loads(open(path).read())['images']:
        (tmp_path / image['file_name']).parent.mkdir(exist_ok=True, parents=True)
        cv2.imwrite(str(tmp_path / image['file_name']), np.zeros((200, 200, 3), np.uint8))
    assert average_precision(Knowing(items), items) == pytest.approx(100)


def test_other_data_are_refused(tmp_path):
    with pytest.raises(BadInput, match='--data a.json: give synth, or an annotation file and the folder'):
        data_set(['a.json'], CONFIG)
    with pytest.raises(BadInput, match='--data: .*none is no folder'):
        data_set(['a.json', str(tmp_path / 'none')], CONFIG)


def test_data_of_other_keypoints_are_refused():
    items = drawn_crowds(CONFIG, seed=1, count=1)
    model = Knowing(items)
    model.keypoint_set = replace(POINTS, names=('nose',), sigmas=(0.05,))
    with pytest.raises(BadInput, match='--data: has 17 keypoints, the model 1; give data of its keypoints'):
        average_precision(model, items)


def test_a_drop_outside_0_to_100_is_refused():
    with pytest.raises(BadInput, match='max_drop must be from 0 to 100 points of AP, got -1'):
        AccuracyOptions(max_drop=-1)
