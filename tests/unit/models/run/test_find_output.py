"""The logits among what a network returns: taken where that can be told, refused by name where not."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn

from circuitz.errors import LayerError, ProbabilitiesError
from circuitz.models.adapters.adapted_network import adapt_network, is_adapted_from
from circuitz.models.run.network_facts import class_name_for_hashes
from circuitz.models.run.read_outputs import read_outputs
from circuitz.models.run.runtime import Runtime
from circuitz.z.layer import Preprocessing

Outputs = namedtuple("Outputs", ["logits", "aux_logits"])


@dataclass
class Answer:
    hidden: torch.Tensor
    scores: torch.Tensor


class Many(nn.Module):
    """Features, logits and two more heads; what is returned of them is up to the test."""

    def __init__(self, pack: Any, wide: int = 3) -> None:
        super().__init__()
        self.body = nn.Linear(4, wide)
        self.head, self.side = nn.Linear(wide, 3), nn.Linear(wide, 3)
        self.pack = pack

    def forward(self, x: torch.Tensor) -> Any:
        features = self.body(x)
        return self.pack(features, self.head(features), self.side(features))


PROBABLE = {
    "first": lambda f, a, b: (a, f),
    "second": lambda f, a, b: (f, a),
    "list": lambda f, a, b: [f, a],
    "key": lambda f, a, b: {"features": f, "pred": a},
    "two keys, one called logits": lambda f, a, b: {"aux": b, "logits": a},
    "logits and their softmax": lambda f, a, b: {"score": a, "p": a.softmax(1)},
    "inception": lambda f, a, b: Outputs(a, b),
    "data class": lambda f, a, b: Answer(f, a),
    "one key": lambda f, a, b: {"out": a},
    "with a loss": lambda f, a, b: (a.sum(), a),
}


@pytest.mark.parametrize("wide", [3, 5])
@pytest.mark.parametrize("columns", [3, None])
@pytest.mark.parametrize("pack", PROBABLE.values(), ids=PROBABLE)
def test_logits_are_found_with_and_without_class_names(pack, columns, wide) -> None:
    torch.manual_seed(0)
    net, x = Many(pack, wide), torch.randn(4, 4)
    read = read_outputs(net, x, columns)
    right = net.head(net.body(x))
    assert torch.equal(read.network(x), right)
    run = Runtime(read.network, ["body"], Preprocessing((0.5,) * 4, (1.0,) * 4), like=x)
    body = net.body(x)
    assert torch.allclose(run.forward(x), right)
    assert torch.allclose(run.resume("body", body, x), right)
    assert is_adapted_from(read.network, net)
    if pack is PROBABLE["second"]:
        assert "'1' is read as its logits" in read.remarks[0]
        assert "(4, 3)" in read.remarks[0]


def test_the_network_stays_as_it_is_and_hashes_tell_readings_apart() -> None:
    net = Many(PROBABLE["second"])
    one = adapt_network(net, "1")
    assert isinstance(net(torch.zeros(2, 4)), tuple)
    assert list(one.state_dict()) == list(net.state_dict())
    assert adapt_network(one, "1") is one
    assert adapt_network(net, "") is net
    assert class_name_for_hashes(one) != class_name_for_hashes(net)
    assert class_name_for_hashes(one) != class_name_for_hashes(adapt_network(net, "0"))


def test_what_cannot_be_told_is_refused_and_can_be_said() -> None:
    net, x = Many(lambda f, a, b: (a, b)), torch.randn(4, 4)
    with pytest.raises(LayerError, match=r"'0' \(4, 3\), '1' \(4, 3\).*which is meant"):
        read_outputs(net, x, 3)
    said = read_outputs(net, x, 3, "1")
    assert torch.equal(said.network(x), net.side(net.body(x)))
    named = Many(lambda f, a, b: Outputs(a, b))
    assert torch.equal(read_outputs(named, x, 3, "1").network(x), named.side(named.body(x)))
    with pytest.raises(LayerError, match="no output 'z'"):
        read_outputs(net, x, 3, "z")
    with pytest.raises(LayerError, match="returns one tensor"):
        read_outputs(nn.Linear(4, 3), x, 3, "1")


def test_features_that_happen_to_be_as_many_as_classes_are_not_logits() -> None:
    class Wider(Many):
        def __init__(self) -> None:
            super().__init__(lambda f, a, b: (f, self.last(f)))
            self.last = nn.Linear(3, 7)

    with pytest.raises(LayerError, match="'1' is computed from it"):
        read_outputs(Wider(), torch.randn(4, 4), 3)


@pytest.mark.parametrize(
    ("pack", "message"),
    [
        (lambda f, a, b: {"maps": a[:, :, None, None]}, "a dict of 'maps' (4, 3, 1, 1)"),
        (lambda f, a, b: {"out": a[:, :, None], "aux": b[:, :, None]}, "'out' (4, 3, 1), 'aux'"),
        (lambda f, a, b: None, "a NoneType without tensors"),
        (lambda f, a, b: (), "a tuple without tensors"),
    ],
)
def test_what_holds_no_logits_is_described(pack, message) -> None:
    with pytest.raises(LayerError) as caught:
        read_outputs(Many(pack), torch.randn(4, 4), 3)
    assert message in caught.value.message


def test_a_runtime_by_itself_takes_no_first_tensor_without_a_word() -> None:
    how = Preprocessing((0.5,) * 4, (1.0,) * 4)
    with pytest.raises(LayerError, match="could be logits"):
        Runtime(Many(PROBABLE["second"]), [], how).forward(torch.zeros(2, 4))


@pytest.mark.parametrize(
    "last",
    [
        nn.Softmax(-1),
        nn.Sigmoid(),
        nn.Sequential(nn.Sigmoid(), nn.Flatten()),
        nn.Sequential(nn.Linear(3, 1), nn.Sigmoid()),
        nn.Sequential(nn.Linear(3, 1), nn.Sigmoid(), nn.Flatten(0)),
    ],
)
def test_probabilities_are_refused_by_name(last) -> None:
    torch.manual_seed(0)
    with pytest.raises(ProbabilitiesError) as caught:
        read_outputs(nn.Sequential(nn.Linear(4, 3), last), torch.randn(3, 4))
    assert caught.value.code == "probabilities"
    assert "Return what goes into" in caught.value.hint


class Times(nn.Module):
    """Shares of a whole."""

    def __init__(self, whole: float) -> None:
        super().__init__()
        self.whole = whole

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.whole * x.softmax(-1)


@pytest.mark.parametrize(("whole", "word"), [(100.0, "percentages"), (255.0, "sums to 255")])
def test_shares_of_another_whole_than_one_are_refused_by_name(whole: float, word: str) -> None:
    torch.manual_seed(0)
    with pytest.raises(ProbabilitiesError, match=word) as caught:
        read_outputs(nn.Sequential(nn.Linear(4, 3), Times(whole)), torch.randn(6, 4))
    assert "torch.log" in caught.value.hint
    # Logits that are not negative, and rows that are all the same, are no shares.
    for last in (nn.Softplus(), Dead()):
        assert read_outputs(nn.Sequential(nn.Linear(4, 3), last), torch.randn(6, 4)).remarks == ()


class Dead(nn.Module):
    """Puts out the same, whatever goes in."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 0 + torch.tensor([1.0, 2.0, 4.0])


def test_what_may_be_probabilities_is_said() -> None:
    torch.manual_seed(0)

    class Handmade(nn.Linear):
        def forward(self, input: torch.Tensor) -> torch.Tensor:
            return 1 / (1 + (-super().forward(input)).exp())

    x = torch.randn(32, 4)
    assert "within 0 and 1" in read_outputs(Handmade(4, 3), x).remarks[0]
    log = nn.Sequential(nn.Linear(4, 3), nn.LogSoftmax(-1))
    assert "log-probabilities" in read_outputs(log, x).remarks[0]
    assert read_outputs(nn.Linear(4, 3), x).remarks == ()
    # An inner sigmoid is no sign of probabilities, and few small logits are none either.
    inner = nn.Sequential(nn.Linear(4, 3), nn.Sigmoid(), nn.Linear(3, 3))
    assert read_outputs(inner, x).remarks == ()
