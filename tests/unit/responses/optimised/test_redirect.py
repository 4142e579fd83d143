from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from circuitz.responses.optimised.redirect import RedirectedRelu

RELUS = [
    torch.relu,
    functional.relu,
    nn.ReLU(),
    nn.ReLU(inplace=True),
    lambda x: x.relu(),
    lambda x: x.clone().relu_(),
    lambda x: functional.relu(x.clone(), True),
    nn.ReLU6(),
]


@pytest.mark.parametrize("relu", RELUS)
def test_values_stay_and_gradients_towards_activity_pass(relu):
    x = torch.tensor([-2.0, -1.0, 3.0], requires_grad=True)
    expected = functional.relu(x)
    with RedirectedRelu():
        out = relu(x * 1.0)
        # Loss falls when the first output rises, and when the second falls.
        (grad,) = torch.autograd.grad(-out[0] + out[1] + 2 * out[2], x)
    assert torch.equal(out, expected)
    assert grad.tolist() == [-1.0, 0.0, 2.0]
    out = relu(x * 1.0)
    (grad,) = torch.autograd.grad(-out[0] + out[1] + 2 * out[2], x)
    assert grad.tolist() == [0.0, 0.0, 2.0], "outside the context nothing changed"


def test_in_place_rectifiers_still_overwrite():
    x = torch.tensor([-2.0, 3.0], requires_grad=True)
    with RedirectedRelu():
        y = x * 1.0
        y.relu_()
        (grad,) = torch.autograd.grad(-y.sum(), x)
    assert y.tolist() == [0.0, 3.0]
    assert grad.tolist() == [-1.0, -1.0]


def test_only_the_last_ones():
    x = torch.tensor([-1.0], requires_grad=True)
    with RedirectedRelu(1) as mode:
        out = torch.relu(torch.relu(x) - 1)
        (grad,) = torch.autograd.grad(-out.sum(), x)
    assert mode.rectifier_calls == 2
    assert grad.item() == 0
    with RedirectedRelu(0):
        out = torch.relu(torch.relu(x) - 1)
        (grad,) = torch.autograd.grad(-out.sum(), x)
    assert grad.item() == -1
