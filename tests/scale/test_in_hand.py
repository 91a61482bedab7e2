"""An image that ends the process costs two processes and is then a row with an error; the others have theirs."""

import json
import os
import signal
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from cid_mmpose.errors import BadInput
from cid_mmpose.scale import ray_steps as steps
from cid_mmpose.scale.about import about_of
from cid_mmpose.scale.in_hand import InHand, rows_with
from cid_mmpose.scale.names import Shard, items_of
from cid_mmpose.scale.run import Table, write_shard

from .conftest import Corners

MODEL = ('corners', None)
DEADLY = 255  # of all pixels
COMPLAINT = '{}: 2 processes ended while they had it in hand; look at it, or leave it out'

pytestmark = pytest.mark.skipif(sys.platform == 'win32', reason='processes fork')


class Mortal(Corners):
    """Ends its process at a white image, as its library would: while it is decoded, or while people are found."""

    def __init__(self, dies_in: str, **options) -> None:
        super().__init__(**options)
        self.dies_in = dies_in

    def pack(self, image, path=None):
        self._look('pack', image)
        return super().pack(image, path)

    def compute(self, packed):
        for image in packed:
            self._look('compute', image)
        return super().compute(packed)

    def _look(self, step: str, image: np.ndarray) -> None:
        if step == self.dies_in and image[0, 0, 0] == DEADLY:
            os.kill(os.getpid(), signal.SIGKILL)


def fate_of(work) -> int:
    """The signal that ended a process with this work; 0 without."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    status = os.waitpid(process, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def make_deadly(path: str) -> None:
    cv2.imwrite(path, np.full((6, 8, 3), DEADLY, np.uint8))


@pytest.fixture
def deadly(images) -> list[str]:
    """Two of the twelve images that end a process; they stand beside each other."""
    for number in (5, 6):
        make_deadly(images[number])
    return [images[5], images[6]]


@pytest.mark.parametrize('dies_in', ['pack', 'compute'])
def test_a_shard_goes_on_behind_an_image_that_ended_two_processes(images, deadly, tmp_path, dies_in):
    table = Table(tmp_path / 'out', Shard(), 'jsonl')
    fates = []
    while not table.path.exists() and len(fates) < 9:
        fates.append(fate_of(lambda: write_shard(Mortal(dies_in), images, table, MODEL)))
    assert fates in ([signal.SIGKILL] * 3 + [0], [signal.SIGKILL] * 4 + [0])  # the first may have had both in hand

    rows = [json.loads(line) for line in table.path.read_text().splitlines()]
    assert [row['path'] for row in rows] == images
    assert [row for row in rows if row['path'] in deadly] == [
        dict(path=path, error=COMPLAINT.format(path)) for path in deadly
    ]
    write_shard(Corners(), images, Table(tmp_path / 'whole', Shard(), 'jsonl'), MODEL)
    whole = [json.loads(line) for line in (tmp_path / 'whole' / 'people.jsonl').read_text().splitlines()]
    assert [row for row in rows if row['path'] not in deadly] == [row for row in whole if row['path'] not in deadly]
    assert sorted(each.name for each in table.folder.iterdir()) == ['_about.json', 'people.jsonl']


def test_an_image_costs_a_shard_two_processes(images, tmp_path):
    make_deadly(images[5])
    table = Table(tmp_path / 'out', Shard(), 'jsonl')
    fates = [fate_of(lambda: write_shard(Mortal('pack'), images, table, MODEL)) for _ in range(3)]
    assert fates == [signal.SIGKILL, signal.SIGKILL, 0]
    assert len(table.path.read_text().splitlines()) == 12


def test_a_process_that_lives_leaves_no_notes_whatever_happens(images, tmp_path):
    path = tmp_path / 'in_hand.jsonl'
    with pytest.raises(BadInput, match='not a complete image'), InHand(path) as hand:
        for _ in rows_with(hand, Corners(), images, items_of, strict=True):
            assert path.exists()
    assert not path.exists()


def test_with_strict_an_image_that_ended_two_processes_stops_the_run(images, tmp_path):
    path = tmp_path / 'in_hand.jsonl'
    path.write_text(f'["begun", "{images[0]}"]\n' * 2)
    with pytest.raises(BadInput, match='2 processes ended while they had it in hand'), InHand(path) as hand:
        list(rows_with(hand, Corners(), images, items_of, strict=True))


def test_what_is_done_is_forgotten_and_a_note_that_was_cut_is_passed_over(tmp_path):
    path = tmp_path / 'in_hand.jsonl'
    path.write_text('["begun", "a"]\n["begun", "b"]\n["done", "a"]\n["begun", "b\\ud800"]\n["beg')
    hand = InHand(path)
    assert dict(hand.ended) == {'b': 1, 'b\ud800': 1}
    hand.begin('b')
    assert InHand(path).ended['b'] == 2


def test_frames_of_a_video_are_not_noted(tmp_path):
    with InHand(tmp_path / 'in_hand.jsonl') as hand:
        items = [item for image in 'ab' for item in hand.noted(f'{image}.mp4', ['a frame'])]
    assert items == ['a frame', 'a frame']


def test_the_reading_of_a_block_goes_on_behind_an_image_that_ended_two_processes(images, tmp_path, monkeypatch):
    pytest.importorskip('pyarrow', reason='pyarrow is not installed (make test-scale has it)')
    monkeypatch.chdir(tmp_path)
    (tmp_path / steps.LOCK).mkdir()
    (block,) = steps.blocks_of(images, 1)
    _die_of(images[2], monkeypatch)

    def read() -> list[dict]:
        return [row for part in steps.read_images(block, str(tmp_path), str(tmp_path)) for row in part.to_pylist()]

    assert [fate_of(read) for _ in range(3)] == [signal.SIGKILL, signal.SIGKILL, 0]
    assert list((tmp_path / steps.LOCK).iterdir()) == []


def _die_of(path: str, monkeypatch) -> None:
    """Reading this image ends the process."""
    from cid_mmpose.inference import sources

    right = sources.read_image

    def read_image(name: str) -> np.ndarray:
        if name == path:
            os.kill(os.getpid(), signal.SIGKILL)
        return right(name)

    monkeypatch.setattr(sources, 'read_image', read_image)


def test_a_worker_goes_on_behind_an_image_that_ended_two_processes(images, deadly, tmp_path, monkeypatch):
    pytest.importorskip('pyarrow', reason='pyarrow is not installed (make test-scale has it)')
    import pyarrow

    monkeypatch.chdir(tmp_path)
    (tmp_path / steps.LOCK).mkdir()
    (block,) = steps.blocks_of(images, 1)
    decoded = pyarrow.concat_tables(steps.read_images(block, str(tmp_path), str(tmp_path)))
    worker = steps.Finder.__new__(steps.Finder)
    worker.finder = Mortal('compute')
    worker.schema = steps.schema_of(about_of(Corners(), MODEL, 'ray', 1, 'parquet'))
    worker.results = str(tmp_path)
    fates = [fate_of(lambda: worker(decoded)) for _ in range(3)]
    assert fates == [signal.SIGKILL] * 3
    rows = worker(decoded).to_pylist()
    assert [row['path'] for row in rows] == images
    assert [row['error'] for row in rows if row['path'] in deadly] == [COMPLAINT.format(path) for path in deadly]
    assert sum(row['people'] is not None for row in rows) == 8
    assert list(Path(tmp_path, steps.LOCK).iterdir()) == []
