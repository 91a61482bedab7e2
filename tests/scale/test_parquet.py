"""Parquet files of ``cid predict``, read with pyarrow and pandas. `make test-scale` has pyarrow."""

import numpy as np
import pytest

from cid_mmpose.errors import BadInput
from cid_mmpose.scale import parquet as module
from cid_mmpose.scale import run
from cid_mmpose.scale.names import Shard
from cid_mmpose.scale.rows import people_in
from cid_mmpose.scale.run import Table, write_shard

from .conftest import Corners

pytest.importorskip('pyarrow', reason='pyarrow is not installed (make test-scale has it)')
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

MODEL = ('corners', None)


@pytest.fixture
def written(images, tmp_path):
    """The file of twelve images, two of which cannot be read."""
    write_shard(Corners(), images, Table(tmp_path / 'out', Shard(), 'parquet'), MODEL)
    return tmp_path / 'out' / 'people.parquet'


def test_each_image_is_a_row_with_its_people_or_its_error(written, images):
    table = pq.read_table(written)
    assert table.column_names == ['path', 'frame', 'time', 'width', 'height', 'people', 'error']
    assert table['path'].to_pylist() == images
    assert [None if people is None else len(people) for people in table['people'].to_pylist()] == [
        *(0, 1, 2, None, 1, 2, 0, 1, 2, 0, 1, None),
    ]
    assert [number for number, error in enumerate(table['error'].to_pylist()) if error is not None] == [3, 11]
    assert table.slice(2, 1)['people'].to_pylist() == [
        [
            dict(
                score=pytest.approx(0.9),
                center=pytest.approx([2.5, 3.562]),
                box=pytest.approx([0, 0.123, 5, 7]),
                keypoints=[pytest.approx([0, 0.123]), pytest.approx([5, 7])],
                keypoint_scores=pytest.approx([0.9, 0.9]),
            ),
            dict(
                score=pytest.approx(0.8),
                center=pytest.approx([3.5, 4.562]),
                box=pytest.approx([1, 1.123, 6, 8]),
                keypoints=[pytest.approx([1, 1.123]), pytest.approx([6, 8])],
                keypoint_scores=pytest.approx([0.8, 0.8]),
            ),
        ]
    ]
    assert (table['width'][2].as_py(), table['height'][2].as_py(), table['frame'][2].as_py()) == (8, 6, None)


def test_pandas_reads_a_row_an_image_and_makes_a_row_a_person(written, images):
    pandas = pytest.importorskip('pandas')
    frame = pandas.read_parquet(written)
    good = frame[frame.error.isna()]
    assert len(frame) == 12 and len(good) == 10
    people = good[['path', 'people']].explode('people').dropna()
    assert len(people) == good.people.map(len).sum() == 10
    keypoints = np.stack([np.stack(person['keypoints']) for person in people.people])
    assert keypoints.shape == (10, 2, 2)
    np.testing.assert_allclose(keypoints[0], [[0, 0.123], [5, 7]])
    assert people.path.iloc[0] == images[1]


def test_the_files_of_all_shards_are_read_as_one_table(images, tmp_path):
    for number in (1, 2, 3):
        shard = Shard(number, 3)
        names = [name for name in images if shard.holds(name)]
        write_shard(Corners(), names, Table(tmp_path / 'out', shard, 'parquet'), MODEL)
    (tmp_path / 'out' / '.people-00004-of-00004.unfinished').mkdir()
    table = pq.read_table(tmp_path / 'out')  # neither _about.json nor what is unfinished
    assert sorted(table['path'].to_pylist()) == images


def test_the_people_come_back_as_they_were(written, images):
    found = list(people_in(str(written)))
    expected = [people for people in Corners()([name for name in images if name not in (images[3], images[11])])]
    assert len(found) == len(expected) == 10
    for one, other in zip(found, expected):
        assert one.to_dict() == other.to_dict()
        assert one.keypoint_set == other.keypoint_set


def test_a_shard_without_images_has_the_same_columns(written, tmp_path):
    write_shard(Corners(), [], Table(tmp_path / 'empty', Shard(), 'parquet'), MODEL)
    empty = pq.read_table(tmp_path / 'empty' / 'people.parquet')
    assert len(empty) == 0 and empty.schema == pq.read_table(written).schema


def test_a_shard_that_was_stopped_has_the_same_bytes(written, images, tmp_path, monkeypatch):
    monkeypatch.setattr(run, '_finish', lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    target = Table(tmp_path / 'stopped', Shard(), 'parquet')
    with pytest.raises(KeyboardInterrupt):
        write_shard(Corners(), images[:5], target, MODEL)
    monkeypatch.undo()
    write_shard(Corners(), images, target, MODEL)
    assert target.path.read_bytes() == written.read_bytes()


@pytest.mark.parametrize('at_once', [1, 2, 5, 100])
def test_row_groups_do_not_depend_on_how_the_rows_come(tmp_path, monkeypatch, at_once):
    monkeypatch.setattr(module, 'ROWS_OF_GROUP', 5)
    schema = module.schema_of(dict(keypoints={}))
    rows = [dict(path=f'{number}.jpg', error='gone') for number in range(13)]
    tables = [module.table_of(rows[start : start + at_once], schema) for start in range(0, 13, at_once)]
    module.write_parquet(tmp_path / 'a.parquet', tables, schema)
    about = pq.ParquetFile(tmp_path / 'a.parquet').metadata
    assert [about.row_group(group).num_rows for group in range(about.num_row_groups)] == [5, 5, 3]
    assert pq.read_table(tmp_path / 'a.parquet')['path'].to_pylist() == [row['path'] for row in rows]


def test_names_that_are_no_utf8_are_written_with_their_bytes(tmp_path):
    name = b'caf\xe9.jpg'.decode('utf-8', 'surrogateescape')
    write_shard(Corners(), [name], Table(tmp_path, Shard(), 'parquet'), MODEL)
    (row,) = pq.read_table(tmp_path / 'people.parquet').to_pylist()
    assert row['path'] == 'caf\\xe9.jpg' and row['error'] == 'caf\\xe9.jpg: no such file'


def test_a_parquet_file_of_others_is_refused(tmp_path):
    pq.write_table(pa.table(dict(a=[1])), tmp_path / 'a.parquet')
    with pytest.raises(BadInput, match='a.parquet: is no file of cid predict'):
        next(people_in(str(tmp_path / 'a.parquet')))


def test_what_is_no_whole_parquet_file_is_one_line(written, tmp_path):
    (tmp_path / 'cut.parquet').write_bytes(written.read_bytes()[:-100])
    (tmp_path / 'people.jsonl').write_text('{"path": "a.jpg"}\n')
    (tmp_path / 'folder.parquet').mkdir()
    for name in ('cut.parquet', 'people.jsonl', 'gone.parquet', 'folder.parquet'):
        with pytest.raises(BadInput, match=f'{name}: cannot be read as Parquet .*; write it again by cid predict'):
            next(people_in(str(tmp_path / name)))
