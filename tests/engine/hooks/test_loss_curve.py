"""The plot of the losses."""

import json

import cv2
import numpy as np

from cid_mmpose.engine.hooks import LOSS_CURVE, LossCurveHook
from cid_mmpose.engine.hooks.loss_curve import draw_curves, read_curves


def log(path, steps, loss, ap=None, tail=''):
    """A ``scalars.json`` as mmengine writes it, with an AP after the last epoch."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [dict(lr=0.1, loss=loss, loss_crowd=1.0, time=9.0, epoch=1, iter=i, step=i) for i in steps]
    if ap is not None:
        rows.append({'coco/AP': ap, 'coco/AP .5': 1.0, 'step': steps[-1] // 4})
    path.write_text('\n'.join(map(json.dumps, rows)) + '\n' + tail)
    return str(path)


def test_losses_lr_and_ap_are_read_and_an_epoch_s_ap_stands_at_its_last_iteration(tmp_path):
    curves = read_curves([log(tmp_path / 'a.json', [2, 4], 3.0, ap=0.5)], iterations=4)
    assert curves == {
        'lr': [(2, 0.1), (4, 0.1)],
        'loss': [(2, 3.0), (4, 3.0)],
        'loss_crowd': [(2, 1.0), (4, 1.0)],
        'coco/AP': [(4, 0.5)],
    }


def test_a_resumed_run_counts_from_where_it_took_up(tmp_path):
    files = [log(tmp_path / 'a.json', [2, 4, 6], 3.0), log(tmp_path / 'b.json', [5, 7], 2.0)]
    assert read_curves(files, iterations=4)['loss'] == [(2, 3.0), (4, 3.0), (5, 2.0), (7, 2.0)]


def test_a_line_that_a_kill_cut_off_is_left_out(tmp_path):
    file = log(tmp_path / 'a.json', [2], 3.0, tail='{"loss": 7.0, "it')
    assert read_curves([file], iterations=4)['loss'] == [(2, 3.0)]


def test_a_run_without_logs_draws_nothing(tmp_path):
    assert read_curves([], iterations=4) == {}


def test_the_plot_is_a_png_that_is_not_blank(tmp_path):
    path = str(tmp_path / 'a.png')
    draw_curves({'loss': [(1, 2.0), (9, 1.0)], 'lr': [(1, 0.1), (9, 0.01)], 'coco/AP': [(9, 0.5)]}, path)
    image = cv2.imread(path)
    assert image.shape == (700, 900, 3) and np.ptp(image) == 255


def test_the_hook_writes_it_into_the_work_folder(tmp_path):
    class Run:
        work_dir, train_dataloader, train_loop = str(tmp_path), [0] * 4, None

    LossCurveHook().after_train(Run())
    assert not (tmp_path / LOSS_CURVE).exists()
    log(tmp_path / '20260101_000000' / 'vis_data' / 'scalars.json', [2, 4], 3.0)
    LossCurveHook().after_train(Run())
    assert (tmp_path / LOSS_CURVE).stat().st_size > 1000
