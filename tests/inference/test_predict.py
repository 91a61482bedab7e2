"""The command that writes results: what lands where, and that an interrupted run ends like one that was not."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

import cid_mmpose
from cid_mmpose.errors import BadInput
from cid_mmpose.inference import images as images_of_files
from cid_mmpose.inference import origins, sources
from cid_mmpose.inference import predict as command
from cid_mmpose.inference.journal import FOLDER, Entry, Journal
from cid_mmpose.inference.predict import Wanted, predict
from cid_mmpose.inference.video import read_video

EVERY_FILE = Wanted(json=True, images=True, csv=True, coco=True)


@pytest.fixture(scope='module')
def model(work_folder):
    return cid_mmpose.load(work_folder, min_score=0.05, device='cpu')


def contents(folder: Path) -> dict:
    """Path below a folder -> bytes, of all files."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob('*')) if path.is_file()}


def test_each_image_has_its_files_and_all_have_theirs(model, images, tmp_path, capfd):
    out = tmp_path / 'out'
    assert predict(model, [str(images)], str(out), EVERY_FILE) == 0
    names = [f'{number}.png' for number in range(5)]
    assert sorted(contents(out)) == sorted(
        [
            *(f'images/{name}' for name in names),
            *(f'json/{name}.json' for name in names),
            'people.csv',
            'people_coco.json',
            origins.FILE,
        ]
    )
    expected = model(images)
    for name, people in zip(names, expected):
        assert json.loads((out / 'json' / f'{name}.json').read_text()) == json.loads(people.to_json())
        drawn, given = cv2.imread(str(out / 'images' / name)), cv2.imread(str(images / name))
        assert drawn.shape == given.shape and (drawn != given).any()
        np.testing.assert_array_equal(drawn, people.draw(min_keypoint_score=0.05))  # everyone: the model's min_score

    rows = list(csv.reader((out / 'people.csv').open()))
    assert rows[0] == expected[0].header()
    assert len(rows) == 1 + sum(len(people) for people in expected)

    coco = json.loads((out / 'people_coco.json').read_text())
    assert [image['file_name'] for image in coco['images']] == [people.path for people in expected]
    assert len(coco['annotations']) == len(rows) - 1 and coco['categories'][0]['keypoints'][0] == 'nose'
    last = capfd.readouterr().err.strip().splitlines()[-1]
    assert last.startswith(f'5 images, {len(rows) - 1} people, ') and last.endswith(f'results: {out}')


def test_cocos_tools_read_the_file(model, images, tmp_path):
    tools = pytest.importorskip('pycocotools.coco')
    predict(model, [str(images)], str(tmp_path / 'out'), Wanted(coco=True))
    read = tools.COCO(str(tmp_path / 'out' / 'people_coco.json'))
    assert len(read.getImgIds()) == 5 and len(read.getAnnIds()) == sum(map(len, model(images)))


def test_what_cannot_be_read_is_told_counted_and_left_out(model, images, tmp_path, capfd):
    (images / '1.png').write_bytes((images / '1.png').read_bytes()[:100])
    (images / '5.jpg').write_bytes(b'')
    (images / '6.jpg').write_text('text')
    (images / 'notes.txt').write_text('text')
    assert predict(model, [str(images)], str(tmp_path / 'out'), Wanted(json=True)) == 3
    said = capfd.readouterr().err
    for line in (
        f'passed over: {images}/notes.txt: no image and no video by its ending',
        f'left out: {images}/1.png: not a complete image of a kind OpenCV reads; get it again',
        f'left out: {images}/5.jpg: empty, 0 bytes; get it again',
        f'left out: {images}/6.jpg: not an image of a kind that is read',
    ):
        assert line in said
    assert said.strip().splitlines()[-1].startswith('4 images, ') and '3 left out' in said
    assert sorted(contents(tmp_path / 'out')) == [origins.FILE, *(f'json/{number}.png.json' for number in (0, 2, 3, 4))]


def test_strict_stops_at_the_first_that_cannot_be_read(model, images, tmp_path):
    (images / '1.png').write_bytes(b'')
    with pytest.raises(BadInput, match='1.png: empty, 0 bytes'):
        predict(model, [str(images)], str(tmp_path / 'out'), Wanted(json=True), strict=True)


def test_no_image_at_all_is_an_error(model, tmp_path):
    (tmp_path / 'a.jpg').write_bytes(b'')
    with pytest.raises(BadInput, match='no image could be read, 1 tried'):
        predict(model, [str(tmp_path / 'a.jpg')], str(tmp_path / 'out'), Wanted(json=True))
    assert os.listdir(tmp_path) == ['a.jpg']  # neither results nor a run that could go on


def test_two_images_of_one_name_have_two_results(model, images, tmp_path):
    other = tmp_path / 'other'
    other.mkdir()
    (images / '1.png').rename(other / '0.png')
    predict(model, [str(images / '0.png'), str(other / '0.png')], str(tmp_path / 'out'), Wanted(json=True))
    paths = {
        name: json.loads((tmp_path / 'out' / 'json' / name).read_text())['path']
        for name in ('0.png.json', '0_2.png.json')
    }
    assert paths == {'0.png.json': str(images / '0.png'), '0_2.png.json': str(other / '0.png')}


@pytest.mark.parametrize('stop_after', [1, 2, 3, 5])
def test_a_run_that_was_stopped_goes_on_and_ends_like_one_that_was_not(
    model, images, tmp_path, monkeypatch, stop_after
):
    (images / '1.png').write_bytes(b'')  # what cannot be read is told again
    whole, resumed = tmp_path / 'whole', tmp_path / 'resumed'
    predict(model, [str(images)], str(whole), EVERY_FILE)

    asked = []
    added = Journal.add

    def stops(journal, entry):
        added(journal, entry)
        if len(asked) + stop_after == 5:
            raise KeyboardInterrupt
        asked.append(entry.key)

    monkeypatch.setattr(Journal, 'add', stops)
    with pytest.raises(KeyboardInterrupt):
        predict(model, [str(images)], str(resumed), EVERY_FILE)
    assert (resumed / FOLDER).is_dir()
    monkeypatch.setattr(Journal, 'add', added)
    assert predict(model, [str(images)], str(resumed), EVERY_FILE) == 1
    assert contents(resumed) == contents(whole)


def test_a_run_that_is_stopped_twice_tells_of_each_image_once(model, images, tmp_path, monkeypatch):
    """The last image of the first run could not be read; the second run is stopped one image later."""
    (images / '1.png').write_bytes(b'')
    out = tmp_path / 'out'
    added = Journal.add
    ends = [str(images / '1.png'), str(images / '2.png')]

    def stops(journal, entry):
        added(journal, entry)
        if entry.key == ends[0]:
            del ends[0]
            raise KeyboardInterrupt

    monkeypatch.setattr(Journal, 'add', stops)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            predict(model, [str(images)], str(out), Wanted(json=True))
    entries = [json.loads(line)['key'] for line in (out / FOLDER / 'people.jsonl').read_text().splitlines()]
    assert entries == [str(images / f'{number}.png') for number in range(3)]


def test_only_images_that_are_not_known_go_through_the_network(model, images, tmp_path, monkeypatch):
    out = tmp_path / 'out'
    out.mkdir()
    about = dict(options=command.asdict(model.options), wanted=command.asdict(EVERY_FILE), inputs=[str(images)])
    with_first = Journal(out, about)
    (first,) = model(images / '0.png')
    with_first.add(Entry(str(images / '0.png'), first.to_dict(exact=True)))
    with_first.file.write('{"key": "broken off in the mid')
    with_first.file.close()
    asked = []
    run = model._run
    monkeypatch.setattr(model, '_run', lambda batch: asked.extend(e.item.path for e in batch if e.packed) or run(batch))
    predict(model, [str(images)], str(out), EVERY_FILE)
    assert asked == [str(images / f'{number}.png') for number in range(1, 5)]
    assert sorted(os.listdir(out / 'images')) == [f'{number}.png' for number in range(5)]


@pytest.mark.parametrize('wanted', [Wanted(video=True), Wanted(csv=True), Wanted(json=True)])
def test_images_that_are_known_and_not_drawn_are_not_read_again(model, images, tmp_path, monkeypatch, wanted):
    out = tmp_path / 'out'
    out.mkdir()
    about = dict(options=command.asdict(model.options), wanted=command.asdict(wanted), inputs=[str(images)])
    journal = Journal(out, about)
    for number, people in enumerate(model(images)[:3]):
        journal.add(Entry(str(images / f'{number}.png'), people.to_dict(exact=True)))
    read = []

    def read_image(path):
        read.append(path)
        return images_of_files.read_image(path)

    monkeypatch.setattr(sources, 'read_image', read_image)
    predict(model, [str(images)], str(out), wanted)
    assert sorted(read) == [str(images / '3.png'), str(images / '4.png')]  # two threads read ahead


def test_an_unfinished_run_with_other_settings_is_not_taken_up(model, images, tmp_path, capfd):
    out = tmp_path / 'out'
    out.mkdir()
    journal = Journal(out, dict(options='others'))
    journal.add(Entry(str(images / '0.png'), None, 'wrong'))
    predict(model, [str(images)], str(out), Wanted(json=True))
    assert 'had other settings or inputs; this one starts anew' in capfd.readouterr().err
    assert len(contents(out / 'json')) == 5


def test_inputs_that_changed_since_are_looked_at_anew_from_there_on(model, images, tmp_path):
    out = tmp_path / 'out'
    out.mkdir()
    about = dict(options=command.asdict(model.options), wanted=command.asdict(Wanted(csv=True)), inputs=[str(images)])
    journal = Journal(out, about)
    for number, people in enumerate(model(images)):
        journal.add(Entry(str(images / f'{number}.png'), people.to_dict(exact=True)))
    (images / '2.png').unlink()
    predict(model, [str(images)], str(out), Wanted(csv=True))
    paths = [row['path'] for row in csv.DictReader((out / 'people.csv').open())]
    assert sorted(set(paths)) == [str(images / f'{number}.png') for number in (0, 1, 3, 4)]
    assert len(paths) == sum(map(len, model(images)))


def test_images_whose_results_are_there_are_skipped_if_asked(model, images, tmp_path, capfd):
    out = str(tmp_path / 'out')
    wanted = Wanted(json=True, images=True)
    predict(model, [str(images)], out, wanted)
    before = contents(tmp_path / 'out')
    (tmp_path / 'out' / 'images' / '3.png').unlink()
    capfd.readouterr()
    predict(model, [str(images)], out, wanted, skip_existing=True)
    assert capfd.readouterr().err.strip().splitlines()[-1].startswith('1 image, ')
    assert contents(tmp_path / 'out') == before
    with pytest.raises(BadInput, match='would be missing in --csv and --coco'):
        predict(model, [str(images)], out, EVERY_FILE, skip_existing=True)


def test_a_folder_that_cannot_be_written_to_is_said_before_the_work(model, images, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(BadInput, match='folder of results .*file/out'):
        predict(model, [str(images)], str(tmp_path / 'file' / 'out'), EVERY_FILE)


@pytest.mark.slow
def test_a_killed_run_and_a_second_one_beside_it(work_folder, images, tmp_path):
    """The command itself: SIGKILL in the middle, two at once, and the files of a run that was never stopped."""
    words = [sys.executable, '-m', 'cid_mmpose', 'predict', *[str(images)] * 1, '--model', str(work_folder)]
    words += ['--min-score', '0.05', '--device', 'cpu', '--json', '--csv', '--images', '--out']
    for number in range(5, 300):
        (images / f'{number}.png').write_bytes((images / f'{number % 5}.png').read_bytes())
    subprocess.run([*words, str(tmp_path / 'whole')], check=True, capture_output=True)

    first = subprocess.Popen([*words, str(tmp_path / 'killed')], stderr=subprocess.PIPE, text=True)
    entries = tmp_path / 'killed' / FOLDER / 'people.jsonl'
    deadline = time.monotonic() + 120
    while not (entries.exists() and entries.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.01)
    second = subprocess.run([*words, str(tmp_path / 'killed')], capture_output=True, text=True)
    assert second.returncode == 2 and 'is writing results into it; wait for its end' in second.stderr
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not (tmp_path / 'killed' / 'people.csv').exists()
    again = subprocess.run([*words, str(tmp_path / 'killed')], capture_output=True, text=True, check=True)
    assert 'from the run before' in again.stderr
    assert contents(tmp_path / 'killed') == contents(tmp_path / 'whole')


def test_drawn_images_of_kinds_that_are_not_written_become_png(model, images, tmp_path):
    image = cv2.imread(str(images / '0.png'))
    cv2.imwrite(str(tmp_path / 'a.ppm'), image)
    predict(model, [str(tmp_path / 'a.ppm')], str(tmp_path / 'out'), Wanted(images=True))
    assert cv2.imread(str(tmp_path / 'out' / 'images' / 'a.ppm.png')).shape == image.shape
    assert np.array_equal(image, cv2.imread(str(tmp_path / 'a.ppm')))


@pytest.fixture
def clip(tmp_path) -> Path:
    """Six frames at uneven times, with sound."""
    clips = pytest.importorskip('tests.helpers.clips')
    return clips.clip(tmp_path / 'clip.mp4', TIMES, sound='aac')


TIMES = [0.0, 0.1, 0.2, 0.5, 0.6, 0.7]  # seconds


def test_a_video_gives_a_list_of_frames_and_a_drawn_video(model, clip, tmp_path):
    out = tmp_path / 'out'
    assert predict(model, [str(clip)], str(out), Wanted(json=True, video=True, csv=True)) == 0
    assert sorted(contents(out)) == [origins.FILE, 'json/clip.mp4.json', 'people.csv', 'videos/clip.mp4']
    frames = json.loads((out / 'json' / 'clip.mp4.json').read_text())
    expected = model(clip)
    assert [frame['frame'] for frame in frames] == list(range(6))
    assert [frame['time'] for frame in frames] == pytest.approx(TIMES, abs=1e-3)
    assert [frame['people'] for frame in frames] == [people.to_dict()['people'] for people in expected]
    drawn = list(read_video(out / 'videos' / 'clip.mp4'))
    assert [frame.time for frame in drawn] == pytest.approx(TIMES, abs=1e-3)
    assert all(people.image is None for people in expected)


def test_a_video_that_was_stopped_in_its_middle_ends_like_one_that_was_not(model, clip, tmp_path, monkeypatch):
    wanted = Wanted(json=True, video=True)
    predict(model, [str(clip)], str(tmp_path / 'whole'), wanted)
    added = Journal.add

    def stops(journal, entry):
        added(journal, entry)
        if entry.key == f'{clip} 3':
            raise KeyboardInterrupt

    monkeypatch.setattr(Journal, 'add', stops)
    with pytest.raises(KeyboardInterrupt):
        predict(model, [str(clip)], str(tmp_path / 'stopped'), wanted)
    assert not (tmp_path / 'stopped' / 'videos' / 'clip.mp4').exists()
    monkeypatch.setattr(Journal, 'add', added)
    predict(model, [str(clip)], str(tmp_path / 'stopped'), wanted)
    assert contents(tmp_path / 'stopped') == contents(tmp_path / 'whole')


def test_what_is_wrong_with_a_video_is_told_after_its_frames(model, clip, images, tmp_path, capfd):
    data = clip.read_bytes()
    (images / 'a.mkv').write_bytes(data)  # its kind is told by its content
    (images / 'b.mp4').write_text('text')
    assert predict(model, [str(images)], str(tmp_path / 'out'), Wanted(csv=True)) == 1
    said = capfd.readouterr().err
    assert f'left out: {images}/b.mp4: ' in said and '11 images, ' in said.strip().splitlines()[-1]
