"""The parts of the study: equal to what they stand for, and different only in what they are for."""

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope, init_default_scope
from mmpose.datasets.transforms import BottomupRandomAffine, LoadImage
from mmpose.registry import DATASETS, MODELS
from study import parts
from study.one_run import config_of
from study.parts import AffineOfAnybody, LossOfMaps, PartlyLabelled, SameStartCIDHead, SampledConv, StillHeatmap
from torchvision.ops import DeformConv2d

from cid_mmpose.codecs import SizeAdaptiveHeatmap
from cid_mmpose.data.synth_crowd import SynthCrowd
from cid_mmpose.models import CIDHead
from tests.helpers.images import ROOT
from tests.helpers.study_lines import tiny_run


@pytest.mark.parametrize(
    'groups, channels, shape, spread', [(1, 3, (5, 7), 0.0), (2, 6, (6, 4), 3.0), (3, 6, (2, 9), 9.0)]
)
def test_the_sampled_convolution_and_its_gradients_are_those_of_torchvision(groups, channels, shape, spread):
    torch.manual_seed(0)
    theirs = DeformConv2d(channels, channels, 3, padding=1, groups=groups, bias=False).double()
    ours = SampledConv(channels, groups).double()
    ours.weight.data.copy_(theirs.weight)
    results = []
    for conv in (theirs, ours):
        generator = torch.Generator().manual_seed(1)
        maps = torch.randn(2, channels, *shape, generator=generator, dtype=torch.float64, requires_grad=True)
        draws = torch.randn(2, groups * 18, *shape, generator=generator, dtype=torch.float64)
        offset = (spread * draws + 0.3).requires_grad_()  # no tap on the middle of a cell, where gradients jump
        out = conv(maps, offset)
        (out**2).sum().backward()
        results.append((out.detach(), maps.grad, offset.grad, conv.weight.grad))
    for first, second in zip(*results):
        torch.testing.assert_close(second, first, rtol=1e-9, atol=1e-9)


def test_seeds_of_the_still_codec_are_the_roots_and_all_else_is_the_codecs():
    rng = np.random.default_rng(0)
    keypoints = rng.uniform(10, 110, (6, 17, 2))
    low, high = keypoints.min(1), keypoints.max(1)
    corners = np.stack([low, np.stack([low[:, 0], high[:, 1]], 1), np.stack([high[:, 0], low[:, 1]], 1), high], 1)
    people = keypoints, np.ones((6, 17)), corners, (128, 128)
    still = StillHeatmap(small_person_area=64.0).encode(*people, rng=np.random.RandomState(0))
    moving = SizeAdaptiveHeatmap(small_person_area=64.0).encode(*people, rng=np.random.RandomState(0))
    np.testing.assert_array_equal(still['seed_cell'], still['root_cell'])
    assert (moving['seed_cell'] != moving['root_cell']).any()
    for field in set(still) - {'seed_cell', 'seeded'}:
        np.testing.assert_array_equal(still[field], moving[field])


def test_a_share_of_the_people_are_regions_and_the_others_are_as_before():
    init_default_scope('mmpose')
    options = dict(length=40, image_size=(128, 128), people=(2, 5))
    whole, partly = SynthCrowd(**options), PartlyLabelled(share=0.4, **options)
    left, regions = 0, 0
    for number in range(40):
        before, after = whole.get_data_info(number), partly.get_data_info(number)
        kept = [before['id'].index(one) for one in after['id']]
        np.testing.assert_array_equal(after['keypoints'], before['keypoints'][kept])
        np.testing.assert_array_equal(after['bbox'], before['bbox'][kept])
        outlines = [annotation['segmentation'] for place, annotation in enumerate(before['raw_ann_info'])
                    if place not in kept]  # fmt: skip
        assert after['invalid_segs'] == outlines
        left, regions = left + len(kept), regions + len(outlines)
    assert 0.3 < regions / (left + regions) < 0.5


def test_the_loss_of_maps_leaves_weights_of_people_aside_and_keeps_the_mask():
    output, target = torch.zeros(1, 2, 1, 2), torch.tensor([[[[1.0, 3.0]], [[1.0, 3.0]]]])
    mask = torch.tensor([[[[1.0, 0.0]]]])
    # the first cell of both maps counts: 1 + 1 over 4 cells
    assert LossOfMaps()(output, target, torch.ones(7, 17), mask).item() == 0.5


def test_the_study_names_only_what_it_registers():
    texts = [path.read_text() for path in (ROOT / 'experiments' / 'study' / 'configs').glob('*.py')]
    named = [name for name in ('SampledDEKRHead', 'TrainableEmbedding', 'AllBranches', 'LossOfMaps', 'PartlyLabelled')]
    assert [name for name in named if not any(f'cid_mmpose.{name}' in text for text in texts)] == []
    assert [name for name in named if not hasattr(parts, name)] == []


def test_mmposes_head_begins_with_weights_as_large_as_ours():
    torch.manual_seed(0)
    losses = dict(
        coupled_heatmap_loss=dict(type='FocalHeatmapLoss'),
        decoupled_heatmap_loss=dict(type='FocalHeatmapLoss'),
        contrastive_loss=dict(type='InfoNCELoss'),
    )
    theirs = SameStartCIDHead(in_channels=48, num_keypoints=17, gfd_channels=32, **losses)
    theirs.init_weights()
    codec = dict(type='cid_mmpose.SizeAdaptiveHeatmap', stride=4)
    ours = CIDHead(in_channels=48, num_keypoints=17, gfd_channels=32, init_std=None, decoder=codec)
    pairs = [
        (theirs.gfd_module.conv_down, ours.gfd.conv_down),
        (theirs.gfd_module.channel_attention.atn, ours.gfd.channel.attention),
        (theirs.gfd_module.spatial_attention.atn, ours.gfd.spatial.attention),
        (theirs.gfd_module.spatial_attention.conv, ours.gfd.spatial.conv),
        (theirs.gfd_module.fuse_attention, ours.gfd.fuse),
        (theirs.gfd_module.heatmap_conv, ours.gfd.heatmap),
        (theirs.iia_module.keypoint_root_conv, ours.iia.conv),
    ]
    for first, second in pairs:
        assert first.weight.std().item() == pytest.approx(second.weight.std().item(), rel=0.3)
        torch.testing.assert_close(first.bias, second.bias)


@pytest.mark.slow
@pytest.mark.parametrize('config', ['mmpose_cid', 'mmpose_cid_start', 'mmpose_dekr', 'mmpose_ae'])
def test_mmposes_methods_train_on_an_image_of_nobody(config, tmp_path):
    cfg = config_of(tiny_run(config), tmp_path)
    with DefaultScope.overwrite_default_scope('mmpose'):
        model = MODELS.build(cfg.model)
        somebody = DATASETS.build(cfg.train_dataloader.dataset)
        nobody = DATASETS.build(dict(cfg.train_dataloader.dataset, people=(0, 0)))
    for images in ([nobody[0], somebody[0]], [nobody[0], nobody[1]]):
        data = model.data_preprocessor(pseudo_collate(images), True)
        losses, _ = model.parse_losses(model.loss(data['inputs'], data['data_samples']))
        assert torch.isfinite(losses)


def test_the_affine_step_is_mmposes_where_somebody_is():
    init_default_scope('mmpose')
    crowd = SynthCrowd(length=1, image_size=(96, 128), people=(2, 2), person_height=(0.5, 0.9))
    results = []
    for step in (BottomupRandomAffine(input_size=(128, 128)), AffineOfAnybody(input_size=(128, 128))):
        np.random.seed(0)
        results.append(step.transform(LoadImage().transform(crowd.get_data_info(0))))
    for name in ('img', 'keypoints', 'bbox', 'area'):
        np.testing.assert_array_equal(results[0][name], results[1][name])
