"""Which weights a layer's output is made from: never one too few, and no more than there are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from circuitz.models.run.dependency import hash_upstream_values, upstream_weight_names
from circuitz.models.run.runtime import Runtime
from circuitz.models.zoo.builders import build
from circuitz.z.layer import Preprocessing

PREP = Preprocessing(size=(8, 8))


class Several(nn.Module):
    """Normalisation, in-place steps, a path that is detached, a constant, a table of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.rect = nn.ReLU(inplace=True)
        self.left = nn.Conv2d(4, 4, 1)
        self.right = nn.Conv2d(4, 4, 1)
        self.register_buffer("shift", torch.ones(4, 1, 1))
        self.head = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.rect(self.norm(self.first(x))) * torch.tensor(0.5)
        left = self.left(x)
        right = self.right(x) + left.detach()
        right += self.shift
        return self.head(right.mean((2, 3)))


class Decides(nn.Module):
    """Looks at values in one way or another before it goes on."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.first = nn.Linear(192, 6)
        self.one = nn.Linear(6, 6)
        self.other = nn.Linear(6, 6)
        self.head = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.first(x.flatten(1))
        if self.how == "number":
            yes = bool(h.sum() > 1e9)
        elif self.how == "shape":
            yes = len(h[h > 1e9]) > 3
        elif self.how == "list":
            yes = h.tolist()[0][0] > 1e9
        else:
            yes = float(h.detach().numpy().sum()) > 1e9
        return self.head(self.other(h) if yes else self.one(h))


def _runtime(net: nn.Module) -> Runtime:
    return Runtime(net.eval(), [], PREP)


def test_what_flows_into_a_layer_is_behind_it_and_nothing_else() -> None:
    found = upstream_weight_names(_runtime(Several()), ["first", "norm", "left", "right", "head"])
    first = {"first.weight", "first.bias"}
    norm = {f"norm.{name}" for name in ("weight", "bias", "running_mean", "running_var")}
    left = {"left.weight", "left.bias"}
    right = {"right.weight", "right.bias"}
    assert found["first"] == first
    assert found["norm"] == first | norm
    assert found["left"] == first | norm | left
    # What is written to a layer's output in place is in its memory, and counts.
    assert found["right"] >= first | norm | right
    assert found["head"] == first | norm | left | right | {"shift", "head.weight", "head.bias"}


class Made(nn.Module):
    """Makes a tensor of values of its own in one way or another."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.first = nn.Linear(192, 3)
        self.gain = nn.Parameter(torch.ones(3))
        self.last = nn.Linear(3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h, some = self.first(x.flatten(1)), [self.gain[0], 1.0, 1.0]
        if self.how == "tensor":
            gain = torch.tensor(some)
        elif self.how == "as_tensor":
            gain = torch.as_tensor(some)
        elif self.how == "new_tensor":
            gain = h.new_tensor(some)
        elif self.how == "legacy":
            gain = torch.Tensor(some)
        else:
            gain = torch.from_numpy(np.asarray(self.gain.detach()))
        return self.last(h * gain)


@pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad")
@pytest.mark.parametrize("how", ["tensor", "as_tensor", "new_tensor", "legacy", "array"])
def test_tensors_made_of_values_by_hand_are_seen(how: str) -> None:
    found = upstream_weight_names(_runtime(Made(how)), ["first", "last"])
    assert "gain" in found["last"]


def test_state_that_is_no_tensor_of_a_module_counts_for_every_layer() -> None:
    class Extra(Several):
        kept = torch.zeros(2)

        def get_extra_state(self) -> torch.Tensor:
            return self.kept

    net = Extra()
    before = hash_upstream_values(_runtime(net), ["first"])
    net.kept = torch.ones(2)
    assert hash_upstream_values(_runtime(net), ["first"]) != before


@pytest.mark.parametrize("how", ["number", "shape", "list", "numpy"])
def test_where_values_decide_the_way_every_weight_is_behind_everything(how: str) -> None:
    net = Decides(how)
    found = upstream_weight_names(_runtime(net), ["first", "head"])
    assert found["first"] == found["head"] == set(dict(net.named_parameters()))


def test_a_tensor_that_comes_from_nowhere_may_be_made_of_anything() -> None:
    class Kept(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(192, 4)
            self.second = nn.Linear(4, 4)
            self.table = torch.ones(4)  # neither parameter nor buffer

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.second(self.first(x.flatten(1)) * self.table)

    net = Kept()
    found = upstream_weight_names(_runtime(net), ["first", "second"])
    assert found["first"] == {"first.weight", "first.bias"}
    assert found["second"] == set(dict(net.named_parameters()))


def test_a_network_that_cannot_be_watched_has_all_weights_behind_each_layer() -> None:
    net = Several()
    found = upstream_weight_names(_runtime(net), ["first", "nothing of the kind"])
    assert found["first"] == set(dict(net.named_parameters())) | set(dict(net.named_buffers()))


def test_tied_weights_count_under_their_first_name() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(192, 192, bias=False)
            self.second = nn.Linear(192, 192, bias=False)
            self.second.weight = self.first.weight

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.second(self.first(x.flatten(1)))

    found = upstream_weight_names(_runtime(Tied()), ["first", "second"])
    assert found == {"first": {"first.weight"}, "second": {"first.weight"}}


def _transformer() -> nn.Module:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    return nn.Sequential(nn.Flatten(2), nn.Linear(64, 8), layer, nn.Flatten(1), nn.Linear(24, 3))


NETS = {
    "several": (Several, ["first", "norm", "left", "right"]),
    "transformer": (_transformer, ["1", "2", "2.linear1"]),
    "small cnn": (lambda: build("small-cnn", {"classes": 3}), ["conv1", "conv2", "conv4"]),
}


@pytest.mark.parametrize("name", NETS)
def test_weights_that_are_not_behind_a_layer_leave_it_as_it_is(name: str) -> None:
    make, layers = NETS[name]
    torch.manual_seed(0)
    net = make()
    run = _runtime(net)
    x = torch.rand(4, 3, 8, 8)
    behind = upstream_weight_names(run, layers)
    before, _ = run.run(x, layers)
    before = {layer: act.clone() for layer, act in before.items()}
    hashes = hash_upstream_values(run, layers)
    held = dict(net.named_parameters()) | dict(net.named_buffers())
    apart = 0
    for weight, tensor in held.items():
        if not tensor.is_floating_point():
            continue
        kept = tensor.detach().clone()
        with torch.no_grad():
            tensor.add_(0.5 * torch.rand_like(tensor))
        after, _ = run.run(x, layers)
        now = hash_upstream_values(run, layers)
        for layer in layers:
            same = torch.equal(after[layer], before[layer])
            assert same or weight in behind[layer]
            assert (now[layer] == hashes[layer]) == (weight not in behind[layer])
            apart += weight not in behind[layer]
        with torch.no_grad():
            tensor.copy_(kept)
    assert apart, "some weights come after some layer"
    assert hash_upstream_values(run, layers) == hashes


def test_the_hash_knows_layer_preprocessing_and_architecture() -> None:
    net = Several()
    found = hash_upstream_values(_runtime(net), ["first", "norm"])
    assert found["first"] != found["norm"]
    other = Runtime(net, [], Preprocessing(mean=(0.1, 0.1, 0.1), size=(8, 8)))
    assert hash_upstream_values(other, ["first"])["first"] != found["first"]
    assert hash_upstream_values(_runtime(net), ["first"], ["a", {}])["first"] != found["first"]
    net.bfloat16()
    assert np.unique(list(hash_upstream_values(_runtime(net), ["first"]).values())).size == 1
