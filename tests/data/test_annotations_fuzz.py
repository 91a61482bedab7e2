"""Spoilt annotation files in training, testing and the doctor: a line of ours or the right result, nothing else."""

import json
import logging
import os
from functools import lru_cache

import pytest
from mmengine.logging import MMLogger

from cid_mmpose.data.doctor import diagnose, file_source
from cid_mmpose.errors import BadInput
from cid_mmpose.evaluation import CocoPeopleMetric
from tests.helpers.evaluating import by_xthotcoco, rows, run, truth
from tests.helpers.images import config, data_set, write_coco
from tests.helpers.mutations import IMAGES, sound, spoilt_text

QUICK = 10
ALL = int(os.environ.get('CID_FUZZ', 260))  # 1000 of them take ten minutes


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Where the images of the sound file are."""
    made = tmp_path_factory.mktemp('spoilt')
    write_coco(made, sound())
    return made


@pytest.fixture
def log():
    """Lines logged so far."""
    lines: list = []
    logger = MMLogger.get_current_instance()

    def keep(record: logging.LogRecord) -> bool:
        lines.append(record.getMessage())
        return False

    logger.addFilter(keep)
    yield lines
    logger.removeFilter(keep)


def error_of(work) -> str:
    """The one line that something stops with; '' if it does not stop."""
    try:
        work()
    except BadInput as error:
        text = str(error)
        assert '\n' not in text and len(text) < 700
        assert text.encode()  # half a character could not be printed
        return text
    return ''


@lru_cache(None)
def steps(loader: str) -> list:
    """The pipeline of a config."""
    return config()[loader].dataset.pipeline


def train(path) -> None:
    """Builds the data set and loads all images as training does."""
    items = data_set(path, pipeline=steps('train_dataloader'))
    for number in range(len(items)):
        assert items[number] is not None


def labelled(path) -> int:
    """People of a file with a keypoint above 0, who are no crowd: counted from the JSON alone."""
    annotations = json.loads(path.read_text())['annotations']
    return sum(
        1
        for a in annotations
        if a['category_id'] == 1 and a.get('iscrowd') in (0, False, None) and any(v > 0 for v in a['keypoints'][2::3])
    )


def test_people(path, log: list) -> None:
    """Builds the data set, loads its images and evaluates the annotations themselves."""
    items = data_set(path, pipeline=steps('test_dataloader'), test_mode=True)
    for number in range(len(items)):
        assert items[number] is not None
    metric = CocoPeopleMetric()
    figures = run(metric, items, truth)
    assert figures['coco/AP'] == pytest.approx(1)

    sigmas = items.metainfo['sigmas'].tolist()
    results = rows(items, truth, metric.category)
    assert by_xthotcoco(metric.coco.dataset, results, sigmas)[0] == pytest.approx(1)
    number = sum(len(items.get_data_info(place)['id']) for place in range(len(items)))
    assert number == labelled(path)
    assert any(f'labelled people {number}' in line for line in log)


test_people.__test__ = False


def check(seed: int, folder, log: list) -> str:
    """Takes one spoilt file through everything; returns what became of it: 'refused', 'accepted' or 'half'."""
    text, done = spoilt_text(seed)
    path = folder / f'{seed}.json'
    path.write_text(text, encoding='utf-8', errors='surrogatepass')
    repaired = folder / f'{seed}-fixed.json'
    log.clear()
    try:
        training = error_of(lambda: train(path))
        testing = error_of(lambda: test_people(path, log))
        status = []
        doctor = error_of(lambda: status.append(diagnose([file_source(str(path), str(folder))], fix=str(repaired))))
        if training or testing:
            assert doctor or status == [1], f'the doctor is silent on {training or testing}'
        if repaired.exists():
            error_of(lambda: train(repaired))
            error_of(lambda: test_people(repaired, log))
    except Exception as error:
        raise AssertionError(f'seed {seed}: {done}: {type(error).__name__}: {error}') from error
    finally:
        path.unlink()
        repaired.unlink(missing_ok=True)
    if training and testing:
        return 'refused'
    return 'half' if training or testing else 'accepted'


def test_the_sound_file_is_accepted_with_all_its_people(folder, log):
    path = folder / 'people.json'
    assert error_of(lambda: train(path)) == '' and error_of(lambda: test_people(path, log)) == ''
    assert labelled(path) == 5 and IMAGES == 4


@pytest.mark.parametrize('start', range(0, QUICK, 10))
def test_a_spoilt_file_is_one_line_or_the_right_result(folder, log, start, capsys):
    for seed in range(start, start + 10):
        check(seed, folder, log)


@pytest.mark.slow
def test_so_are_hundreds_of_them(folder, log, capsys):
    became = [check(seed, folder, log) for seed in range(QUICK, ALL)]
    assert min(became.count('refused'), became.count('accepted')) > 20  # else there was little to see
