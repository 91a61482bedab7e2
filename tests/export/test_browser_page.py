"""The folder of a page: what is in it, and what is refused before anything is computed."""

import json
from pathlib import Path

import pytest

from cid_mmpose.errors import BadInput
from cid_mmpose.export import browser_page as module
from cid_mmpose.export.browser_page import RUNTIME, SOURCES, export_page
from cid_mmpose.export.options import ExportOptions
from cid_mmpose.export.run import Exported
from cid_mmpose.export.verify import Difference
from tests.helpers.about import ABOUT

SAME = Difference(images=1, people=1, missing=0, keypoints=17, moved=0, pixels=0.0, score=0.0)
FILES = {'index.html', 'page.css', 'page.js', 'worker.js', 'people.js', 'page.json', 'model.onnx', *RUNTIME}


@pytest.fixture
def package(tmp_path) -> Path:
    """An npm package with files of the names that the page needs."""
    folder = tmp_path / 'package'
    (folder / 'dist').mkdir(parents=True)
    for name in RUNTIME:
        (folder / 'dist' / name).write_text(name)
    return folder


@pytest.fixture
def asked(monkeypatch) -> list[ExportOptions]:
    """The options with which a model was exported; each is a file of five bytes."""
    given = []

    def export(model, out, *, options, **_):
        given.append(options)
        Path(out).write_bytes(b'model')
        return Exported(Path(out), ABOUT, SAME, [])

    monkeypatch.setattr(module, 'export', export)
    return given


def files_of(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file()}


def test_the_folder_has_the_page_the_model_and_the_runtime(tmp_path, package, asked):
    written = export_page('demo', tmp_path / 'new' / 'site', package=package)
    site = tmp_path / 'new' / 'site'
    assert files_of(site) == FILES and len(list((site / 'samples').glob('*.png'))) == 4
    assert [path.name for path in site.parent.iterdir()] == ['site']
    assert (site / RUNTIME[0]).read_text() == RUNTIME[0]
    assert (site / 'page.js').read_bytes() == (SOURCES / 'page.js').read_bytes()
    assert [options.batch for options in asked] == [1]
    assert f'python -m http.server -d {site}' in written.text()


def test_the_page_is_told_what_it_needs_and_no_path_of_this_machine(tmp_path, package, asked):
    export_page('demo', tmp_path / 'site', package=package)
    settings = json.loads((tmp_path / 'site' / 'page.json').read_text())
    assert settings['sha256'] == '9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4'  # of b'model'
    assert settings['samples'] == [f'samples/{number}.png' for number in range(1, 5)]
    assert settings['min_score'] == settings['min_keypoint_score'] == 0.3 and settings['palette'][0] == 'rgb(0 150 255)'
    assert set(settings['about']) == {'keypoint_set', 'resizing', 'max_people', 'min_score', 'nms'}
    assert settings['about']['keypoint_set']['names'] == ['nose', 'left_eye', 'right_eye']
    assert ABOUT.model not in json.dumps(settings)


def test_a_folder_that_is_there_is_kept_unless_its_files_may_be_replaced(tmp_path, package, asked):
    site = tmp_path / 'site'
    site.mkdir()
    (site / 'index.html').write_text('mine')
    (site / 'other.txt').write_text('mine')
    with pytest.raises(BadInput, match='site: is already there; choose another name, or --force'):
        export_page('demo', site, package=package)
    assert not asked and (site / 'index.html').read_text() == 'mine'
    export_page('demo', site, package=package, force=True)
    assert files_of(site) == {*FILES, 'other.txt'} and (site / 'index.html').read_text() != 'mine'
    assert (site / 'other.txt').read_text() == 'mine'


def test_a_page_that_another_export_wrote_meanwhile_stays(tmp_path, package, asked, monkeypatch):
    drawn = module._draw_samples

    def another_is_first(site):
        (tmp_path / 'site').mkdir()
        (tmp_path / 'site' / 'index.html').write_text('of another')
        return drawn(site)

    monkeypatch.setattr(module, '_draw_samples', another_is_first)
    with pytest.raises(BadInput, match='site: is already there; choose another name, or --force'):
        export_page('demo', tmp_path / 'site', package=package)
    assert (tmp_path / 'site' / 'index.html').read_text() == 'of another'
    assert files_of(tmp_path / 'site') == {'index.html'}


def test_of_two_pages_that_get_their_name_at_once_none_ends_in_a_traceback(tmp_path, package, asked, monkeypatch):
    checked = module._check_folder

    def another_is_faster(folder, force):
        checked(folder, force)
        if asked:  # the second look, just before the page gets its name
            monkeypatch.setattr(Path, 'exists', lambda path: False)
            folder.mkdir()
            (folder / 'index.html').write_text('of another')

    monkeypatch.setattr(module, '_check_folder', another_is_faster)
    export_page('demo', tmp_path / 'site', package=package)
    assert files_of(tmp_path / 'site') == FILES
    assert (tmp_path / 'site' / 'index.html').read_bytes() == (SOURCES / 'index.html').read_bytes()


def test_of_a_model_that_cannot_be_exported_nothing_is_left(tmp_path, package, monkeypatch):
    def fail(*_, **__):
        raise BadInput('model.onnx: says something else than torch')

    monkeypatch.setattr(module, 'export', fail)
    with pytest.raises(BadInput, match='says something else'):
        export_page('demo', tmp_path / 'site', package=package)
    assert [path.name for path in tmp_path.iterdir()] == ['package']


def test_without_the_npm_package_a_line_says_how_to_get_it(tmp_path):
    with pytest.raises(BadInput, match=r'dist/ort.*mjs: is not there; .*: npm install onnxruntime-web, or .*') as error:
        export_page('demo', tmp_path / 'site', package=tmp_path / 'package')
    assert '\n' not in str(error.value)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(batch=4), 'batch=4: the page gives its model one image at a time'),
        (dict(precision='float16'), 'precision float16: the page computes in float32'),
    ],
)
def test_options_that_the_page_cannot_take_are_refused(tmp_path, package, options, message):
    with pytest.raises(BadInput, match=message):
        export_page('demo', tmp_path / 'site', package=package, options=ExportOptions(**options))


def test_the_page_is_small_and_names_no_other_host():
    for path in SOURCES.iterdir():
        text = path.read_text(encoding='utf-8')
        assert len(text) < 10_000 and '://' not in text
