"""What a row of outputs is: networks in which it is not one input, always the same, by itself."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from circuitz.effects.ablation.ablate import ablate
from circuitz.errors import (
    BatchDependenceError,
    LayerError,
    NetworkError,
    NetworkWarning,
    RandomNetworkError,
)
from circuitz.models.run.probe_network import probe_network
from circuitz.models.run.runtime import Runtime
from circuitz.z.layer import Preprocessing

PREP = Preprocessing(size=(8, 12))


class Net(nn.Module):
    """Two convolutions and a head, with something in between."""

    def __init__(self, between=lambda h: h, last=lambda out: out, norm=nn.Identity) -> None:
        super().__init__()
        self.conv, self.norm, self.mix = nn.Conv2d(3, 4, 3), norm(), nn.Conv2d(4, 5, 3)
        self.head, self.between, self.last = nn.Linear(5, 3), between, last

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.between(self.norm(self.conv(x)).relu())
        return self.last(self.head(self.mix(h).relu().mean((2, 3))))


def batch_norm() -> nn.Module:
    return nn.BatchNorm2d(4, track_running_stats=False)


class Counting(nn.Module):
    """Adds how often it was called: state that lives in a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        self.seen += 1
        return h + self.seen


def attend_over_batch(out: torch.Tensor) -> torch.Tensor:
    return out + 0.1 * torch.softmax(out @ out.T, 1) @ out


def drop_block(h: torch.Tensor) -> torch.Tensor:
    return h * 0 if torch.rand(()) < 0.02 else h


def drop_block_by_python(h: torch.Tensor) -> torch.Tensor:
    return h * 0 if random.random() < 0.02 else h


def drop_block_by_numpy(h: torch.Tensor) -> torch.Tensor:
    return h * 0 if np.random.rand() > 0.98 else h


def standardise_from_eight(h: torch.Tensor) -> torch.Tensor:
    return h - h.mean(0) if len(h) >= 8 else h


def deviation_of_four(h: torch.Tensor) -> torch.Tensor:
    groups = h.unflatten(0, (-1, 4)) if len(h) % 4 == 0 else h[:, None]
    return h + groups.std(1, correction=0).repeat_interleave(groups.shape[1], 0)


def three_at_most(h: torch.Tensor) -> torch.Tensor:
    return torch.cat([h[:3], h[3:] * 0])


def not_ten(h: torch.Tensor) -> torch.Tensor:
    if len(h) > 10:
        raise ValueError("at most ten")
    return h


BAD = {
    "dropout": (lambda: Net(functional.dropout), RandomNetworkError, "random-network"),
    "noise": (lambda: Net(lambda h: h + 0.01 * torch.randn_like(h)), RandomNetworkError, None),
    "numpy": (lambda: Net(lambda h: h * (1 + np.random.rand())), RandomNetworkError, None),
    "state": (lambda: Net(norm=Counting), RandomNetworkError, None),
    "rare": (lambda: Net(drop_block), RandomNetworkError, None),
    "rare, python": (lambda: Net(drop_block_by_python), RandomNetworkError, None),
    "rare, numpy": (lambda: Net(drop_block_by_numpy), RandomNetworkError, None),
    "rare dropout": (
        lambda: Net(lambda h: functional.dropout2d(h, 0.001)),
        RandomNetworkError,
        None,
    ),
    "from eight": (lambda: Net(standardise_from_eight), BatchDependenceError, "batch-dependence"),
    "groups of four": (lambda: Net(deviation_of_four), BatchDependenceError, None),
    "capacity": (lambda: Net(three_at_most), BatchDependenceError, None),
    "not ten": (lambda: Net(not_ten), BatchDependenceError, None),
    "batch norm": (lambda: Net(norm=batch_norm), BatchDependenceError, "batch-dependence"),
    "mean of the batch": (lambda: Net(lambda h: h - h.mean(0)), BatchDependenceError, None),
    "attention": (lambda: Net(last=attend_over_batch), BatchDependenceError, None),
    "needs two": (
        lambda: Net(last=lambda out: out + nn.BatchNorm1d(3)(out)),
        BatchDependenceError,
        None,
    ),
    "crops": (lambda: Net(last=lambda out: torch.cat([out, out])), NetworkError, "network"),
    "one row": (lambda: Net(last=lambda out: out[:1]), NetworkError, "network"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_network_whose_rows_are_no_inputs_is_refused_by_name(name: str) -> None:
    make, error, code = BAD[name]
    torch.manual_seed(0)
    net, x = make(), torch.randn(3, 3, 8, 12)
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    buffers = [b.clone() for b in net.buffers()]
    with pytest.raises(error) as caught:
        probe_network(Runtime(net, [], PREP), x, ["mix"])
    assert code is None or caught.value.code == code
    assert caught.value.hint
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()
    assert before[2] == random.getstate()
    assert all(torch.equal(a, b) for a, b in zip(buffers, net.buffers(), strict=True))
    with pytest.raises(error):
        ablate(net, x, layers=["mix"])


def test_an_honest_network_passes_and_is_left_as_it_was() -> None:
    net = Net(norm=lambda: nn.BatchNorm2d(4)).train()
    x = torch.randn(1, 3, 8, 12)
    before, state = torch.get_rng_state(), {k: v.clone() for k, v in net.state_dict().items()}
    probe = probe_network(Runtime(net, [], PREP), x, ["norm", "mix"])
    assert not probe.unusable
    assert probe.acts["mix"].shape == (2, 5, 4, 8)
    assert net.training
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(v, state[k]) for k, v in net.state_dict().items())
    assert not any(m._forward_hooks for m in net.modules())


class Drawing(Net):
    """Draws numbers of all kinds, and makes nothing of them."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        drawn = torch.rand(2), torch.empty(2).uniform_(-1, 1), torch.full((2,), 0.5).bernoulli()
        assert all(bool(torch.isfinite(one).all()) for one in drawn)
        return super().forward(x)


def test_numbers_that_are_drawn_and_change_nothing_are_told() -> None:
    net, x = Drawing(), torch.randn(3, 3, 8, 12)
    before = torch.get_rng_state(), random.getstate()
    probe = probe_network(Runtime(net, [], PREP), x, ["mix"])
    assert not probe.unusable
    assert "draws random numbers" in " ".join(probe.remarks)
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == random.getstate()
    with pytest.warns(NetworkWarning, match="draws random numbers"):
        ablate(net, x, layers=["mix"])
    assert probe_network(Runtime(Net(), [], PREP), x, ["mix"]).remarks == ()


class RareSide(Net):
    """Logits as they should be; beside the way to them a layer that is random now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.rare, self.crowd = nn.Identity(), nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.conv(x)
        self.rare(drop_block(h))
        self.crowd(standardise_from_eight(h))
        return super().forward(x)


def test_layers_that_are_random_or_depend_on_the_batch_now_and_then_are_refused() -> None:
    probe = probe_network(
        Runtime(RareSide(), [], PREP), torch.randn(3, 3, 8, 12), ["rare", "crowd", "mix"]
    )
    assert set(probe.unusable) == {"rare", "crowd"}
    assert "is random" in probe.unusable["rare"].message
    assert "what else is in the batch" in probe.unusable["crowd"].message


def test_a_batch_there_is_no_memory_for_is_told() -> None:
    def no_memory(h: torch.Tensor) -> torch.Tensor:
        if len(h) > 3:
            raise torch.OutOfMemoryError("no memory")
        return h

    probe = probe_network(Runtime(Net(no_memory), [], PREP), torch.randn(3, 3, 8, 12), ["mix"])
    assert "not enough memory" in " ".join(probe.remarks)


class Side(nn.Module):
    """Good logits; layers of all kinds beside the way to them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 3)
        names = ("first", "windows", "noise", "table", "batch", "good")
        for name in names:
            setattr(self, name, nn.Identity())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.conv(x)
        self.first(h.flatten(2).permute(2, 0, 1))
        self.windows(h.unfold(2, 3, 3).flatten(3).permute(0, 2, 3, 1).flatten(0, 1))
        self.noise(h + torch.randn_like(h))
        self.table(self.head.weight)
        self.batch(h - h.mean(0))
        return self.head(self.good(h).mean((2, 3)))


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("first", "inputs on axis 1"), ("windows", "2 rows an input"), ("noise", "is random"),
        ("table", "says nothing about an input"), ("batch", "what else is in the batch"),
    ],
)  # fmt: skip
def test_a_layer_whose_rows_are_no_inputs_is_refused_by_name(layer: str, message: str) -> None:
    net, x = Side(), torch.randn(3, 3, 8, 12)
    probe = probe_network(Runtime(net, [], PREP), x, [layer, "good"])
    assert list(probe.unusable) == [layer]
    with pytest.raises(LayerError, match=message) as caught:
        ablate(net, x, layers=layer)
    assert caught.value.code == "layer"
    assert caught.value.hint
    assert set(ablate(net, x, layers="good")["layer"]) == {"good"}


class TwoInputs(Net):
    """Wants a second input."""

    def forward(self, x: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return super().forward(x) + other


def test_a_network_of_two_inputs_is_refused_by_name() -> None:
    with pytest.raises(NetworkError, match=r"more than one input.*x and other"):
        ablate(TwoInputs(), torch.randn(2, 3, 8, 12))
