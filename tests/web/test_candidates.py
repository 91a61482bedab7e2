"""What the sliders show is what the network gives with their values as its options."""

import numpy as np
import pytest

import cid_mmpose
from cid_mmpose.errors import BadInput
from cid_mmpose.inference.people import ARRAYS
from cid_mmpose.web.candidates import LOWEST_SCORE, Sliders, find_candidates, keep_candidates

NMS = (0.05, 0.5, 0.8, 0.9, 1.0)
SCORES = (0.05, 0.36, 0.37, 0.38, 0.5)


@pytest.fixture(scope='module')
def candidates(predictor, image):
    return find_candidates(predictor, image, 'noise.png')


@pytest.mark.parametrize('nms', NMS)
@pytest.mark.parametrize('min_score', SCORES)
def test_sliders_give_the_people_of_a_model_with_their_values_as_options(
    candidates, work_folder, image, min_score, nms
):
    direct = cid_mmpose.load(work_folder, device='cpu', min_score=min_score, nms=nms)(image)[0]
    shown = candidates.people[candidates.chosen_by(Sliders(min_score, nms))]
    assert len(shown) == len(direct)
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(shown, name), getattr(direct, name), atol=1e-4)


def test_both_sliders_act_on_these_candidates(candidates):
    by_nms = [len(candidates.chosen_by(Sliders(0.05, nms))) for nms in NMS]
    by_score = [len(candidates.chosen_by(Sliders(score, 1.0))) for score in SCORES]
    assert by_nms == sorted(by_nms) and len(set(by_nms)) >= 4 and by_nms[-1] == 30
    assert by_score == sorted(by_score, reverse=True) and len(set(by_score)) >= 4 and by_score[-1] == 0


def test_a_model_keeps_its_people_s_limit(work_folder, image):
    model = cid_mmpose.load(work_folder, device='cpu', max_people=3, nms=1.0)
    keep_candidates(model)
    assert len(find_candidates(model, image, 'a').people) == 3


@pytest.mark.parametrize(
    'options, start, lowest',
    [
        ({}, Sliders(0.3, 0.8), LOWEST_SCORE),
        (dict(min_score=0.5, nms=0.6), Sliders(0.5, 0.6), LOWEST_SCORE),
        (dict(min_score=0.01), Sliders(0.01, 0.8), 0.01),
    ],
)
def test_sliders_start_at_the_model_s_options(work_folder, options, start, lowest):
    model = cid_mmpose.load(work_folder, device='cpu', **options)
    assert keep_candidates(model) == start
    assert model.options.min_score == lowest


def test_nobody_is_a_normal_case(predictor):
    model_of_nobody = find_candidates(predictor, np.zeros((60, 80, 3), np.uint8), 'black.png')
    nobody = model_of_nobody.people[model_of_nobody.people.scores > 2]
    assert len(type(model_of_nobody)(nobody, model_of_nobody.sigmas).chosen_by(Sliders(0.3, 0.8))) == 0


@pytest.mark.parametrize(
    'sliders, name', [((-0.1, 0.5), 'min_score'), ((0.3, 1.1), 'nms'), (('a', 0.5), 'min_score'), ((0.3, None), 'nms')]
)
def test_values_outside_the_sliders_are_refused_by_name(sliders, name):
    with pytest.raises(BadInput, match=f'^{name} must be a number from '):
        Sliders(*sliders).checked()
