"""The command that writes results on bad days: full disks, changed files, inputs among the results, broken names."""

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

import cid_mmpose
from cid_mmpose.errors import BadInput, RunStopped
from cid_mmpose.inference import outputs
from cid_mmpose.inference.journal import Journal
from cid_mmpose.inference.origins import FILE
from cid_mmpose.inference.outputs import Names
from cid_mmpose.inference.predict import Run, Wanted, predict

FILES = Wanted(json=True, images=True, csv=True)


@pytest.fixture(scope='module')
def model(work_folder):
    return cid_mmpose.load(work_folder, min_score=0.05, device='cpu')


def contents(folder: Path) -> dict:
    """Path below a folder -> bytes, of all files."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob('*')) if path.is_file()}


@pytest.mark.parametrize('kind', ['images', 'videos'])
@pytest.mark.parametrize('linked', [False, True])
def test_an_input_where_results_are_written_is_refused_and_stays(model, images, tmp_path, kind, linked):
    data = tmp_path / 'data' / kind
    shutil.copytree(images, data)
    before = contents(data)
    given = data
    if linked:
        given = tmp_path / 'link'
        given.symlink_to(data)
    with pytest.raises(BadInput, match='0.png: lies where results are written, .*; choose another --out'):
        predict(model, [str(given)], str(tmp_path / 'data'), Wanted(json=True, images=True))
    assert contents(tmp_path / 'data') == {f'{kind}/{name}': content for name, content in before.items()}


def test_a_file_that_cannot_be_written_is_one_line_and_the_run_goes_on_when_it_can(model, images, tmp_path):
    whole, out = tmp_path / 'whole', tmp_path / 'out'
    predict(model, [str(images)], str(whole), FILES)
    (out / 'json' / '3.png.json').mkdir(parents=True)
    with pytest.raises(RunStopped, match='json/3.png.json: cannot be written .*; see to that'):
        predict(model, [str(images)], str(out), FILES)
    (out / 'json' / '3.png.json').rmdir()
    assert not list(out.rglob('*.partial'))
    predict(model, [str(images)], str(out), FILES)
    assert contents(out) == contents(whole)


def test_what_the_journal_knows_is_written(model, images, tmp_path, monkeypatch):
    """An older drawing of the same name must not stay where a run is stopped between people and drawing."""
    out, whole = tmp_path / 'out', tmp_path / 'whole'
    predict(model, [str(images)], str(whole), Wanted(images=True))
    (out / 'images').mkdir(parents=True)
    for number in range(5):
        (out / 'images' / f'{number}.png').write_bytes(b'of an older run')

    write = Run._write

    def stops(run, people):
        if people.path.endswith('2.png'):
            raise KeyboardInterrupt
        write(run, people)

    monkeypatch.setattr(Run, '_write', stops)
    with pytest.raises(KeyboardInterrupt):
        predict(model, [str(images)], str(out), Wanted(images=True))
    monkeypatch.setattr(Run, '_write', write)
    predict(model, [str(images)], str(out), Wanted(images=True))
    assert contents(out) == contents(whole)


def test_an_image_that_is_whole_by_the_second_run_is_in_all_files(model, images, tmp_path, monkeypatch):
    whole, out = tmp_path / 'whole', tmp_path / 'out'
    predict(model, [str(images)], str(whole), FILES)
    good = (images / '1.png').read_bytes()
    (images / '1.png').write_bytes(good[:100])
    write = Run._write

    def stops(run, people):
        if people.path.endswith('3.png'):
            raise KeyboardInterrupt
        write(run, people)

    monkeypatch.setattr(Run, '_write', stops)
    with pytest.raises(KeyboardInterrupt):
        predict(model, [str(images)], str(out), FILES)
    monkeypatch.setattr(Run, '_write', write)
    (images / '1.png').write_bytes(good)
    assert predict(model, [str(images)], str(out), FILES) == 0
    for folder in (whole, out):
        (folder / FILE).unlink()  # 1.png is a later file in one of them
    assert contents(out) == contents(whole)


@pytest.mark.parametrize('damage', [b'\0' * 50 + b'\n', b'{"key": 1}\n', b'[]\n'])
def test_a_damaged_line_of_the_journal_and_what_follows_are_dropped(tmp_path, damage):
    journal = Journal(tmp_path, {})
    journal.file.close()
    line = b'{"key": "a.png", "people": null, "error": "wrong"}\n'
    journal.path.write_bytes(line + damage + line)
    again = Journal(tmp_path, {})
    assert [entry.key for entry in again.entries()] == ['a.png']
    again.file.close()


@pytest.mark.parametrize('given', [[np.zeros((8, 8, 3), np.uint8)] * 2, np.zeros((2, 8, 8, 3), np.uint8), [['a.png']]])
def test_arrays_whose_results_would_all_have_one_name_are_refused_before_anything_is_made(model, tmp_path, given):
    names = Names()
    assert [names.name_of(None) for _ in range(2)] == ['image.png', 'image.png']
    with pytest.raises(BadInput, match='results of a (ndarray|list) have no name to be written under; give the path'):
        predict(model, given, str(tmp_path / 'out'), FILES)
    assert not (tmp_path / 'out').exists()


def test_no_two_inputs_are_drawn_into_one_file():
    names = Names()
    given = ['x/a', 'x/a.png', 'x/b.gif', 'x/b.gif.png', 'x/c.avi', 'x/c.avi.mp4']
    assert [names.name_of(path) for path in given] == ['a', 'a_2.png', 'b.gif', 'b.gif_2.png', 'c.avi', 'c.avi_2.mp4']
    made = [outputs.drawn_name(names.name_of(path)) for path in given[:4]]
    assert len(set(made)) == 4
    assert outputs.video_name(names.name_of('x/c.avi')) != outputs.video_name(names.name_of('x/c.avi.mp4'))


@pytest.mark.parametrize('name', ['x' * 245 + '.jpg', 'ü' * 120 + '.jpg', 'x' * 250, '.' + 'x' * 240])
def test_long_names_get_results_of_shorter_names(tmp_path, name):
    names = Names()
    short, other = names.name_of(name), names.name_of(f'y/{name}')
    assert short != other
    for each in (short, other):
        assert len(os.fsencode(each)) <= outputs.LONGEST + 2
        (tmp_path / f'.{each}.json.4194304.partial').write_text('')  # as long as a name becomes
    assert short[:50] == name[:50]


def test_names_that_are_no_text_are_written_as_their_bytes(model, images, tmp_path):
    name = os.fsdecode(b'a\xff.png')
    (images / '0.png').rename(images / name)
    predict(model, [str(images / name)], str(tmp_path / 'out'), Wanted(json=True, csv=True, images=True))
    written = (tmp_path / 'out' / 'people.csv').read_bytes()
    assert b'/a\xff.png,' in written
    (people,) = model(str(images / name))
    people.to_csv(tmp_path / 'one.csv')
    assert (tmp_path / 'one.csv').read_bytes() == written


def test_a_video_that_is_given_twice_is_two_videos(model, tmp_path):
    av = pytest.importorskip('av')
    clips = pytest.importorskip('tests.helpers.clips')
    times = [0.0, 0.1, 0.2]
    video = clips.clip(tmp_path / 'clip.mp4', times)
    out = tmp_path / 'out'
    predict(model, [str(video), str(video)], str(out), Wanted(json=True, video=True, csv=True))
    assert [frame['frame'] for frame in json.loads((out / 'json' / 'clip.mp4.json').read_text())] == [0, 1, 2]
    with av.open(str(out / 'videos' / 'clip.mp4')) as container:
        assert [frame.time for frame in container.decode(video=0)] == pytest.approx(times, abs=1e-3)
    rows = list(csv.DictReader((out / 'people.csv').open()))
    assert len(rows) == 2 * sum(map(len, model(video)))


def test_an_image_that_its_kind_cannot_hold_is_one_line(tmp_path):
    with pytest.raises(
        BadInput, match='a.webp: 16400 x 2 pixels cannot be written as .webp; convert the image to .png'
    ):
        outputs.write_image(tmp_path / 'a.webp', np.zeros((2, 16400, 3), np.uint8))
    assert not list(tmp_path.iterdir())


def test_a_broken_link_in_a_folder_is_told_and_left_out(model, images, tmp_path, capfd):
    (images / 'loop.jpg').symlink_to('loop.jpg')
    (images / 'gone.jpg').symlink_to('nowhere.jpg')
    assert predict(model, [str(images)], str(tmp_path / 'out'), Wanted(json=True)) == 2
    said = capfd.readouterr().err
    assert f'left out: {images}/loop.jpg: no such image' in said
    assert f'left out: {images}/gone.jpg: no such image' in said


def test_a_window_without_a_screen_is_one_line(model, images, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, 'platform', 'linux')
    for name in ('DISPLAY', 'WAYLAND_DISPLAY', 'QT_QPA_PLATFORM'):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(BadInput, match='--show: there is no screen'):
        predict(model, [str(images)], str(tmp_path / 'out'), Wanted(show=True))


@pytest.mark.slow
def test_the_command_takes_a_checkpoint_alone_and_leaves_nothing_behind_a_signal(work_folder, images, tmp_path):
    """In a process of its own, where nothing of the project has been imported before."""
    for number in range(5, 200):
        cv2.imwrite(str(images / f'{number}.png'), cv2.imread(str(images / f'{number % 5}.png')))
    (checkpoint,) = work_folder.glob('*.pth')
    mine = tmp_path / 'mine.pth'
    shutil.copy(checkpoint, mine)
    out = tmp_path / 'out'
    words = [sys.executable, '-m', 'cid_mmpose', 'predict', str(images), '--model', str(mine), '--out', str(out)]
    words += ['--device', 'cpu', '--json', '--images']
    run = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    while run.poll() is None and not list(out.glob('json/*.json')):
        time.sleep(0.01)
    run.terminate()
    _, said = run.communicate(timeout=60)
    assert run.returncode == 143, said
    assert said.strip().splitlines()[-1] == 'stopped by SIGTERM'
    assert list(out.glob('json/*.json')) and not list(out.rglob('*.partial'))

    os.utime(mine, ns=(1, 1))  # another checkpoint of the same name
    again = subprocess.run(words, capture_output=True, text=True, check=True)
    assert 'had other settings or inputs' in again.stderr and 'from the run before' not in again.stderr
