"""A run of each method takes a few steps, and its line is complete."""

import numpy as np
import pytest
from study.lines import key_of
from study.one_run import do, weights_of
from study.plans import METHODS, OF_REAL, STUDIES, length

from tests.helpers.images import shared
from tests.helpers.study_lines import tiny_run


@pytest.mark.slow
@pytest.mark.parametrize('method', METHODS)
def test_every_method_is_trained_and_tested(method, tmp_path):
    config, options = METHODS[method]
    line = do(tiny_run(config, **options), tmp_path)
    assert len(line['losses']) == 4 and np.isfinite([loss for _, loss in line['losses']]).all()
    assert line['losses'][0][1] != line['losses'][-1][1]
    assert line['bins']['all']['images'] == 3 and line['parameters'] > 1e6


@pytest.mark.slow
def test_a_run_on_real_images_begins_with_the_weights_of_another(tmp_path):
    shared('coco_mini')  # skips where it is not there
    first = tiny_run(seed=3)
    run = tiny_run('real', seed=3)._replace(start=first)
    run.options.pop('test_dataloader.dataset.length')
    folder = tmp_path / key_of(run)
    folder.mkdir()
    line = do(run, folder)
    assert weights_of(first, tmp_path).is_file()
    assert line['bins']['all']['images'] == 26 and line['start']['key'] == key_of(first)


def test_real_images_are_trained_on_for_as_long_in_both_rows():
    runs = STUDIES['real'].plan([]).runs
    assert {tuple(run.options[name] for name in length(OF_REAL)) for run in runs} == {4 * (OF_REAL,)}
