from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from circuitz.patching.fast.winograd import SmallMapConv, conv_as_matmul


@pytest.mark.parametrize("side", [2, 4])
@pytest.mark.parametrize(("dtype", "gap"), [(torch.float32, 2e-5), (torch.float64, 1e-12)])
def test_it_is_the_convolution(side, dtype, gap) -> None:
    torch.manual_seed(0)
    x = torch.randn(7, 5, side, side, dtype=dtype)
    weight = torch.randn(6, 5, 3, 3, dtype=dtype)
    for layout in (torch.contiguous_format, torch.channels_last):
        given = x.contiguous(memory_format=layout)
        assert SmallMapConv.supports_maps(given)
        found = SmallMapConv(weight, side)(given)
        plain = functional.conv2d(x, weight, padding=1)
        torch.testing.assert_close(found, plain, atol=gap, rtol=gap)


def test_gradients_flow() -> None:
    x = torch.randn(2, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, 3, 3, 3, dtype=torch.float64)
    (one,) = torch.autograd.grad(SmallMapConv(weight, 4)(x).square().sum(), x)
    (two,) = torch.autograd.grad(functional.conv2d(x, weight, padding=1).square().sum(), x)
    torch.testing.assert_close(one, two)


@pytest.mark.parametrize("shape", [(1, 2, 3, 3), (1, 2, 2, 4), (1, 2, 8, 8), (3, 2)])
def test_other_sizes_do_not_fit(shape) -> None:
    assert not SmallMapConv.supports_maps(torch.zeros(shape))


def test_half_precision_does_not_fit() -> None:
    assert not SmallMapConv.supports_maps(torch.zeros(1, 2, 2, 2, dtype=torch.bfloat16))


@pytest.mark.parametrize(("kernel", "stride", "pad"), [(3, 2, 1), (1, 2, 0), (2, 1, 0), (5, 3, 2)])
def test_as_one_product(kernel, stride, pad) -> None:
    torch.manual_seed(0)
    x = torch.randn(3, 4, 5, 7, dtype=torch.float64)
    weight = torch.randn(6, 4, kernel, kernel, dtype=torch.float64)
    found = conv_as_matmul(x, weight, (stride, stride), (pad, pad))
    torch.testing.assert_close(found, functional.conv2d(x, weight, None, stride, pad))
