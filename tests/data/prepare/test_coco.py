"""COCO's downloads into the layout of the configs; and what all three preparations share: nothing is overwritten,
nothing half-made is left, and every wrong input is one line."""

import errno
import json
import os
import shutil
import zipfile

import pytest

from cid_mmpose.data.prepare import coco, downloads, placing, prepare_coco, prepare_crowdpose, prepare_ochuman
from cid_mmpose.errors import BadInput
from tests.helpers.images import shared
from tests.helpers.official import coco_archives, coco_downloads, files_of, items_of, write_json
from tests.helpers.tools import tool

TRAIN, VAL = 'annotations/person_keypoints_train2017.json', 'annotations/person_keypoints_val2017.json'
LAYOUT = [
    'annotations',
    TRAIN,
    VAL,
    'train2017',
    *(f'train2017/{i:012d}.jpg' for i in (1, 2, 3)),
    'val2017',
    *(f'val2017/{i:012d}.jpg' for i in (11, 12)),
]
MAKERS = dict(archives=coco_archives, folders=coco_downloads)
CONFIG = 'cid_hrnet-w32_coco.py'


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    """Kind -> downloads of that kind, which no test changes."""
    folder = tmp_path_factory.mktemp('downloads')
    return {kind: make(folder / kind) for kind, make in MAKERS.items()}


@pytest.fixture
def archives(made, tmp_path):
    """A copy of the archives that a test may spoil."""
    return shutil.copytree(made['archives'], tmp_path / 'downloads')


def prepare(source, out, **options) -> None:
    prepare_coco(source, out, **{'allow_partial': True, **options})


def refused(source, out, **options) -> str:
    """The one line of a preparation that stops; it must leave nothing new behind."""
    before = files_of(out)
    with pytest.raises(BadInput) as error:
        prepare(source, out, **options)
    assert files_of(out) == before
    assert '\n' not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize('kind, images', [('archives', 'link'), ('folders', 'link'), ('folders', 'copy')])
def test_the_layout_is_what_the_config_reads(made, tmp_path, kind, images, capsys):
    prepare(made[kind], tmp_path / 'coco', images=images)
    linked = kind == 'folders' and images == 'link'
    assert files_of(tmp_path / 'coco') == [name for name in LAYOUT if not (linked and name.endswith('.jpg'))]
    training = items_of(CONFIG, tmp_path / 'coco', 'train_dataloader')
    testing = items_of(CONFIG, tmp_path / 'coco', 'test_dataloader')
    assert [item['data_samples'].img_id for item in training] == [1, 2]  # the third shows nobody labelled
    assert [item['data_samples'].img_id for item in testing] == [11, 12]
    assert training[0]['inputs'].float().std() > 10  # images, not blanks
    assert (tmp_path / 'coco/train2017').is_symlink() == linked
    how = {'archives': 'extracted from', 'folders': {'link': 'linked to', 'copy': 'copied from'}[images]}[kind]
    assert f'train2017: 3 images, {how} ' in capsys.readouterr().out


def test_each_line_tells_counts_and_origin(made, tmp_path, capsys):
    prepare(made['archives'], tmp_path, parts=['val', 'test'])
    source = made['archives']
    assert capsys.readouterr().out.splitlines() == [
        f'{tmp_path}/val2017: 2 images, extracted from {source}/val2017.zip',
        f'{tmp_path / VAL}: 2 images, 1 persons, 1 persons with keypoints, 1 images showing them (a subset; '
        f'published: 5000 images), from {source}/annotations_trainval2017.zip: {VAL}',
        f'{tmp_path}/test2017: 3 images, extracted from {source}/test2017.zip',
        f'{tmp_path}/annotations/image_info_test-dev2017.json: 2 images (a subset; published: 20288 images), '
        f'from {source}/image_info_test2017.zip: annotations/image_info_test-dev2017.json',
        f'{tmp_path}: complete',
    ]


def test_a_second_run_leaves_all_as_it_is_and_goes_on_with_what_is_missing(made, tmp_path, capsys):
    prepare(made['archives'], tmp_path, parts=['val'])
    times = {name: (tmp_path / name).stat().st_mtime_ns for name in files_of(tmp_path) if '.' in name}
    capsys.readouterr()
    prepare(made['archives'], tmp_path)
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in times} == times
    assert [line.endswith('there already') for line in capsys.readouterr().out.splitlines()] == [
        False,
        False,
        True,
        True,
        False,
    ]
    assert files_of(tmp_path) == LAYOUT


@pytest.mark.parametrize('below', ['', 'coco'])
@pytest.mark.parametrize('make', [prepare_coco, prepare_crowdpose, prepare_ochuman])
def test_a_file_in_the_place_of_the_folder_is_refused_before_anything_is_read_or_printed(tmp_path, capsys, make, below):
    (tmp_path / 'data').write_text('kept')
    with pytest.raises(BadInput) as caught:
        make(tmp_path / 'no downloads', tmp_path / 'data' / below)
    assert str(caught.value) == f'{tmp_path / "data"}: is a file; name a folder'
    assert capsys.readouterr().out == '' and files_of(tmp_path) == ['data']


def test_archives_may_lie_in_the_folder_that_is_made(archives):
    prepare(archives, archives)
    prepare(archives, archives)  # the extracted folders are now found before the archives
    assert (archives / 'train2017/000000000001.jpg').is_file()


def test_the_published_counts_are_asked_for_unless_a_subset_is(made, tmp_path, monkeypatch):
    assert refused(made['archives'], tmp_path, parts=['val'], allow_partial=False) == (
        f'{made["archives"]}/annotations_trainval2017.zip: {VAL}: holds 2 images, 1 persons, 1 persons with keypoints, '
        '1 images showing them, but published are 5000 images, 11004 persons, 6352 persons with keypoints, '
        f'2346 images showing them; {downloads.AGAIN}, or take the subset with --allow-partial'
    )
    published = {'images': 2, 'persons': 1, 'persons with keypoints': 1, 'images showing them': 1}
    part = coco.PARTS['val']._replace(counts=published, files=3)
    monkeypatch.setitem(coco.PARTS, 'val', part)
    assert 'val2017.zip: holds 2 images, but published are 3 images' in refused(
        made['archives'], tmp_path, parts=['val'], allow_partial=False
    )
    monkeypatch.setitem(coco.PARTS, 'val', part._replace(files=2))
    prepare(made['archives'], tmp_path, parts=['val'], allow_partial=False)


def test_more_than_published_is_another_file_even_for_a_subset(made, tmp_path, monkeypatch):
    monkeypatch.setitem(coco.PARTS, 'val', coco.PARTS['val']._replace(counts={'images': 1}))
    assert 'holds 2 images, but published are 1 images; it is another file' in refused(
        made['archives'], tmp_path, parts=['val']
    )


def test_real_images_and_annotations_of_coco_fit(tmp_path):
    prepare(shared('coco_mini'), tmp_path)
    assert len(items_of(CONFIG, tmp_path, 'train_dataloader')) == 28
    assert len(items_of(CONFIG, tmp_path, 'test_dataloader')) == 26


def cut(path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def spoil_an_image(path) -> None:
    data = bytearray(path.read_bytes())
    data[200:260] = bytes(60)
    path.write_bytes(data)


def web_page(path) -> None:
    path.write_text('<!DOCTYPE html><html><title>Quota exceeded</title></html>')


def add(member: str):
    def change(path) -> None:
        with zipfile.ZipFile(path, 'a') as archive:
            archive.writestr(member, b'evil')

    return change


def drop_an_image(path) -> None:
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist() if '12.jpg' not in name}
    with zipfile.ZipFile(path, 'w') as archive:
        for name, data in kept.items():
            archive.writestr(name, data)


WRONG_ARCHIVES = [
    ('val2017.zip', os.remove, 'holds neither val2017.zip nor a folder val2017 unpacked from it; download it again'),
    ('val2017.zip', cut, 'val2017.zip: is cut off or damaged'),
    ('val2017.zip', spoil_an_image, 'val2017.zip: is cut off or damaged'),
    ('val2017.zip', web_page, 'val2017.zip: is a web page, not a zip archive'),
    ('val2017.zip', lambda path: path.write_bytes(b''), 'val2017.zip: is empty'),
    ('val2017.zip', lambda path: path.write_bytes(b'Rar!' * 99), 'val2017.zip: is not a zip archive'),
    ('val2017.zip', add('../../evil.jpg'), "its member '../../evil.jpg' leads out of the folder"),
    ('val2017.zip', add('/evil.jpg'), "its member '/evil.jpg' leads out of the folder"),
    ('val2017.zip', add('C:\\evil.jpg'), "its member 'C:\\\\evil.jpg' leads out of the folder"),
    ('val2017.zip', add('more/000000000011.jpg'), 'two images of one name'),
    ('val2017.zip', drop_an_image, 'lacks 1 of the 2 images that'),
    ('val2017.zip', lambda path: shutil.copy(path.with_name('test2017.zip'), path), 'it is cut off or of another'),
    ('annotations_trainval2017.zip', os.remove, 'holds no person_keypoints_val2017.json, neither as a file nor in'),
    ('annotations_trainval2017.zip', cut, 'annotations_trainval2017.zip: is cut off or damaged'),
    ('annotations_trainval2017.zip', web_page, 'annotations_trainval2017.zip: is a web page'),
]


@pytest.mark.parametrize('name, spoil, says', WRONG_ARCHIVES)
def test_a_wrong_archive_is_one_line_that_names_it(archives, tmp_path, name, spoil, says):
    spoil(archives / name)
    text = refused(archives, tmp_path / 'out', parts=['val'])
    assert says in text and text.startswith(str(archives))


@pytest.fixture
def folders(made, tmp_path):
    return shutil.copytree(made['folders'], tmp_path / 'downloads')


def change(**fields):
    """Spoils an annotation file by changing fields of its first person, or its lists."""

    def spoil(path) -> None:
        data = json.loads(path.read_text())
        lists = {key: value for key, value in fields.items() if key in data}
        data['annotations'][0].update({key: value for key, value in fields.items() if key not in data})
        write_json(path, {**data, **lists})

    return spoil


WRONG_ANNOTATIONS = [
    (web_page, 'is a web page, not a JSON file'),
    (cut, 'not valid JSON'),
    (lambda path: path.write_bytes(b''), 'the annotation file is empty'),
    (lambda path: path.write_bytes(b'\xff\xfe\x00'), 'is not text'),
    (lambda path: path.write_text('5'), '; it holds 5'),
    (lambda path: path.write_text('{"images": [1], "annotations": [], "categories": []}'), "has no field 'id'"),
    (lambda path: shutil.copy(path.with_name('instances_val2017.json'), path), "'keypoints' has 0 numbers, not the 51"),
    (change(keypoints=[1, 1, 2] * 14), "annotation 9: field 'keypoints' has 42 numbers, not the 51 of 17 keypoints"),
    (change(image_id=99), "annotation 9: field 'image_id' names no image"),
    (change(images=[dict(id=11, file_name='a.jpg', width=9, height=9)] * 2), "'images' have the id 11"),
    (change(images=[], annotations=[]), 'lists no images'),
    (change(categories=[dict(id=1, name='cat'), dict(id=2, name='dog')]), "none of them 'person'"),
    (lambda path: shutil.copy(path.with_name('person_keypoints_train2017.json'), path), 'lacks 3 of the 3 images'),
]


@pytest.mark.parametrize('spoil, says', WRONG_ANNOTATIONS)
def test_a_wrong_annotation_file_is_one_line_that_names_it(folders, tmp_path, spoil, says):
    spoil(folders / VAL)
    text = refused(folders, tmp_path / 'out', parts=['val'])
    assert says in text and 'person_keypoints_val2017.json' in text


def test_a_folder_that_is_not_there_or_holds_nothing_is_named(folders, tmp_path):
    assert refused(tmp_path / 'gone', tmp_path / 'out').startswith(f'{tmp_path}/gone: no such folder')
    for path in (folders / 'val2017').iterdir():
        path.unlink()
    assert 'val2017: holds no images (*.jpg)' in refused(folders, tmp_path / 'out', parts=['val'])
    assert 'parts: [] is not some of' in refused(folders, tmp_path / 'out', parts=[])


@pytest.mark.parametrize('name', [VAL, 'val2017/000000000011.jpg'])
def test_what_is_there_and_differs_is_never_overwritten(made, tmp_path, name):
    target = tmp_path / name
    target.parent.mkdir()
    target.write_text('mine')
    first = tmp_path / name.split('/')[0] if name.endswith('jpg') else target
    assert refused(made['archives'], tmp_path).startswith(f'{first}: is there already and is not what would be made')
    assert target.read_text() == 'mine'  # and the parts before it were not begun


def test_a_dangling_link_in_the_way_is_left_alone(made, tmp_path):
    (tmp_path / 'val2017').symlink_to(tmp_path / 'gone')
    assert 'val2017: is there already' in refused(made['archives'], tmp_path)


@pytest.mark.parametrize(
    'error, says',
    [
        (OSError(errno.ENOSPC, 'No space left on device'), ': No space left on'),
        (PermissionError(errno.EACCES, 'Permission denied', 'x'), 'x: Permission'),
    ],
)
def test_a_disk_that_refuses_in_the_middle_leaves_nothing_half_made(made, tmp_path, monkeypatch, error, says):
    def copy(source, target) -> None:
        target.write(b'half')
        raise error

    monkeypatch.setattr(downloads.shutil, 'copyfileobj', copy)
    with pytest.raises(BadInput, match=says):
        prepare(made['archives'], tmp_path, parts=['val'])
    assert files_of(tmp_path) == []


def test_a_run_that_breaks_keeps_what_is_whole_and_the_next_one_goes_on(made, archives, tmp_path):
    spoil_an_image(archives / 'val2017.zip')
    with pytest.raises(BadInput, match='val2017.zip: is cut off or damaged'):
        prepare(archives, tmp_path / 'out')
    assert files_of(tmp_path / 'out') == [name for name in LAYOUT if 'val' not in name]
    prepare(made['archives'], tmp_path / 'out')
    assert files_of(tmp_path / 'out') == LAYOUT


def test_a_run_that_is_stopped_by_the_user_cleans_up(made, tmp_path, monkeypatch):
    def stop(source, target) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(downloads.shutil, 'copyfileobj', stop)
    with pytest.raises(KeyboardInterrupt):
        prepare(made['archives'], tmp_path, parts=['val'])
    assert files_of(tmp_path) == []


def test_what_a_killed_run_left_is_named_and_not_taken_for_whole(made, tmp_path):
    (tmp_path / 'val2017.part').mkdir()
    assert refused(made['archives'], tmp_path, parts=['val']).startswith(f'{tmp_path}/val2017.part: is left from a run')


def test_a_disk_too_small_is_found_before_anything_is_written(made, tmp_path, monkeypatch):
    monkeypatch.setattr(placing.shutil, 'disk_usage', lambda path: shutil._ntuple_diskusage(9, 9, 9))
    assert '0.0 GiB are free; free some space' in refused(made['archives'], tmp_path / 'new' / 'out')
    assert not (tmp_path / 'new').exists()


def test_the_command_makes_the_layout_and_answers_wrong_input_with_one_line_and_status_2(
    made, tmp_path, monkeypatch, capsys
):
    tool('prepare_coco.py', monkeypatch, made['archives'], tmp_path, '--allow-partial')
    assert files_of(tmp_path) == LAYOUT
    capsys.readouterr()
    with pytest.raises(SystemExit) as left:
        tool('prepare_coco.py', monkeypatch, tmp_path / 'gone', tmp_path)
    assert left.value.code == 2
    assert capsys.readouterr().err == f'error: {tmp_path}/gone: no such folder; name the one that holds the downloads\n'
