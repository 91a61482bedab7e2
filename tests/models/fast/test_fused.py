"""Fused blocks: the same maps, only where they are known to be, and with nothing to learn from."""

import pytest
import torch
from mmpose.models.backbones import HRNet, ResNet
from mmpose.models.backbones.hrnet import HRModule
from torch import nn

from cid_mmpose.models.fast import folded
from cid_mmpose.models.fast.folded import FoldedBackbone, folded_copy
from cid_mmpose.models.fast.fused import can_fuse, fused
from cid_mmpose.models.fast.fused_parts import Block
from tests.helpers.fusing import IMAGES, can_be_fused, lively
from tests.helpers.images import tiny_config


def hrnet() -> nn.Module:
    """A tiny one, with both kinds of blocks."""
    config = tiny_config().model.backbone
    return HRNet(extra=config.extra)


@can_be_fused
@pytest.mark.parametrize('make', [hrnet, lambda: ResNet(18, out_indices=(0, 3)), lambda: ResNet(50, out_indices=(3,))])
def test_the_maps_of_a_fused_backbone_are_those_of_the_backbone_at_any_size(make):
    torch.manual_seed(0)
    backbone = lively(make())
    fast = fused(folded_copy(backbone, torch.float32))
    assert any(isinstance(part, Block) for part in fast.modules())
    left_over = (nn.Conv2d, nn.ReLU, HRModule)
    assert not any(type(part) in left_over for part in fast.modules())
    with torch.no_grad():
        for size in ((1, 64, 64), (3, 96, 128), (2, 64, 64)):
            images = torch.randn(size[0], 3, *size[1:])
            given = images.clone()
            for laid_out in (images, images.contiguous(memory_format=torch.channels_last)):
                for mine, expected in zip(fast(laid_out), backbone(images), strict=True):
                    torch.testing.assert_close(mine, expected, rtol=1e-4, atol=1e-4)
            assert torch.equal(images, given)


@can_be_fused
@pytest.mark.parametrize('depth', [18, 50])
def test_blocks_with_a_normalisation_that_does_not_fold_stay_as_they_are(depth):
    torch.manual_seed(0)
    backbone = ResNet(depth, norm_cfg=dict(type='GN', num_groups=8))
    backbone.train(False)
    fast = fused(folded_copy(backbone, torch.float32))
    assert not any(isinstance(part, Block) for part in fast.modules())
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        for mine, expected in zip(fast(images), backbone(images), strict=True):
            torch.testing.assert_close(mine, expected, rtol=1e-4, atol=1e-4)


class OtherNet(ResNet):
    """Whose forward we do not know."""


@pytest.mark.parametrize(
    ('backbone', 'dtype'), [(OtherNet(18), torch.float32), (ResNet(18), torch.bfloat16), (nn.Identity(), torch.float32)]
)
def test_what_is_not_known_to_be_equal_is_not_fused(backbone, dtype):
    assert not can_fuse(backbone, IMAGES, dtype)


def test_a_torch_without_these_operations_and_another_processor_do_without(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr('platform.machine', lambda: 'arm64')
        assert not can_fuse(ResNet(18), IMAGES, torch.float32)
    monkeypatch.setattr('cid_mmpose.models.fast.fused.OPERATIONS', ('_of_another_torch',))
    assert not can_fuse(ResNet(18), IMAGES, torch.float32)


@can_be_fused
def test_images_whose_gradient_is_asked_for_go_through_the_plain_copy(monkeypatch):
    made = []
    program_of = folded.program_of
    monkeypatch.setattr(folded, 'program_of', lambda *key: made.append(key[-1]) or program_of(*key))
    backbone = lively(ResNet(18))
    run = FoldedBackbone()
    images = torch.randn(1, 3, 64, 64, requires_grad=True)
    (maps,) = run(backbone, images, torch.float32)
    maps.sum().backward()
    assert images.grad.abs().sum() > 0
    with torch.no_grad():
        (again,) = run(backbone, images, torch.float32)
    torch.testing.assert_close(again, maps, rtol=1e-4, atol=1e-4)
    assert made == [False, True]
