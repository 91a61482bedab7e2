"""The two commands' environments: which Python they take, what they say when something is in the way, and the pins."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helpers.images import ROOT

REQUIREMENTS = ROOT / 'requirements'
PIN = re.compile(r'([\w-]+)==([^\s;\\]+)\s*(?:;\s*(.*?))?\s*(?:#.*|\\)?$')
HASH = re.compile(r'--hash=sha256:[0-9a-f]{64}')

# OpenCV where the X libraries are missing: it loads once pip was asked for the one without windows
CV2 = """
from pathlib import Path
if 'opencv-python-headless' not in Path({calls!r}).read_text() and 'lock_headless' not in Path({calls!r}).read_text():
    raise ImportError('libxcb.so.1: cannot open shared object file: No such file or directory')
"""

# In place of an environment's interpreter: its pip writes what the test says into its log, fails or waits as it says
FAKE_PYTHON = """#!/usr/bin/env bash
if [ "$2" != pip ]; then
    exec '{python}' "$@"
fi
[ "$3" != --version ] || exit 0
echo "$*" >>'{folder}/calls'
cat '{folder}/says' >"$5"
[ ! -e '{folder}/waits' ] || sleep 600
exit "$(cat '{folder}/status')"
"""


def pins(*names: str) -> dict[tuple[str, str], str]:
    """(package, marker) to version in these files below requirements/."""
    found = {}
    for name in names:
        for line in (REQUIREMENTS / name).read_text().splitlines():
            match = PIN.match(line)
            if match is not None:
                package, version, marker = match.groups()
                found[package.lower().replace('_', '-'), marker or ''] = version
    return found


def test_the_list_with_hashes_holds_the_pins_that_the_other_files_give_reasons_for():
    readable = pins('base.txt', 'stack.txt', 'test.txt', 'no_deps.txt', 'constraints.txt')
    locked = pins('lock.txt')
    asked = {(package, version) for (package, _), version in readable.items()}
    assert len(locked) > 80
    assert {(package, version) for (package, _), version in locked.items()} <= asked
    direct = pins('base.txt', 'stack.txt', 'test.txt', 'no_deps.txt')
    assert {(package, version) for (package, _), version in direct.items()} <= {
        (package, version) for (package, _), version in locked.items()
    }


def test_every_package_of_the_list_has_hashes():
    packages = re.split(r'\n(?=[\w-]+==)', (REQUIREMENTS / 'lock.txt').read_text())[1:]
    assert len(packages) == len(pins('lock.txt'))
    assert [package for package in packages if not HASH.search(package)] == []


def find_python(*versions: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ['bash', str(REQUIREMENTS / 'find_python.sh'), *versions],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def test_the_python_that_the_user_names_is_taken():
    found = find_python('3.10', '3.14', PYTHON=sys.executable)
    assert (found.returncode, found.stdout) == (0, sys.executable + '\n')


def test_a_python_outside_the_range_is_refused_in_one_line():
    refused = find_python('3.4', '3.6', PYTHON=sys.executable)
    assert refused.returncode == 2 and refused.stdout == ''
    version = sys.version.split()[0]
    assert refused.stderr == (
        f'error: PYTHON={sys.executable} is Python {version}; needed here: Python 3.4 to 3.6 with its venv module '
        '(on Debian and Ubuntu: apt-get install python3-venv)\n'
    )


def test_a_python_that_does_not_run_is_named():
    assert find_python('3.10', '3.14', PYTHON='/no/python').stderr == 'error: PYTHON=/no/python does not run\n'


def test_no_python_in_the_range_is_one_line_with_the_way_out(tmp_path):
    bare = tmp_path / 'bin'
    bare.mkdir()
    for tool in ('bash', 'seq', 'ls', 'env'):
        (bare / tool).symlink_to(shutil.which(tool))
    (bare / 'python3').write_text('#!/bin/sh\nexit 1\n')
    (bare / 'python3').chmod(0o755)
    missing = find_python('3.10', '3.14', PYTHON='', PATH=str(bare), HOME=str(tmp_path), PYENV_ROOT=str(tmp_path))
    assert missing.returncode == 2
    assert missing.stderr.count('\n') == 1 and 'no Python 3.10 to 3.14' in missing.stderr
    assert 'make PYTHON=/path/to/python3.14' in missing.stderr


class Tree:
    """A copy of what make needs, in a folder with a space, whose environment has a pip that does as it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / 'a folder'
        self.venv = self.root / '.venv'
        shutil.copytree(REQUIREMENTS, self.root / 'requirements')
        for name in ('Makefile', 'setup.cfg', 'pyproject.toml'):
            shutil.copy(ROOT / name, self.root)
        (self.root / 'cid_mmpose').mkdir()
        subprocess.run([sys.executable, '-m', 'venv', '--without-pip', self.venv], check=True)
        python = self.venv / 'bin' / 'python'
        python.rename(self.venv / 'bin' / 'real')
        python.write_text(FAKE_PYTHON.format(python=self.venv / 'bin' / 'real', folder=folder))
        python.chmod(0o755)
        self.pip()

    def pip(self, status: int = 0, says: str = '') -> None:
        """From now on pip ends with this status and writes this into its log."""
        (self.folder / 'status').write_text(str(status))
        (self.folder / 'says').write_text(says)

    def start(self, *options: str) -> subprocess.Popen:
        command = ['make', '--no-print-directory', 'venv', *options]
        # without what a make that runs these tests hands down to the makes below it
        ours = ('PYTHON', 'HASHES', 'VENV', 'TESTS', 'MAKELEVEL', 'MAKEFLAGS', 'MFLAGS', 'MAKEOVERRIDES')
        environment = {name: value for name, value in os.environ.items() if name not in ours}
        return subprocess.Popen(
            command,
            cwd=self.root,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=_hear_sigint,
        )

    def make(self, *options: str) -> tuple[str, str]:
        """What make venv prints on its two streams; make's own last line is left out."""
        printed, errors = self.start(*options).communicate(timeout=120)
        return printed, ''.join(line for line in errors.splitlines(True) if not line.startswith('make: ***'))

    def calls(self) -> list:
        """What pip was called with."""
        calls = self.folder / 'calls'
        return calls.read_text().splitlines() if calls.is_file() else []


def _hear_sigint() -> None:
    """The tests may run in a shell's background job, which hands down that SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def tree(tmp_path) -> Tree:
    return Tree(tmp_path)


def test_an_environment_is_made_once_and_again_when_pins_change(tree):
    printed, errors = tree.make()
    assert errors == '' and '[.venv] 4/4' in printed
    assert any('--require-hashes' in call and 'lock.txt' in call for call in tree.calls())
    link = next((tree.venv / 'lib').glob('python3*/site-packages/cid_mmpose'))
    assert os.readlink(link) == str(tree.root / 'cid_mmpose')
    num_calls = len(tree.calls())
    assert tree.make() == ('', '') and len(tree.calls()) == num_calls
    with (tree.root / 'requirements' / 'lock.txt').open('a') as lock:
        lock.write('# changed\n')
    assert '[.venv] 4/4' in tree.make()[0] and len(tree.calls()) == 2 * num_calls


def test_without_hashes_the_pins_are_taken_by_version(tree):
    assert tree.make('HASHES=no')[1] == ''
    assert any('-c requirements/constraints.txt -r requirements/stack.txt' in call for call in tree.calls())
    assert not any('--require-hashes' in call for call in tree.calls())


def lacks_x_libraries(tree: Tree, calls: Path) -> None:
    """Puts an OpenCV into the environment that loads as ``CV2`` says of pip's calls in this file."""
    site = next((tree.venv / 'lib').glob('python3*/site-packages'))
    (site / 'cv2.py').write_text(CV2.format(calls=str(calls)))
    about = site / 'opencv_python-4.7.0.72.dist-info'
    about.mkdir()
    (about / 'METADATA').write_text('Metadata-Version: 2.1\nName: opencv-python\nVersion: 4.7.0.72\n')


@pytest.mark.parametrize(
    'options, asked',
    [([], '--require-hashes -r requirements/lock_headless.txt'), (['HASHES=no'], 'opencv-python-headless==4.7.0.72')],
)
def test_opencv_without_windows_takes_its_place_where_the_x_libraries_are_missing(tree, options, asked):
    lacks_x_libraries(tree, tree.folder / 'calls')
    printed, errors = tree.make(*options)
    assert '[.venv] no X libraries here (libxcb.so.1: cannot open shared' in printed and '[.venv] 4/4' in printed
    assert errors == ''
    removed = next(number for number, call in enumerate(tree.calls()) if 'uninstall -y opencv-python' in call)
    assert f'--force-reinstall {asked}' in tree.calls()[removed + 1]


def test_an_opencv_that_does_not_load_in_either_form_is_one_line(tree):
    (tree.folder / 'none').touch()
    lacks_x_libraries(tree, tree.folder / 'none')
    errors = tree.make()[1]
    assert errors.startswith('error: OpenCV does not load here: libxcb.so.1: cannot open') and errors.count('\n') == 1
    assert not (tree.venv / '.ready').exists()


def test_the_opencv_without_windows_has_the_version_of_the_other():
    version = pins('stack.txt')['opencv-python', '']
    assert pins('lock_headless.txt') == {('opencv-python-headless', ''): version}


@pytest.mark.parametrize(
    'log, line',
    [
        (
            "WARNING: Retrying after connection broken by 'NewConnectionError: Name or service not known'\n"
            'ERROR: Could not find a version that satisfies the requirement addict==2.4.0 (from versions: none)',
            'the package index cannot be reached; the same command takes it up again',
        ),
        (
            'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n'
            '    torch==2.14.1 from https://index/torch-2.14.1+cpu.whl (from -r lock.txt):\n        Expected sha256 0a',
            'the package index has another file for torch==2.14.1 than the pinned one; if you trust your index: '
            'make HASHES=no',
        ),
        ('ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device', 'the disk is full'),
        (
            'ERROR: Could not find a version that satisfies the requirement lit==16.0.3 (from versions: 18.1.8)\n'
            'ERROR: No matching distribution found for lit==16.0.3',
            'pip stopped: Could not find a version that satisfies the requirement lit==16.0.3 (from versions: 18.1.8)',
        ),
    ],
)
def test_what_stops_pip_is_told_in_one_line(tree, log, line):
    tree.pip(1, log)
    errors = tree.make()[1]
    assert errors.startswith(f'error: {line}') and errors.endswith('(details: .venv/pip.log)\n')
    assert errors.count('\n') == 1
    assert (tree.venv / '.installing').exists() and not (tree.venv / '.ready').exists()


def test_another_python_than_the_environment_s_is_refused_with_the_way_out(tree):
    other = tree.folder / 'other'
    other.write_text('#!/bin/sh\necho 3.99\n')
    other.chmod(0o755)
    errors = tree.make(f'PYTHON={other}')[1]
    version = f'{sys.version_info.major}.{sys.version_info.minor}'
    assert errors == (
        f'error: .venv is of Python {version} and PYTHON={other} is 3.99: remove it (rm -rf .venv) or '
        'choose another folder (make VENV=.venv-3.99 ...)\n'
    )


def test_a_folder_that_is_no_environment_is_left_alone(tree):
    letters = tree.root / 'letters'
    letters.mkdir()
    (letters / 'a.txt').write_text('dear')
    errors = tree.make('VENV=letters')[1]
    assert errors.startswith('error: letters is there and no environment; nothing was changed')
    assert (letters / 'a.txt').read_text() == 'dear'


def wait_for_pip(tree: Tree) -> None:
    for _ in range(600):  # a minute
        if tree.calls():
            return
        time.sleep(0.1)
    raise AssertionError('pip was not called')


def test_an_interruption_is_one_line_and_leaves_no_lock(tree):
    (tree.folder / 'waits').touch()
    going = tree.start()
    wait_for_pip(tree)
    os.killpg(going.pid, signal.SIGINT)
    errors = going.communicate(timeout=120)[1]
    ours = [line for line in errors.splitlines() if not line.startswith('make: ***')]
    assert ours == ['error: interrupted while .venv was being made; the same command takes it up again']
    assert not (tree.root / '.venv.lock').exists() and (tree.venv / '.installing').exists()


def test_two_at_once_wait_for_each_other(tree):
    (tree.folder / 'waits').touch()
    first = tree.start()
    wait_for_pip(tree)
    owner = (tree.root / '.venv.lock' / 'pid').read_text().strip()
    second = tree.start()
    assert second.stdout.readline() == f'[.venv] process {owner} is making this environment; waiting for it\n'
    num_calls = len(tree.calls())
    assert num_calls == 1
    os.killpg(first.pid, signal.SIGTERM)
    first.communicate(timeout=120)
    os.killpg(second.pid, signal.SIGTERM)
    second.communicate(timeout=120)


def test_a_lock_of_a_process_that_is_gone_is_taken_over(tree):
    lock = tree.root / '.venv.lock'
    lock.mkdir()
    gone = subprocess.Popen(['true'])
    gone.wait()
    (lock / 'pid').write_text(str(gone.pid))
    assert '[.venv] 4/4' in tree.make()[0]
    assert not lock.exists()
