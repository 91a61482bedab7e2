"""Every config builds and runs without fetching weights; the recipe's numbers are the paper's."""
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import KEYPOINT_CODECS, METRICS, MODELS
from pictures import ROOT, build_data, build_model, coco_mini, config, tiny_config

NAMES = sorted(path.name for path in (ROOT / 'configs').glob('*.py'))
COCO_NAMES = [name for name in NAMES if name.endswith('_coco.py')]
RECIPES = [  # table 4 and section 4.2: widths of the branches, channels of GFD, short side in pixels
    ('cid_hrnet-w32_coco.py', (32, 64, 128, 256), 32, 512),
    ('cid_hrnet-w48_coco.py', (48, 96, 192, 384), 48, 640),
]
# MMPose's own head, as in its configs; beside ours it must stay what it is
MMPOSE_HEAD = dict(
    type='CIDHead', in_channels=480, num_keypoints=17, gfd_channels=32,
    coupled_heatmap_loss=dict(type='FocalHeatmapLoss', loss_weight=1.0),
    decoupled_heatmap_loss=dict(type='FocalHeatmapLoss', loss_weight=4.0),
    contrastive_loss=dict(type='InfoNCELoss', temperature=0.05, loss_weight=1.0),
    decoder=dict(type='DecoupledHeatmap', input_size=(512, 512), heatmap_size=(128, 128)))


def original(name: str) -> Config:
    return Config.fromfile(ROOT / 'configs' / name)


@pytest.mark.parametrize('name, widths, gfd_channels, side', RECIPES)
def test_the_recipe_is_the_paper_s(name, widths, gfd_channels, side):
    cfg = original(name)
    extra, head = cfg.model.backbone.extra, cfg.model.head
    assert [tuple(extra[f'stage{i}'].num_channels) for i in (2, 3, 4)] == [widths[:2], widths[:3], widths]
    assert (head.in_channels, head.gfd_channels, head.num_keypoints) == (sum(widths), gfd_channels, 17)
    assert sum(widths) == {32: 480, 48: 720}[gfd_channels]
    assert (cfg.train_cfg.max_epochs, cfg.param_scheduler[0].milestones, cfg.param_scheduler[0].gamma) == (
        140, [90, 120], 0.1)
    assert (cfg.optim_wrapper.optimizer.type, cfg.optim_wrapper.optimizer.lr) == ('Adam', 1e-3)
    assert cfg.auto_scale_lr.base_batch_size == 40 and cfg.train_dataloader.batch_size == 20
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        assert tuple(loader.dataset.pipeline[1].input_size) == (side, side)
    assert cfg.model.test_cfg.flip_test and cfg.test_dataloader.dataset.pipeline[1].resize_mode == 'expand'
    assert cfg.model.backbone.init_cfg.checkpoint.split('/')[-1].startswith(f'hrnet_w{gfd_channels}-')


def test_augmentation_losses_and_test_options_are_the_paper_s():
    data, model = build_data(coco_mini(config())), build_model(config())
    affine, mirror = data.pipeline.transforms[1:3]
    assert (affine.rotation, affine.scale, affine.shift, affine.scale_type) == (30, (0.75, 1.5), 0.2, 'short')
    assert (mirror.prob, mirror.mirror) == (0.5, 'map')
    head = model.head
    assert (head.crowd_loss.loss_weight, head.person_loss.loss_weight) == (1, 4)
    assert (head.contrastive_loss.temperature, head.contrastive_loss.loss_weight) == (0.05, 1)
    assert (head.test.max_people, head.test.min_score, head.test.blur, head.test.nms) == (30, 0.01, 3, 0.8)
    assert (head.decoder.stride, head.decoder.min_overlap, head.decoder.small_person_area) == (4, 0.7, 1024)
    assert head.max_train_people == 200


def run_both_steps(cfg: Config) -> tuple:
    """Names of the losses of one training batch, and the predictions of one test batch."""
    cfg.train_dataloader.update(batch_size=2, num_workers=0, persistent_workers=False)
    cfg.test_dataloader.update(batch_size=1, num_workers=0, persistent_workers=False)
    torch.manual_seed(0)
    np.random.seed(0)
    model = build_model(cfg)
    model.train(True)
    losses = model.loss(**model.data_preprocessor(next(iter(Runner.build_dataloader(cfg.train_dataloader))), True))
    sum(losses.values()).backward()
    model.train(False)
    with torch.no_grad():
        return set(losses), model.test_step(next(iter(Runner.build_dataloader(cfg.test_dataloader))))


@pytest.mark.parametrize('name', NAMES)
def test_every_config_builds_and_takes_a_training_and_a_test_step(name):
    cfg = config(name)
    losses, found = run_both_steps(coco_mini(cfg) if name in COCO_NAMES else cfg)
    assert losses == {'loss_crowd', 'loss_person', 'loss_contrastive'}
    assert len(found) == 1 and found[0].pred_instances.keypoints.shape[1:] == (17, 2)


def test_a_tiny_model_takes_both_steps_on_real_pictures():
    losses, found = run_both_steps(coco_mini(tiny_config()))
    assert losses == {'loss_crowd', 'loss_person', 'loss_contrastive'}
    assert len(found) == 1 and found[0].pred_instances.keypoints.shape[1:] == (17, 2)


@pytest.mark.parametrize('name', NAMES)
def test_every_config_builds_its_parts_without_a_download(name):
    cfg = config(name)
    assert sum(p.numel() for p in build_model(cfg).parameters()) > 1e5
    assert METRICS.build(cfg.test_evaluator) and cfg.default_scope == 'mmpose'
    assert cfg.test_evaluator == cfg.val_evaluator and cfg.test_dataloader == cfg.val_dataloader


@pytest.mark.parametrize('name', NAMES)
def test_configs_are_short_and_say_what_they_are(name):
    lines = (ROOT / 'configs' / name).read_text().splitlines()
    assert len(lines) <= 30 and lines[0].startswith('# ')


@pytest.mark.parametrize('owner, option, change', [
    ('CIDHead', 'gfd_chanels', dict(gfd_chanels=3)),
    ('SizeAdaptiveHeatmap', 'strid', dict(decoder=dict(strid=3))),
    ('PredictOptions', 'nmss', dict(test=dict(nmss=3))),
    ('FocalHeatmapLoss', 'weight', dict(crowd_loss=dict(type='cid_mmpose.FocalHeatmapLoss', weight=3))),
])
def test_an_unknown_option_is_refused_by_its_name_and_owner(owner, option, change):
    cfg = tiny_config()
    cfg.merge_from_dict(dict(model=dict(head=change)))
    with pytest.raises(TypeError, match=f"{owner}.*unexpected keyword argument '{option}'"):
        build_model(cfg)


@pytest.mark.parametrize('part', ['codec', 'head'])
def test_an_unknown_class_is_refused_by_name(part):
    cfg = tiny_config()
    wrong = dict(type=f'cid_mmpose.No{part}')
    with pytest.raises(KeyError, match=f'No{part} is not in'):
        (KEYPOINT_CODECS if part == 'codec' else MODELS).build(wrong)
    cfg.model.head.update(wrong if part == 'head' else dict(decoder=wrong))
    with pytest.raises(KeyError, match=f'No{part} is not in'):
        build_model(cfg)


def test_an_unknown_test_option_is_refused_when_predicting():
    cfg = coco_mini(tiny_config())
    cfg.model.test_cfg.flip_tset = True
    with pytest.raises(ValueError, match=r"unknown \['flip_tset'\]; CIDHead knows \['flip_test', 'output_heatmaps'\]"):
        run_both_steps(cfg)


def test_a_config_of_one_s_own_starts_from_ours(tmp_path: Path):
    own = tmp_path / 'mine.py'
    own.write_text(f"_base_ = '{ROOT}/configs/cid_hrnet-w32_coco.py'\n"
                   "custom_imports = dict(imports=['cid_mmpose'])\nmodel = dict(head=dict(gfd_channels=16))\n")
    cfg = Config.fromfile(own)
    cfg.model.backbone.init_cfg = None
    assert build_model(cfg).head.gfd.__class__.__module__ == 'cid_mmpose.models.gfd'
    assert cfg.model.head.gfd_channels == 16 and cfg.model.head.in_channels == 480


def test_mmpose_s_own_head_of_the_same_name_builds_beside_ours():
    init_default_scope('mmpose')
    theirs, ours = MODELS.build(MMPOSE_HEAD), build_model(config()).head
    assert type(theirs).__module__.startswith('mmpose.models.heads.')
    assert type(ours).__module__ == 'cid_mmpose.models.cid_head'
    assert type(MODELS.build(MMPOSE_HEAD)) is type(theirs)  # ours did not take its name
