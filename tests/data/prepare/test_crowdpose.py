"""CrowdPose's downloads into the layout of the configs: trainval is train and val, every image keeps its index."""

import json
import shutil

import pytest

from cid_mmpose.data import CocoPeople
from cid_mmpose.data.prepare import crowdpose, prepare_crowdpose
from cid_mmpose.errors import BadInput
from tests.helpers.images import shared
from tests.helpers.official import crowdpose_downloads, crowdpose_person, files_of, items_of, write_json
from tests.helpers.tools import tool

CONFIG = 'cid_hrnet-w32_crowdpose.py'
PARTS = ('train', 'val', 'test')
METAINFO = dict(from_file='configs/_base_/datasets/crowdpose.py')


@pytest.fixture
def source(tmp_path):
    return crowdpose_downloads(tmp_path / 'downloads')


def ann_file(out, part: str):
    return out / f'annotations/mmpose_crowdpose_{part}.json'


def read(out, part: str) -> dict:
    return json.loads(ann_file(out, part).read_text())


def refused(source, out) -> str:
    with pytest.raises(BadInput) as error:
        prepare_crowdpose(source, out, allow_partial=True)
    assert files_of(out) == [] and '\n' not in str(error.value)
    return str(error.value)


def change(source, part: str, **fields):
    """Changes fields of the first image of a part; ``...`` takes one out."""
    path = source / f'crowdpose_{part}.json'
    data = json.loads(path.read_text())
    changed = {**data['images'][0], **fields}
    data['images'][0] = {name: value for name, value in changed.items() if value is not ...}
    write_json(path, data)


def test_the_layout_is_what_the_config_reads(source, tmp_path):
    prepare_crowdpose(source, tmp_path / 'out', allow_partial=True)
    training = items_of(CONFIG, tmp_path / 'out', 'train_dataloader')
    testing = items_of(CONFIG, tmp_path / 'out', 'test_dataloader')
    assert [item['data_samples'].img_id for item in training] == [100000, 100001, 100002, 100010, 100011]
    assert [item['data_samples'].img_id for item in testing] == [100020, 100021]


def test_trainval_is_train_and_val_with_crowd_index_and_every_other_field(source, tmp_path):
    prepare_crowdpose(source, tmp_path / 'out', allow_partial=True)
    train, val, both = (read(tmp_path / 'out', part) for part in ('train', 'val', 'trainval'))
    assert both == dict(
        images=train['images'] + val['images'],
        categories=train['categories'],
        annotations=train['annotations'] + val['annotations'],
    )
    assert [image['crowdIndex'] for image in both['images']] == [0, 0.5, 1, 0, 0.5]
    assert len({a['id'] for a in both['annotations']}) == 5


@pytest.mark.parametrize('part', PARTS)
def test_the_published_parts_are_kept_to_the_byte(source, tmp_path, part):
    prepare_crowdpose(source, tmp_path / 'out', allow_partial=True)
    assert ann_file(tmp_path / 'out', part).read_bytes() == (source / f'crowdpose_{part}.json').read_bytes()


def test_a_second_run_makes_the_same_trainval_and_overwrites_nothing(source, tmp_path, capsys):
    for _ in range(2):
        prepare_crowdpose(source, tmp_path / 'out', allow_partial=True)
    assert capsys.readouterr().out.count(', there already\n') == 5
    ann_file(tmp_path / 'out', 'trainval').write_text('{}')
    with pytest.raises(BadInput, match='mmpose_crowdpose_trainval.json: is there already and is not what would be'):
        prepare_crowdpose(source, tmp_path / 'out', allow_partial=True)
    assert read(tmp_path / 'out', 'trainval') == {}


def test_the_file_names_of_mmpose_are_taken_too(source, tmp_path):
    for part in PARTS:
        (source / f'crowdpose_{part}.json').rename(source / f'mmpose_crowdpose_{part}.json')
    prepare_crowdpose(source, tmp_path / 'out', allow_partial=True)
    assert len(read(tmp_path / 'out', 'trainval')['images']) == 5


def person_ids(*ids) -> dict:
    return dict(images=[], categories=[], annotations=[crowdpose_person(number, 1) for number in ids])


def test_people_whose_ids_meet_get_new_ones_in_val():
    merged, renumbered = crowdpose.merge(person_ids(1, 2, 5), person_ids(2, 3, 5))
    assert [a['id'] for a in merged['annotations']] == [1, 2, 5, 6, 3, 7] and renumbered == 2
    merged, renumbered = crowdpose.merge(person_ids(1, 2), person_ids(9, 3))
    assert [a['id'] for a in merged['annotations']] == [1, 2, 9, 3] and renumbered == 0


def test_parts_with_other_categories_are_not_merged():
    with pytest.raises(BadInput, match="train and val: field 'categories' differs"):
        crowdpose.merge(person_ids(1), dict(person_ids(2), categories=[dict(id=2)]))
    drawn = dict(person_ids(2), categories=[dict(id=1, skeleton=[[1, 2]])])
    assert crowdpose.merge(dict(person_ids(1), categories=[dict(id=1)]), drawn)[0]['categories'] == [dict(id=1)]


@pytest.mark.parametrize(
    'index, says',
    [
        (None, 'is null, not a number from 0'),
        ('high', 'is "high", not a number from 0'),
        (True, 'is true, not a number'),
        (float('nan'), 'is NaN, not a number from 0'),
        (-1, 'is -1, not a number from 0'),
        (..., 'is missing; AP(E)'),
    ],
)
def test_an_image_without_a_crowd_index_is_refused(source, tmp_path, index, says):
    change(source, 'test', crowdIndex=index)
    text = refused(source, tmp_path / 'out')
    assert text.startswith(f"{source}/crowdpose_test.json: image 100020: field 'crowdIndex' {says}")


def test_a_part_under_a_wrong_name_is_found_out(source, tmp_path):
    change(source, 'test', file_name='100010.jpg')
    assert 'share 1 images, the first has the file_name 100010.jpg' in refused(source, tmp_path / 'out')
    shutil.copy(source / 'crowdpose_val.json', source / 'crowdpose_test.json')
    assert refused(source, tmp_path / 'out').startswith(
        f'{source}/crowdpose_val.json and {source}/crowdpose_test.json share 2 images, the first has the id 100010'
    )


def test_files_of_another_data_set_and_missing_ones_are_named(source, tmp_path):
    shutil.copy(shared('coco_mini/annotations/person_keypoints_val2017.json'), source / 'crowdpose_val.json')
    assert "field 'keypoints' has 51 numbers, not the 42 of 14 keypoints" in refused(source, tmp_path / 'out')
    (source / 'crowdpose_val.json').unlink()
    assert 'holds no crowdpose_val.json or mmpose_crowdpose_val.json, neither' in refused(source, tmp_path / 'out')


def test_the_whole_of_crowdpose_is_20000_images(source, tmp_path):
    with pytest.raises(BadInput, match='crowdpose_train.json: holds 3 images, but published are 10000 images; '):
        prepare_crowdpose(source, tmp_path / 'out')
    assert sum(crowdpose.COUNTS[part]['images'] for part in PARTS) == crowdpose.IMAGES == 20000


@pytest.mark.slow
def test_the_published_val_file_has_the_published_counts(source, tmp_path, capsys):
    """With the real file the images may be any: their names alone are asked for."""
    real = shared('annotations/crowdpose_val.json')
    shutil.copy(real, source / 'crowdpose_val.json')
    (source / 'images').mkdir()
    for part in PARTS:
        for image in json.loads((source / f'crowdpose_{part}.json').read_text())['images']:
            (source / 'images' / image['file_name']).write_bytes(b'an image')
    prepare_crowdpose(source, tmp_path / 'out', allow_partial=True)
    said = next(line for line in capsys.readouterr().out.splitlines() if 'crowdpose_val.json: ' in line)
    assert ': 2000 images, 8527 persons, 7074 persons with keypoints, ' in said and 'subset' not in said
    options = dict(ann_file=str(ann_file(tmp_path / 'out', 'trainval')), metainfo=METAINFO)
    assert len(CocoPeople(test_mode=True, **options)) == 2003
    assert len(read(tmp_path / 'out', 'trainval')['annotations']) == 8530


def test_the_command_makes_the_layout(source, tmp_path, monkeypatch, capsys):
    tool('prepare_crowdpose.py', monkeypatch, source, tmp_path / 'out', '--allow-partial')
    files = [f'annotations/mmpose_crowdpose_{part}.json' for part in sorted(('trainval', *PARTS))]
    images = [f'images/{number}.jpg' for number in (100000, 100001, 100002, 100010, 100011, 100020, 100021)]
    assert files_of(tmp_path / 'out') == ['annotations', *files, 'images', *images]
    with pytest.raises(SystemExit) as left:
        tool('prepare_crowdpose.py', monkeypatch, source, tmp_path / 'out')
    assert left.value.code == 2 and 'error: ' in capsys.readouterr().err
