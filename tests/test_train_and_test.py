"""Training and testing by the functions behind the commands, and what they leave behind."""

import json

import mmengine
import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmpose.registry import OPTIM_WRAPPERS, VISUALIZERS

from cid_mmpose.engine import launch
from cid_mmpose.engine.user_parts import name_visualizer
from tests.helpers.tiny_runs import BATCH, IMAGES, named, rates, scalars, write_tiny_config


@pytest.fixture(scope='module')
def config(tmp_path_factory) -> str:
    """The file of ``write_tiny_config``."""
    return write_tiny_config(tmp_path_factory.mktemp('tiny'))


@pytest.fixture(scope='module')
def trained(config, tmp_path_factory):
    """The work folder of a finished run."""
    folder = tmp_path_factory.mktemp('trained')
    launch.train(config, work_dir=str(folder), cfg_options=named('trained'))
    return folder


WHOLE_RUN = [(i, 1e-3) for i in (1, 2, 3, 4)] + [(i, 1e-4) for i in (5, 6, 7, 8)]


def test_training_leaves_checkpoints_losses_and_their_plot(trained):
    assert {'epoch_1.pth', 'epoch_2.pth', 'loss_curve.png', 'tiny.py'} <= {path.name for path in trained.iterdir()}
    assert rates(trained) == [(i, pytest.approx(lr)) for i, lr in WHOLE_RUN]
    assert [row['step'] for row in scalars(trained) if 'coco/AP' in row] == [1, 2]


def test_mmpose_s_scripts_can_draw_by_the_config_of_a_work_folder(trained):
    visualizer = Config.fromfile(trained / 'tiny.py').visualizer
    assert visualizer.name == 'trained'
    assert VISUALIZERS.build({**visualizer, 'vis_backends': None}).instance_name == 'trained'  # as the scripts build it


def test_a_second_run_in_a_process_has_a_visualizer_of_its_own():
    names = []
    for _ in range(3):
        visualizer = ConfigDict(type='PoseLocalVisualizer', name='twice')
        name_visualizer(visualizer)
        names.append(VISUALIZERS.build(visualizer).instance_name)
    assert names == ['twice', 'twice_2', 'twice_3']
    nameless = ConfigDict(type='mmpose.PoseLocalVisualizer')
    name_visualizer(nameless)
    assert nameless.name.startswith('visualizer')


def test_a_test_gives_the_ap_of_the_last_validation_and_writes_what_is_asked_for(config, trained, tmp_path):
    metrics = launch.test(
        config,
        str(trained / 'epoch_2.pth'),
        work_dir=str(tmp_path / 'work'),
        out=str(tmp_path / 'new' / 'metrics.json'),
        dump=str(tmp_path / 'people.pkl'),
        show_dir=str(tmp_path / 'shown'),
        cfg_options=named('tested'),
    )
    assert metrics['coco/AP'] == [row['coco/AP'] for row in scalars(trained) if 'coco/AP' in row][-1]
    assert json.loads((tmp_path / 'new' / 'metrics.json').read_text()) == metrics
    assert len(mmengine.load(tmp_path / 'people.pkl')) == IMAGES
    assert len(list((tmp_path / 'shown').glob('*.png'))) == IMAGES


def test_resuming_goes_on_at_the_next_iteration_with_its_learning_rate(config, trained, tmp_path):
    for name in ('epoch_1.pth', 'last_checkpoint'):
        (tmp_path / name).write_bytes((trained / name).read_bytes())  # the note names epoch 2, which is not there
    run = launch.train(config, work_dir=str(tmp_path), resume='auto', cfg_options=named('resumed'))
    assert rates(tmp_path) == [(i, pytest.approx(lr)) for i, lr in WHOLE_RUN[4:]]
    assert run.iter == 8


def test_nothing_to_resume_starts_from_the_beginning(config, tmp_path):
    cfg = launch.load_config(config, str(tmp_path))
    launch.set_resume(cfg, 'auto')
    assert (cfg.resume, cfg.load_from) == (False, None)
    launch.set_resume(cfg, 'some.pth')
    assert (cfg.resume, cfg.load_from) == (True, 'some.pth')


@pytest.mark.parametrize(
    'gpu, amp, kind',
    [
        (True, 'fp16', 'AmpOptimWrapper'),
        (True, 'bf16', 'BFloat16OptimWrapper'),
        (False, 'bf16', 'BFloat16OptimWrapper'),
    ],
)
def test_mixed_precision_is_what_the_device_can_do(config, tmp_path, monkeypatch, gpu, amp, kind):
    MMLogger.get_current_instance()  # made now: with a GPU that is not there it would ask for the number of it
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: gpu)
    cfg = launch.load_config(config, str(tmp_path))
    launch.set_amp(cfg, amp)
    init_default_scope('mmpose')
    assert OPTIM_WRAPPERS.get(cfg.optim_wrapper.type).__name__ == kind
    assert cfg.optim_wrapper.optimizer.lr == 1e-3


def test_bfloat16_trains_on_a_cpu_without_validation_and_with_a_scaled_rate(config, tmp_path):
    run = launch.train(
        config,
        work_dir=str(tmp_path),
        amp='bf16',
        validate=False,
        auto_scale_lr=True,
        cfg_options=named('bf16', **{'train_cfg.max_epochs': 1}),
    )
    assert rates(tmp_path) == [(i, pytest.approx(1e-3 * BATCH / 40)) for i in (1, 2, 3, 4)]
    assert [row for row in scalars(tmp_path) if 'coco/AP' in row] == []
    assert {parameter.dtype for parameter in run.model.parameters()} == {torch.float32}
