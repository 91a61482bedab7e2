"""Every config builds and runs without fetching weights; its recipe is the one typed from the paper."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import KEYPOINT_CODECS, MODELS

from cid_mmpose.codecs.gaussian import MIN_OVERLAP
from cid_mmpose.models.estimator import with_sigmas
from cid_mmpose.recipes import apply_recipe, parts_in
from tests.helpers.images import ROOT, build_data, build_model, coco_mini, config, step, tiny_config, transform
from tests.helpers.layouts import lay_out, shrink, small_loaders
from tests.helpers.paper import RECIPES, Recipe
from tests.helpers.slow import slow_but

CONFIGS = ROOT / 'configs'
DEMO = 'cid_hrnet-w16-small_synthcrowd'
NAMES = sorted(
    path.relative_to(CONFIGS).with_suffix('').as_posix()
    for path in [*CONFIGS.glob('*.py'), *(CONFIGS / 'ablation').glob('*.py')]
)
FILES = sorted(CONFIGS.rglob('*.py'))
RESNET = 'cid_resnet-50_coco'  # which the paper does not have
ON_FILES = [name for name in NAMES if name not in (DEMO, RESNET)]
QUICK = (  # the others take the same steps on files and with widths of their own
    'cid_hrnet-w32_coco',
    'cid_hrnet-w48_crowdpose',
    'cid_hrnet-w32_coco_mmpose-recipe',
    'ablation/cid_hrnet-w32_coco-35e_spatial',
)
LOSSES = {'loss_crowd', 'loss_person', 'loss_contrastive'}
# MMPose's own head, as in its configs; beside ours it must stay what it is
MMPOSE_HEAD = dict(
    type='CIDHead',
    in_channels=480,
    num_keypoints=17,
    gfd_channels=32,
    coupled_heatmap_loss=dict(type='FocalHeatmapLoss', loss_weight=1.0),
    decoupled_heatmap_loss=dict(type='FocalHeatmapLoss', loss_weight=4.0),
    contrastive_loss=dict(type='InfoNCELoss', temperature=0.05, loss_weight=1.0),
    decoder=dict(type='DecoupledHeatmap', input_size=(512, 512), heatmap_size=(128, 128)),
)


def head_of(cfg: Config):
    """The head as the network of a config builds it."""
    metainfo = cfg.model.get('metainfo')
    return MODELS.build(with_sigmas(cfg.model.head, metainfo) if metainfo else cfg.model.head)


def original(name: str) -> Config:
    """A config with its recipe in its parts, as the tools load it."""
    cfg = Config.fromfile(CONFIGS / f'{name}.py')
    init_default_scope('mmpose')
    apply_recipe(cfg)
    return cfg


def file_of(loader: dict) -> str:
    return (loader.dataset.data_root + loader.dataset.ann_file).replace('data/', '', 1)


def recipe_of(cfg: Config) -> Recipe:
    """What the paper's table says of a recipe, out of a config and the head that it builds."""
    head, schedule = head_of(cfg), cfg.param_scheduler[0]
    return Recipe(
        backbone=cfg.model.backbone.extra.stage4.num_channels[0],
        side=step(cfg.test_dataloader, 'ResizeImage').input_size[1],
        keypoints=head.gfd.heatmap.out_channels,
        epochs=cfg.train_cfg.max_epochs,
        drops=tuple(schedule.milestones),
        batch=cfg.auto_scale_lr.base_batch_size,
        trained_on=file_of(cfg.train_dataloader),
        tested_on=file_of(cfg.test_dataloader),
        best=cfg.default_hooks.checkpoint.save_best,
        smallest_person=head.decoder.rules.small_person_area,
        blur=head.test.blur,
        nms=head.test.nms,
        gfd_channels=head.gfd.conv_down.out_channels,
        recalibration=('fused' if head.gfd.channel else 'spatial') if head.gfd.spatial else 'channel',
        contrastive=head.contrastive_loss.loss_weight,
    )


def test_every_config_has_its_recipe_in_the_paper_s_table():
    assert sorted(RECIPES) == ON_FILES and len(RECIPES) == 26


@pytest.mark.parametrize('name', ON_FILES)
def test_the_recipe_is_the_paper_s(name):
    cfg = original(name)
    assert recipe_of(cfg) == RECIPES[name]
    assert cfg.auto_scale_lr.base_batch_size % cfg.train_dataloader.batch_size == 0  # whole GPUs
    assert cfg.train_dataloader.batch_size == 20  # a GPU: 1 for OCHuman, 2 for the others, 8 for MMPose's recipe


@pytest.mark.parametrize('name', ON_FILES)
def test_what_all_recipes_share(name):
    cfg = original(name)
    head, schedule = head_of(cfg), cfg.param_scheduler[0]
    width, encoder = RECIPES[name].backbone, step(cfg.train_dataloader, 'GenerateTarget').encoder
    branches = tuple(width * 2**i for i in range(4))
    assert [tuple(cfg.model.backbone.extra[f'stage{i}'].num_channels) for i in (2, 3, 4)] == [
        branches[:2],
        branches[:3],
        branches,
    ]
    assert head.gfd.conv_down.in_channels == sum(branches) == {32: 480, 48: 720}[width]
    assert (cfg.optim_wrapper.optimizer.type, cfg.optim_wrapper.optimizer.lr) == ('Adam', 1e-3)
    assert (schedule.type, schedule.gamma, schedule.end) == ('MultiStepLR', 0.1, cfg.train_cfg.max_epochs)
    assert (head.crowd_loss.loss_weight, head.person_loss.loss_weight) == (1, 4)
    assert KEYPOINT_CODECS.build(encoder).rules == head.decoder.rules  # what is trained is what is decoded
    crop = step(cfg.train_dataloader, 'RandomAffine')
    resizes = [step(loader, 'ResizeImage') for loader in (cfg.val_dataloader, cfg.test_dataloader)]
    assert [tuple(sized.input_size) for sized in (crop, *resizes)] == 3 * [(RECIPES[name].side,) * 2]
    assert cfg.model.test_cfg.flip_test and [resize.resize_mode for resize in resizes] == ['expand', 'expand']


@pytest.mark.parametrize('name', ON_FILES)
def test_training_starts_from_weights_of_the_same_backbone(name):
    cfg, width = original(name), RECIPES[name].backbone
    if 'pretrained' in name:
        assert cfg.model.backbone.init_cfg is None and cfg.model.other_keypoints == 'fresh'
        assert f'/cid_hrnet-w{width}_' in cfg.load_from
    else:
        assert cfg.load_from is None and f'/hrnet_w{width}-' in cfg.model.backbone.init_cfg.checkpoint


def test_crowdpose_has_keypoints_of_its_own(tmp_path):
    cfg = lay_out(original('cid_hrnet-w32_crowdpose'), tmp_path)
    meta, head = build_data(cfg).metainfo, head_of(cfg)
    assert meta['flip_indices'] == [1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 12, 13]
    sigmas = head.test.keypoint_sigmas(14)
    assert sigmas == pytest.approx(meta['sigmas'])
    assert meta['sigmas'][[0, 2, 4, 6, 8, 10, 12]] == pytest.approx([0.079, 0.072, 0.062, 0.107, 0.087, 0.089, 0.079])


@pytest.mark.parametrize(
    'name, recipe, cell_center',
    [('cid_hrnet-w32_coco', 'reference', 0), ('cid_hrnet-w32_coco_mmpose-recipe', 'mmpose', 0.5)],
)
def test_the_recipe_s_word_reaches_every_part(name, recipe, cell_center):
    cfg = original(name)
    assert {part.get('recipe') for part in parts_in(cfg.to_dict())} == {recipe}
    assert head_of(cfg).gfd.spatial.cell_center == cell_center


def test_augmentation_losses_and_test_options_are_the_paper_s():
    data, model = build_data(coco_mini(config())), build_model(config())
    affine, mirror = transform(data, 'RandomAffine'), transform(data, 'RandomMirror')
    assert (affine.rotation, affine.scale, affine.shift, affine.scale_type) == (30, (0.75, 1.5), 0.2, 'short')
    assert (mirror.prob, mirror.mirror) == (0.5, 'map')
    head = model.head
    assert (head.crowd_loss.loss_weight, head.person_loss.loss_weight) == (1, 4)
    assert (head.contrastive_loss.temperature, head.contrastive_loss.loss_weight) == (0.05, 1)
    assert (head.test.max_people, head.test.min_score, head.test.blur, head.test.nms) == (30, 0.01, 3, 0.8)
    assert (head.decoder.stride, MIN_OVERLAP, head.decoder.rules.small_person_area) == (4, 0.7, 1024)
    assert head.max_train_people == 200


def run_both_steps(cfg: Config) -> tuple:
    """Names of the losses of one training batch, and the predictions of one test batch."""
    torch.manual_seed(0)
    np.random.seed(0)
    model = build_model(cfg)
    model.train(True)
    losses = model.loss(**model.data_preprocessor(next(iter(Runner.build_dataloader(cfg.train_dataloader))), True))
    sum(losses.values()).backward()
    assert all(p.grad.isfinite().all() for p in model.head.parameters() if p.grad is not None)
    model.train(False)
    with torch.no_grad():
        return set(losses), model.test_step(next(iter(Runner.build_dataloader(cfg.test_dataloader))))


@pytest.mark.parametrize('name', slow_but(QUICK, ON_FILES))
def test_every_config_takes_a_training_and_a_test_step_in_the_layout_it_names(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = shrink(lay_out(original(name), tmp_path))
    losses, found = run_both_steps(cfg)
    assert losses == LOSSES and len(found) == 1
    assert found[0].pred_instances.keypoints.shape[1:] == (RECIPES[name].keypoints, 2)
    metrics = evaluate(cfg, 'test', found)
    if 'testdev' in name:
        assert metrics == {} and [path.suffix for path in tmp_path.glob('*_results.*')] == ['.zip']
    else:
        assert f'{RECIPES[name].tested_on.split("/")[0]}/AP' in metrics


@pytest.mark.parametrize('name', ON_FILES)
def test_the_best_checkpoint_is_chosen_by_a_figure_that_validation_gives(name, tmp_path):
    cfg = lay_out(original(name), tmp_path)
    assert RECIPES[name].best in evaluate(cfg, 'val', [])


def evaluate(cfg: Config, part: str, found: list) -> dict:
    """The metrics of these predictions by the config's evaluator, with the data set of 'val' or 'test'."""
    evaluator = Evaluator(cfg[f'{part}_evaluator'])
    evaluator.dataset_meta = build_data(cfg, f'{part}_dataloader').metainfo
    evaluator.process(found, found)
    return evaluator.evaluate(max(len(found), 1))


def test_the_resnet_s_head_takes_the_maps_of_its_four_stages():
    cfg = Config.fromfile(CONFIGS / f'{RESNET}.py')
    assert cfg.model.backbone.init_cfg.checkpoint == 'torchvision://resnet50'
    assert cfg.model.head.in_channels == sum(cfg.widths) == 256 + 512 + 1024 + 2048
    cfg.model.backbone.init_cfg = None
    model = build_model(cfg)
    branches = model.extract_feat(torch.zeros(1, 3, 64, 96))
    assert [branch.shape[1:] for branch in branches] == [(256, 16, 24), (512, 8, 12), (1024, 4, 6), (2048, 2, 3)]


def test_the_resnet_takes_its_weights_as_torchvision_names_them(tmp_path):
    given = torchvision.models.resnet50().state_dict()
    torch.save(given, tmp_path / 'resnet50.pth')
    cfg = Config.fromfile(CONFIGS / f'{RESNET}.py')
    cfg.model.backbone.init_cfg.checkpoint = str(tmp_path / 'resnet50.pth')
    model = build_model(cfg)
    model.init_weights()
    taken = model.backbone.state_dict()
    assert given.keys() - taken.keys() == {'fc.weight', 'fc.bias'}
    assert all(torch.equal(weights, given[name]) for name, weights in taken.items())


def test_the_resnet_takes_both_steps_on_drawn_people():
    cfg = small_loaders(config(f'{DEMO}.py'))
    cfg.model = Config.fromfile(CONFIGS / f'{RESNET}.py').model
    cfg.model.backbone.init_cfg = None
    losses, found = run_both_steps(cfg)
    assert losses == LOSSES and found[0].pred_instances.keypoints.shape[1:] == (17, 2)


def test_the_demo_takes_both_steps():
    losses, found = run_both_steps(small_loaders(config(f'{DEMO}.py')))
    assert losses == LOSSES and found[0].pred_instances.keypoints.shape[1:] == (17, 2)


def test_a_tiny_model_takes_both_steps_on_real_images():
    losses, found = run_both_steps(small_loaders(coco_mini(tiny_config())))
    assert losses == LOSSES and found[0].pred_instances.keypoints.shape[1:] == (17, 2)


def test_the_network_has_the_size_that_table_3_gives():
    model = build_model(config())
    assert round(sum(p.numel() for p in model.parameters()) / 1e6, 1) == 29.4


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_no_config_counts_the_steps_of_a_list(path):
    # a step that somebody puts before the others would move what is changed
    assert re.findall(r'\w+\[\d+\]', path.read_text()) == []


@pytest.mark.parametrize(
    'path', slow_but([CONFIGS / f'{name}.py' for name in QUICK], FILES), ids=lambda path: path.stem
)
def test_a_config_that_is_written_out_is_read_back_as_it_was(path, tmp_path):
    cfg = Config.fromfile(path)
    cfg.dump(tmp_path / 'written.py')
    assert Config.fromfile(tmp_path / 'written.py').to_dict() == cfg.to_dict()


STEPS = ['LoadImage', 'RandomAffine', 'RandomMirror', 'GenerateTarget', 'LossMask', 'PackPeople']


@pytest.mark.parametrize('name', [*ON_FILES, 'overfit/cid_hrnet-w16-small_coco-mini'])
def test_every_config_has_the_steps_of_coco_in_their_order(name):
    cfg = Config.fromfile(CONFIGS / f'{name}.py')
    assert [step.type.rpartition('.')[2] for step in cfg.train_dataloader.dataset.pipeline] == STEPS
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        kinds = [step.type for step in loader.dataset.pipeline]
        assert kinds == ['cid_mmpose.LoadImage', 'cid_mmpose.ResizeImage', 'PackPoseInputs']
    assert cfg.train_pipeline == cfg.train_dataloader.dataset.pipeline  # what a config of one's own starts from
    assert cfg.val_pipeline == cfg.val_dataloader.dataset.pipeline == cfg.test_dataloader.dataset.pipeline


def test_the_overfit_check_shows_whole_images_as_they_are():
    cfg = Config.fromfile(CONFIGS / 'overfit' / 'cid_hrnet-w16-small_coco-mini.py')
    crop = step(cfg.train_dataloader, 'RandomAffine')
    assert (crop.input_size, crop.rotation, crop.scale, crop.shift, crop.scale_type) == (
        (512,) * 2,
        0,
        (1, 1),
        0,
        'long',
    )
    assert step(cfg.train_dataloader, 'RandomMirror').prob == 0
    resize = step(cfg.test_dataloader, 'ResizeImage')
    assert (resize.input_size, resize.size_factor, resize.resize_mode) == ((512, 512), 64, 'fit')


@pytest.mark.parametrize('name', NAMES)
def test_configs_are_short_and_say_what_they_are(name):
    lines = (CONFIGS / f'{name}.py').read_text().splitlines()
    assert len(lines) <= 30 and lines[0].startswith('# ')
    assert not any(line.startswith(('import', 'from')) for line in lines)


@pytest.mark.parametrize(
    'owner, option, change',
    [
        ('CIDHead', 'gfd_chanels', dict(gfd_chanels=3)),
        ('SizeAdaptiveHeatmap', 'strid', dict(decoder=dict(strid=3))),
        ('TestOptions', 'nmss', dict(test=dict(nmss=3))),
        ('FocalHeatmapLoss', 'weight', dict(crowd_loss=dict(type='cid_mmpose.FocalHeatmapLoss', weight=3))),
    ],
)
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
    cfg = small_loaders(coco_mini(tiny_config()))
    cfg.model.test_cfg.flip_tset = True
    says = r"unknown \['flip_tset'\]; it takes \['blur', 'compile', 'flip_test', .*'precision', 'sigmas'\]"
    with pytest.raises(ValueError, match=says):
        run_both_steps(cfg)


def test_a_config_of_one_s_own_starts_from_ours(tmp_path: Path):
    own = tmp_path / 'mine.py'
    own.write_text(
        f"_base_ = '{ROOT}/configs/cid_hrnet-w32_coco.py'\n"
        "custom_imports = dict(imports=['cid_mmpose'])\nmodel = dict(head=dict(gfd_channels=16))\n"
    )
    cfg = Config.fromfile(own)
    cfg.model.backbone.init_cfg = None
    assert build_model(cfg).head.gfd.__class__.__module__ == 'cid_mmpose.models.gfd'
    assert cfg.model.head.gfd_channels == 16 and cfg.model.head.in_channels == 480


def test_mmpose_s_own_head_of_the_same_name_builds_beside_ours():
    init_default_scope('mmpose')
    theirs, ours = MODELS.build(MMPOSE_HEAD), build_model(config()).head
    assert type(theirs).__module__.startswith('mmpose.models.heads.')
    assert type(ours).__module__ == 'cid_mmpose.models.head'
    assert type(MODELS.build(MMPOSE_HEAD)) is type(theirs)  # ours did not take its name
