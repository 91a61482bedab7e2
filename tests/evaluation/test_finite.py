"""Predictions and weights that are no numbers are refused; evaluation leaves nothing in the current folder."""

import os
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.evaluator import DumpResults

from cid_mmpose.engine.hooks import EvaluationHook
from cid_mmpose.errors import BadInput
from cid_mmpose.evaluation import CocoPeopleMetric
from cid_mmpose.evaluation.finite import first_not_finite
from cid_mmpose.models.roots import find_roots
from tests.helpers.evaluating import evaluate, prediction, truth
from tests.helpers.images import coco, data_set, person, write_coco


def items(folder, number: int = 2):
    people = [person(i, i, box=(20, 30, 60, 60)) for i in range(1, number + 1)]
    return data_set(write_coco(folder, coco(people, number, size=(200, 200))), test_mode=True)


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize('field', ['keypoints', 'bboxes', 'bbox_scores'])
def test_a_prediction_that_is_no_number_is_refused_by_image_and_field(tmp_path, value, field):
    spoilt = prediction(items(tmp_path).get_data_info(1), np.ones((2, 17, 2)))
    spoilt.pred_instances[field][-1] = value
    says = f'^prediction of image 2: {field} is NaN or infinite; the weights or the arithmetic went wrong'
    metric = CocoPeopleMetric()
    metric.dataset_meta = items(tmp_path).metainfo
    with pytest.raises(BadInput, match=says):
        metric.process({}, [spoilt.to_dict()])
    for called in ('after_test_iter', 'after_val_iter'):  # whatever the metric is
        with pytest.raises(BadInput, match=says):
            getattr(EvaluationHook(), called)(None, 0, outputs=[spoilt])


def test_the_scores_of_an_evaluation_that_is_sound_are_as_before(tmp_path):
    assert evaluate(items(tmp_path), truth)['AP'] == pytest.approx(1)


def test_people_in_every_form_are_looked_at_and_words_are_not():
    assert first_not_finite(dict(a=torch.ones(2), b=[1, 2], c='nan', d=np.zeros(0), e=['nan'])) is None
    assert first_not_finite(dict(a=torch.ones(2), b=[1, float('nan')])) == 'b'
    assert first_not_finite(dict(a=torch.tensor([np.inf]))) == 'a'


def test_a_center_map_that_is_no_number_is_not_an_empty_image():
    maps = torch.full((2, 16, 16), 0.2)
    maps[1, 3, 4] = torch.nan
    with pytest.raises(BadInput, match='center map of image 1 of the batch is NaN'):
        find_roots(maps, 30, 0.01, 3)


def runner(folder, metric, weight: float = 1.0):
    model = torch.nn.Linear(2, 2)
    torch.nn.init.constant_(model.weight, weight)
    loop = SimpleNamespace(evaluator=SimpleNamespace(metrics=[metric]))
    return SimpleNamespace(model=model, work_dir=str(folder), val_loop=loop, test_loop=loop)


@pytest.mark.parametrize('called', ['before_val_epoch', 'before_test_epoch'])
def test_weights_that_are_no_numbers_are_refused_before_the_first_image(tmp_path, called):
    with pytest.raises(BadInput, match=r'cannot be evaluated, because some are NaN or infinite \(weight and 0 more\)'):
        getattr(EvaluationHook(), called)(runner(tmp_path, CocoPeopleMetric(), np.nan))
    getattr(EvaluationHook(), called)(runner(tmp_path, CocoPeopleMetric()))


def test_metrics_that_exchange_files_do_so_in_the_work_folder_and_ours_needs_none(tmp_path):
    theirs, chosen, ours = (
        DumpResults(str(tmp_path / 'a.pkl')),
        DumpResults('b.pkl', collect_dir='mine'),
        CocoPeopleMetric(),
    )
    for metric in (theirs, chosen, ours):
        EvaluationHook().before_test_epoch(runner(tmp_path, metric))
    assert (theirs.collect_dir, chosen.collect_dir) == (os.path.join(tmp_path, '.results'), 'mine')
    assert (ours.collect_device, ours.collect_dir) == ('gpu', None)
    assert CocoPeopleMetric(collect_device='cpu').collect_device == 'cpu'
