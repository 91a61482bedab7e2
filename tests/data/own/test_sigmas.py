"""Sigmas out of repeated annotations, by COCO's definition: sigma^2 = E[d^2 / s^2]."""

import numpy as np
import pytest

from cid_mmpose.data.annotations import read_annotations
from cid_mmpose.data.doctor.case import Case
from cid_mmpose.data.doctor.source import Source
from cid_mmpose.data.own.sigmas import DEFAULT, ENOUGH, LEAST, repeated, sigmas_of
from tests.helpers.images import shared

SIDE = 100  # pixels; root of the area of every object


def case_of(objects: list[list[np.ndarray]]) -> Case:
    """A file in which object i, in image i, is annotated once for each array (K, 2) of its keypoints."""
    annotations = []
    for image, repetitions in enumerate(objects):
        for keypoints in repetitions:
            labelled = np.concatenate([keypoints, np.full((len(keypoints), 1), 2)], 1)
            annotation = dict(
                id=len(annotations),
                image_id=image,
                category_id=1,
                bbox=[0, 0, SIDE, SIDE],
                area=SIDE**2,
                keypoints=labelled.ravel().tolist(),
            )
            annotations.append(annotation)
    images = [dict(id=i, file_name=f'{i}.png', width=200, height=200) for i in range(len(objects))]
    names = [f'k{i}' for i in range(len(objects[0][0]))]
    return Case(
        Source('own.json'), dict(images=images, annotations=annotations, categories=[dict(id=1, keypoints=names)])
    )


def test_two_annotations_of_one_object_give_half_their_squared_distance_over_the_area():
    # 2 px apart: each lies 1 px from the mean, (1 + 1) / (2 - 1) = 2 px^2, sqrt(2 / 100^2) = 0.0141; 20 px: 0.141
    first = np.array([[50.0, 50.0], [60.0, 60.0]])
    second = first + [[2, 0], [0, 20]]
    found = sigmas_of(case_of([[first, second]] * ENOUGH))
    assert found == ((0.014, 0.141), (ENOUGH, ENOUGH), ENOUGH)


def test_three_annotations_count_as_two_repetitions():
    # at 0, 3 and 6 px: from the mean 3, 0 and 3, (9 + 0 + 9) / (3 - 1) = 9 px^2, sqrt(9 / 100^2) = 0.03
    first = np.array([[50.0, 50.0]])
    found = sigmas_of(case_of([[first, first + [3, 0], first + [6, 0]]] * 5))
    assert found == ((0.03,), (10,), 5)


@pytest.mark.parametrize('sigma', [0.03, 0.1])
def test_the_spread_of_simulated_annotators_is_found_again(sigma):
    rng = np.random.default_rng(0)
    keypoints = np.array([[30.0, 30.0], [70.0, 40.0], [50.0, 60.0]])
    spread = sigma * SIDE / np.sqrt(2)  # of each axis, so that E[d^2] = (sigma s)^2
    objects = [[keypoints + rng.normal(0, spread, keypoints.shape) for _ in range(2)] for _ in range(500)]
    assert sigmas_of(case_of(objects)).values == pytest.approx([sigma] * 3, rel=0.1)


def test_without_repetitions_every_sigma_is_the_default():
    found = sigmas_of(case_of([[np.array([[50.0, 50.0], [60.0, 60.0]])]] * 20))
    assert found == ((DEFAULT, DEFAULT), (0, 0), 0) and found.measured == 0


def test_a_keypoint_with_too_few_repetitions_keeps_the_default():
    first = np.array([[50.0, 50.0], [60.0, 60.0]])
    case = case_of([[first, first + 1]] * ENOUGH)
    case.annotations[0]['keypoints'][5] = 0  # the second keypoint of the first annotation is not labelled
    found = sigmas_of(case)
    assert found == ((0.01, DEFAULT), (ENOUGH, ENOUGH - 1), ENOUGH) and found.measured == 1


def test_a_copy_of_an_annotation_is_no_repetition():
    keypoints = np.array([[50.0, 50.0]])
    assert repeated(case_of([[keypoints, keypoints]] * ENOUGH)) == []


def test_another_object_in_the_same_box_is_no_repetition():
    keypoints = np.array([[50.0, 50.0]])
    assert repeated(case_of([[keypoints, keypoints + 30]] * ENOUGH)) == []  # 42 px apart, more than 20


def test_images_of_which_less_than_half_is_annotated_again_say_nothing():
    first = np.array([[50.0, 50.0]])
    objects = [[first, first + 2, first + 40, first + 80]] * ENOUGH  # 1 of 3 objects of each image
    assert repeated(case_of(objects)) == []
    assert len(repeated(case_of([[first, first + 2, first + 40]] * ENOUGH))) == ENOUGH  # 1 of 2


def test_a_few_repetitions_in_a_large_file_are_slips():
    first = np.array([[50.0, 50.0]])
    objects = [[first, first + 2]] * ENOUGH + [[first]] * (100 * ENOUGH)
    assert repeated(case_of(objects)) == []
    assert len(repeated(case_of(objects[:-50]))) == ENOUGH


def test_people_who_stand_close_in_a_crowd_are_no_repetitions():
    path = str(shared('annotations/crowdpose_val.json'))
    found = sigmas_of(Case(Source(path), read_annotations(path)))
    assert found == ((DEFAULT,) * 14, (0,) * 14, 0)


def test_annotators_who_agree_to_the_pixel_do_not_give_a_sigma_of_0():
    first = np.array([[50.0, 50.0], [60.0, 60.0]])
    assert sigmas_of(case_of([[first, first + [[0, 0], [4, 0]]]] * ENOUGH)).values == (LEAST, 0.028)
