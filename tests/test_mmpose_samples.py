"""MMPose's samples of other data sets, with MMPose's own meta information: they evaluate and they are drawn."""

import cv2
import numpy as np
import pytest

from cid_mmpose.data import CocoPeople
from cid_mmpose.visualization import draw_people
from tests.helpers.evaluating import evaluate, prediction, truth
from tests.helpers.images import shared
from tests.helpers.slow import slow_but

# data set -> keypoints, labelled people, whether its annotations have an area
SAMPLES = {
    'ap10k': (17, 2, True),
    'animalpose': (20, 2, True),
    'aic': (14, 9, False),
    'mhp': (16, 4, True),
    'exlpose': (14, 6, False),
}


def sample(name: str) -> CocoPeople:
    """The data set of a sample, without a pipeline."""
    folder = shared(f'mmpose_samples/{name}')
    return CocoPeople(
        ann_file=str(folder / f'test_{name}.json'),
        data_prefix=dict(img=str(folder)),
        metainfo=dict(from_file=f'configs/_base_/datasets/{name}.py'),
        test_mode=True,
    )


@pytest.mark.parametrize('name', SAMPLES)
def test_a_sample_has_the_keypoints_and_people_that_its_file_lists(name):
    keypoints, people, _ = SAMPLES[name]
    items = sample(name)
    found = [len(items.get_data_info(place)['id']) for place in range(len(items))]
    assert (items.metainfo['num_keypoints'], sum(found)) == (keypoints, people)


@pytest.mark.parametrize('name', slow_but(['mhp'], SAMPLES))
def test_predictions_made_of_the_annotations_have_an_ap_of_1(name):
    *_, has_area = SAMPLES[name]
    figures = evaluate(sample(name), truth, use_area=has_area)
    assert (figures['AP'], figures['AR']) == (1, 1)


@pytest.mark.parametrize('name', slow_but(['ap10k'], SAMPLES))
def test_labelled_keypoints_are_drawn_where_they_are(name):
    items = sample(name)
    item = items.get_data_info(0)
    found = prediction(item, item['keypoints'])
    found.pred_instances.keypoint_scores = item['keypoints_visible']
    image = cv2.imread(item['img_path'])
    drawn = draw_people(image, found, items.metainfo)

    changed = abs(drawn.astype(int) - image).max(2) > 20
    hits = []
    for person, keypoint in np.argwhere(item['keypoints_visible'] > 0):
        x, y = item['keypoints'][person, keypoint].round().astype(int)
        if 0 <= y < len(image) and 0 <= x < image.shape[1]:
            hits.append(changed[y - 1 : y + 2, x - 1 : x + 2].any())
    assert len(hits) > 10 and all(hits)
    assert 0.001 < changed.mean() < 0.2
