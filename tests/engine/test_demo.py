"""The demo: which images it takes on a machine of which speed, and that it leaves what it lists."""

import cv2
import numpy as np
import pytest
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from cid_mmpose import config_path
from cid_mmpose.engine import pace
from cid_mmpose.engine.demo import enlarge, enlarge_people, run_demo
from cid_mmpose.engine.launch import load_config
from tests.helpers.images import step

NAME = 'cid_hrnet-w16-small_synthcrowd'
CONFIGS = [config_path(f'{NAME}.py'), config_path(f'demo/{NAME}-192.py'), config_path(f'demo/{NAME}-128.py')]


@pytest.mark.parametrize(
    'seconds, side, says',
    [
        ({256: 0.2}, 256, '0.20 s an iteration; 1000 iterations will take about 3.3 min'),
        ({256: 0.539}, 256, '500 iterations will take about 4.5 min'),
        ({256: 0.55, 192: 0.3}, 192, '900 iterations will take about 4.5 min'),
        ({256: 1.4, 192: 0.7, 128: 0.3}, 128, '900 iterations will take about 4.5 min'),
        ({256: 5.0, 192: 3.0, 128: 1.0}, 128, '270 iterations will take about 4.5 min'),
    ],
)
def test_the_largest_images_are_taken_whose_training_fits_at_least_by_half(
    tmp_path, monkeypatch, capsys, seconds, side, says
):
    monkeypatch.setattr(pace, 'seconds_per_iteration', lambda cfg: seconds[cfg.train_dataloader.dataset.image_size[0]])
    cfg = pace.choose(CONFIGS, str(tmp_path))
    printed = capsys.readouterr().out.splitlines()
    assert cfg.val_dataloader.dataset.image_size == (side, side)
    assert len(printed) == len(seconds) and says in printed[-1]
    assert all('too few, trying smaller ones' in line for line in printed[:-1])


@pytest.mark.parametrize('config, side', list(zip(CONFIGS, (256, 192, 128))))
def test_every_part_of_a_demo_config_is_of_one_size_and_one_length(tmp_path, config, side):
    cfg = load_config(config, str(tmp_path))
    crop = step(cfg.train_dataloader, 'RandomAffine')
    resizes = [step(loader, 'BottomupResize') for loader in (cfg.val_dataloader, cfg.test_dataloader)]
    assert [sized.input_size for sized in (crop, *resizes)] == 3 * [(side, side)]
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        assert loader.dataset.image_size == (side, side)
    assert cfg.train_dataloader.dataset.seed != cfg.val_dataloader.dataset.seed
    assert cfg.train_dataloader.dataset.person_height == cfg.val_dataloader.dataset.person_height
    warm_up, decay = cfg.param_scheduler
    assert (warm_up.end, decay.begin) == (50, 50)
    ends = [decay.end, cfg.train_cfg.val_interval, cfg.default_hooks.checkpoint.interval]
    assert ends == 3 * [cfg.train_cfg.max_iters]
    assert len(range(cfg.train_dataloader.dataset.length)) >= cfg.train_cfg.max_iters * cfg.train_dataloader.batch_size


def test_an_iteration_is_timed_with_a_model_of_its_own(tmp_path):
    cfg = load_config(CONFIGS[-1], str(tmp_path))
    assert 0.001 < pace.seconds_per_iteration(cfg) < 60


@pytest.mark.slow
def test_a_few_iterations_leave_what_the_demo_lists(tmp_path, capsys):
    run_demo(CONFIGS[-1:], str(tmp_path), quick=True)
    printed = capsys.readouterr().out
    assert 'Trained 6 iterations' in printed and '8 held-out images of the same kind, 128 x 128 px' in printed
    for name in ('people.png', 'explained/sheet.png', 'explained/center_map.png', 'loss_curve.png', 'iter_6.pth'):
        assert (tmp_path / name).stat().st_size > 1000, name
    for name in ('people.png', 'explained/sheet.png', 'loss_curve.png'):
        assert f'  {tmp_path / name}\n' in printed
    # 8 images of 128 px at twice their size, 4 px between them
    assert cv2.imread(str(tmp_path / 'people.png')).shape == (2 * 260, 4 * 260, 3)


def test_people_lie_in_an_enlarged_image_where_they_lay_before():
    image = np.zeros((20, 30, 3), np.uint8)
    image[7, 11] = 255
    found = InstanceData(keypoints=np.array([[[11.0, 7.0]]]), bboxes=np.array([[-0.5, -0.5, 29.5, 19.5]]))
    sample = PoseDataSample(pred_instances=found)
    enlarge_people(sample)
    bright = enlarge(image)[..., 0] > 100
    rows, columns = np.nonzero(bright)
    assert sample.pred_instances.keypoints[0, 0].tolist() == [columns.mean(), rows.mean()] == [22.5, 14.5]
    assert sample.pred_instances.bboxes[0].tolist() == [-0.5, -0.5, 59.5, 39.5]
