"""The config that the doctor writes: what it holds, that it builds, and that nothing is written otherwise."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from cid_mmpose.cli import main
from cid_mmpose.cli.doctor import NETWORKS as OFFERED
from cid_mmpose.data.own import make_config
from cid_mmpose.data.own.images import input_side
from cid_mmpose.data.own.text import NETWORKS, batch_size
from cid_mmpose.engine.config.check import check_config
from cid_mmpose.engine.launch import load_config
from cid_mmpose.errors import BadInput
from tests.helpers.images import build_data, shared, step

NAMES = ['nose', 'tail', 'left_ear', 'right_ear']
SKELETON = [[1, 3], [1, 4], [1, 2]]
CATEGORY = dict(id=3, name='fox', keypoints=NAMES, skeleton=SKELETON)


def fox(number: int, image: int, **changes) -> dict:
    """An annotation of an animal; then the changes, of which None takes a field out."""
    annotation = dict(
        id=number,
        image_id=image,
        category_id=3,
        bbox=[10, 10, 40, 30],
        area=700,
        iscrowd=0,
        keypoints=[45, 15, 2, 12, 20, 2, 40, 12, 1, 42, 12, 2],
        num_keypoints=4,
    )
    annotation.update(changes)
    return {field: value for field, value in annotation.items() if value is not None}


def write(folder: Path, name: str, *, category: dict = CATEGORY, side: int = 64, folder_of_images='images', **changes):
    """Writes NAME.json with two images of one animal each, and the images; returns the file's path."""
    where = folder / folder_of_images
    where.mkdir(parents=True, exist_ok=True)
    images = []
    for number in (1, 2):
        file_name = f'{name}_{number}.png'
        cv2.imwrite(str(where / file_name), np.full((side, side, 3), 40 * number, np.uint8))
        images.append(dict(id=number, file_name=file_name, width=side, height=side))
    annotations = [fox(number, number, **changes) for number in (1, 2)]
    path = folder / f'{name}.json'
    path.write_text(json.dumps(dict(images=images, annotations=annotations, categories=[category])))
    return str(path)


@pytest.fixture
def files(tmp_path) -> tuple[str, str]:
    """A file to train on and one to test on, with their images in one folder."""
    return write(tmp_path, 'train'), write(tmp_path, 'test')


def written(tmp_path: Path, *files: str, **options):
    """The config for these files, as ``cid train`` reads it from another folder, and checked as there."""
    path = tmp_path / 'fox.py'
    make_config(str(path), files[0], test=files[1] if len(files) > 1 else None, **options)
    cfg = load_config(str(path), work_dir=str(tmp_path / 'work'))
    init_default_scope('mmpose')
    for part in ('train', 'val', 'test'):
        check_config(cfg, part)
    return cfg


def test_the_config_builds_data_and_a_head_with_the_keypoints_of_the_file(tmp_path, files, monkeypatch):
    (tmp_path / 'elsewhere').mkdir()
    monkeypatch.chdir(tmp_path / 'elsewhere')
    cfg = written(tmp_path, *files, network='hrnet-w16-small')
    trained, tested = build_data(cfg), build_data(cfg, 'val_dataloader')
    assert [item['img_path'] for item in map(tested.get_data_info, range(2))] == [
        str(tmp_path / 'images' / f'test_{number}.png') for number in (1, 2)
    ]
    meta = trained.metainfo
    assert [meta['keypoint_id2name'][number] for number in range(4)] == NAMES
    assert (meta['flip_indices'], meta['skeleton_links']) == ([0, 1, 3, 2], [(0, 2), (0, 3), (0, 1)])
    assert tested.metainfo['sigmas'].tolist() == pytest.approx([0.05] * 4)

    head = MODELS.build(cfg.model).head
    assert (head.gfd.heatmap.out_channels, head.iia.conv.out_channels) == (4, 5)
    assert head.test.sigmas == pytest.approx([0.05] * 4)


@pytest.mark.parametrize('network, width', [('hrnet-w32', 256), ('hrnet-w48', 384), ('hrnet-w16-small', 128)])
def test_every_network_that_is_offered_has_its_base(tmp_path, files, network, width):
    cfg = written(tmp_path, *files, network=network)
    assert cfg.model.backbone.extra.stage4.num_channels[-1] == width
    assert tuple(NETWORKS) == OFFERED


def test_images_of_the_test_may_lie_in_another_folder(tmp_path):
    train = write(tmp_path / 'one', 'train')
    test = write(tmp_path / 'other', 'test')
    cfg = written(tmp_path, train, test, images=str(tmp_path / 'one' / 'images'))
    assert build_data(cfg, 'val_dataloader').get_data_info(0)['img_path'] == str(tmp_path / 'other/images/test_1.png')


def test_sigmas_stand_in_one_place_of_the_config(tmp_path, files):
    make_config(str(tmp_path / 'fox.py'), files[0])
    text = (tmp_path / 'fox.py').read_text()
    assert text.count('sigmas=[') == 1
    (tmp_path / 'fox.py').write_text(text.replace('sigmas=[0.05, 0.05, 0.05, 0.05]', 'sigmas=[0.1, 0.2, 0.3, 0.4]'))
    cfg = load_config(str(tmp_path / 'fox.py'), work_dir=str(tmp_path / 'work'))
    for node in (cfg.model, cfg.train_dataloader.dataset, cfg.val_dataloader.dataset, cfg.test_dataloader.dataset):
        assert node.metainfo.sigmas == [0.1, 0.2, 0.3, 0.4]


def test_the_lines_that_start_from_coco_s_weights_work_when_their_signs_are_taken_off(tmp_path, files):
    path = tmp_path / 'fox.py'
    make_config(str(path), files[0])
    lines = path.read_text().splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith('# model.update('))
    lines[first : first + 3] = [line.removeprefix('# ') for line in lines[first : first + 3]]
    path.write_text('\n'.join(lines))
    cfg = load_config(str(path), work_dir=str(tmp_path / 'work'))
    check_config(cfg, 'train')
    assert (cfg.model.other_keypoints, cfg.model.backbone.init_cfg, cfg.model.backbone.type) == ('fresh', None, 'HRNet')
    assert cfg.load_from.endswith('/cid_hrnet-w32_8xb20-140e_coco-512x512_42b7e6e6-20230207.pth')


def test_a_file_without_areas_is_evaluated_by_its_boxes(tmp_path):
    cfg = written(tmp_path, write(tmp_path, 'own', area=None))
    assert cfg.val_evaluator.use_area is False and cfg.test_evaluator.use_area is False
    cfg = written(tmp_path, write(tmp_path, 'own'), overwrite=True)
    assert 'use_area' not in cfg.val_evaluator


def test_coco_s_keypoints_keep_mmpose_s_meta_information(tmp_path):
    parts = ('eye', 'ear', 'shoulder', 'elbow', 'wrist', 'hip', 'knee', 'ankle')
    names = ['nose', *(f'{side}_{part}' for part in parts for side in ('left', 'right'))]
    own = write(tmp_path, 'own', category=dict(id=3, name='person', keypoints=names), keypoints=[20, 20, 2] * 17)
    cfg = written(tmp_path, own)
    assert 'metainfo' not in cfg.model and cfg.model.head.num_keypoints == 17
    assert build_data(cfg).metainfo['sigmas'][0] == pytest.approx(0.026)


@pytest.mark.parametrize('side, batch, size', [(64, 2, 256), (300, 2, 320), (700, 2, 512)])
def test_the_input_is_as_large_as_the_images_from_256_to_512(tmp_path, side, batch, size):
    cfg = written(tmp_path, write(tmp_path, 'own', side=side))
    assert step(cfg.train_dataloader, 'RandomAffine').input_size == (size, size)
    assert step(cfg.val_dataloader, 'ResizeImage').input_size == (size, size)
    assert cfg.train_dataloader.batch_size == batch


def test_batches_are_small_where_there_are_few_images():
    assert [batch_size(number) for number in (1, 30, 60, 299, 300, 5000)] == [2, 2, 4, 19, 20, 20]


def test_the_side_of_the_input_is_that_of_the_middle_image():
    images = [dict(width=600, height=side) for side in (90, 330, 500)]
    assert input_side(images) == 384
    assert input_side([dict(width='?', height=3)]) == 512


@pytest.mark.parametrize(
    'ann_file, images',
    [('own', 'images'), ('own', '.'), ('annotations/own', 'images'), ('annotations/person_keypoints_a', 'images/a')],
)
def test_images_are_found_where_tools_put_them(tmp_path, ann_file, images):
    write(tmp_path, 'own', folder_of_images=images)
    path = tmp_path / f'{ann_file}.json'
    path.parent.mkdir(exist_ok=True)
    (tmp_path / 'own.json').rename(path)
    cfg = written(tmp_path, str(path))
    assert Path(build_data(cfg).get_data_info(0)['img_path']).resolve() == (tmp_path / images / 'own_1.png').resolve()


def test_images_that_are_not_found_are_asked_for(tmp_path):
    own = write(tmp_path, 'own', folder_of_images='far/away')
    with pytest.raises(BadInput, match=r'own.json: 2 of its 2 images are not in .*, first own_1.png; --images names'):
        make_config(str(tmp_path / 'fox.py'), own)
    make_config(str(tmp_path / 'fox.py'), own, images=str(tmp_path / 'far' / 'away'))


def test_a_test_file_with_other_keypoints_is_refused(tmp_path):
    other = dict(CATEGORY, keypoints=['nose', 'back', 'left_ear', 'right_ear'])
    with pytest.raises(BadInput, match=r"test.json: has other keypoints than .*: 'back' where that has 'tail'"):
        make_config(str(tmp_path / 'fox.py'), write(tmp_path, 'train'), test=write(tmp_path, 'test', category=other))


def test_nothing_is_written_where_something_is_open(tmp_path):
    own = write(tmp_path, 'own', category=dict(id=3, name='fox'))
    with pytest.raises(BadInput, match='names no keypoints'):
        make_config(str(tmp_path / 'new' / 'fox.py'), own)
    assert not (tmp_path / 'new').exists()


def ends_with(*words: str) -> int:
    """Exit status of ``cid doctor`` with these words."""
    try:
        main(['doctor', *words])
    except SystemExit as left:
        return left.code
    return 0


def test_the_command_examines_then_writes_and_says_what_it_took(files, tmp_path, capsys):
    config = tmp_path / 'fox.py'
    assert ends_with(files[0], '--test', files[1], '--make-config', str(config)) == 0
    printed = ' '.join(capsys.readouterr().out.split())
    assert '0 errors' in printed
    for text in (
        f'{config}: a config for 4 keypoints swap: left_ear - right_ear stay: nose, tail',
        'links: 3 of the skeleton of the file, whose numbers count from 1',
        'sigmas: 0.05 is a default: nobody is annotated more than once in the file.',
        f'now: cid train {config}',
    ):
        assert text in printed


def test_a_config_that_is_there_stays_unless_it_may_be_replaced(files, tmp_path, capsys):
    config = tmp_path / 'fox.py'
    config.write_text('mine = 1')
    assert ends_with(files[0], '--make-config', str(config)) == 2
    assert capsys.readouterr() == (
        '',
        f'error: --make-config {config}: is there already; name a new file, or add --overwrite\n',
    )
    assert config.read_text() == 'mine = 1'
    assert ends_with(files[0], '--make-config', str(config), '--overwrite') == 0
    assert config.read_text().startswith("# CID on the 4 keypoints of 'fox'.")


def test_a_repaired_copy_is_what_the_config_trains_on(tmp_path):
    own = write(tmp_path, 'own', bbox=None)
    assert ends_with(own, '--fix', str(tmp_path / 'mended.json'), '--make-config', str(tmp_path / 'fox.py')) == 1
    cfg = load_config(str(tmp_path / 'fox.py'), work_dir=str(tmp_path / 'work'))
    assert cfg.train_dataloader.dataset.ann_file == 'mended.json'
    assert len(build_data(cfg)) == 2


@pytest.mark.parametrize(
    'words, says',
    [
        (['c.py', '--make-config', 'fox.py'], '--make-config goes with an annotation file; c.py is a config already'),
        (['a.json', '--make-config', 'fox.txt'], 'a config is a Python file; give it a name that ends in .py'),
        (['a.json', '--test', 'b.json'], '--test is for the config that --make-config PY writes; name that too'),
    ],
)
def test_options_that_do_not_go_together_are_one_line(words, says, capsys):
    assert ends_with(*words) == 2
    error = capsys.readouterr().err
    assert says in error and error.count('\n') == 1


SHARED_CASES = {
    'train': '',
    'nocrowd': '',
    'nonum': '',
    'noarea': '',
    'catnokp': 'names no keypoints; --keypoints',
    'minimal': 'names no keypoints; --keypoints',
    'kp2d': 'holds a list a keypoint',
    'nosize': "has no field 'height'",
    'strid': 'field \'id\' is "100"',
}


@pytest.mark.parametrize('name', SHARED_CASES)
def test_files_that_hurt_before_give_a_config_or_one_line(name, tmp_path):
    folder = shared('../cases/own_joints/animals')
    says = SHARED_CASES[name]
    if not says:
        cfg = written(tmp_path, str(folder / f'{name}.json'), images=str(folder / 'pictures'))
        assert len(build_data(cfg)) == 8  # images that show a labelled animal
        assert cfg.model.metainfo.keypoint_info[2].swap == 'right_front_paw'
        return
    with pytest.raises(BadInput) as refused:
        written(tmp_path, str(folder / f'{name}.json'), images=str(folder / 'pictures'))
    assert says in str(refused.value) and '\n' not in str(refused.value)
    assert not (tmp_path / 'fox.py').exists()


def test_a_file_of_label_studio_has_boxes_and_keypoints_in_categories_of_their_own(tmp_path):
    own = Path(write(tmp_path, 'result', area=None))
    data = json.loads(own.read_text())
    keypoints = dict(id=1, name='default', supercategory='default', keypoints=NAMES, skeleton=[])
    data['categories'] = [dict(id=0, name='fox'), keypoints]
    boxes = []
    for annotation in data['annotations']:
        annotation['category_id'] = 1
        box = {field: annotation[field] for field in ('image_id', 'bbox', 'iscrowd')}
        boxes.append(dict(box, id=annotation['id'] + 10, category_id=0, segmentation=[], area=1200, ignore=0))
    data['annotations'] += boxes
    for image in data['images']:
        image['file_name'] = f'images/{image["file_name"]}'
    own.write_text(json.dumps(data))

    cfg = written(tmp_path, str(own))
    items = build_data(cfg)
    assert [len(item['id']) for item in map(items.get_data_info, range(len(items)))] == [1, 1]
    assert cfg.val_evaluator.use_area is False and cfg.model.metainfo.skeleton_info == {}


def test_a_file_of_cvat_lists_a_rectangle_s_label_as_a_category_without_keypoints(tmp_path):
    own = Path(write(tmp_path, 'own', attributes=dict(occluded=False, track_id=0), segmentation=[]))
    data = json.loads(own.read_text())
    data['categories'].insert(0, dict(id=1, name='fox_box', supercategory='', keypoints=[], skeleton=[]))
    for image in data['images']:
        image.update(license=0, flickr_url='', coco_url='', date_captured=0)
    own.write_text(json.dumps(data))
    assert len(build_data(written(tmp_path, str(own)))) == 2


def test_keypoints_named_on_the_command_line_stand_in_for_those_of_the_file(tmp_path):
    own = write(tmp_path, 'own', category=dict(id=3, name='fox'))
    cfg = written(tmp_path, own, keypoints=NAMES)
    assert build_data(cfg).metainfo['keypoint_name2id'] == dict(zip(NAMES, range(4)))
