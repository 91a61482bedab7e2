"""MMPose's own ways in: its inferencer, its functions, its demos, and backbones that CID was not made for."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmdet.models import CSPNeXt
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.infer import BaseInferencer
from mmengine.logging import HistoryBuffer
from mmpose.apis import MMPoseInferencer, inference_bottomup, init_model
from mmpose.apis.inference import dataset_meta_from_config
from mmpose.registry import MODELS

from cid_mmpose import config_path
from cid_mmpose.errors import BadInput
from tests.helpers.images import ROOT, build_data, build_model, coco, person, pipeline, shared, tiny_config, write_coco

SIDE = 128  # px, of the network's input
CSPNEXT = dict(
    type='mmdet.CSPNeXt', deepen_factor=0.167, widen_factor=0.25, out_indices=(1, 2, 3, 4), norm_cfg=dict(type='BN')
)  # P2 to P5, at strides 4 to 32
WIDTHS = (32, 64, 128, 256)  # channels of its maps


def lively_config() -> Config:
    """A tiny network's config that keeps whoever it finds."""
    cfg = tiny_config(side=SIDE)
    cfg.model.head.test = dict(min_score=0.0, max_people=6, nms=1.0)
    return cfg


def lively_model(cfg: Config):
    """The network of a config with random weights whose maps have peaks here and there."""
    torch.manual_seed(0)
    model = build_model(cfg).eval()
    for convolution in (model.head.iia.conv, model.head.gfd.heatmap):
        torch.nn.init.normal_(convolution.weight, std=2)
        torch.nn.init.zeros_(convolution.bias)
    return model


def save_as_a_run_does(model, path: Path) -> None:
    """Writes a checkpoint with the log buffers of a run, which mmengine's own loader refuses from torch 2.6 on."""
    hub = dict(log_scalars={'train/loss': HistoryBuffer([1.0], [1])}, runtime_info={}, resumed_keys={})
    torch.save(dict(meta={}, message_hub=hub, state_dict=model.state_dict()), path)


@pytest.fixture(scope='module')
def door(tmp_path_factory) -> tuple:
    """Paths of a config, a checkpoint and an image of 150 x 100 pixels."""
    folder = tmp_path_factory.mktemp('door')
    cfg = lively_config()
    cfg.dump(folder / 'config.py')
    save_as_a_run_does(lively_model(cfg), folder / 'weights.pth')
    pixels = np.random.default_rng(3).integers(0, 256, (10, 15, 3), np.uint8)
    image = cv2.resize(pixels, (150, 100), interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(folder / 'image.png'), image)
    return str(folder / 'config.py'), str(folder / 'weights.pth'), str(folder / 'image.png')


@pytest.fixture(scope='module')
def inferencer(door) -> MMPoseInferencer:
    config, checkpoint, _ = door
    return MMPoseInferencer(pose2d=config, pose2d_weights=checkpoint, device='cpu')


def ours(door: tuple):
    """What the test pipeline and the model of the config say of the image."""
    config, checkpoint, image = door
    cfg = Config.fromfile(config)
    model = build_model(cfg).eval()
    model.load_state_dict(torch.load(checkpoint, weights_only=False)['state_dict'])
    item = dict(img_path=image, flip_indices=build_data(coco_paths(cfg, image)).metainfo['flip_indices'])
    batch = pseudo_collate([pipeline(cfg, 'test_dataloader')(item)])
    with torch.no_grad():
        return model.test_step(batch)[0].pred_instances


def coco_paths(cfg: Config, image: str) -> Config:
    """The config with a training file that exists."""
    folder = Path(image).parent
    write_coco(folder, coco([person()]))
    cfg.train_dataloader.dataset.update(data_root=str(folder), ann_file='people.json', data_prefix=dict(img=''))
    return cfg


def assert_same_people(found: list, expected) -> None:
    """Compares the inferencer's list of people with instances: keypoints, their scores, boxes, scores of people."""
    assert len(found) == len(expected.keypoints) > 1
    for name, single in (('keypoints', False), ('keypoint_scores', False), ('bbox_score', True)):
        values = [one[name] for one in found]
        wanted = expected['bbox_scores'] if single else expected[name]
        np.testing.assert_array_equal(np.float32(values), np.float32(wanted))
    boxes = [np.ravel(one['bbox']) for one in found]
    np.testing.assert_array_equal(np.float32(boxes), np.float32(expected.bboxes))


def people_of(results) -> list:
    """The people of the only image of a call."""
    (only,) = results
    return only['predictions'][0]


def test_the_inferencer_gives_the_people_of_our_own_pipeline(inferencer, door):
    assert_same_people(people_of(inferencer(door[2])), ours(door))


def test_the_inferencer_takes_arrays_folders_and_lists_and_writes_images(inferencer, door, tmp_path):
    expected = people_of(inferencer(door[2]))
    array = cv2.imread(door[2])
    assert people_of(inferencer(array)) == expected
    for name, size in (('a.png', (150, 100)), ('b.png', (90, 140))):
        cv2.imwrite(str(tmp_path / name), cv2.resize(array, size))
    shown = list(inferencer(str(tmp_path), batch_size=2, out_dir=str(tmp_path / 'out'), draw_bbox=True))
    assert shown[0]['predictions'][0] == expected and len(shown) == 2
    drawn = cv2.imread(str(tmp_path / 'out' / 'visualizations' / 'b.png'))
    assert drawn.shape == (140, 90, 3) and (drawn != cv2.imread(str(tmp_path / 'b.png'))).any()
    written = json.loads((tmp_path / 'out' / 'predictions' / 'a.json').read_text())
    assert [one['keypoints'] for one in written] == [one['keypoints'] for one in expected]


def test_the_inferencer_takes_videos(inferencer, door, tmp_path):
    frame = cv2.imread(door[2])
    video = cv2.VideoWriter(str(tmp_path / 'film.mp4'), cv2.VideoWriter_fourcc(*'mp4v'), 10, (150, 100))
    for _ in range(2):
        video.write(frame)
    video.release()
    frames = list(inferencer(str(tmp_path / 'film.mp4'), vis_out_dir=str(tmp_path / 'out')))
    assert [len(one['predictions'][0]) > 1 for one in frames] == [True, True]
    assert int(cv2.VideoCapture(str(tmp_path / 'out' / 'film.mp4')).get(cv2.CAP_PROP_FRAME_COUNT)) == 2


def test_a_config_and_weights_are_found_by_name_in_our_scope():
    by_name = BaseInferencer._load_model_from_metafile
    cfg, weights = by_name(SimpleNamespace(scope='cid_mmpose'), 'cid_hrnet-w32_coco')
    assert cfg.model.head.in_channels == 480
    assert weights.endswith('cid_hrnet-w32_8xb20-140e_coco-512x512_42b7e6e6-20230207.pth')


@pytest.mark.parametrize(
    'path', sorted(ROOT.glob('configs/[!_]*/*.py')) + sorted(ROOT.glob('configs/*.py')), ids=lambda path: path.stem
)
def test_every_config_says_that_it_takes_whole_images(path):
    assert Config.fromfile(path).data_mode == 'bottomup'


def test_configs_of_mmpose_s_recipe_decode_by_it_without_the_word_at_their_top():
    borders = {}
    for name in ('cid_hrnet-w32_coco.py', 'cid_hrnet-w32_coco_mmpose-recipe.py'):
        head = Config.fromfile(config_path(name)).model.head
        borders[name] = MODELS.build(head).decoder.rules.border
    assert list(borders.values()) == ['all', 'inner']


@pytest.mark.parametrize(
    'name, keypoints, first, links',
    [('cid_hrnet-w32_crowdpose.py', 14, 'left_shoulder', 15), ('cid_hrnet-w32_ochuman.py', 17, 'nose', 19)],
)
def test_keypoints_and_links_to_draw_come_from_the_config_s_training_data(name, keypoints, first, links):
    meta = dataset_meta_from_config(Config.fromfile(config_path(name)))
    assert (meta['num_keypoints'], meta['keypoint_id2name'][0]) == (keypoints, first)
    assert len(meta['skeleton_links']) == links
    assert len(meta['skeleton_link_colors']) == links and len(meta['keypoint_colors']) == keypoints


def test_nobody_in_the_image_is_an_empty_list_and_the_image_as_it_was(inferencer, door, monkeypatch):
    head = inferencer.inferencer.model.head
    monkeypatch.setattr(head, 'test', type(head.test)(min_score=1.0))
    (shown,) = inferencer(door[2], return_vis=True, pose_based_nms=True, draw_heatmap=True)
    assert shown['predictions'] == [[]]
    np.testing.assert_array_equal(shown['visualization'][0][:100], cv2.imread(door[2])[..., ::-1])


def test_mmpose_s_functions_give_the_same_people(door):
    config, checkpoint, image = door
    model = init_model(config, checkpoint, device='cpu')
    expected = ours(door)
    for given in (image, cv2.imread(image)):
        found = inference_bottomup(model, given)[0].pred_instances
        np.testing.assert_array_equal(found.keypoints, expected.keypoints)
        np.testing.assert_array_equal(found.bbox_scores, expected.bbox_scores)


def cspnext_config(**changes) -> Config:
    """Our config with MMDetection's CSPNeXt, 1/16 of its usual width, as docs/mmpose.md has it."""
    cfg = lively_config()
    cfg.model.backbone = {**CSPNEXT, **changes}
    cfg.model.head.in_channels = sum(WIDTHS)
    return cfg


def test_a_backbone_of_mmdet_trains_and_tests_under_our_head(tmp_path):
    cfg = coco_paths(cspnext_config(), str(tmp_path / 'any'))
    model = build_model(cfg)
    item = build_data(cfg)[0]
    data = model.data_preprocessor(pseudo_collate([item, item]), training=True)
    losses = model.loss(**data)
    sum(losses.values()).backward()
    assert isinstance(model.backbone, CSPNeXt)
    assert all(weight.grad is not None for weight in model.parameters())
    maps = model.extract_feat(data['inputs'])
    assert [tuple(branch.shape[1:]) for branch in maps] == [
        (width, SIDE // stride, SIDE // stride) for width, stride in zip(WIDTHS, (4, 8, 16, 32))
    ]
    model.eval()
    found = model.test_step(
        pseudo_collate(
            [pipeline(cfg, 'test_dataloader')(dict(img=np.zeros((90, 120, 3), np.uint8), flip_indices=list(range(17))))]
        )
    )
    assert found[0].pred_instances.keypoints.shape[1:] == (17, 2)


def test_maps_that_do_not_have_the_codec_s_stride_are_refused_in_one_line():
    model = build_model(cspnext_config(out_indices=(2, 3, 4))).eval()
    with pytest.raises(
        BadInput, match='has 16 x 16 cells for an input of 128 x 128 pixels.*stride 4 needs 32 x 32; set out_indices'
    ):
        model.extract_feat(torch.zeros(1, 3, SIDE, SIDE))


def run_door(folder: Path, *arguments) -> str:
    """What one of MMPose's scripts prints in a fresh interpreter and a folder of its own."""
    command = [sys.executable, '-W', 'ignore', '-m', 'cid_mmpose', 'run', *map(str, arguments)]
    path = os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')])
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, 'PYTHONPATH': path},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def street(folder: Path) -> Path:
    """Three frames of a busy street, as a video."""
    film = cv2.VideoCapture(str(shared('video/street.mp4')))
    short = cv2.VideoWriter(str(folder / 'street.mp4'), cv2.VideoWriter_fourcc(*'mp4v'), 10, (320, 180))
    for _ in range(3):
        short.write(cv2.resize(film.read()[1], (320, 180)))
    short.release()
    return folder / 'street.mp4'


@pytest.mark.slow
@pytest.mark.parametrize('of', ['image', 'folder', 'video'])
def test_the_inferencer_demo_draws(of, door, tmp_path):
    config, checkpoint, image = door
    folder = tmp_path / 'images'  # MMPose takes no folder with files of a kind it cannot tell by their names
    folder.mkdir()
    shutil.copy(image, folder)
    given = dict(image=image, folder=folder).get(of) or street(tmp_path)
    run_door(
        tmp_path,
        'inferencer_demo.py',
        given,
        '--pose2d',
        config,
        '--pose2d-weights',
        checkpoint,
        '--device',
        'cpu',
        '--vis-out-dir',
        'out',
        '--pred-out-dir',
        'out',
    )
    name = 'street' if of == 'video' else 'image'
    people = json.loads((tmp_path / 'out' / f'{name}.json').read_text())
    if of == 'video':
        assert [frame['frame_id'] for frame in people] == [0, 1, 2]
        assert int(cv2.VideoCapture(str(tmp_path / 'out' / 'street.mp4')).get(cv2.CAP_PROP_FRAME_COUNT)) == 3
    else:
        np.testing.assert_allclose([one['keypoints'] for one in people], ours(door).keypoints, atol=1e-4)
        assert (cv2.imread(str(tmp_path / 'out' / 'image.png')) != cv2.imread(image)).any()


@pytest.mark.slow
@pytest.mark.parametrize('of', ['image', 'video'])
def test_the_bottom_up_demo_draws(of, door, tmp_path):
    config, checkpoint, image = door
    given = Path(image) if of == 'image' else street(tmp_path)
    run_door(
        tmp_path,
        'bottomup_demo.py',
        config,
        checkpoint,
        '--input',
        given,
        '--output-root',
        'out',
        '--device',
        'cpu',
        '--save-predictions',
        '--draw-heatmap',
    )
    people = json.loads((tmp_path / 'out' / f'results_{given.stem}.json').read_text())['instance_info']
    if of == 'video':
        assert [frame['frame_id'] for frame in people] == [1, 2, 3]
    else:
        np.testing.assert_allclose([one['keypoints'] for one in people], ours(door).keypoints, atol=1e-4)
    assert (tmp_path / 'out' / given.name).stat().st_size > 1000


@pytest.mark.slow
def test_the_image_demo_draws(door, tmp_path):
    config, checkpoint, image = door
    run_door(tmp_path, 'image_demo.py', image, config, checkpoint, '--out-file', 'out.png', '--device', 'cpu')
    drawn = cv2.imread(str(tmp_path / 'out.png'))
    assert drawn.shape == (100, 150, 3) and (drawn != cv2.imread(image)).any()


@pytest.mark.slow
def test_the_inferencer_takes_a_model_by_its_name(door, tmp_path):
    torch.manual_seed(0)
    cfg = Config.fromfile(config_path('cid_hrnet-w32_coco.py'))
    torch.save(dict(state_dict=MODELS.build(cfg.model).state_dict()), tmp_path / 'w32.pth')
    inferencer = MMPoseInferencer('cid_hrnet-w32_coco', str(tmp_path / 'w32.pth'), device='cpu', scope='cid_mmpose')
    assert isinstance(people_of(inferencer(door[2])), list)
    assert inferencer.inferencer.model.head.iia.conv.weight.shape == (18, 480, 1, 1)


@pytest.mark.slow
@pytest.mark.parametrize('script, expected', [('get_flops.py', 'head.gfd.heatmap'), ('print_config.py', 'data_mode')])
def test_mmpose_s_analysis_scripts_take_our_configs(script, expected, door, tmp_path):
    options = ['--input-shape', '128', '128'] if script == 'get_flops.py' else []
    assert expected in run_door(tmp_path, script, door[0], *options)
