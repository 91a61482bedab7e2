"""What the commands check before, and read out of, a run; runs themselves are in tests/test_train_and_test.py."""

import json
import zipfile

import numpy as np
import pytest
from mmengine.config import Config
from mmpose.registry import DATASETS, MODELS

from cid_mmpose.cli.user_errors import user_errors
from cid_mmpose.engine.config.errors import config_errors
from cid_mmpose.engine.hooks.loss_curve import read_curves, smoothed
from cid_mmpose.engine.hooks.show_people import image_name
from cid_mmpose.engine.launch import (
    load_config,
    set_amp,
    set_dump,
    set_launcher,
    set_resume,
)
from cid_mmpose.engine.resume import newest_checkpoint
from cid_mmpose.errors import BadInput
from cid_mmpose.files import check_file, check_writable
from tests.helpers.images import ROOT, step, tiny_config

CONFIG = str(ROOT / 'configs' / 'cid_hrnet-w32_coco.py')
IMPOSSIBLE = '/proc/cid/work'  # no file system for files, not even for root


def checkpoints(folder, *names, cut=(), last=None):
    """Files of these names, those in ``cut`` without their end, and the note of which is the last."""
    for name in names:
        with zipfile.ZipFile(folder / name, 'w') as file:
            file.writestr('data', b'0' * 1000)
        if name in cut:
            (folder / name).write_bytes((folder / name).read_bytes()[:-30])
    if last is not None:
        (folder / 'last_checkpoint').write_text(last)
    return folder


@pytest.mark.parametrize(
    'cut, last, newest',
    [
        ((), 'epoch_10.pth', 'epoch_10.pth'),
        ((), '/moved/away/epoch_10.pth', 'epoch_10.pth'),
        ((), 'epoch_9.pth', 'epoch_9.pth'),  # epoch_10 is of an earlier run
        (('epoch_9.pth',), 'epoch_9.pth', 'epoch_8.pth'),
        (('epoch_10.pth',), 'epoch_10.pth', 'epoch_9.pth'),
        (('epoch_10.pth', 'epoch_9.pth'), '', 'epoch_8.pth'),  # killed between opening and writing the note
        ((), None, 'epoch_10.pth'),
    ],
)
def test_the_newest_checkpoint_is_the_last_one_written_to_its_end(tmp_path, cut, last, newest):
    checkpoints(tmp_path, 'epoch_8.pth', 'epoch_9.pth', 'epoch_10.pth', 'best_coco_AP_epoch_99.pth', cut=cut, last=last)
    assert newest_checkpoint(str(tmp_path)) == str(tmp_path / newest)


def test_no_whole_checkpoint_starts_anew_and_does_not_resume_the_weights_to_start_from(tmp_path):
    checkpoints(tmp_path, 'epoch_1.pth', cut=['epoch_1.pth'], last='epoch_1.pth')
    cfg = Config(dict(work_dir=str(tmp_path), load_from='start.pth'))
    set_resume(cfg, 'auto')
    assert (cfg.resume, cfg.load_from) == (False, 'start.pth')
    assert newest_checkpoint(str(tmp_path / 'nowhere')) is None


def test_the_work_dir_is_the_command_line_s_then_the_configuration_s_then_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_config(CONFIG).work_dir == 'work_dirs/cid_hrnet-w32_coco'
    assert load_config(CONFIG, None, dict(work_dir='mine')).work_dir == 'mine'
    mine = tmp_path / 'mine.py'
    mine.write_text(f"_base_ = '{CONFIG}'\nwork_dir = 'mine'\n")
    assert load_config(str(mine)).work_dir == 'mine'
    assert load_config(str(mine), 'asked').work_dir == 'asked'
    with pytest.raises(BadInput, match='work_dir=mine are two folders'):  # both asked for on the command line
        load_config(CONFIG, 'asked', dict(work_dir='mine'))
    assert list(tmp_path.iterdir()) == [mine]


def test_a_folder_that_cannot_be_written_is_refused_and_one_that_can_is_not_made(tmp_path):
    (tmp_path / 'file').write_text('kept')
    for folder in (str(tmp_path / 'file'), str(tmp_path / 'file' / 'below'), IMPOSSIBLE):
        with pytest.raises(BadInput, match=f'work dir {folder}: cannot be written to .*choose another'):
            check_writable(folder)
    check_writable(str(tmp_path / 'a' / 'b'))
    check_file(str(tmp_path / 'c' / 'out.json'))
    with pytest.raises(BadInput, match='is a folder; name a file'):
        check_file(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ['file'] and (tmp_path / 'file').read_text() == 'kept'


@pytest.mark.parametrize(
    'text, says',
    [
        (None, 'no such config'),
        ('a = (', 'cannot be read as a config'),
        ('a = b', 'cannot be read as a config'),
        ("_base_ = './gone.py'", 'cannot be read as a config'),
    ],
)
def test_a_config_that_is_none_is_refused_by_its_path(tmp_path, text, says):
    path = tmp_path / 'mine.py'
    if text:
        path.write_text(text)
    with pytest.raises(BadInput, match=says) as caught:
        load_config(str(path))
    assert str(path) in str(caught.value)


def test_options_reach_into_lists_and_those_that_do_not_fit_are_refused():
    cfg = load_config(CONFIG, None, {'train_dataloader.dataset.pipeline.RandomAffine.input_size': (128, 128)})
    assert step(cfg.train_dataloader, 'RandomAffine').input_size == (128, 128)
    with pytest.raises(BadInput, match='--cfg-options'):
        load_config(CONFIG, None, {'train_dataloader.dataset.pipeline.99.input_size': 1})


def bf16(**changes):
    cfg = Config(dict(optim_wrapper=dict(dict(type='OptimWrapper', optimizer=dict(type='Adam')), **changes)))
    set_amp(cfg, 'bf16')
    return cfg.optim_wrapper


def test_bf16_takes_our_wrapper_and_drops_what_only_fp16_has():
    wanted = dict(type='cid_mmpose.BFloat16OptimWrapper', optimizer=dict(type='Adam'))
    assert bf16() == bf16(type='AmpOptimWrapper', loss_scale='dynamic', dtype='float16') == wanted


def test_what_this_machine_cannot_do_is_refused_before_anything_is_built(monkeypatch):
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    monkeypatch.delenv('RANK', raising=False)
    cfg = Config(dict(optim_wrapper=dict(type='OptimWrapper'), test_evaluator=dict(type='X')))
    for call, says in [
        (lambda: set_amp(cfg, 'fp16'), 'on a CPU use --amp bf16'),
        (lambda: set_launcher(cfg, 'slurm'), 'needs GPUs; without one use --launcher pytorch'),
        (lambda: set_launcher(cfg, 'pytorch'), 'torch.distributed.run'),
        (lambda: set_dump(cfg, 'people.json'), 'name it .pkl'),
    ]:
        with pytest.raises(BadInput, match=says):
            call()


def test_what_only_a_constructor_knows_is_named_with_config_and_component():
    cfg = tiny_config()
    cfg.model.head.recalibration = 'all'
    with pytest.raises(BadInput, match="^mine.py: CIDHead: .*'all'"), config_errors('mine.py'):
        MODELS.build(cfg.model)


@pytest.mark.parametrize('option, value', [('flip_test', 'maybe'), ('flip_test', 1), ('output_heatmaps', None)])
def test_an_option_of_testing_that_is_neither_true_nor_false_is_named(option, value):
    cfg = tiny_config()
    cfg.model.test_cfg[option] = value
    with pytest.raises(BadInput) as caught, config_errors('mine.py'):
        MODELS.build(cfg.model)
    assert str(caught.value) == f'model.test_cfg: {option} must be True or False, got {value!r}'


class Buggy:
    """A component with a bug: it hands on an option that stands in no config."""

    def __init__(self, kind):
        raise dict(
            type=lambda: TypeError("f() got an unexpected keyword argument 'x'"),
            key=lambda: KeyError('x'),
            value=lambda: ValueError('x'),
        )[kind]()


@pytest.mark.parametrize('kind, error', [('type', TypeError), ('key', KeyError), ('value', ValueError)])
def test_a_bug_in_a_user_s_component_is_not_taken_for_an_error_in_the_config(kind, error):
    with pytest.raises(error) as caught, config_errors('mine.py'):
        DATASETS.build(dict(type=Buggy, kind=kind))
    assert not isinstance(caught.value, BadInput)
    with pytest.raises(KeyError), config_errors('mine.py'):
        raise KeyError('outside of all building')


def test_a_user_error_is_one_line_on_stderr_and_status_2_and_a_bug_goes_through(capsys):
    worker = 'Caught BadInput in DataLoader worker process 0.\nTraceback\ncid_mmpose.errors.BadInput: a.json: is empty'
    for text in ('a.json: is empty', worker):
        with pytest.raises(SystemExit) as caught, user_errors():
            raise BadInput(text)
        assert caught.value.code == 2 and capsys.readouterr().err == 'error: a.json: is empty\n'
    with pytest.raises(ZeroDivisionError), user_errors():
        raise ZeroDivisionError


@pytest.mark.parametrize(
    'error, says',
    [
        (ImportError('libGL.so.1: cannot open shared object file', name='cv2'), 'pip uninstall -y opencv-python, then'),
        (ModuleNotFoundError("No module named 'cv2'", name='cv2'), 'is not installed: pip install opencv-python'),
    ],
)
def test_an_opencv_that_does_not_load_is_one_line_with_the_way_out(capsys, error, says):
    with pytest.raises(SystemExit) as caught, user_errors():
        raise error
    printed = capsys.readouterr().err
    assert caught.value.code == 2 and says in printed and printed.count('\n') == 1


def test_the_error_is_found_below_the_wrapping_of_older_registries(capsys):
    with pytest.raises(SystemExit), user_errors():
        try:
            raise BadInput('a.json: is empty')
        except BadInput as error:
            text = f'class `CocoPeople` in cid_mmpose/data/coco_people.py: {error}'
            raise type(error)(text)  # noqa: B904  as the registry does
    assert capsys.readouterr().err == 'error: a.json: is empty\n'


def test_images_keep_their_place_below_the_image_folder():
    assert image_name('data/val/a/1.jpg', 'data/val') == 'a/1.jpg'
    assert image_name('/other/1.jpg', '/data/val') == '1.jpg'
    assert image_name('synth_crowd/1/000003.png', '') == 'synth_crowd/1/000003.png'
    assert image_name('data/1.gix', 'data') == '1.gix.png'


def log(path, *rows):
    path.write_text('\n'.join(map(json.dumps, rows)))
    return str(path)


def row(iteration, loss):
    return dict(iter=iteration, step=iteration, loss=loss, lr=0.1, time=1)


def test_a_resumed_run_replaces_what_overlaps_and_ap_stands_at_the_end_of_its_epoch(tmp_path):
    first = log(tmp_path / 'a', row(5, 1.0), row(10, 2.0), {'coco/AP': 0.5, 'coco/AR': 0.6, 'step': 1}, row(15, 3.0))
    with open(first, 'a') as file:
        file.write('\n{"iter": 20, "lo')  # killed in the middle of a line
    second = log(tmp_path / 'b', row(15, 7.0), row(20, 8.0), {'coco/AP': 0.7, 'step': 2})
    assert read_curves([first, second], iterations=10) == {
        'loss': [(5, 1.0), (10, 2.0), (15, 7.0), (20, 8.0)],
        'lr': [(5, 0.1), (10, 0.1), (15, 0.1), (20, 0.1)],
        'coco/AP': [(10, 0.5), (20, 0.7)],
    }


def test_smoothing_keeps_straight_lines_and_averages_over_a_twentieth():
    assert np.allclose(smoothed(np.arange(100.0)), np.arange(100.0))
    peak = np.zeros(100)
    peak[50] = 5
    assert np.allclose(smoothed(peak)[46:55], [0, 0, 1, 1, 1, 1, 1, 0, 0])  # 2 neighbours on each side
    assert smoothed(np.array([3.0])) == [3.0]
