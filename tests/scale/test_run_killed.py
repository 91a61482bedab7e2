"""Three shards of 2000 images, 20 of them bad, each killed at a random moment and started again.

`make test-scale` has pyarrow.
"""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.images import ROOT

pytest.importorskip('pyarrow', reason='pyarrow is not installed (make test-scale has it)')
import pyarrow.parquet as pq  # noqa: E402

OPTIONS = '--device cpu --no-flip --size 64 --max-people 3 --min-score 0'.split()
SHARDS = 3
PATIENCE = 600.0  # seconds for one process


def start(images: Path, work_folder: Path, out: Path, shard: int) -> subprocess.Popen:
    """The command for one shard."""
    words = ['predict', images, '--model', work_folder, '--parquet', '--shard', f'{shard}/{SHARDS}', '--out', out]
    environment = {
        **os.environ,
        'OMP_NUM_THREADS': '1',
        'PYTHONPATH': f'{ROOT}{os.pathsep}{os.getenv("PYTHONPATH", "")}',
    }
    return subprocess.Popen(
        [sys.executable, '-m', 'cid_mmpose', *map(str, words), *OPTIONS], env=environment, stderr=subprocess.PIPE
    )


def num_lines(path: Path) -> int:
    return path.read_bytes().count(b'\n') if path.exists() else 0


def unfinished(out: Path, shard: int) -> Path:
    return out / f'.people-{shard:05d}-of-{SHARDS:05d}.unfinished' / 'people.jsonl'


@pytest.mark.slow
def test_no_row_is_missing_and_none_is_there_twice(many, work_folder, tmp_path):
    out = tmp_path / 'out'
    moments = np.random.default_rng().integers(1, 500, SHARDS)  # rows after which a shard is killed
    running = {shard: start(many, work_folder, out, shard) for shard in range(1, SHARDS + 1)}
    left = dict(zip(running, moments.tolist()))
    deadline = time.monotonic() + PATIENCE
    while left and time.monotonic() < deadline:
        assert all(running[shard].poll() is None for shard in left), running[min(left)].stderr.read()
        for shard, rows in list(left.items()):
            if num_lines(unfinished(out, shard)) >= rows:
                running[shard].send_signal(signal.SIGKILL)
                del left[shard]
        time.sleep(0.005)
    assert [process.communicate()[1] and process.returncode for process in running.values()] == [-signal.SIGKILL] * 3
    known = [num_lines(unfinished(out, shard)) for shard in running]
    assert not list(out.glob('*.parquet')) and all(count >= moment for count, moment in zip(known, moments))

    again = {shard: start(many, work_folder, out, shard) for shard in running}
    said = [process.communicate(timeout=PATIENCE)[1].decode() for process in again.values()]
    assert [process.returncode for process in again.values()] == [0] * SHARDS, said
    assert all(f', {count} rows from the run before' in text for count, text in zip(known, said))

    files = sorted(out.glob('*.parquet'))
    rows = [row for path in files for row in pq.read_table(path).to_pylist()]
    times = Counter(row['path'] for row in rows)
    expected = {str(path) for path in many.iterdir()}
    assert (len(rows), len(expected - set(times)), sum(count > 1 for count in times.values())) == (2000, 0, 0)
    assert sum(row['error'] is not None for row in rows) == 20
    assert sum(len(row['people'] or ()) > 0 for row in rows) == 1980
    assert sorted(path.name for path in out.iterdir()) == ['_about.json', *(path.name for path in files)]
