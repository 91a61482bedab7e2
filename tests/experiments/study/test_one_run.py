"""A run of each method takes a few steps, and its line is complete."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from study import one_run
from study.lines import key_of
from study.one_run import WEIGHTS, do, speed, weights_of
from study.plans import METHODS, OF_REAL, ON_A_GPU, STUDIES, Run, length

from cid_mmpose.errors import BadInput, FolderInUse
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


def test_weights_that_another_process_trains_are_waited_for(tmp_path, monkeypatch):
    run = tiny_run()
    tries = []

    @contextmanager
    def in_use_at_first(folder: str, doing: str) -> Iterator[None]:
        tries.append(folder)
        if len(tries) == 1:
            raise FolderInUse('another process is at work')
        yield

    def train(run: Run, folder: Path, start: None) -> None:
        folder.mkdir()
        (folder / WEIGHTS).touch()

    monkeypatch.setattr(one_run, 'only_run_in', in_use_at_first)
    monkeypatch.setattr(one_run, 'train', train)
    monkeypatch.setattr(one_run, 'PATIENCE', 0.0)
    assert weights_of(run, tmp_path) == tmp_path / key_of(run) / WEIGHTS
    assert tries == 2 * [str(tmp_path / key_of(run))]


def test_real_images_are_trained_on_for_as_long_in_both_rows():
    runs = STUDIES['real'].plan([]).runs
    assert {tuple(run.options[name] for name in length(OF_REAL)) for run in runs} == {4 * (OF_REAL,)}


def test_speed_is_that_of_the_settled_part_of_a_run(tmp_path):
    folder = tmp_path / '20261126_000000' / 'vis_data'
    folder.mkdir(parents=True)
    first = dict(time=9.0, data_time=8.0, loss=1.0, memory=300)  # workers start
    later = dict(time=0.5, data_time=0.1, loss=1.0, memory=200)
    tested = dict(time=70.0, data_time=70.0)  # the time of testing has no loss
    lines = [first, *4 * [later], tested]
    (folder / 'scalars.json').write_text('\n'.join(json.dumps(line) for line in lines))
    assert speed(tmp_path, 20) == dict(images_per_second=40.0, waiting=0.2, peak_mib=300)
    assert speed(tmp_path / 'nothing', 20) == {}


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU here')
def test_a_run_for_a_gpu_is_refused_without_one(tmp_path):
    (run, *_) = STUDIES['gpu'].plan([]).runs
    with pytest.raises(BadInput, match='ours, bfloat16: needs a GPU'):
        do(run, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize('row', ON_A_GPU)
def test_what_runs_on_a_gpu_trains_on_a_cpu_too(row, tmp_path):
    config, options = ON_A_GPU[row]
    small = {
        'optim_wrapper.type': 'OptimWrapper',
        'train_cfg.max_iters': 2,
        'train_cfg.val_interval': 2,
        'train_dataloader.num_workers': 0,
        'train_dataloader.persistent_workers': False,
        'train_dataloader.prefetch_factor': None,
        'train_dataloader.batch_size': 1,
        'test_dataloader.num_workers': 0,
        'test_dataloader.dataset.length': 2,
        'default_hooks.logger.interval': 1,
        'param_scheduler.0.end': 1,
        'param_scheduler.1.begin': 1,
    }
    line = do(tiny_run(config)._replace(options={**options, **small}), tmp_path)
    assert line['iterations'] == 2 and np.isfinite([loss for _, loss in line['losses']]).all()
    assert line['speed']['images_per_second'] > 0
