"""Weights of every layout in the world load, by every way of loading, and answer as in the program they are from."""

import os
import subprocess
import sys
from collections import OrderedDict

import mmengine
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.runner import load_checkpoint
from mmpose.apis import init_model
from mmpose.structures import PoseDataSample

from cid_mmpose.models import CID
from cid_mmpose.models.gfd import to_scores
from tests.helpers.images import ROOT, build_model, coco_mini, config, tiny_config
from tests.helpers.public_weights import (
    CELL_CENTERS,
    CENTER,
    LAYOUTS,
    SIZE,
    assert_holds,
    mmpose_model,
    named_as,
    ours,
    saved,
    with_module,
)

FLIP = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]


@pytest.fixture(scope='module')
def theirs():
    """MMPose's own CID."""
    return mmpose_model()


@pytest.fixture(scope='module')
def source(theirs) -> OrderedDict:
    """The one set of weights, as MMPose 1.x saves it, with its versions."""
    return theirs.state_dict()


WRAPPERS = {
    'bare': lambda weights: weights,
    'state_dict': lambda weights: dict(epoch=3, state_dict=weights, meta=dict()),
    'best_state_dict': lambda weights: dict(epoch=3, best_state_dict=weights, optimizer=dict(state={})),
    'both': lambda weights: dict(state_dict=with_module(weights), best_state_dict=weights, perf=1),
    'model': lambda weights: dict(epoch=3, model=weights, optimizer=dict(state={})),
    'module.': lambda weights: with_module(weights),
}


@pytest.mark.parametrize('layout', LAYOUTS)
def test_mmengine_loads_every_layout_in_every_wrapping(source, tmp_path, layout):
    for name, wrap in WRAPPERS.items():
        model = ours()
        load_checkpoint(model, saved(wrap(named_as(layout, source)), tmp_path / f'{name}.pth'), strict=True)
        assert_holds(model, source, CELL_CENTERS[layout])


@pytest.mark.parametrize('layout', LAYOUTS)
def test_torch_loads_every_layout_strictly_and_leaves_the_checkpoint_as_it_was(source, layout):
    for wrap in WRAPPERS.values():
        model, checkpoint = ours(), wrap(named_as(layout, source))
        names = list(checkpoint)
        assert not any(model.load_state_dict(checkpoint, strict=True))
        assert_holds(model, source, CELL_CENTERS[layout])
        assert list(checkpoint) == names


def test_what_was_done_is_said_in_one_line(source, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr('cid_mmpose.models.estimator.say', said.append)
    path = saved(with_module(named_as('authors', source)), tmp_path / 'w.pth')
    load_checkpoint(ours(), path)
    ours().load_state_dict(named_as('mmpose 1.x', source))
    ours().load_state_dict(named_as('ours', source))
    model = ours()
    model.load_state_dict(model.state_dict())
    assert said == [
        f"{path}: layout of the authors' code, 14 weights renamed; relative coordinates from cell + 0 (cell_center)",
        'weights: layout of MMPose 1.x, 14 weights renamed; relative coordinates from cell + 0.5 (cell_center)',
        'weights: relative coordinates from cell + 0 (cell_center)',
    ]  # ours from before cell_center was saved


def test_our_own_checkpoint_keeps_the_cell_center_it_was_trained_with(source):
    for value in (0.0, 0.5, 0.25):
        model = ours()
        model.load_state_dict({**named_as('ours', source), CENTER: torch.tensor(value)})
        assert_holds(model, source, value)


def test_weights_below_a_prefix_are_taken_over_as_in_an_averaged_model(source):
    box = torch.nn.ModuleDict(dict(module=ours()))
    weights = with_module(named_as('mmpose 0.x', source))
    box.load_state_dict(weights, strict=True)
    assert_holds(box['module'], source, 0)


def test_mmpose_s_init_model_loads_the_authors_weights(source, tmp_path):
    cfg = tiny_config()
    cfg.model.head.recipe = 'mmpose'
    model = init_model(cfg, saved(named_as('authors', source), tmp_path / 'w.pth'), device='cpu')
    assert_holds(model, source, 0)


def test_the_state_of_mmpose_s_optimizer_would_fit_as_it_goes_by_the_order_of_parameters(theirs):
    names = OrderedDict((name, None) for name, _ in theirs.named_parameters())
    assert list(named_as('ours', names)) == [name for name, _ in ours().named_parameters()]


def people(model, seed: int = 1) -> tuple:
    """Keypoints (N, 17, 2) in pixels and scores (N, 17) of one speckled image, as ``in_order`` has them."""
    torch.manual_seed(seed)
    image = torch.randn(1, 3, *SIZE[::-1])
    sample = PoseDataSample(
        metainfo=dict(input_size=SIZE, input_center=np.array(SIZE) / 2, input_scale=np.array(SIZE), flip_indices=FLIP)
    )
    with torch.no_grad():
        found = model.predict(image, [sample])[0].pred_instances
    return in_order(found.keypoints, found.keypoint_scores)


def in_order(keypoints: np.ndarray, keypoint_scores: np.ndarray) -> tuple:
    """The same people sorted by their keypoints, and where these are equal by their scores."""
    order = np.lexsort([keypoint_scores.sum(1), *keypoints.reshape(len(keypoints), -1).round(1).T])
    return keypoints[order], keypoint_scores[order]


def loaded(weights: dict) -> CID:
    model = ours()
    model.load_state_dict(weights)
    return model


def test_the_three_layouts_answer_as_their_programs_do(theirs, source, figures):
    answers = {layout: people(loaded(named_as(layout, source))) for layout in LAYOUTS}
    own = people(theirs)
    assert len(own[0]) > 20
    for mine, expected, what, limit in zip(answers['mmpose 1.x'], own, ('keypoints, px', 'scores'), (0.01, 1e-5)):
        figures('MMPose 1.x weights loaded: largest difference from MMPose', what, abs(mine - expected).max(), limit)
        np.testing.assert_allclose(mine, expected, atol=limit)
    for mine, expected in zip(answers['mmpose 0.x'], answers['authors']):
        np.testing.assert_array_equal(mine, expected)
    assert answers['authors'][1].shape != own[1].shape or abs(answers['authors'][1] - own[1]).max() > 1e-4


@pytest.fixture
def configs(theirs, tmp_path) -> dict:
    """Config files for the real images: 'ours', as the recipe of MMPose's port has it, and 'theirs'."""
    cfg = coco_mini(tiny_config(side=SIZE[1]))
    cfg.test_dataloader.update(num_workers=0, persistent_workers=False)
    cfg.update(recipe='mmpose', log_level='WARNING')
    cfg.model.head.update(test=dict(nms=1.0, min_score=0))
    cfg.dump(str(tmp_path / 'ours.py'))
    cfg.model.update(
        type='BottomupPoseEstimator',
        neck=dict(type='FeatureMapProcessor', concat=True),
        test_cfg=dict(flip_test=True, score_threshold=0),
    )
    cfg.model.head = dict(
        type='CIDHead',
        in_channels=60,
        num_keypoints=17,
        gfd_channels=32,
        decoder=dict(type='DecoupledHeatmap', input_size=(96, 96), heatmap_size=(24, 24)),
    )
    cfg.test_evaluator = dict(
        type='CocoMetric',
        nms_mode='none',
        score_mode='keypoint',
        ann_file=os.path.join(cfg.test_dataloader.dataset.data_root, cfg.test_dataloader.dataset.ann_file),
    )
    cfg.dump(str(tmp_path / 'theirs.py'))
    return {name: str(tmp_path / f'{name}.py') for name in ('ours', 'theirs')}


def run_test_command(config: str, weights: dict, folder) -> list:
    """What ``cid test`` finds in each image: keypoints (N, 17, 2) and scores (N, 17), by ``in_order``."""
    path = saved(dict(state_dict=weights, meta={}), folder / 'w.pth')
    command = [
        sys.executable,
        '-W',
        'ignore',
        str(ROOT / 'tools' / 'test.py'),
        config,
        path,
        '--work-dir',
        str(folder / 'work'),
        '--dump',
        str(folder / 'found.pkl'),
    ]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    return [
        in_order(**{name: np.asarray(found['pred_instances'][name]) for name in ('keypoints', 'keypoint_scores')})
        for found in mmengine.load(folder / 'found.pkl')
    ]


@pytest.mark.slow
def test_the_test_command_answers_the_same_for_each_layout_and_as_mmpose_does(source, configs, tmp_path, figures):
    authors, mmpose_0, mmpose_1 = (
        run_test_command(configs['ours'], named_as(layout, source), tmp_path)
        for layout in ('authors', 'mmpose 0.x', 'mmpose 1.x')
    )
    own = run_test_command(configs['theirs'], source, tmp_path)
    assert sum(len(keypoints) for keypoints, _ in own) > 26 * 20
    # MMPose adds up in another order. Where two cells of a random map are equal up to that, rounding decides which is
    # the peak, or the root; so a few people may differ, and everyone else must agree to the last digits
    for mine, other, limit, what in (
        (authors, mmpose_0, 0, "the authors' and MMPose 0.x layout"),
        (mmpose_1, own, 0.03, "MMPose 1.x layout and MMPose's own head"),
    ):
        apart = np.concatenate(
            [
                (abs(one[0] - two[0]) > 0.01).any((1, 2)) | (abs(one[1] - two[1]) > 1e-6).any(1)
                for one, two in zip(mine, other)
            ]
        )
        figures('cid test on coco_mini: share of people apart by 0.01 px or 1e-6 of a score', what, apart.mean(), limit)
        assert apart.mean() <= limit


def authors_gfd(weights: dict, features: torch.Tensor, root: tuple) -> torch.Tensor:
    """(17, H, W) scores of one person as the paper writes it, from the authors' names; features (C, H, W)."""
    w = {name[len('gfd.') :]: value for name, value in weights.items() if name.startswith('gfd.')}
    vector = features[:, root[1], root[0]]
    shared = F.conv2d(features[None], w['conv_down.weight'], w['conv_down.bias'])[0]
    channel = shared * (w['c_attn.atn.weight'] @ vector + w['c_attn.atn.bias'])[:, None, None]
    similarity = (shared * (w['s_attn.atn.weight'] @ vector + w['s_attn.atn.bias'])[:, None, None]).sum(0)
    y, x = np.indices(similarity.shape)
    offsets = [torch.tensor((root[0] - x) / 32).float(), torch.tensor((root[1] - y) / 32).float()]
    seen = torch.stack([similarity, *offsets])[None]
    mask = F.conv2d(seen, w['s_attn.conv.weight'], w['s_attn.conv.bias'], padding=2)[0].sigmoid()
    both = torch.cat([channel, shared * mask])
    fused = F.conv2d(both[None], w['fuse_attn.weight'], w['fuse_attn.bias']).relu()
    return F.conv2d(fused, w['heatmap_conv.weight'], w['heatmap_conv.bias'])[0].sigmoid().clamp(1e-4, 1 - 1e-4)


def test_the_authors_weights_give_the_maps_of_their_formulas(source, figures):
    weights = named_as('authors', source)
    head = loaded(weights).head
    features = torch.randn(1, 60, 20, 24, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        seen = head([features])
    roots, maps = seen.roots, to_scores(seen.heatmaps)
    expected = torch.stack([authors_gfd(weights, features[0], tuple(cell)) for cell in roots.cell.tolist()])
    assert len(maps) > 10
    figures(
        "the authors' weights loaded: largest difference from the formulas", 'maps', (maps - expected).abs().max(), 1e-4
    )
    torch.testing.assert_close(maps, expected, atol=1e-4, rtol=0)


def batch_norm(name: str) -> list:
    return [f'{name}.{leaf}' for leaf in ('weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked')]


def pair(name: str) -> list:
    """A convolution and its batch norm in a row."""
    return [f'{name}.0.weight', *batch_norm(f'{name}.1')]


def block(name: str, convolutions: int) -> list:
    return [
        leaf for i in range(1, convolutions + 1) for leaf in (f'{name}.conv{i}.weight', *batch_norm(f'{name}.bn{i}'))
    ]


def authors_backbone() -> list:
    """The names of the authors' HRNet-W32 and W48 (lib/models/backbone.py)."""
    names = block('', 2) + pair('.layer1.0.downsample') + pair('.transition1.0')
    names += [name for i in range(4) for name in block(f'.layer1.{i}', 3)]
    for stage, modules in ((2, 1), (3, 4), (4, 3)):
        names += pair(f'.transition{stage - 1}.{stage - 1}.0')
        for prefix in (f'.stage{stage}.{module}' for module in range(modules)):
            names += [name for b in range(stage) for i in range(4) for name in block(f'{prefix}.branches.{b}.{i}', 2)]
            for i, j in ((i, j) for i in range(stage) for j in range(stage) if i != j):
                steps = [''] if j > i else [f'.{k}' for k in range(i - j)]
                names += [name for step in steps for name in pair(f'{prefix}.fuse_layers.{i}.{j}{step}')]
    return [f'backbone{name}' for name in names]


@pytest.mark.parametrize('name', ['cid_hrnet-w32_coco.py', 'cid_hrnet-w48_coco.py'])
def test_the_authors_backbone_has_our_names(name):
    with torch.device('meta'):
        names = [name for name in build_model(config(name)).state_dict() if name.startswith('backbone.')]
    assert sorted(names) == sorted(authors_backbone())
