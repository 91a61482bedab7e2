"""``cid predict --engine ray`` on this machine: 2000 images, 20 of them bad, two workers, one of which is killed."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

import cid_mmpose
from tests.helpers.images import ROOT

pytest.importorskip('ray', reason='Ray is not installed (make test-scale has it)')
import pyarrow.parquet as pq  # noqa: E402

OPTIONS = dict(min_score=0.0, size=64, max_people=3, flip=False, device='cpu')
WORDS = '--device cpu --no-flip --size 64 --max-people 3 --min-score 0 --parquet --engine ray --workers 2'.split()
WORKER = b'ray::MapWorker(MapBatches(Finder)'  # what Ray calls a process with a model
PATIENCE = 600.0  # seconds


def start(images: Path, model: Path, out: Path, *folders: Path) -> subprocess.Popen:
    """The command; what is in the folders can be imported by it and by its workers."""
    words = ['predict', images, '--model', model, '--out', out, *WORDS]
    environment = {name: value for name, value in os.environ.items() if name != 'RAY_ADDRESS'}
    environment['PYTHONPATH'] = os.pathsep.join([*map(str, folders), str(ROOT), os.environ.get('PYTHONPATH', '')])
    return subprocess.Popen(
        [sys.executable, '-m', 'cid_mmpose', *map(str, words)], env=environment, stderr=subprocess.PIPE, text=True
    )


def workers_of(driver: int) -> list[int]:
    """The processes with a model that descend from a driver."""
    parents = {}
    for folder in Path('/proc').glob('[0-9]*'):
        try:
            # the name of a process stands in brackets and may hold any letter
            parents[int(folder.name)] = int((folder / 'stat').read_text().rpartition(')')[2].split()[1])
        except OSError:  # it has ended
            continue
    found = []
    for process in parents:
        above = process
        while above in parents and above != driver:
            above = parents[above]
        try:
            if above == driver and WORKER in Path(f'/proc/{process}/cmdline').read_bytes():
                found.append(process)
        except OSError:
            continue
    return found


def wait_for(what, process: subprocess.Popen):
    """What a function gives once that is true."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(process.communicate()[1])


def rows_in(out: Path) -> list[dict]:
    return [row for path in sorted(out.glob('*.parquet')) for row in pq.read_table(path).to_pylist()]


@pytest.mark.slow
def test_no_row_is_missing_and_none_is_there_twice(many, work_folder, tmp_path):
    out = tmp_path / 'out'
    process = start(many, work_folder, out)
    workers = wait_for(lambda: workers_of(process.pid) if list(out.glob('people-*.parquet')) else [], process)
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    num_files = len(list(out.glob('*.parquet')))
    said = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 0, said
    assert num_files < len(list(out.glob('*.parquet')))  # it was killed in the middle

    rows = rows_in(out)
    times = Counter(row['path'] for row in rows)
    expected = {str(path) for path in many.iterdir()}
    assert (len(rows), len(expected - set(times)), sum(count > 1 for count in times.values())) == (2000, 0, 0)
    assert sum(row['error'] is not None for row in rows) == 20
    num_people = sum(len(row['people'] or ()) for row in rows)
    assert f'1980 images, {num_people} people, ' in said and ', 20 rows with an error' in said

    by_path = {row['path']: row for row in rows}
    names = [str(many / f'{number:04d}.jpg') for number in range(20)]
    for people in cid_mmpose.load(work_folder, **OPTIONS)(names):
        one = people.to_dict()['people']
        other = by_path[people.path]['people']
        assert [person['keypoints'] for person in other] == [
            [pytest.approx(place, abs=0.002) for place in person['keypoints']] for person in one
        ]


@pytest.mark.slow
def test_a_run_whose_driver_was_killed_goes_on_with_what_is_missing(many, work_folder, tmp_path):
    images = tmp_path / 'images'
    images.mkdir()
    for number in range(400):
        os.link(many / f'{number:04d}.jpg', images / f'{number:04d}.jpg')
    out = tmp_path / 'out'
    process = start(images, work_folder, out)
    wait_for(lambda: list(out.glob('people-*.parquet')), process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert 0 < len(rows_in(out)) < 400

    again = start(images, work_folder, out)
    said = again.communicate(timeout=PATIENCE)[1]
    assert again.returncode == 0, said
    known = int(re.search(r'(\d+) images from the run before', said).group(1))
    assert 0 < known < 400  # of the processes that the driver left behind one may have written another file
    paths = [row['path'] for row in rows_in(out)]
    assert sorted(paths) == sorted(str(path) for path in images.iterdir())


# Python imports it by itself: a decoder that ends the process at some images
DEADLY_DECODER = """
import os, signal, cv2

def imdecode(content, flags, decode=cv2.imdecode):
    if bytes(content[-6:]) == b'DEADLY':
        os.kill(os.getpid(), signal.SIGSEGV)
    return decode(content, flags)

cv2.imdecode = imdecode
"""


@pytest.mark.slow
def test_an_image_that_ends_two_processes_is_a_row_with_an_error(many, work_folder, tmp_path):
    (tmp_path / 'sitecustomize.py').write_text(DEADLY_DECODER)
    images = tmp_path / 'images'
    images.mkdir()
    for number in range(100):
        os.link(many / f'{number:04d}.jpg', images / f'{number:04d}.jpg')
    deadly = [images / '0019.jpg', images / '0060.jpg']
    for path in deadly:
        content = path.read_bytes() + b'DEADLY'
        path.unlink()
        path.write_bytes(content)
    out = tmp_path / 'out'
    process = start(images, work_folder, out, tmp_path)
    said = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 0, said

    rows = rows_in(out)
    assert sorted(row['path'] for row in rows) == sorted(str(path) for path in images.iterdir())
    errors = {row['path']: row['error'] for row in rows if row['error'] is not None}
    assert set(errors) == {str(path) for path in [*deadly, images / '0077.jpg']}
    for path in deadly:
        assert errors[str(path)].startswith(f'{path}: 2 processes ended while they had it in hand')
    assert not (out / '.ray').exists()


@pytest.mark.slow
def test_an_exported_file_finds_the_same_people_on_a_cluster(many, tmp_path):
    exported = pytest.importorskip('tests.helpers.exported')
    for name in ('onnx', 'onnxscript', 'onnxruntime'):
        pytest.importorskip(name, reason=exported.WHY)
    from tests.helpers.images import tiny_config
    from tests.helpers.random_weights import random_checkpoint

    checkpoint = random_checkpoint(tmp_path / 'tiny.pth', tiny_config(64))
    model = exported.tiny_export(tmp_path, checkpoint, flip=False)
    images = tmp_path / 'images'
    images.mkdir()
    for number in range(12):
        os.link(many / f'{number:04d}.jpg', images / f'{number:04d}.jpg')
    process = start(images, Path(model), tmp_path / 'out')
    assert process.communicate(timeout=PATIENCE)[1].endswith(f'results: {tmp_path / "out"}\n')
    rows = {row['path']: row for row in rows_in(tmp_path / 'out')}
    assert len(rows) == 12
    for people in cid_mmpose.load(model, **OPTIONS)(images):
        assert len(people) > 0
        assert [person['score'] for person in rows[people.path]['people']] == pytest.approx(people.scores, abs=1e-4)


@pytest.mark.slow
def test_a_worker_that_cannot_load_its_model_is_one_line(many, work_folder, tmp_path):
    process = start(many, tmp_path / 'gone.pth', tmp_path / 'out')
    said = process.communicate(timeout=PATIENCE)[1].strip().splitlines()
    assert process.returncode == 2 and said[-1].startswith(f'error: {tmp_path / "gone.pth"}')
