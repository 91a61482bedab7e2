"""A shard in one file: what is in it, and that one that was stopped ends like one that was not."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from cid_mmpose.errors import BadInput, RunStopped
from cid_mmpose.inference.people import People
from cid_mmpose.scale import lines, run
from cid_mmpose.scale.names import Shard, names_of_shard
from cid_mmpose.scale.run import Table, check_table, write_shard
from tests.helpers.images import ROOT

from .conftest import SET, Corners

MODEL = ('corners', None)
WHOLE = Shard()


def table(folder, shard=WHOLE, format='jsonl') -> Table:
    return Table(folder, shard, format)


def rows_of(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_is_what_the_json_of_an_image_is_or_its_error(finder, images, tmp_path, capfd):
    counts = write_shard(finder, images, table(tmp_path / 'out'), MODEL)
    rows = rows_of(tmp_path / 'out' / 'people.jsonl')
    assert [row['path'] for row in rows] == images
    assert [len(row['people']) if 'people' in row else row['error'] for row in rows] == [
        *(0, 1, 2, f'{images[3]}: not a complete image of a kind OpenCV reads; get it again'),
        *(1, 2, 0, 1, 2, 0, 1, f'{images[11]}: not a complete image of a kind OpenCV reads; get it again'),
    ]
    for row, people in zip(rows[:3], Corners()(images[:3])):
        assert row == json.loads(people.to_json())
    second = People.from_dict(rows[2], SET)
    np.testing.assert_allclose(second.keypoints, [[[0, 0.123], [5, 7]], [[1, 1.123], [6, 8]]])
    assert counts == (10, 10, 2)
    assert sorted(os.listdir(tmp_path / 'out')) == ['_about.json', 'people.jsonl']
    said = capfd.readouterr().err.splitlines()
    assert said[-2].startswith('10 images, 10 people, ') and said[-2].endswith(', 2 rows with an error')
    assert said[-1] == f'results: {tmp_path / "out" / "people.jsonl"}'


def test_three_shards_have_every_image_once(images, tmp_path):
    folder = str(tmp_path / 'images')
    for number in (1, 2, 3):
        shard = Shard(number, 3)
        write_shard(Corners(), names_of_shard([folder], [], shard), table(tmp_path / 'out', shard), MODEL)
    rows = [row for path in sorted((tmp_path / 'out').glob('*.jsonl')) for row in rows_of(path)]
    assert len(list((tmp_path / 'out').glob('*.jsonl'))) == 3
    assert sorted(row['path'] for row in rows) == images


def test_a_shard_without_images_is_an_empty_file(finder, tmp_path):
    assert write_shard(finder, [], table(tmp_path), MODEL) == (0, 0, 0)
    assert (tmp_path / 'people.jsonl').read_bytes() == b''


@pytest.mark.parametrize('stop_after', range(1, 13))
def test_a_shard_that_was_stopped_goes_on_and_ends_like_one_that_was_not(images, tmp_path, monkeypatch, stop_after):
    write_shard(Corners(), images, table(tmp_path / 'whole'), MODEL)
    added = lines.Lines.add
    left = [stop_after]

    def stops(self, row):
        added(self, row)
        left[0] -= 1
        if not left[0]:
            self.file.write('{"path": "broken off in the mid')
            self.file.flush()
            raise KeyboardInterrupt

    monkeypatch.setattr(lines.Lines, 'add', stops)
    with pytest.raises(KeyboardInterrupt):
        write_shard(Corners(), images, table(tmp_path / 'out'), MODEL)
    assert not (tmp_path / 'out' / 'people.jsonl').exists()
    monkeypatch.setattr(lines.Lines, 'add', added)
    again = Corners()
    write_shard(again, images, table(tmp_path / 'out'), MODEL)
    whole = (tmp_path / 'whole' / 'people.jsonl').read_bytes()
    assert (tmp_path / 'out' / 'people.jsonl').read_bytes() == whole
    assert sorted(again.asked) == [name for name in images[stop_after:] if name not in (images[3], images[11])]


def test_images_that_came_while_a_shard_was_stopped_get_a_row_and_none_gets_two(images, tmp_path, monkeypatch):
    monkeypatch.setattr(run, '_finish', lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_shard(Corners(), images[4:8], table(tmp_path / 'out'), MODEL)
    monkeypatch.undo()
    write_shard(Corners(), images, table(tmp_path / 'out'), MODEL)
    paths = [row['path'] for row in rows_of(tmp_path / 'out' / 'people.jsonl')]
    assert sorted(paths) == images and len(paths) == len(set(paths))


def test_a_shard_that_is_there_is_left_as_it_is(images, tmp_path, capfd):
    write_shard(Corners(), images, table(tmp_path / 'out'), MODEL)
    before = (tmp_path / 'out' / 'people.jsonl').stat().st_mtime_ns
    leftover = tmp_path / 'out' / '.people.unfinished'
    leftover.mkdir()
    (leftover / 'people.jsonl').write_text('{}')  # of one killed between the last two steps
    again = Corners()
    assert write_shard(again, images, table(tmp_path / 'out'), MODEL) == (0, 0, 0)
    assert again.asked == [] and not leftover.exists()
    assert (tmp_path / 'out' / 'people.jsonl').stat().st_mtime_ns == before
    assert 'people.jsonl is there already; nothing to do' in capfd.readouterr().err


@pytest.mark.parametrize(
    'other, says',
    [
        (lambda out, names: write_shard(Corners(min_score=0.5), names, table(out), MODEL), 'min_score=0.3, not 0.5'),
        (lambda out, names: write_shard(Corners(), names, table(out, Shard(1, 2)), MODEL), 'shards=1, not 2'),
        (lambda out, names: write_shard(Corners(), names, table(out), (names[0], None)), 'weights=.*, not '),
    ],
)
def test_one_folder_takes_no_rows_of_other_settings(images, tmp_path, other, says):
    out = tmp_path / 'out'
    write_shard(Corners(), images, table(out), MODEL)
    with pytest.raises(BadInput, match=f'_about.json: this folder was begun with {says}'):
        other(out, images)


def test_a_spoilt_file_about_the_folder_is_one_line(finder, images, tmp_path):
    (tmp_path / '_about.json').write_text('[]')
    with pytest.raises(BadInput, match='_about.json: is not what cid predict writes'):
        write_shard(finder, images, table(tmp_path), MODEL)


def test_strict_stops_at_a_bad_image_and_what_is_known_stays(images, tmp_path):
    with pytest.raises(BadInput, match='0003.png: not a complete image'):
        write_shard(Corners(), images, table(tmp_path / 'out'), MODEL, strict=True)
    unfinished = rows_of(tmp_path / 'out' / '.people.unfinished' / 'people.jsonl')
    assert [row['path'] for row in unfinished] == images[:3]


def test_a_full_disk_is_one_line_and_the_shard_goes_on_later(images, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, 'No space left on device', 'people.jsonl')

    monkeypatch.setattr(run, 'put_in_place', full)
    with pytest.raises(RunStopped, match='people.jsonl: cannot be written .No space left on device.; see to that'):
        write_shard(Corners(), images, table(tmp_path / 'out'), MODEL)
    monkeypatch.undo()
    again = Corners()
    write_shard(again, images, table(tmp_path / 'out'), MODEL)
    assert again.asked == [] and len(rows_of(tmp_path / 'out' / 'people.jsonl')) == 12


def test_where_rows_cannot_go_is_said_before_the_work(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(BadInput, match='folder of results .*file/out: cannot be written to'):
        check_table(str(tmp_path / 'file' / 'out'), 'jsonl')


def test_a_video_that_was_stopped_in_its_middle_ends_like_one_that_was_not(images, tmp_path, monkeypatch):
    clips = pytest.importorskip('tests.helpers.clips')
    clip = str(clips.clip(tmp_path / 'clip.mp4', [0.0, 0.1, 0.2, 0.5, 0.6, 0.7]))
    names = [images[0], clip, images[1]]
    finder = Corners()
    finder.best_of = lambda count: Corners().best_of(1)
    write_shard(finder, names, table(tmp_path / 'whole'), MODEL)
    whole = rows_of(tmp_path / 'whole' / 'people.jsonl')
    assert [row.get('frame') for row in whole] == [None, 0, 1, 2, 3, 4, 5, None]

    folder = tmp_path / 'out' / '.people.unfinished'
    folder.mkdir(parents=True)
    kept = (tmp_path / 'whole' / 'people.jsonl').read_text().splitlines(True)[:4]
    (folder / 'people.jsonl').write_text(''.join(kept))
    added = []
    add = lines.Lines.add
    monkeypatch.setattr(lines.Lines, 'add', lambda self, row: (added.append(row.get('frame')), add(self, row)))
    write_shard(finder, names, table(tmp_path / 'out'), MODEL)
    assert added == [3, 4, 5, None]
    assert rows_of(tmp_path / 'out' / 'people.jsonl') == whole


def test_of_two_videos_the_first_is_done_when_the_second_has_a_row(tmp_path):
    path = tmp_path / 'people.jsonl'
    rows = [dict(path='a.mp4', frame=0, people=[]), dict(path='b.mp4', frame=0, people=[])]
    path.write_text(''.join(json.dumps(row) + '\n' for row in rows))
    taken = lines.Lines(path)
    assert (taken.done, taken.begun, taken.counts) == ({'a.mp4'}, ('b.mp4', 0), (2, 0, 0))
    taken.close()


@pytest.mark.parametrize('tail', [b'{"path": "a"', b'\0\0\0\0\n', b'[]\n{"path": "b", "error": ""}\n', b'\xff\n'])
def test_what_was_not_written_to_its_end_is_dropped_with_what_comes_after(tmp_path, tail):
    path = tmp_path / 'people.jsonl'
    whole = b'{"path": "a.jpg", "error": "gone"}\n'
    path.write_bytes(whole + tail)
    taken = lines.Lines(path)
    taken.close()
    assert path.read_bytes() == whole and taken.done == {'a.jpg'} and taken.counts == (0, 0, 1)


HOLDS = """
import sys, time
from cid_mmpose.files import only_run_in
with only_run_in(sys.argv[1], doing='writing this shard'):
    print('held', flush=True)
    time.sleep(600)
"""


def test_a_second_process_that_takes_the_same_shard_is_refused(images, tmp_path):
    out = table(tmp_path / 'out')
    path = os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')])
    holder = subprocess.Popen(
        [sys.executable, '-c', HOLDS, str(out.unfinished)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, 'PYTHONPATH': path},
    )
    assert holder.stdout.readline() == 'held\n'
    second = Corners()
    with pytest.raises(BadInput, match=f'process {holder.pid} on .* is writing this shard into it; wait for its end'):
        write_shard(second, images, out, MODEL)
    assert second.asked == []
    holder.kill()
    holder.wait()
    write_shard(second, images, out, MODEL)  # the lock went with the process
    assert len(rows_of(out.path)) == 12
