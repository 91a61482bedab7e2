"""The commands as they are started: help, wrong arguments, signals, several processes, and a run that is killed."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from cid_mmpose.engine import launch
from tests.helpers.images import ROOT
from tests.helpers.tiny_runs import ENVIRONMENT, command, free_port, named, rates, scalars, write_tiny_config


@pytest.fixture(scope='module')
def config(tmp_path_factory) -> str:
    """The file of ``write_tiny_config``."""
    return write_tiny_config(tmp_path_factory.mktemp('tiny'))


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
    start = ['-m', launcher, '--nproc_per_node=2', f'--master_port={free_port()}']
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
