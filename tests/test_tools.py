"""The commands: train and test, what they leave behind, and how they answer wrong options."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import mmengine
import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmpose.registry import OPTIM_WRAPPERS

from cid_mmpose.cli.user_errors import user_errors
from cid_mmpose.engine import launch
from cid_mmpose.errors import BadInput
from tests.helpers.images import ROOT, coco, person, tiny_config, use_data, write_coco

IMAGES = 8
BATCH = 2
ENVIRONMENT = {
    **os.environ,
    'OMP_NUM_THREADS': '1',
    'PYTHONWARNINGS': 'ignore',
    'PYTHONPATH': os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')]),
}


@pytest.fixture(scope='module')
def config(tmp_path_factory) -> str:
    """A config file of a tiny model on 8 images, two epochs of four iterations, the second at a tenth of the rate."""
    folder = tmp_path_factory.mktemp('tiny')
    people = [person(i, i, box=(20, 10, 50, 50)) for i in range(1, IMAGES + 1)]
    write_coco(folder, coco(people, IMAGES, size=(96, 72)))
    cfg = use_data(tiny_config(), folder, ('people.json', ''), ('people.json', ''))
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        loader.update(num_workers=0, persistent_workers=False, batch_size=BATCH)
    cfg.update(
        val_dataloader=cfg.test_dataloader,
        log_level='WARNING',
        randomness=dict(seed=0),
        param_scheduler=[dict(type='MultiStepLR', milestones=[1], by_epoch=True)],
    )
    cfg.train_cfg.update(max_epochs=2, val_interval=1)
    cfg.default_hooks.logger.interval = 1
    cfg.dump(str(folder / 'tiny.py'))
    return str(folder / 'tiny.py')


@pytest.fixture(scope='module')
def trained(config, tmp_path_factory):
    """The work folder of a finished run."""
    folder = tmp_path_factory.mktemp('trained')
    launch.train(config, work_dir=str(folder), cfg_options=named('trained'))
    return folder


def named(name: str, **options) -> dict:
    """Options that give a run in this process its own logger and visualizer, which mmengine keeps by their names."""
    return {'experiment_name': name, 'visualizer.name': name, **options}


def scalars(folder) -> list:
    """The lines that the runs of a work folder logged, oldest run first."""
    files = sorted(folder.glob('*/vis_data/scalars.json'))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def rates(folder) -> list:
    return [(row['iter'], row['lr']) for row in scalars(folder) if 'iter' in row]


def command(*arguments, launcher=()) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *launcher, *map(str, arguments)], env=ENVIRONMENT, text=True, capture_output=True
    )


WHOLE_RUN = [(i, 1e-3) for i in (1, 2, 3, 4)] + [(i, 1e-4) for i in (5, 6, 7, 8)]


def test_training_leaves_checkpoints_losses_and_their_plot(trained):
    assert {'epoch_1.pth', 'epoch_2.pth', 'loss_curve.png', 'tiny.py'} <= {path.name for path in trained.iterdir()}
    assert rates(trained) == [(i, pytest.approx(lr)) for i, lr in WHOLE_RUN]
    assert [row['step'] for row in scalars(trained) if 'coco/AP' in row] == [1, 2]


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


def refused(run) -> str:
    with pytest.raises(BadInput) as caught:
        run()
    return str(caught.value)


@pytest.mark.parametrize(
    'options, says',
    [
        (dict(amp='fp16'), '--amp fp16 needs a GPU'),
        (dict(launcher='slurm'), '--launcher slurm needs GPUs'),
        (dict(auto_scale_lr=True, cfg_options={'auto_scale_lr': dict(_delete_=True)}), 'base_batch_size'),
        (dict(amp='bf16', cfg_options={'optim_wrapper.type': 'ApexOptimWrapper'}), 'optim_wrapper.type is Apex'),
        (dict(cfg_options={'train_pipeline.99.x': 1}), '--cfg-options: '),
        (dict(resume='gone.pth'), 'gone.pth: no such checkpoint file'),
    ],
)
def test_an_option_that_cannot_be_followed_is_named(config, tmp_path, monkeypatch, options, says):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    assert says in refused(lambda: launch.train(config, work_dir=str(tmp_path), **options))
    assert list(tmp_path.glob('*.pth')) == []


def test_a_checkpoint_of_another_model_is_named_in_training_and_in_testing(config, tmp_path):
    torch.save(dict(state_dict=dict(weight=torch.zeros(1))), tmp_path / 'other.pth')
    for run in (
        lambda: launch.test(config, str(tmp_path / 'other.pth'), work_dir=str(tmp_path)),
        lambda: launch.train(config, resume=str(tmp_path / 'other.pth'), work_dir=str(tmp_path)),
    ):
        assert 'other.pth: is not a checkpoint of this model: ' in refused(run)


def test_predictions_are_dumped_under_a_pickle_s_name_only(config, tmp_path):
    assert 'name it .pkl' in refused(lambda: launch.test(config, 'w.pth', work_dir=str(tmp_path), dump='people.json'))


@pytest.mark.parametrize('folder', ['file', 'file/below', '/proc/none'])
def test_a_work_folder_that_cannot_be_written_is_named_before_anything_is_built(config, tmp_path, monkeypatch, folder):
    (tmp_path / 'file').write_text('in the way')
    monkeypatch.setattr(launch.Runner, 'from_cfg', lambda cfg: pytest.fail('something was built'))
    work_dir = str(tmp_path / folder)  # an absolute folder stays as it is
    assert f'work dir {work_dir}: cannot be written to' in refused(lambda: launch.train(config, work_dir=work_dir))


@pytest.mark.parametrize(
    'content, says',
    [
        (None, 'no such config'),
        ('model = dict(', 'cannot be read as a config'),
        ("_base_ = 'gone.py'", 'cannot be read as a config'),
    ],
)
def test_a_config_that_cannot_be_read_is_named(tmp_path, content, says):
    path = tmp_path / 'mine.py'
    if content:
        path.write_text(content)
    text = refused(lambda: launch.load_config(str(path)))
    assert text.startswith(f'{path}: {says}')


@pytest.mark.parametrize(
    'options, says',
    [
        ({'model.head.colour': 1}, "CIDHead: unknown option 'colour'"),
        ({'model.head.decoder.colour': 1}, "SizeAdaptiveHeatmap: unknown option 'colour'"),
        ({'model.head.type': 'cid_mmpose.CIDHat'}, "type='cid_mmpose.CIDHat': there is no model of this name"),
    ],
)
def test_an_unknown_name_in_the_config_is_one_line_and_status_2(config, tmp_path, capsys, options, says):
    with pytest.raises(SystemExit) as left, user_errors():
        launch.train(config, work_dir=str(tmp_path), cfg_options=named(says, **options))
    lines = capsys.readouterr().err.splitlines()
    assert left.value.code == 2 and lines[-1].startswith('error: ') and says in lines[-1]


def test_an_error_that_is_ours_keeps_its_traceback():
    for error in (TypeError('f() got an unexpected keyword argument'), KeyError('x'), RuntimeError('CUDA')):
        with pytest.raises(type(error)), user_errors():
            raise error


@pytest.mark.parametrize('name, says', [('nope.pth', 'no such checkpoint file'), ('.', 'is a folder')])
def test_a_checkpoint_that_is_not_there_is_named_before_anything_is_built(config, tmp_path, monkeypatch, name, says):
    monkeypatch.setattr(launch.Runner, 'from_cfg', lambda cfg: pytest.fail('something was built'))
    assert f'{name}: {says}' in refused(lambda: launch.test(config, name, work_dir=str(tmp_path)))
    start = named('gone', load_from=name)
    assert f'{name}: {says}' in refused(lambda: launch.train(config, work_dir=str(tmp_path), cfg_options=start))


def test_two_work_folders_are_refused(config, tmp_path):
    text = refused(lambda: launch.train(config, work_dir=str(tmp_path), cfg_options=named('two', work_dir='elsewhere')))
    assert text.endswith('are two folders; give one of them')


def test_a_command_answers_with_one_line_and_status_2():
    done = command(ROOT / 'tools' / 'train.py', 'gone.py')
    assert (done.returncode, done.stderr) == (2, 'error: gone.py: no such config\n')


def kill_in_the_third_epoch(config, folder, *options: str) -> None:
    """Starts a run and kills it in its third epoch."""
    run = subprocess.Popen(
        [
            sys.executable,
            str(ROOT / 'tools' / 'train.py'),
            config,
            '--work-dir',
            str(folder),
            '--cfg-options',
            'train_cfg.max_epochs=400',
            *options,
        ],
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
    )
    end = time.monotonic() + 300
    while not any(row.get('iter') in (9, 10, 11) for row in scalars(folder)) and time.monotonic() < end:
        time.sleep(0.02)
    run.send_signal(signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL


def losses(folder) -> dict:
    """The loss of each iteration that a folder's runs logged; of one that was repeated, the later one."""
    return {row['iter']: row['loss'] for row in scalars(folder) if 'iter' in row}


@pytest.mark.slow
@pytest.mark.parametrize('workers', [0, 2])
def test_a_run_killed_in_mid_epoch_goes_on_with_the_losses_of_one_that_was_not(config, tmp_path, workers):
    options = [f'train_dataloader.num_workers={workers}', f'train_dataloader.persistent_workers={workers > 0}']
    kill_in_the_third_epoch(config, tmp_path / 'killed', *options)
    last = int(re.search(r'epoch_(\d+)', launch.newest_checkpoint(str(tmp_path / 'killed'))).group(1))
    before = len(rates(tmp_path / 'killed'))
    for name in ('killed', 'whole'):
        done = command(
            ROOT / 'tools' / 'train.py',
            config,
            '--work-dir',
            tmp_path / name,
            '--resume',
            '--cfg-options',
            f'train_cfg.max_epochs={last + 5}',
            *options,
        )
        assert done.returncode == 0, done.stderr
    first = 4 * last + 1
    assert [i for i, _ in rates(tmp_path / 'killed')[before:]] == list(range(first, first + 20))
    resumed, whole = losses(tmp_path / 'killed'), losses(tmp_path / 'whole')
    assert [resumed[i] for i in range(first, first + 20)] == [whole[i] for i in range(first, first + 20)]


@pytest.mark.slow
@pytest.mark.parametrize('launcher', ['torch.distributed.run', 'torch.distributed.launch'])
def test_two_processes_train_and_test_on_a_cpu_and_leave_nothing_in_the_current_folder(
    config, tmp_path, launcher, monkeypatch
):
    current = tmp_path / 'current'
    current.mkdir()
    monkeypatch.chdir(current)
    start = ['-m', launcher, '--nproc_per_node=2', '--master_port=29731']
    one_epoch = ['--launcher', 'pytorch', '--work-dir', tmp_path, '--cfg-options', 'train_cfg.max_epochs=1']
    done = command(ROOT / 'tools' / 'train.py', config, *one_epoch, launcher=start)
    assert done.returncode == 0, done.stderr[-3000:]
    assert [i for i, _ in rates(tmp_path)] == [1, 2]  # 8 images, 2 processes, 2 images each
    done = command(
        ROOT / 'tools' / 'test.py',
        config,
        tmp_path / 'epoch_1.pth',
        '--out',
        tmp_path / 'm.json',
        '--dump',
        tmp_path / 'd.pkl',
        *one_epoch[:4],
        launcher=start,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    one = launch.test(config, str(tmp_path / 'epoch_1.pth'), work_dir=str(tmp_path), cfg_options=named(launcher))
    assert json.loads((tmp_path / 'm.json').read_text()) == one
    assert list(current.iterdir()) == [] and not (tmp_path / '.results').exists()


HELP = """
import runpy, sys
from pathlib import Path
for words in (['--help'], ['--nonsense']):
    for script in [*sorted(Path('tools').glob('*.py')), 'cid_mmpose']:
        sys.argv = [str(script), *(['benchmark'] if script == 'cid_mmpose' else []), *words]
        try:
            run = runpy.run_module if script == 'cid_mmpose' else runpy.run_path
            run(str(script), run_name='__main__')
        except SystemExit as left:
            heavy = sorted({'torch', 'mmengine', 'mmcv', 'mmpose', 'cv2', 'numpy', 'matplotlib'} & set(sys.modules))
            print('left', Path(str(script)).name, words[0], left.code, heavy)
"""


def test_help_and_wrong_arguments_of_every_tool_are_answered_before_anything_heavy_is_imported():
    done = subprocess.run([sys.executable, '-c', HELP], cwd=ROOT, env=ENVIRONMENT, text=True, capture_output=True)
    found = [line for line in done.stdout.splitlines() if line.startswith('left ')]
    names = [path.name for path in sorted((ROOT / 'tools').glob('*.py'))] + ['cid_mmpose']
    assert found == [f'left {name} --help 0 []' for name in names] + [f'left {name} --nonsense 2 []' for name in names]
    assert len(names) >= 12 and 'Traceback' not in done.stderr


INTERRUPTED = {
    'train.py': ['c.py'],
    'test.py': ['c.py', 'w.pth'],
    'doctor.py': ['a.json'],
    'demo.py': [],
    'convert_checkpoint.py': ['a.pth', 'b.pth', '--to', 'ours'],
    'prepare_coco.py': ['a', 'b'],
    'prepare_crowdpose.py': ['a', 'b'],
    'prepare_ochuman.py': ['a', 'b'],
    'synth_sheet.py': ['a.png'],
    'benchmark.py': ['targets'],
}


@pytest.mark.parametrize('tool', INTERRUPTED)
def test_a_signal_while_the_stack_is_being_imported_is_one_line(tmp_path, tool):
    (tmp_path / 'c.py').write_text('')
    for name in ('torch', 'numpy', 'mmengine'):  # whichever the tool imports first
        (tmp_path / f'{name}.py').write_text('raise KeyboardInterrupt')
    paths = os.pathsep.join([str(tmp_path), ENVIRONMENT['PYTHONPATH']])
    done = subprocess.run(
        [sys.executable, ROOT / 'tools' / tool, *INTERRUPTED[tool]],
        cwd=tmp_path,
        text=True,
        env={**ENVIRONMENT, 'PYTHONPATH': paths},
        capture_output=True,
    )
    assert (done.returncode, done.stderr) == (130, 'stopped by SIGINT\n')
