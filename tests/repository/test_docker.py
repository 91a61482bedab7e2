"""The steps of the Dockerfile, run without Docker in an environment of their own."""

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.helpers.images import ROOT

WITHOUT_INDEX = dict(PIP_NO_INDEX='1', PIP_NO_DEPS='1', PIP_NO_BUILD_ISOLATION='0', PYTHONPATH='')  # 0: no isolation


def instructions() -> list[tuple[str, str]]:
    """(word, rest) of each line of the Dockerfile that is no comment."""
    lines = (ROOT / 'Dockerfile').read_text(encoding='utf-8').splitlines()
    return [tuple(line.split(' ', 1)) for line in lines if line and not line.startswith('#')]


def test_the_image_is_small_and_its_program_is_not_run_by_root():
    words = [word for word, _ in instructions()]
    bases = [rest.partition(' ')[0] for word, rest in instructions() if word == 'FROM']
    assert bases == ['python:3.11-slim'] * 2
    last_user = dict(instructions())['USER']
    assert last_user == 'cid' and words.index('USER') < words.index('ENTRYPOINT')
    assert 'torch' not in (ROOT / 'Dockerfile').read_text().split('FROM', 1)[1]


@pytest.mark.slow
def test_its_steps_make_a_command_that_answers(tmp_path):
    source = tmp_path / 'src'
    ignored = (ROOT / '.dockerignore').read_text().split()
    shutil.copytree(ROOT, source, symlinks=True, ignore=shutil.ignore_patterns(*ignored, '*.egg-info', '.*_cache'))
    venv.create(tmp_path / 'venv', with_pip=True)
    programs = tmp_path / 'venv' / 'bin'

    for word, rest in instructions():
        if word != 'RUN' or rest.startswith('useradd'):
            continue
        # the wheel is made by this interpreter, which has setuptools, and installed into an empty environment
        pip = f'{sys.executable} -m pip' if 'wheel --' in rest else f'{programs}/python -m pip'
        command = re.sub(r'^pip', pip, rest.replace('/src', str(source)).replace('/wheels', str(tmp_path / 'wheels')))
        done = subprocess.run(
            command, shell=True, env={**os.environ, **WITHOUT_INDEX}, cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    entry = [word.strip(' "[]') for word in dict(instructions())['ENTRYPOINT'].split(',')]
    default = [word.strip(' "[]') for word in dict(instructions())['CMD'].split(',')]
    answer = subprocess.run(
        [Path(programs, entry[0]), *default], capture_output=True, text=True, env={**os.environ, 'PYTHONPATH': ''}
    )
    assert answer.returncode == 0 and 'usage: cid predict' in answer.stdout, answer.stderr
