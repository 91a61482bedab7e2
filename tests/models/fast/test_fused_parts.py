"""Convolutions that do more, and blocks of them: the same maps, and inputs that others use stay as they are."""

import pytest
import torch
from mmpose.models.backbones.resnet import BasicBlock
from torch import nn

from cid_mmpose.models.fast.folding import fold
from cid_mmpose.models.fast.fused_parts import Block, Convolution, take_relus
from tests.helpers.fusing import can_be_fused, lively


@can_be_fused
@pytest.mark.parametrize('in_order', [True, False])
@pytest.mark.parametrize('layout', [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize('options', [dict(stride=2), dict(padding=2, dilation=2), dict(groups=2, bias=False)])
def test_with_weights_in_onednns_order_or_not_it_is_the_same_convolution(options, layout, in_order, monkeypatch):
    monkeypatch.setattr('cid_mmpose.models.fast.fused_parts.cpu_has_avx512', lambda: in_order)
    torch.manual_seed(0)
    plain = nn.Conv2d(4, 6, 3, **options)
    maps = torch.randn(2, 4, 9, 11)
    with torch.no_grad():
        fast = Convolution(plain)
        assert fast.weight.is_mkldnn == in_order
        expected = plain(maps)
        torch.testing.assert_close(fast(maps), expected, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(Convolution(plain, 'relu')(maps), expected.relu(), rtol=1e-5, atol=1e-5)

        others = torch.randn_like(expected).contiguous(memory_format=layout)
        total = expected + others
        torch.testing.assert_close(fast.add(maps, others), total.relu(), rtol=1e-5, atol=1e-5)
        for then, wanted in ((None, total), ('relu', total.relu())):
            changed = others.clone()
            fast.add_to(changed, maps, then)
            torch.testing.assert_close(changed, wanted, rtol=1e-5, atol=1e-5)


@can_be_fused
@pytest.mark.parametrize('owns_input', [False, True])
@torch.no_grad()
def test_a_block_writes_over_its_input_only_where_nobody_else_uses_it(owns_input):
    torch.manual_seed(0)
    plain = fold(lively(BasicBlock(4, 4)))
    maps = torch.randn(2, 4, 9, 11).contiguous(memory_format=torch.channels_last)
    given = maps.clone()
    expected = plain(maps.clone())
    found = Block(plain, None, owns_input)(maps)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    assert (found is maps) == owns_input
    assert owns_input or torch.equal(maps, given)


@can_be_fused
@torch.no_grad()
def test_a_block_whose_downsample_hands_its_input_on_leaves_it_as_it_is():
    torch.manual_seed(0)
    plain = fold(lively(BasicBlock(4, 4)))
    maps = torch.randn(1, 4, 8, 8)
    given = maps.clone()
    Block(plain, nn.Identity(), owns_input=False)(maps)
    assert torch.equal(maps, given)


@can_be_fused
@torch.no_grad()
def test_only_a_relu_right_behind_a_convolution_becomes_its_own():
    torch.manual_seed(0)
    seen = []
    plain = [nn.Conv2d(4, 4, 1) for _ in range(4)]
    watched = nn.ReLU()
    watched.register_forward_hook(lambda *_: seen.append(1))
    between = [nn.Identity(), nn.ReLU(), nn.MaxPool2d(2), nn.ReLU(), watched, nn.LeakyReLU()]
    identity, relu, pool, behind_pool, watched, leaky = between
    plain_parts = [plain[0], identity, relu, plain[1], pool, behind_pool, plain[2], watched, plain[3], leaky]
    maps = torch.randn(2, 4, 6, 6)
    expected = nn.Sequential(*plain_parts)(maps)

    parts = nn.Sequential(*[Convolution(part) if type(part) is nn.Conv2d else part for part in plain_parts])
    take_relus(parts)
    seen.clear()
    torch.testing.assert_close(parts(maps), expected, rtol=1e-5, atol=1e-5)
    assert [part.then for part in parts if type(part) is Convolution] == ['relu', 'none', 'none', 'none']
    assert seen == [1]
