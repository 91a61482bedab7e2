"""The zip for COCO's evaluation server: its name, its one file, its rows, and never half of it."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.runner import Runner

from cid_mmpose.data import CocoPeople
from cid_mmpose.errors import BadInput
from cid_mmpose.evaluation import CocoPeopleMetric
from cid_mmpose.evaluation.submission import submission_rows, write_submission
from tests.helpers.evaluating import by_pycocotools, evaluate, prediction, run
from tests.helpers.images import coco, data_set, shared, tiny_config, use_data, write_coco
from tests.helpers.known_answers import COCO

NAME = 'person_keypoints_test-dev2017_cid_results'
DETECTION = [dict(id=1, name='person', supercategory='person'), dict(id=18, name='dog', supercategory='animal')]


def unlabelled(folder: Path, images: int = 3) -> CocoPeople:
    """A test set as in image_info_test-dev2017.json: images, and categories without keypoints."""
    data = coco([], images, DETECTION)
    del data['annotations']
    return data_set(write_coco(folder, data), test_mode=True)


def someone(item: dict) -> tuple:
    """As many people as the image's id says, less one; their scores and keypoints tell them apart."""
    number = item['img_id'] - 1
    place = 10 * item['img_id'] + np.arange(number)[:, None, None] + np.array([0.123456, 0.2])
    return np.repeat(place, 17, 1), [0.1 * (n + 1) + 1e-9 for n in range(number)]


def submitted(path: Path) -> list:
    """What the one file of a submission holds."""
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == [path.with_suffix('.json').name] and archive.testzip() is None
        return json.loads(archive.read(archive.namelist()[0]))


def test_the_zip_holds_one_row_a_person_and_no_ap_is_computed(tmp_path):
    path = tmp_path / 'results' / f'{NAME}.zip'
    assert run(CocoPeopleMetric(submission=str(path)), unlabelled(tmp_path), someone) == {}
    rows = submitted(path)
    assert [row['image_id'] for row in rows] == [2, 3, 3]  # nobody in image 1
    assert rows[1] == dict(image_id=3, category_id=1, keypoints=[30.12, 30.2, 1] * 17, score=0.1 + 1e-9)
    assert rows[2] == dict(image_id=3, category_id=1, keypoints=[31.12, 31.2, 1] * 17, score=0.2 + 1e-9)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_server_would_find_the_ap_that_we_find(tmp_path):
    annotations = shared('coco_mini/annotations/person_keypoints_val2017.json')
    items = CocoPeople(ann_file=str(annotations), test_mode=True)

    def noisy(item):
        rng = np.random.default_rng(item['img_id'])
        off = rng.normal(size=item['keypoints'].shape) * rng.choice([1, 4, 9], (len(item['keypoints']), 1, 1))
        return np.round(item['keypoints'] + off, 2), rng.random(len(item['keypoints']))

    path = tmp_path / f'{NAME}.zip'
    run(CocoPeopleMetric(submission=str(path)), items, noisy)
    theirs = by_pycocotools(json.loads(annotations.read_text()), submitted(path), COCO)
    ours = list(evaluate(items, noisy).values())
    assert list(theirs) == pytest.approx(ours, abs=1e-9) and 0.1 < ours[0] < 0.9


def test_nobody_found_is_an_empty_list(tmp_path):
    path = tmp_path / f'{NAME}.zip'
    run(CocoPeopleMetric(submission=str(path)), unlabelled(tmp_path), lambda item: (np.zeros((0, 17, 2)), None))
    assert submitted(path) == []


@pytest.mark.parametrize(
    'name',
    [
        'results.zip',
        f'{NAME}.json',
        'person_keypoints_train2017_cid_results.zip',
        'person_keypoints_test-dev2017_my_cid_results.zip',
        f'{NAME}.zip.zip',
    ],
)
def test_a_name_that_the_server_does_not_know_is_refused_before_the_run(tmp_path, name):
    with pytest.raises(BadInput, match='the server goes by the name; call it person_keypoints_test-dev2017_NAME_res'):
        CocoPeopleMetric(submission=str(tmp_path / name))


def test_a_folder_that_cannot_be_written_to_is_refused_before_the_run(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(BadInput, match='its folder cannot be written to .*; name another'):
        CocoPeopleMetric(submission=str(tmp_path / 'file' / f'{NAME}.zip'))


def test_keypoints_other_than_cocos_are_refused_before_the_run(tmp_path):
    metric = CocoPeopleMetric(submission=str(tmp_path / f'{NAME}.zip'))
    meta = CocoPeople(
        ann_file=str(shared('mmpose_samples/crowdpose/test_crowdpose.json')),
        test_mode=True,
        metainfo=dict(from_file='configs/_base_/datasets/crowdpose.py'),
    ).metainfo
    with pytest.raises(BadInput, match='the server takes 17 keypoints, the data set under test has 14; use a config'):
        metric.dataset_meta = meta


@pytest.mark.parametrize('x', [np.nan, np.inf])
def test_what_cannot_be_written_leaves_the_last_submission_as_it_was(tmp_path, x):
    path = tmp_path / f'{NAME}.zip'
    good, bad = (dict(keypoints=np.full((17, 3), value), score=0.5) for value in (3, x))
    assert write_submission(str(path), submission_rows({1: [good], 2: [good, good]})) == 3
    before = path.read_bytes()
    with pytest.raises(BadInput, match='^prediction of image 1: keypoints is NaN or infinite; the weights or'):
        write_submission(str(path), submission_rows({1: [good, bad]}))
    assert path.read_bytes() == before and [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_whole_test_run_on_unlabelled_images_writes_it(tmp_path):
    unlabelled(tmp_path, 2)
    cfg = use_data(tiny_config(), tmp_path, ('people.json', ''), ('people.json', ''))
    cfg.test_dataloader.update(num_workers=0, persistent_workers=False)
    cfg.model.head.test = dict(min_score=0.0)  # random weights find somebody everywhere
    cfg.test_evaluator.submission = str(tmp_path / f'{NAME}.zip')
    cfg.update(
        train_dataloader=None,
        train_cfg=None,
        optim_wrapper=None,
        param_scheduler=None,
        val_dataloader=None,
        val_cfg=None,
        val_evaluator=None,
        work_dir=str(tmp_path / 'work'),
        log_level='WARNING',
    )
    assert Runner.from_cfg(cfg).test() == {}
    rows = submitted(tmp_path / f'{NAME}.zip')
    assert {row['image_id'] for row in rows} == {1, 2} and {len(row['keypoints']) for row in rows} == {51}


def half_of_a_run(rank: int, folder: str) -> None:
    """One of two processes that test three images."""
    torch.distributed.init_process_group('gloo', f'file://{folder}/store', rank=rank, world_size=2)
    items = data_set(Path(folder) / 'people.json', test_mode=True)
    metric = CocoPeopleMetric(submission=f'{folder}/{NAME}.zip')
    metric.dataset_meta = items.metainfo
    mine = [items.get_data_info(index) for index in ((0, 2), (1, 0))[rank]]  # image 0 fills up the second half
    metric.process({}, [prediction(item, *someone(item)).to_dict() for item in mine])
    assert metric.evaluate(len(items)) == {}
    torch.distributed.destroy_process_group()  # its thread may abort a process that ends with the group open


@pytest.mark.slow
def test_two_processes_write_one_submission_of_all_images(tmp_path):
    unlabelled(tmp_path)
    torch.multiprocessing.spawn(half_of_a_run, (str(tmp_path),), nprocs=2)
    assert [row['image_id'] for row in submitted(tmp_path / f'{NAME}.zip')] == [2, 3, 3]
