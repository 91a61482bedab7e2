"""Folding of batch normalisation: the same maps, and where they would be others nothing is folded."""

import pytest
import torch
from mmcv.cnn import ConvModule
from mmpose.models.backbones import ResNet
from torch import nn
from torch.nn.utils import spectral_norm

from cid_mmpose.models.fast.folded import FoldedBackbone, cpu_autocasts_float16
from cid_mmpose.models.fast.folding import fold


def lively(network: nn.Module) -> nn.Module:
    """In evaluation, with batch normalisation that does something."""
    generator = torch.Generator().manual_seed(0)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d) and part.running_mean is not None:
            part.running_mean.normal_(0, 0.2, generator=generator)
            part.running_var.uniform_(0.5, 2, generator=generator)
    network.train(False)
    return network


def count(network: nn.Module, kind: type) -> int:
    return sum(isinstance(part, kind) for part in network.modules())


def norm_relu_convolution() -> nn.Module:
    return ConvModule(3, 3, 3, norm_cfg=dict(type='BN'), order=('norm', 'act', 'conv'))


def normalised_after_relu() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4))


def with_spectral_norm() -> nn.Module:
    return nn.Sequential(spectral_norm(nn.Conv2d(3, 4, 3)), nn.BatchNorm2d(4))


def without_statistics() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False))


@pytest.mark.parametrize(
    'make',
    [
        lambda: ResNet(18, conv_cfg=dict(type='ConvWS'), out_indices=(0,)),
        lambda: ResNet(18, conv_cfg=dict(type='ConvAWS'), out_indices=(0,)),
        norm_relu_convolution,
        normalised_after_relu,
        with_spectral_norm,
        without_statistics,
    ],
)
def test_what_is_no_linear_function_of_its_weights_keeps_its_maps(make):
    torch.manual_seed(0)
    network = lively(make())
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected = network(images)
        maps = fold(network)(images)
    assert count(network, nn.BatchNorm2d)
    torch.testing.assert_close(maps, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('norm', [nn.BatchNorm2d(4), nn.BatchNorm2d(4, affine=False), nn.SyncBatchNorm(4)])
def test_batch_normalisation_by_kept_statistics_is_folded(norm):
    torch.manual_seed(0)
    network = lively(nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), norm))
    images = torch.randn(2, 3, 9, 9)
    with torch.no_grad():
        expected = network(images)
        maps = fold(network)(images)
    assert type(network[1]) is nn.Identity
    torch.testing.assert_close(maps, expected, rtol=1e-5, atol=1e-5)


def test_hooks_of_a_block_and_of_a_convolution_are_called_by_the_folded_copy():
    torch.manual_seed(0)
    backbone = lively(ResNet(18))
    seen = []
    backbone.layer1[0].register_forward_hook(lambda *_: seen.append('block'))
    backbone.layer2[0].conv1.register_forward_hook(lambda *_: seen.append('convolution'))
    with torch.no_grad():
        FoldedBackbone()(backbone, torch.randn(1, 3, 64, 64), torch.float32)
    assert seen == ['block', 'convolution']


@pytest.mark.skipif(not cpu_autocasts_float16(), reason='this torch has no float16 on a CPU')
def test_a_copy_that_another_thread_forgets_meanwhile_still_answers(monkeypatch):
    run = FoldedBackbone()
    backbone = lively(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)))
    # asked for between the making of a copy and its call
    monkeypatch.setattr('cid_mmpose.models.fast.folded.cpu_autocasts_float16', lambda: run.forget() or True)
    images = torch.randn(1, 3, 9, 9)
    with torch.no_grad():
        maps = run(backbone, images, torch.float16)
        torch.testing.assert_close(maps.float(), backbone(images), rtol=1e-2, atol=1e-2)
    assert not run.copies
