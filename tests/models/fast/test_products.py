"""Products of maps cell by cell: oneDNN's convolution and the plain product are the same."""

import numpy as np
import pytest
import torch

from cid_mmpose.models.fast import products
from cid_mmpose.models.fast.products import by_onednn, convolve_cells

needs_onednn = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason='torch without oneDNN')
# (h, W, C) and R; one row, one column, one channel, nobody, no rows
SHAPES = [
    ((5, 7, 32), 17),
    ((1, 7, 32), 17),
    ((5, 1, 32), 17),
    ((1, 1, 32), 17),
    ((5, 7, 1), 17),
    ((5, 7, 32), 1),
    ((1, 7, 1), 3),
    ((7, 1, 3), 1),
    ((1, 1, 1), 1),
    ((5, 7, 3), 64),
    ((5, 7, 32), 0),
    ((0, 7, 32), 17),
]


def factors(shape, rows, dtype=torch.float32):
    torch.manual_seed(0)
    return torch.randn(shape, dtype=dtype), torch.randn(rows, shape[2], dtype=dtype), torch.randn(rows, dtype=dtype)


def expected(maps, weight, bias):
    return np.einsum('hwc,rc->hwr', maps.double(), weight.double()) + bias.double().numpy()


@pytest.mark.parametrize('gradient', [False, True])
@pytest.mark.parametrize('shape, rows', SHAPES)
def test_it_is_the_product_of_each_cell_and_lies_cell_by_cell(shape, rows, gradient):
    inputs = factors(shape, rows)
    with torch.set_grad_enabled(gradient):
        found = convolve_cells(*inputs)
    assert found.shape == (*shape[:2], rows) and found.is_contiguous()
    np.testing.assert_allclose(found, expected(*inputs), rtol=1e-5, atol=1e-5)


@needs_onednn
@pytest.mark.parametrize('shape, rows', SHAPES[:10])
def test_without_a_gradient_onednn_is_asked_and_nothing_is_copied(shape, rows, monkeypatch):
    inputs, asked = factors(shape, rows), []
    convolution = torch.nn.functional.conv2d

    def noted(batch, *rest):
        asked.append(batch)
        return convolution(batch, *rest)

    monkeypatch.setattr(products.F, 'conv2d', noted)
    with torch.no_grad():
        convolve_cells(*inputs)
        [batch] = asked
        assert batch.is_contiguous(memory_format=torch.channels_last) and batch.data_ptr() == inputs[0].data_ptr()
    convolve_cells(*inputs)
    assert len(asked) == 1


def test_only_float32_on_a_cpu_goes_that_way():
    with torch.no_grad():
        for dtype in (torch.float64, torch.bfloat16, torch.float16):
            maps, weight, _ = factors((5, 7, 4), 3, dtype)
            assert not by_onednn(maps, weight)
        assert not by_onednn(*(each.to('meta') for each in factors((5, 7, 4), 3)[:2]))


def test_parts_of_a_larger_map_and_turned_maps_give_the_same():
    maps, weight, bias = factors((9, 7, 8), 5)
    with torch.no_grad():
        for part in (maps[2:6], maps[:, 2:6], maps.permute(1, 0, 2)):
            found = convolve_cells(part, weight, bias)
            np.testing.assert_allclose(found, expected(part, weight, bias), rtol=1e-5, atol=1e-5)
