"""OCHuman's downloads into the layout of the configs: ready-made files, or people of ``ochuman.json`` in a range."""

import json

import pytest

from cid_mmpose.data import CocoPeople
from cid_mmpose.data.prepare import prepare_ochuman
from cid_mmpose.data.prepare.ochuman_format import COCO_KEYPOINTS, KEYPOINTS, convert
from cid_mmpose.errors import BadInput
from tests.helpers.images import shared
from tests.helpers.official import (
    files_of,
    items_of,
    named,
    ochuman_downloads,
    ochuman_json,
    ochuman_parts,
    write_images,
    write_json,
)
from tests.helpers.tools import tool

CONFIG = 'cid_hrnet-w32_ochuman.py'
READY = 'ochuman_coco_format_{}_range_0.00_1.00.json'
METAINFO = dict(from_file='configs/_base_/datasets/ochuman.py')


@pytest.fixture
def source(tmp_path):
    return ochuman_downloads(tmp_path / 'downloads')


def prepare(source, out, **options) -> None:
    prepare_ochuman(source, out, allow_partial=True, **options)


def read(out, name: str) -> dict:
    return json.loads((out / 'annotations' / name).read_text())


def refused(source, out, **options) -> str:
    with pytest.raises(BadInput) as error:
        prepare(source, out, **options)
    assert files_of(out) == [] and '\n' not in str(error.value)
    return str(error.value)


def change(source, edit) -> None:
    """Edits ``ochuman.json``."""
    data = json.loads((source / 'ochuman.json').read_text())
    edit(data)
    write_json(source / 'ochuman.json', data)


def test_the_layout_is_what_the_config_reads(source, tmp_path):
    prepare(source, tmp_path / 'out')
    assert files_of(tmp_path / 'out') == [
        'annotations',
        *(f'annotations/{READY.format(p)}' for p in ('test', 'val')),
        'images',
        'images/000001.jpg',
        'images/000002.jpg',
        'images/000011.jpg',
    ]
    training = items_of(CONFIG, tmp_path / 'out', 'train_dataloader')
    testing = items_of(CONFIG, tmp_path / 'out', 'test_dataloader')
    assert [item['data_samples'].img_id for item in training] == [1, 2]
    assert [item['data_samples'].img_id for item in testing] == [11]


def test_the_ready_made_files_are_kept_to_the_byte_and_do_not_need_the_other(source, tmp_path):
    (source / 'ochuman.json').unlink()
    prepare(source, tmp_path / 'out')
    for part in ('val', 'test'):
        name = READY.format(part)
        assert (tmp_path / 'out/annotations' / name).read_bytes() == (source / name).read_bytes()


def test_a_range_takes_its_people_from_ochuman_json_and_the_split_from_the_ready_made_files(source, tmp_path, capsys):
    prepare(source, tmp_path / 'out', max_iou=(0.5, 0.75))  # the overlaps are .6 and .8, .5; .7
    name = 'ochuman_coco_format_{}_range_0.50_0.75.json'
    val, test = read(tmp_path / 'out', name.format('val')), read(tmp_path / 'out', name.format('test'))
    assert [image['file_name'] for image in val['images']] == ['000001.jpg', '000002.jpg']
    assert [a['bbox'] for a in val['annotations']] == [[2, 4, 20, 30], [10, 5, 16, 36]]
    assert [image['file_name'] for image in test['images']] == ['000011.jpg']
    assert f'{name.format("val")}: 2 images, 2 persons, ' in capsys.readouterr().out
    prepare(source, tmp_path / 'hard', max_iou=(0.7, 1))
    name = 'ochuman_coco_format_val_range_0.70_1.00.json'
    assert [a['bbox'] for a in read(tmp_path / 'hard', name)['annotations']] == [[30, 4, 20, 32]]
    assert len(read(tmp_path / 'hard', name)['images']) == 1
    data = CocoPeople(ann_file=str(tmp_path / 'hard/annotations' / name), metainfo=METAINFO)
    assert data.get_data_info(0)['keypoints_visible'].sum() == 16


def one_person(**changes) -> dict:
    """``ochuman.json`` of one image with one person, whose keypoint number i is at (100 + i, 200 + i)."""
    keypoints = [number for i in range(19) for number in (100 + i, 200 + i, 1)]
    person = dict(bbox=[10, 20, 110, 220], max_iou=0.5, keypoints=keypoints, segms=dict(outer=[[0, 0, 1, 1, 2, 0]]))
    image = dict(file_name='a.jpg', width=300, height=400, annotations=[dict(person, **changes)])
    return dict(images=[image])


def test_the_19_keypoints_become_cocos_17_by_name():
    (person,) = convert(one_person(), (0, 1))['annotations']
    # nose, left and right eye, left and right ear are the keypoints 16, 18, 17, 15, 14 of OCHuman's own order
    assert person['keypoints'][0:15:3] == [116, 118, 117, 115, 114]
    assert person['keypoints'][15::3] == [103, 100, 104, 101, 105, 102, 109, 106, 110, 107, 111, 108]
    assert person['keypoints'][1::3] == [x + 100 for x in person['keypoints'][::3]]
    assert set(COCO_KEYPOINTS) == set(KEYPOINTS) - {'head', 'neck'}
    assert person['num_keypoints'] == 17


def test_boxes_become_corner_and_sides_and_the_area_is_theirs():
    (person,) = convert(one_person(), (0, 1))['annotations']
    assert person['bbox'] == [10, 20, 100, 200] and person['area'] == 20000


def test_hidden_keypoints_are_labelled_and_missing_ones_are_not():
    keypoints = [number for v in (0, 1, 2, 3) for number in (5, 6, v)] + [7, 8, 1] * 15
    (person,) = convert(one_person(keypoints=keypoints), (0, 1))['annotations']
    triples = dict(zip(COCO_KEYPOINTS, zip(*(person['keypoints'][i::3] for i in range(3)))))
    assert triples['right_shoulder'] == (0, 0, 0)  # 0: missing
    assert triples['right_elbow'] == (5, 6, 2)  # 1: visible
    assert triples['right_wrist'] == (5, 6, 1)  # 2: hidden by the person's own body
    assert triples['left_shoulder'] == (5, 6, 1)  # 3: hidden by somebody else
    assert person['num_keypoints'] == 16


@pytest.mark.parametrize('changes', [dict(keypoints=None), dict(segms=None)])
def test_people_who_are_not_annotated_in_full_are_left_out_with_their_image(changes):
    converted = convert(one_person(**changes), (0, 1))
    assert converted['images'] == [] and converted['annotations'] == []


@pytest.mark.parametrize('max_iou, taken', [((0.5, 0.6), 1), ((0.4, 0.5), 0), ((0, 1), 1), ((0.51, 1), 0)])
def test_a_range_holds_its_lower_end(max_iou, taken):
    assert len(convert(one_person(), max_iou)['annotations']) == taken


def test_somebody_who_overlaps_in_full_is_in_the_range_up_to_1():
    assert len(convert(one_person(max_iou=1), (0.75, 1))['annotations']) == 1


def test_without_ready_made_files_all_people_become_one_file_and_the_user_is_told(source, tmp_path, capsys):
    for part in ('val', 'test'):
        (source / READY.format(part)).unlink()
    prepare(source, tmp_path / 'out')
    data = read(tmp_path / 'out', READY.format('all'))
    parts = ochuman_parts()
    assert [a['keypoints'] for a in data['annotations']] == [
        a['keypoints'] for part in ('val', 'test') for a in parts[part]['annotations']
    ]
    assert [a['image_id'] for a in data['annotations']] == [1, 1, 2, 3]
    assert [a['id'] for a in data['annotations']] == [1, 2, 3, 4]
    assert 'does not tell val from test; for the configs put ' in capsys.readouterr().out.splitlines()[-1]


def test_one_ready_made_file_alone_is_not_enough(source, tmp_path):
    (source / READY.format('val')).unlink()
    assert f'holds no {READY.format("val")}, ' in refused(source, tmp_path / 'out')


def test_the_real_sample_converted_back_and_forth_is_the_same(tmp_path):
    real = json.loads(shared('mmpose_samples/ochuman/test_ochuman.json').read_text())
    parts = dict(val=real, test=ochuman_parts()['test'])
    for part, data in parts.items():
        write_json(tmp_path / READY.format(part), data)
    write_json(tmp_path / 'ochuman.json', ochuman_json(parts, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]))
    write_images(tmp_path / 'images', [image['file_name'] for data in parts.values() for image in data['images']])
    prepare(tmp_path, tmp_path / 'out', max_iou=(0.1, 1))
    converted = read(tmp_path / 'out', 'ochuman_coco_format_val_range_0.10_1.00.json')['annotations']
    for ours, theirs in zip(converted, real['annotations']):
        assert ours == {key: value for key, value in theirs.items() if key != 'segmentation'}
    assert len(converted) == 5


def first(data: dict) -> dict:
    return data['images'][0]['annotations'][0]


def swap_sides(data: dict) -> None:
    keypoints = first(data)['keypoints']
    keypoints[0:3], keypoints[9:12] = keypoints[9:12], keypoints[0:3]  # the shoulders


OTHER_PEOPLE = [
    swap_sides,
    lambda data: first(data)['keypoints'].__setitem__(2, 3),
    lambda data: first(data)['bbox'].__setitem__(2, 99),
    lambda data: data['images'][0]['annotations'].pop(0),
    lambda data: data['images'].pop(0),
]


@pytest.mark.parametrize('edit', OTHER_PEOPLE, ids=['sides', 'visibility', 'box', 'person', 'image'])
def test_people_who_are_not_those_of_the_ready_made_file_are_never_converted(source, tmp_path, edit):
    change(source, edit)
    text = refused(source, tmp_path / 'out', max_iou=(0.5, 1))
    assert 'ochuman.json: its people in 000001.jpg are not those of ' in text


def test_a_rounded_pixel_is_no_difference(source, tmp_path):
    change(source, lambda data: first(data)['bbox'].__setitem__(2, first(data)['bbox'][2] - 1))
    prepare(source, tmp_path / 'out', max_iou=(0.5, 1))
    assert len(files_of(tmp_path / 'out')) == 7


WRONG = [
    (lambda data: data.pop('images'), "has no list 'images'"),
    (lambda data: data['images'][0].pop('width'), "an image has no field 'width'"),
    (lambda data: first(data).pop('max_iou'), "a person of 000001.jpg has no field 'max_iou'"),
    (lambda data: first(data)['keypoints'].pop(), "has 'keypoints' that are not x, y and v (0 to 3) of 19 keypoints"),
    (lambda data: first(data)['keypoints'].__setitem__(2, 4), "has 'keypoints' that are not x, y and v (0 to 3)"),
    (lambda data: first(data).update(bbox=[30, 30, 20, 20]), "has a 'bbox' that is not x1, y1, x2, y2: [30, 30, 20"),
    (lambda data: first(data).update(max_iou=55), "has a 'max_iou' that is not from 0 to 1: 55"),
    (lambda data: data.update(keypoint_names=list(COCO_KEYPOINTS)), "has other 'keypoint_names': ['nose', "),
]


@pytest.mark.parametrize('edit, says', WRONG)
def test_another_layout_of_ochuman_json_is_refused_and_not_guessed(source, tmp_path, edit, says):
    change(source, edit)
    text = refused(source, tmp_path / 'out', max_iou=(0.5, 1))
    assert says in text and text.endswith('it is not laid out as docs/data.md says of ochuman.json')


@pytest.mark.parametrize(
    'spell',
    [
        str,
        lambda name: name.replace('_', ' ').title(),
        lambda name: name.replace('right_', 'r_').replace('left_', 'l_'),
    ],
)
def test_keypoint_names_that_the_file_gives_may_be_spelled_otherwise(source, tmp_path, spell):
    prepare(source, tmp_path / 'without', max_iou=(0.5, 1))
    change(source, lambda data: data.update(keypoint_names=[spell(name) for name in KEYPOINTS]))
    prepare(source, tmp_path / 'out', max_iou=(0.5, 1))
    for part in ('val', 'test'):
        name = f'ochuman_coco_format_{part}_range_0.50_1.00.json'
        people = read(tmp_path / 'out', name)['annotations']
        assert people and people == read(tmp_path / 'without', name)['annotations']


def test_what_else_is_wrong_is_one_line(source, tmp_path):
    out = tmp_path / 'out'
    assert 'max_iou: 0.8 to 0.5 is not a range' in refused(source, out, max_iou=(0.8, 0.5))
    assert 'max_iou: 0.005 to 1 is not a range' in refused(source, out, max_iou=(0.005, 1))
    assert 'nobody of val has a max_iou of 0.9 to 1; widen' in refused(source, out, max_iou=(0.9, 1))
    (source / 'ochuman.json').write_text('{"images": [')
    assert 'ochuman.json: not valid JSON' in refused(source, out, max_iou=(0.5, 1))
    data = named(ochuman_parts()['val'], '{:06d}.jpg', 1)
    write_json(source / READY.format('test'), data)
    assert 'share 2 images, the first has the file_name 000001.jpg' in refused(source, out)
    with pytest.raises(BadInput, match='holds 2 images, but published are 2500 images'):
        prepare_ochuman(source, out)


def test_the_command_makes_the_layout(source, tmp_path, monkeypatch, capsys):
    tool('prepare_ochuman.py', monkeypatch, source, tmp_path / 'out', '--allow-partial', '--max-iou', '0.5', '1')
    assert 'annotations/ochuman_coco_format_val_range_0.50_1.00.json' in files_of(tmp_path / 'out')
    with pytest.raises(SystemExit) as left:
        tool('prepare_ochuman.py', monkeypatch, source, tmp_path / 'out')
    assert left.value.code == 2 and 'published are 2500 images' in capsys.readouterr().err
