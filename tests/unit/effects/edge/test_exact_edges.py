from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from circuitz.effects.edge.exact_edges import (
    estimated_response_changes,
    exact_response_changes,
    layers_in_call_order,
)
from circuitz.errors import InterventionError, LayerError
from circuitz.models.run.layer_specs import describe_layers
from circuitz.models.run.runtime import Runtime
from circuitz.patching.segment import Segment
from circuitz.z.layer import Preprocessing

PREP = Preprocessing((0.0,) * 3, (1.0,) * 3, (6, 6))
# Weights of the second layer's units on the first's: known edges.
WIRES = torch.tensor([[1.0, 0.0, 2.0], [0.0, -1.0, 0.0]])


class Wired(nn.Module):
    """Three units that copy the colours, two that add them, one more step, and a head."""

    def __init__(self, skip=False, inplace=False, traceable=True):
        super().__init__()
        self.first = nn.Conv2d(3, 3, 1, bias=False)
        self.relu = nn.ReLU(inplace=inplace)
        self.second = nn.Conv2d(3, 2, 1, bias=False)
        self.third = nn.Conv2d(2, 2, 1, bias=False)
        self.head = nn.Linear(2, 2)
        self.skip, self.traceable = skip, traceable
        with torch.no_grad():
            self.first.weight.copy_(torch.eye(3)[:, :, None, None])
            self.second.weight.copy_(WIRES[:, :, None, None])
            self.third.weight.copy_(torch.eye(2)[:, :, None, None])

    def forward(self, x):
        first = self.relu(self.first(x))
        second = self.second(first)
        third = self.third(second)
        if self.skip:
            third = third + first[:, :2]
        if not self.traceable and third.sum() > 1e9:
            third = -third
        return self.head(third.mean((2, 3)))


def pair(n=5, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.rand((n, 3, 6, 6), generator=draw), torch.rand((n, 3, 6, 6), generator=draw)


def made(net):
    specs = describe_layers(net, ["first", "second", "third"], torch.rand(1, 3, 6, 6))
    return Runtime(net, specs, PREP), *specs


@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("traceable", [False, True])
def test_edges_are_the_wires(inplace, traceable):
    runtime, first, second, _ = made(Wired(inplace=inplace, traceable=traceable))
    x, lent = pair()
    found = exact_response_changes(runtime, first, second, x, lent)
    moved = (lent - x).mean(
        (2, 3)
    )  # (n, 3): colours are not negative, so the ReLU lets all through
    known = moved[:, :, None] * WIRES.T[None]
    assert found.traced is traceable
    assert np.abs(found.change - known.numpy()).max() < 1e-6
    assert np.abs(found.whole - known.sum(1).numpy()).max() < 1e-6


def test_other_parents_are_held():
    class Around(Wired):
        def forward(self, x):
            first = self.relu(self.first(x))
            second = self.second(first)
            self_third = self.third(second + 3 * first[:, :2])
            return self.head(self_third.mean((2, 3)))

    runtime, first, second, third = made(Around())
    x, lent = pair()
    moved = (lent - x).mean((2, 3))
    total = exact_response_changes(runtime, first, third, x, lent)
    direct = exact_response_changes(runtime, first, third, x, lent, held=["second"])
    around = torch.cat([3 * torch.eye(2), torch.zeros(1, 2)])
    assert np.abs(direct.change - (moved[:, :, None] * around).numpy()).max() < 1e-5
    both = moved[:, :, None] * (around + WIRES.T)
    assert np.abs(total.change - both.numpy()).max() < 1e-5
    # What runs around a layer is held when that layer is the source.
    through = exact_response_changes(runtime, second, third, x, lent)
    after = moved @ WIRES.T
    assert np.abs(through.change - (after[:, :, None] * torch.eye(2)).numpy()).max() < 1e-5


def test_nothing_reaches_past_a_layer_that_all_paths_cross():
    runtime, first, second, third = made(Wired())
    x, lent = pair()
    direct = exact_response_changes(runtime, first, third, x, lent, held=[second.name])
    assert not direct.whole.any()
    assert not direct.change.any()
    assert not Segment(runtime, "first", "third", ["second"]).place_on_inputs(x).reached


def test_adjacent_layers_have_no_way_but_the_direct_one():
    runtime, first, second, _ = made(Wired())
    x, lent = pair()
    free = exact_response_changes(runtime, first, second, x, lent)
    held = exact_response_changes(runtime, first, second, x, lent, held=[])
    assert np.array_equal(free.change, held.change)


def test_integrated_gradients_add_up_and_are_exact_where_all_is_linear():
    runtime, first, second, _ = made(Wired())
    x, lent = pair(70)
    exact = exact_response_changes(runtime, first, second, x, lent)
    for steps in (1, 4):
        rough = estimated_response_changes(runtime, first, second, x, lent, steps=steps)
        assert np.abs(rough - exact.change).max() < 1e-5
    assert np.abs(rough.sum(1) - exact.whole).max() < 1e-5


def test_some_units_alone():
    runtime, first, second, _ = made(Wired())
    x, lent = pair()
    every = exact_response_changes(runtime, first, second, x, lent)
    some = exact_response_changes(
        runtime, first, second, x, lent, source_units=[2, 0], target_units=[1]
    )
    assert np.array_equal(some.change, every.change[:, [2, 0]][:, :, [1]])
    assert np.array_equal(some.whole, every.whole[:, [1]])


def test_order_is_that_of_the_run():
    runtime, *_ = made(Wired())
    assert layers_in_call_order(runtime, ["third", "first", "second"], pair()[0]) == [
        "first", "second", "third",
    ]  # fmt: skip


def test_wrong_questions_are_named():
    runtime, first, second, _ = made(Wired())
    x, lent = pair()
    with pytest.raises(InterventionError, match="that lend"):
        exact_response_changes(runtime, first, second, x, lent[:2])
    with pytest.raises(InterventionError, match="no unit 3"):
        exact_response_changes(runtime, first, second, x, lent, source_units=[3])
    with pytest.raises(LayerError, match="no layer"):
        Segment(runtime, "first", "fourth", []).place_on_inputs(x)
    assert not any(m._forward_hooks for m in runtime.module.modules())


class Product(nn.Module):
    """A unit that is the product of two: neither does anything without the other."""

    def __init__(self):
        super().__init__()
        self.parts = nn.Conv2d(3, 3, 1, bias=False)
        self.product = nn.Identity()
        self.head = nn.Linear(1, 2)
        with torch.no_grad():
            self.parts.weight.copy_(torch.eye(3)[:, :, None, None])

    def forward(self, x):
        x = self.parts(x)
        return self.head(self.product(x[:, :1] * x[:, 1:2]).mean((2, 3)))


def test_units_that_work_in_pairs_sum_to_the_whole_when_exchanged_first_and_last():
    net = Product()
    specs = describe_layers(net, ["parts", "product"], torch.rand(1, 3, 6, 6))
    runtime = Runtime(net, specs, PREP)
    x, lent = pair(6)
    first = exact_response_changes(runtime, *specs, x, lent)
    both = exact_response_changes(runtime, *specs, x, lent, both=True)
    assert np.abs(both.whole - first.whole).max() < 1e-6
    assert np.abs(both.change.sum(1) - both.whole).max() < 1e-6
    assert np.abs(first.change.sum(1) - first.whole).max() > 1e-2
    known = ((lent[:, 0] - x[:, 0]) * (lent[:, 1] + x[:, 1]) / 2).mean((1, 2))
    assert np.abs(both.change[:, 0, 0] - known.numpy()).max() < 1e-6
    assert not both.change[:, 2].any()
