"""docs/own_data.md, walked as it is typed: from made-up animals to a model and its figures."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.images import ROOT

PAGE = (ROOT / 'docs' / 'own_data.md').read_text(encoding='utf-8')
EPOCHS = 100  # of the page; the test has time for one
SHORT = ['--cfg-options', 'train_cfg.max_epochs=1', 'train_cfg.val_interval=1']


def commands() -> list[str]:
    """The lines of the page's blocks of shell, in order."""
    blocks = re.findall(r'^```bash\n(.*?)^```', PAGE, re.M | re.S)
    return [line for block in blocks for line in block.splitlines()]


def run(line: str, folder: Path) -> str:
    """Runs a line of the page in a folder, with a short training; returns what it printed."""
    words = shlex.split(line.replace(f'epoch_{EPOCHS}', 'epoch_1'), comments=True)
    if words[0] == 'cid':
        words = ['python', '-m', 'cid_mmpose', *words[1:]]
    if words[3:4] == ['train']:
        words += SHORT
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1', 'PYTHONWARNINGS': 'ignore'}
    done = subprocess.run([sys.executable, *words[1:]], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f'{line}: {done.stderr[-2000:]}'
    return done.stdout


@pytest.mark.slow
def test_every_command_of_the_page_runs_in_an_empty_folder(tmp_path):
    (tmp_path / 'experiments').symlink_to(ROOT / 'experiments')
    printed = {line: run(line, tmp_path) for line in commands()}
    assert len(printed) >= 4
    (doctor,) = (text for line, text in printed.items() if '--make-config' in line)
    (shown,) = re.findall(r'^```\n(fox\.py: a config.*?)^```', PAGE, re.M | re.S)
    assert doctor.endswith(shown)

    assert (tmp_path / 'work_dirs' / 'fox' / 'epoch_1.pth').is_file()
    assert len(list((tmp_path / 'shown').glob('*.png'))) == 20


def test_the_animals_are_the_same_every_time(tmp_path):
    for name in ('once', 'again'):
        run(f'python {ROOT}/experiments/draw_animals.py {name}', tmp_path)
    files = sorted(path.relative_to(tmp_path / 'once') for path in (tmp_path / 'once').rglob('*.*'))
    assert len(files) == 82
    for file in files:
        assert (tmp_path / 'once' / file).read_bytes() == (tmp_path / 'again' / file).read_bytes()
