"""Edges that cannot be told say why; those that are zero by definition are zero."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from circuitz.effects.edge.edges import edges
from circuitz.models.run.layer_specs import describe_layers

FEW = {"images": 60, "resamples": 30, "least": 0.05}


class Chain(nn.Module):
    """Colour to mid to top, and past mid to the second half of top if asked; top:3 never fires."""

    def __init__(self, past: bool = False, traced: bool = True) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.colour = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU())
        self.mid = nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU())
        self.top = nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU())
        self.head = nn.Linear(4, 3)
        self.past, self.traced = past, traced
        with torch.no_grad():
            for layer in (self.colour, self.mid, self.top):
                layer[0].weight.copy_(torch.rand_like(layer[0].weight) + 0.2)
                layer[0].bias.zero_()
            self.top[0].weight[3], self.top[0].bias[3] = 0.0, -1.0
            self.top[0].weight[2, :2] = 0.0

    def forward(self, x):
        x = self.colour(x)
        if not self.traced and float(x.detach().sum()) > 1e9:
            x = -x
        y = self.mid(x)
        if self.past:
            y = torch.cat([y[:, :2], y[:, 2:] + x[:, 2:]], 1)
        return self.head(self.top(y).mean((2, 3)))


def measured(world, **how):
    net = Chain(**how)
    layers = describe_layers(net, ["colour", "mid", "top"], torch.rand(1, 3, 8, 8))
    return world.z(net, layers=layers, cut=("top",), data=world.data(per_class=60))


@pytest.mark.parametrize("traced", [True, False])
def test_direct_is_zero_where_all_paths_are_held(world, traced):
    found = edges(measured(world, traced=traced), "colour", "top", "husky", **FEW)
    assert found.held == ("mid",)
    frame = found.frame.set_index("target")
    for name in ("top:0", "top:1", "top:2"):
        some = frame.loc[name]
        assert (some[["direct", "low", "high", "rough"]] == 0).all(axis=None)
        assert (some["reason"] == "every path runs through mid, held for direct").all()
        assert np.isfinite(some["total"]).all()
        assert not some["found"].any()
    assert (frame.loc["top:0", "total"].abs() > 0.05).any()
    dead = frame.loc["top:3"]
    assert dead[["direct", "total"]].isna().all(axis=None)
    assert (dead["reason"] == "hardly moves, if at all, when all of colour is exchanged").all()
    assert found.sums.loc["top:0", "direct"] == 0
    assert np.isnan(found.sums.loc["top:3", "total"])
    # Of those without a direct effect, the strongest in all come first.
    sizes = found.frame["total"].abs().dropna().to_numpy()
    assert (np.diff(sizes) <= 0).all()


def test_what_goes_past_has_no_reason(world):
    found = edges(measured(world, past=True), "colour", "top", "husky", **FEW)
    frame = found.frame.set_index("target")
    assert (frame.loc["top:0", "reason"] == "").all()
    assert np.isfinite(frame.loc["top:0", "direct"]).all()
    assert frame.loc["top:3", "direct"].isna().all()


def test_neighbours_without_layers_between_are_told_as_before(world):
    found = edges(measured(world), "mid", "top", "husky", **FEW)
    assert set(found.frame["reason"]) == {
        "", "hardly moves, if at all, when all of mid is exchanged"
    }  # fmt: skip
    assert (found.frame.loc[found.frame["reason"] != "", "target"] == "top:3").all()


def test_shares_of_both_ways_sum_where_units_work_in_pairs(world):
    class Pairs(Chain):
        def forward(self, x):
            x = self.colour(x)
            y = self.top(x[:, [0, 2, 2, 3]] * x[:, [1, 1, 0, 3]])
            return self.head(y.mean((2, 3)))

    net = Pairs()
    layers = describe_layers(net, ["colour", "top"], torch.rand(1, 3, 8, 8))
    z = world.z(net, layers=layers, cut=("top",), data=world.data(per_class=60))
    once = edges(z, "colour", "top", "husky", units=[0, 1], **FEW).sums
    both = edges(z, "colour", "top", "husky", units=[0, 1], both=True, **FEW).sums
    assert both.to_numpy() == pytest.approx(1, abs=1e-4)
    assert (abs(once["direct"] - 1) > 0.01).all()
