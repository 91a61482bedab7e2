"""HRNet's exchange in place: the same maps, from inputs that stay as they were, only where the parts are known."""

import pytest
import torch
from mmpose.models.backbones.hrnet import HRModule
from mmpose.models.backbones.resnet import BasicBlock
from torch import nn

from cid_mmpose.models.fast.exchange import Exchange, add_coarser
from cid_mmpose.models.fast.folding import fold
from cid_mmpose.models.fast.fused import fused_part
from tests.helpers.fusing import can_be_fused, lively

WIDTHS = [4, 8, 12]


def module(blocks: int = 2, **options) -> HRModule:
    """One of three branches, folded."""
    torch.manual_seed(0)
    branches = len(WIDTHS)
    plain = HRModule(branches, BasicBlock, [blocks] * branches, list(WIDTHS), list(WIDTHS), **options)
    return fold(lively(plain)).requires_grad_(False)


def maps_of_branches() -> list[torch.Tensor]:
    return [torch.randn(2, width, 16 >> number, 24 >> number) for number, width in enumerate(WIDTHS)]


@can_be_fused
@pytest.mark.parametrize('blocks', [1, 3])
@pytest.mark.parametrize('multiscale_output', [False, True])
def test_an_exchange_gives_the_maps_of_the_plain_module_and_leaves_its_inputs(blocks, multiscale_output):
    plain = module(blocks, multiscale_output=multiscale_output)
    maps = maps_of_branches()
    expected = plain(list(maps))
    given = [each.clone() for each in maps]

    exchange = fused_part(plain, owns_input=False)
    assert type(exchange) is Exchange
    found = exchange(maps)
    assert len(found) == (3 if multiscale_output else 1)
    for mine, other in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-4)
    assert all(torch.equal(now, before) for now, before in zip(maps, given, strict=True))


@can_be_fused
def test_a_module_with_other_parts_or_a_hook_stays_and_has_the_same_maps():
    seen = []
    bilinear = module(multiscale_output=True, upsample_cfg=dict(mode='bilinear', align_corners=False))
    watched = module(multiscale_output=True)
    watched.fuse_layers[1][0].register_forward_hook(lambda part, inputs, output: seen.append(output.shape))
    twice_relu = module(multiscale_output=True)
    twice_relu.fuse_layers[0][1].append(nn.ReLU())
    leaky = module(multiscale_output=True)
    leaky.fuse_layers[2][0][0][2] = nn.LeakyReLU(0.5)
    for plain in (bilinear, watched, twice_relu, leaky):
        maps = maps_of_branches()
        expected = plain(list(maps))
        seen.clear()
        kept = fused_part(plain, owns_input=False)
        assert type(kept) is HRModule
        for mine, other in zip(kept(list(maps)), expected, strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-4)
        assert seen == ([(2, 8, 8, 12)] if plain is watched else [])


def test_coarser_maps_are_added_at_the_cells_that_they_cover():
    maps = torch.zeros(1, 1, 4, 4).contiguous(memory_format=torch.channels_last)
    half = torch.tensor([[1.0, 2.0], [3.0, 4.0]])[None, None]
    quarter = torch.full((1, 1, 1, 1), 10.0)
    add_coarser(maps, [quarter, half])
    expected = [[11, 11, 12, 12], [11, 11, 12, 12], [13, 13, 14, 14], [13, 13, 14, 14]]
    assert maps[0, 0].tolist() == expected
