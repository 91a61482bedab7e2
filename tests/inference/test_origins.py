"""Which image each result is from: images of one name are told apart, and results are not taken for images."""

import json
import os
import shutil
from pathlib import Path

import cv2
import pytest

import cid_mmpose
from cid_mmpose.errors import BadInput
from cid_mmpose.inference.origins import FILE, Origins
from cid_mmpose.inference.predict import Run, Wanted, predict

FILES = Wanted(json=True, images=True)


@pytest.fixture(scope='module')
def model(work_folder):
    return cid_mmpose.load(work_folder, min_score=0.05, device='cpu')


@pytest.fixture
def two_folders(images, tmp_path) -> tuple[Path, Path]:
    """Each with another a.png."""
    first, second = tmp_path / 'first', tmp_path / 'second'
    for folder, name in ((first, '0.png'), (second, '1.png')):
        folder.mkdir()
        shutil.copy(images / name, folder / 'a.png')
    return first, second


def paths_of(out: Path) -> dict[str, str]:
    """Name of each JSON -> path of the image that it is of."""
    return {path.name: json.loads(path.read_text())['path'] for path in out.glob('json/*.json')}


@pytest.mark.parametrize('wanted', [FILES, Wanted(json=True), Wanted(images=True)])
def test_an_image_of_another_folder_is_not_done_because_its_name_is(model, two_folders, tmp_path, capfd, wanted):
    out = tmp_path / 'out'
    for folder in two_folders:
        predict(model, [str(folder)], str(out), wanted, skip_existing=True)
        said = capfd.readouterr().err.strip().splitlines()[-1]
        assert said.startswith('1 image, ') and 'skipped' not in said
    if wanted.json:
        first, second = (str(folder / 'a.png') for folder in two_folders)
        assert paths_of(out) == {'a.png.json': first, 'a_2.png.json': second}
    if wanted.images:
        for name, folder in (('a.png', two_folders[0]), ('a_2.png', two_folders[1])):
            assert cv2.imread(str(out / 'images' / name)).shape == cv2.imread(str(folder / 'a.png')).shape

    for folder in reversed(two_folders):  # in whatever order
        predict(model, [str(folder)], str(out), wanted, skip_existing=True)
        assert capfd.readouterr().err.strip().splitlines()[-1].startswith('0 images, 0 people, 1 skipped')


def test_the_way_to_an_image_does_not_count(model, two_folders, tmp_path, monkeypatch, capfd):
    out = str(tmp_path / 'out')
    predict(model, [str(two_folders[0] / 'a.png')], out, FILES)
    monkeypatch.chdir(two_folders[0])
    for name in ('a.png', '../first/a.png'):
        predict(model, [name], out, FILES, skip_existing=True)
        assert '0 images, 0 people, 1 skipped' in capfd.readouterr().err
    monkeypatch.chdir(two_folders[1])
    predict(model, ['a.png'], out, FILES, skip_existing=True)
    assert sorted(paths_of(tmp_path / 'out')) == ['a.png.json', 'a_2.png.json']


def test_an_image_that_changed_since_is_looked_at_again(model, images, tmp_path, capfd):
    out = tmp_path / 'out'
    path = images / '0.png'
    predict(model, [str(path)], str(out), FILES)
    shutil.copy(images / '1.png', path)
    predict(model, [str(path)], str(out), FILES, skip_existing=True)
    assert os.listdir(out / 'json') == ['0.png.json']
    assert json.loads((out / 'json' / '0.png.json').read_text())['width'] == 120


def test_a_run_without_the_word_writes_over_and_the_record_follows(model, two_folders, tmp_path):
    out = tmp_path / 'out'
    first, second = two_folders
    predict(model, [str(first)], str(out), FILES)
    predict(model, [str(second)], str(out), Wanted(json=True))  # whose images/a.png is the first one's
    predict(model, [str(second)], str(out), FILES, skip_existing=True)
    assert cv2.imread(str(out / 'images' / 'a_2.png')).shape == cv2.imread(str(second / 'a.png')).shape


def test_a_result_that_was_not_written_is_nobodys(model, two_folders, tmp_path, monkeypatch):
    """Stopped between the record and the file: what was there is another image's and must not count."""
    out = tmp_path / 'out'
    first, second = two_folders
    predict(model, [str(first)], str(out), Wanted(images=True))

    def stops(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr('cid_mmpose.inference.predict.write_image', stops)
        with pytest.raises(KeyboardInterrupt):
            predict(model, [str(second)], str(out), Wanted(images=True))
    predict(model, [str(second)], str(out), Wanted(images=True), skip_existing=True)
    assert cv2.imread(str(out / 'images' / 'a.png')).shape == cv2.imread(str(second / 'a.png')).shape


def test_what_was_not_written_to_its_end_is_passed_over(tmp_path):
    (tmp_path / 'a.png').write_text('')
    for name in ('json/a.png.json', 'json/b.png.json'):
        Origins(tmp_path).claim(name, str(tmp_path / 'a.png'))
        record = tmp_path / FILE
        record.write_bytes(record.read_bytes() + b'\n["json/c.png.js')
    for damage in (b'\n[]', b'\n7', b'\n["x", 1, 2]', b'\n\xff\xfe'):
        record.write_bytes(record.read_bytes() + damage)
    assert sorted(Origins(tmp_path).known) == ['json/a.png.json', 'json/b.png.json']


def test_a_pattern_above_the_results_does_not_take_them_for_images(model, images, tmp_path, capfd):
    data = tmp_path / 'data'
    images.rename(data)
    out = data / 'found'
    everything = [str(data / '**' / '*')]
    predict(model, everything, str(out), Wanted(json=True, images=True, csv=True, coco=True))
    before = {path: path.read_bytes() for path in out.rglob('*') if path.is_file()}
    capfd.readouterr()
    predict(model, everything, str(out), Wanted(json=True, images=True, csv=True, coco=True))
    said = capfd.readouterr().err
    assert f'passed over: 12 files of results in {out}' in said  # 5 of each kind, and 2 of all
    assert said.strip().splitlines()[-1].startswith('5 images, ')
    assert {path: path.read_bytes() for path in out.rglob('*') if path.is_file()} == before
    with pytest.raises(BadInput, match='only results of an earlier run have such a name; name the images'):
        predict(model, [str(out / 'images' / '*')], str(out), FILES)


def test_a_stopped_run_of_a_pattern_above_its_results_goes_on(model, images, tmp_path, monkeypatch, capfd):
    everything = [str(images / '**' / '*.png')]
    write = Run._write

    def stops(run, people):
        if people.path.endswith('3.png'):
            raise KeyboardInterrupt
        write(run, people)

    with monkeypatch.context() as patch:
        patch.setattr(Run, '_write', stops)
        with pytest.raises(KeyboardInterrupt):
            predict(model, everything, str(images), FILES)
    predict(model, everything, str(images), FILES)
    assert ' 3 from the run before' in capfd.readouterr().err
    assert sorted(os.listdir(images / 'images')) == [f'{number}.png' for number in range(5)]


def test_images_of_the_users_own_where_results_go_are_still_refused(model, images, tmp_path):
    data = tmp_path / 'data'
    data.mkdir()
    images.rename(data / 'images')
    with pytest.raises(BadInput, match='0.png: lies where results are written'):
        predict(model, [str(data / '**' / '*.png')], str(data), FILES)


def test_a_folder_of_results_without_a_name_is_one_clear_error(model, images, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = os.listdir(tmp_path)
    with pytest.raises(BadInput, match="folder of results: its name is empty; name a folder, '.' is the one"):
        predict(model, [str(images)], '', FILES)
    assert os.listdir(tmp_path) == before
