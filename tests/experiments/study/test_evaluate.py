"""Figures of test images whose people are known: AP, bins, and the rules of each method."""

import numpy as np
import pytest
from mmengine.registry import init_default_scope
from study.evaluate import OfImage, Rules, annotated_people, bins_of, figures_of, found_people
from study.measures import Counts, count

from cid_mmpose.data.synth_crowd import SynthCrowd

SIGMAS = np.full(17, 0.1)


@pytest.fixture(scope='module')
def crowd() -> SynthCrowd:
    init_default_scope('mmpose')
    return SynthCrowd(length=6, seed=1, image_size=(128, 128), people=(1, 4), overlap=0.8, test_mode=True)


def image(crowd: SynthCrowd, number: int, moved: float = 0.0, kept: slice = slice(None)) -> OfImage:
    """A test image in which everyone, or some, were found ``moved`` px to the right of where they are."""
    item = crowd.get_data_info(number)
    keypoints = item['keypoints'][kept] + [moved, 0]
    found = dict(keypoints=keypoints, keypoint_scores=np.ones(keypoints.shape[:2]), bbox_scores=np.ones(len(keypoints)))
    sample = dict(id=item['id'], img_id=number, ori_shape=(128, 128), raw_ann_info=item['raw_ann_info'],
                  pred_instances=found, gt_instances={})  # fmt: skip
    annotated = annotated_people(item['raw_ann_info'], 17)
    people = found_people(sample, Rules('own', 1.0), SIGMAS)
    return OfImage(sample, item['crowd_index'], count(people, annotated, np.array(crowd.metainfo['sigmas'])))


def test_people_found_where_they_are_have_ap_100_and_people_far_away_0(crowd):
    exact = figures_of([image(crowd, number) for number in range(6)], crowd.metainfo)
    assert (exact['ap'], exact['ap75'], exact['missed'], exact['wrong']) == (100.0, 100.0, 0, 0)
    assert exact['images'] == 6 and exact['people'] == sum(len(crowd.get_data_info(n)['keypoints']) for n in range(6))
    away = figures_of([image(crowd, number, moved=90) for number in range(6)], crowd.metainfo)
    assert (away['ap'], away['missed']) == (0.0, away['people'])


def test_nobody_found_is_ap_0(crowd):
    figures = figures_of([image(crowd, number, kept=slice(0)) for number in range(2)], crowd.metainfo)
    assert (figures['ap'], figures['ap50'], figures['missed']) == (0.0, 0.0, figures['people'])


def test_images_are_parted_by_crowd_index_and_by_number_of_people():
    images = [OfImage({}, crowding, Counts(people, 0, 0, 0)) for crowding, people in
              [(0.0, 1), (0.1, 2), (0.11, 2), (0.8, 3), (0.81, 3), (1.0, 3)]]  # fmt: skip
    sizes = {name: len(of_bin) for name, of_bin in bins_of(images).items()}
    assert sizes == {'all': 6, 'easy': 2, 'medium': 2, 'hard': 2, '1 people': 1, '2 people': 2, '3 people': 3}


def test_crowds_are_no_annotated_people():
    person = dict(keypoints=[1.0, 2.0, 2] * 17, area=9.0, bbox=[0, 0, 3, 3])
    people = annotated_people([person, dict(person, iscrowd=1)], 17)
    assert people.keypoints.shape == (1, 17, 2) and people.labelled.all()
    assert annotated_people([], 17).keypoints.shape == (0, 17, 2)


def test_scores_are_those_of_the_method_and_the_worse_of_two_equal_people_goes():
    keypoints = np.random.default_rng(0).uniform(0, 100, (1, 17, 2)).repeat(3, axis=0)
    keypoints[2] += 300
    of_keypoints = np.array([[0.2], [0.6], [0.4]]).repeat(17, axis=1)
    instances = dict(keypoints=keypoints, keypoint_scores=of_keypoints, bbox_scores=np.array([0.9, 0.8, 0.7]))
    own = found_people(dict(pred_instances=instances), Rules('own', 1.0), SIGMAS)
    assert own.scores.tolist() == [0.9, 0.8, 0.7]
    sample = dict(pred_instances=instances)
    kept = found_people(sample, Rules('keypoints', 0.8), SIGMAS)
    np.testing.assert_allclose(kept.scores, [0.6, 0.4])
    np.testing.assert_allclose(sample['pred_instances']['bbox_scores'], [0.6, 0.4])
    nobody = dict(keypoints=np.zeros((0, 17, 2)), keypoint_scores=np.zeros((0, 17)), bbox_scores=np.zeros(0))
    assert len(found_people(dict(pred_instances=nobody), Rules('keypoints', 0.8), SIGMAS).scores) == 0
