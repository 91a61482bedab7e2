"""Fused blocks: the same maps, only where they are known to be, and with nothing to learn from."""

import pytest
import torch
from mmpose.models.backbones import HRNet, ResNet
from torch import nn

from cid_mmpose.models.fast import folded
from cid_mmpose.models.fast.folded import FoldedBackbone, folded_copy
from cid_mmpose.models.fast.fused import Block, Convolution, can_fuse, fused
from tests.helpers.images import tiny_config

IMAGES = torch.zeros(1, 3, 64, 64)
can_be_fused = pytest.mark.skipif(
    not can_fuse(ResNet(18), IMAGES, torch.float32), reason='this torch or this processor has no such operations'
)


def hrnet() -> nn.Module:
    """A tiny one, with both kinds of blocks."""
    config = tiny_config().model.backbone
    return HRNet(extra=config.extra)


def lively(network: nn.Module) -> nn.Module:
    """With batch normalisation that does something."""
    generator = torch.Generator().manual_seed(0)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.2, generator=generator)
            part.running_var.uniform_(0.5, 2, generator=generator)
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.normal_(part.bias, 0, 0.2)
    network.train(False)
    return network


@can_be_fused
@pytest.mark.parametrize('make', [hrnet, lambda: ResNet(18, out_indices=(0, 3)), lambda: ResNet(50, out_indices=(3,))])
def test_the_maps_of_a_fused_backbone_are_those_of_the_backbone_at_any_size(make):
    torch.manual_seed(0)
    backbone = lively(make())
    fast = fused(folded_copy(backbone, torch.float32))
    assert any(isinstance(part, Block) for part in fast.modules())
    assert not any(type(part) is nn.Conv2d for part in fast.modules())
    with torch.no_grad():
        for size in ((1, 64, 64), (3, 96, 128), (2, 64, 64)):
            images = torch.randn(size[0], 3, *size[1:])
            given = images.clone()
            for laid_out in (images, images.contiguous(memory_format=torch.channels_last)):
                for mine, expected in zip(fast(laid_out), backbone(images), strict=True):
                    torch.testing.assert_close(mine, expected, rtol=1e-4, atol=1e-4)
            assert torch.equal(images, given)


@can_be_fused
@pytest.mark.parametrize('options', [dict(stride=2), dict(padding=2, dilation=2), dict(groups=2, bias=False)])
def test_a_convolution_in_onednns_order_is_the_same_convolution(options):
    torch.manual_seed(0)
    plain = nn.Conv2d(4, 6, 3, **options)
    maps = torch.randn(2, 4, 9, 11)
    with torch.no_grad():
        fast = Convolution(plain)
        expected = plain(maps)
        torch.testing.assert_close(fast(maps), expected, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(fast(maps, 'relu'), expected.relu(), rtol=1e-5, atol=1e-5)
        others = torch.randn_like(expected)
        torch.testing.assert_close(fast.add(maps, others), (expected + others).relu(), rtol=1e-5, atol=1e-5)


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
