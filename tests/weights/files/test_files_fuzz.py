"""Damaged and crafted checkpoints by the thousand: each loads or is one line, and the process lives."""

import json
import os
import subprocess
import sys
from collections import Counter

import pytest

from tests.helpers.images import ROOT


def fuzz(**options: int) -> dict:
    """What ``fuzz_checkpoints.py`` prints: kind -> outcome -> number of files, and by how many bytes it has grown."""
    arguments = [f'--{name}={value}' for name, value in options.items()]
    path = os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')])
    done = subprocess.run(
        [sys.executable, str(ROOT / 'tests' / 'helpers' / 'fuzz_checkpoints.py'), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': path},
    )
    assert done.returncode == 0, done.stderr[-2000:]  # negative: a crash
    return json.loads(done.stdout)


def assert_harmless(found: dict, files: int, dtypes: int) -> None:
    total = sum(map(Counter, found['counts'].values()), Counter())
    assert set(total) == {'loaded', 'refused'} and sum(total.values()) == files + dtypes
    assert total['refused'] > (files + dtypes) / 2
    assert sum(found['counts']['dtype'].values()) == dtypes
    assert {'zip', 'zip, pickle', 'old', 'protocol 4'} <= set(found['counts'])
    assert found['grown'] < 500e6


def test_hundreds_of_damaged_and_crafted_files_are_one_line_each():
    assert_harmless(fuzz(files=600, dtypes=120, seed=0), 600, 120)


@pytest.mark.slow
def test_thousands_of_damaged_and_crafted_files_are_one_line_each():
    assert_harmless(fuzz(files=5000, dtypes=600, seed=1), 5000, 600)
