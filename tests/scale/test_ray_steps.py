"""The steps that a cluster takes, one by one. `make test-scale` has Ray; ``test_on_ray_killed.py`` runs it."""

import numpy as np
import pytest

from cid_mmpose.errors import BadInput, RunStopped
from cid_mmpose.scale import ray_steps as steps
from cid_mmpose.scale.about import about_of
from cid_mmpose.scale.names import Shard
from cid_mmpose.scale.on_ray import names_done
from cid_mmpose.scale.run import Table, write_shard

from .conftest import Corners

pytest.importorskip('pyarrow', reason='pyarrow is not installed (make test-scale has it)')
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

MODEL = ('corners', None)


@pytest.mark.parametrize('images, rows', [(1, 256), (50_000, 256), (1_000_000, 4992), (10**8, 16_384)])
def test_files_are_neither_many_nor_large(images, rows):
    assert steps.rows_of_file(images) == rows


def test_blocks_hold_every_name_once_and_are_enough_for_all_workers():
    names = [f'{number}.jpg' for number in range(100)]
    blocks = steps.blocks_of(names, 2)
    assert [name.decode() for block in blocks for name in block['path'].to_pylist()] == names
    assert [len(block) for block in blocks] == [16] * 6 + [4]
    assert {len(block) for block in steps.blocks_of(names * 64, 2)} == {64}


def test_images_are_read_as_they_are_and_bad_ones_are_told(images, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / '.ray').mkdir()
    names = ['images/0002.png', 'images/0003.png', 'gone.jpg']
    (block,) = steps.blocks_of(names, 1)
    good, bad, gone = (table.to_pylist()[0] for table in steps.read_images(block, str(tmp_path), str(tmp_path)))
    assert good['image'] == np.full((6, 8, 3), 2, np.uint8).tobytes() and good['error'] is None
    assert (good['path'], good['height'], good['width']) == (b'images/0002.png', 6, 8)
    assert bad['image'] is None and bad['error'].startswith(b'images/0003.png: not a complete image')
    assert gone['error'] == b'gone.jpg: no such file'


def test_rows_are_those_of_a_shard_and_a_file_is_written_once(images, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where a worker goes by itself, which the tests behind this one must not stay in
    write_shard(Corners(), images, Table(tmp_path / 'shard', Shard(), 'parquet'), MODEL)
    expected = pq.read_table(tmp_path / 'shard' / 'people.parquet')
    (tmp_path / '.ray').mkdir()
    about = about_of(Corners(), MODEL, 'ray', 1, 'parquet')
    worker = steps.Finder.__new__(steps.Finder)
    worker.finder = Corners()
    worker.schema = steps.schema_of(about)
    worker.results = str(tmp_path)
    read = [
        table
        for block in steps.blocks_of(images, 1)
        for table in steps.read_images(block, str(tmp_path), str(tmp_path))
    ]
    found = worker(pa.concat_tables(read))
    assert found.to_pylist() == expected.to_pylist()

    (tmp_path / '.ray' / 'run').write_text('this one')
    for _ in range(2):  # what is done again after a process died writes over the same file
        said = steps.write_file(found, str(tmp_path), about, 'this one')
        assert {name: value.tolist() for name, value in said.items()} == dict(images=[10], people=[10], errors=[2])
    (path,) = tmp_path.glob('people-*.parquet')
    assert pq.read_table(path).to_pylist() == expected.to_pylist()
    assert names_done(tmp_path) == set(images)

    cut = tmp_path / 'people-0.parquet'
    cut.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(BadInput, match='people-0.parquet: cannot be read as Parquet'):
        names_done(tmp_path)
    cut.unlink()

    (tmp_path / '.ray' / 'run').write_text('a later one')
    path.unlink()
    with pytest.raises(RunStopped, match='another run has begun'):
        steps.write_file(found, str(tmp_path), about, 'this one')
    assert list(tmp_path.glob('*.parquet')) == []
