"""Writing to units of any layers, on networks of every kind."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from circuitz.errors import InterventionError, LayerError, NetworkError, UnitError
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_axes import unit_axis
from circuitz.z.intervention import Intervention


@pytest.fixture
def case(net_and_layers, prep):
    net, layers = net_and_layers
    torch.manual_seed(1)
    return Runtime(net, layers, prep), layers, torch.randn(5, 3, 16, 16)


def expected(kind: str, clean: torch.Tensor, found: torch.Tensor) -> torch.Tensor:
    """What two units must put out, given what they put out otherwise, ``(n, 2, ...)``."""
    value = torch.tensor([3.0, -1.0]).view(1, 2, *[1] * (clean.ndim - 2))
    if kind == "resample":
        # Every input took what another input puts out.
        for i, row in enumerate(found):
            assert any(torch.equal(row, other) for j, other in enumerate(clean) if j != i)
        return found
    return {
        "zero": torch.zeros_like(clean),
        "mean": clean.mean(0, keepdim=True).expand_as(clean),
        "patch": clean.flip(0),
        "clamp": value.expand_as(clean),
        "steer": clean + value,
    }[kind]


@pytest.mark.parametrize("kind", ["zero", "mean", "patch", "clamp", "steer", "resample"])
def test_each_kind_does_what_it_says_on_every_network(case, kind) -> None:
    runtime, layers, x = case
    for layer in layers:
        plain = runtime.run(x, [layer])[0][layer]
        axis = unit_axis(runtime, layer)
        clean = plain.movedim(axis, 1).clone()
        units = torch.tensor([2, 0])
        how = Intervention(
            layer, (2, 0), kind,  # type: ignore[arg-type]
            value=(3.0, -1.0) if kind in ("clamp", "steer") else (),
            donors=(4, 3, 2, 1, 0) if kind == "patch" else (),
        )  # fmt: skip
        acts, logits = runtime.intervene(x, [how], layers=[layer])
        found = acts[layer].movedim(axis, 1)
        wanted = expected(kind, clean[:, units], found[:, units])
        assert torch.equal(found[:, units], wanted)
        others = [u for u in range(clean.shape[1]) if u not in (0, 2)]
        assert torch.equal(found[:, others], clean[:, others])
        by_hand = plain.clone()
        by_hand.movedim(axis, 1).index_copy_(1, units, wanted)
        with torch.no_grad():
            resumed = runtime.resume(layer, by_hand, x)
        torch.testing.assert_close(logits, resumed, atol=1e-5, rtol=1e-5)
    assert all(not m._forward_hooks for m in runtime.module.modules())


def test_several_layers_and_several_at_one_in_order(case) -> None:
    runtime, layers, x = case
    first = layers[0]
    both = [Intervention(first, (0,), "clamp", (2.0,)), Intervention(first, (0,), "steer", (1.0,))]
    acts, _ = runtime.intervene(x, both, layers=[first])
    axis = unit_axis(runtime, first)
    assert (acts[first].select(axis, 0) == 3).all()
    every = [Intervention(name, (0,)) for name in layers]
    acts, _ = runtime.intervene(x, every, layers=layers)
    for name in layers:
        axis = unit_axis(runtime, name)
        assert (acts[name].select(axis, 0) == 0).all()


def test_positions_of_tokens_and_maps(prep) -> None:
    torch.manual_seed(0)
    patches = nn.Sequential(nn.Conv2d(3, 8, 4, 4), nn.Flatten(2))

    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patch, self.mix, self.head = patches, nn.Linear(8, 8), nn.Linear(8, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.mix(self.patch(x).transpose(1, 2))[:, 0])

    runtime = Runtime(Tokens(), ["mix", "patch.0"], prep)
    x = torch.randn(2, 3, 16, 16)
    how = [
        Intervention("mix", (3, 5), "clamp", (9.0,), positions=(0, 15)),
        Intervention("patch.0", (1,), "clamp", (7.0,), positions=(6,)),
    ]
    acts, _ = runtime.intervene(x, how, layers=["mix", "patch.0"])
    plain, _ = runtime.intervene(x, how[1:], layers=["mix"])
    changed = (acts["mix"] != plain["mix"]).nonzero()[:, 1:].unique(dim=0).tolist()
    assert changed == [[0, 3], [0, 5], [15, 3], [15, 5]]
    assert (acts["patch.0"] == 7).nonzero()[:, 1:].unique(dim=0).tolist() == [[1, 1, 2]]


def test_donors_of_their_own(case) -> None:
    runtime, layers, x = case
    other = torch.randn(3, 3, 16, 16)
    lent = runtime.run(other, layers[:1])[0][layers[0]]
    axis = unit_axis(runtime, layers[0])
    one = Intervention(layers[0], (1,), "patch", donors=(2,))
    acts, _ = runtime.intervene(x, [one], donors=other, layers=layers[:1])
    found = acts[layers[0]].select(axis, 1)
    assert torch.equal(found, lent[2:3].select(axis, 1).expand_as(found))
    row_by_row = Intervention(layers[0], (1,), "patch")
    acts, _ = runtime.intervene(x[:3], [row_by_row], donors=other, layers=layers[:1])
    assert torch.equal(acts[layers[0]].select(axis, 1), lent.select(axis, 1))


def test_the_same_seed_draws_the_same(case) -> None:
    runtime, layers, x = case
    draws = [
        runtime.intervene(x, [Intervention(layers[0], (1, 2), "resample", seed=s)])[1]
        for s in (3, 3)
    ]
    assert torch.equal(*draws)


@pytest.mark.parametrize(
    ("how", "donors", "error", "says"),
    [
        (Intervention("nowhere", (0,)), None, LayerError, "no layer 'nowhere'"),
        (Intervention("conv1", (6,)), None, UnitError, "no unit 6"),
        (Intervention("conv1", (0,), positions=(10**6,)), None, UnitError, "no position 1000000"),
        (Intervention("conv1", (0,), "patch", donors=(5,)), None, InterventionError, "5 inputs"),
        (Intervention("conv1", (0,), "patch", donors=(0, 1)), None, InterventionError, "Donors"),
        (Intervention("conv1", (0,), "patch"), (2, 3, 16, 16), InterventionError, "Donors"),
        (Intervention("conv1", (0,), "patch"), (5, 3, 24, 24), InterventionError, "on the donors"),
        (Intervention("conv1", (0,), "patch"), (5, 4, 16, 16), NetworkError, "fails on inputs"),
    ],
)
def test_what_does_not_fit_is_named_and_no_hook_stays(how, donors, error, says, prep) -> None:
    from circuitz.models.zoo.builders import build

    net = build("small-cnn", {"classes": 4, "widths": [6, 8], "strides": [2, 1]}).train()
    runtime = Runtime(net, ["conv1"], prep)
    lending = None if donors is None else torch.zeros(donors)
    with pytest.raises(error, match=says):
        runtime.intervene(torch.zeros(5, 3, 16, 16), [how], donors=lending)
    assert all(not m._forward_hooks for m in net.modules())
    assert all(m.training for m in net.modules())


def test_one_input_cannot_be_resampled(case) -> None:
    runtime, layers, x = case
    with pytest.raises(InterventionError, match="no other"):
        runtime.intervene(x[:1], [Intervention(layers[0], (0,), "resample")])


def test_lent_from_both_is_refused(case) -> None:
    runtime, layers, x = case
    how = [Intervention(layers[0], (0,), "patch"), Intervention(layers[0], (1,), "mean")]
    with pytest.raises(InterventionError, match="one after the other"):
        runtime.intervene(x, how, donors=x)


def test_a_layer_called_twice_or_never(prep) -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.unused = nn.Conv2d(3, 3, 3, padding=1), nn.Linear(2, 2)
            self.head = nn.Linear(3, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.conv(self.conv(x)).mean((2, 3)))

    runtime = Runtime(Twice(), ["head"], prep)
    x = torch.zeros(2, 3, 16, 16)
    with pytest.raises(LayerError, match="called 2 times"):
        runtime.intervene(x, [Intervention("conv", (0,))])
    with pytest.raises(LayerError, match="never called"):
        runtime.intervene(x, [Intervention("unused", (0,))])


def test_half_precision(prep) -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(784, 3))
    runtime = Runtime(net.bfloat16(), ["0"], prep)
    x = torch.randn(2, 3, 16, 16)
    acts, logits = runtime.intervene(x, [Intervention("0", (1,), "clamp", (0.1,))], layers=["0"])
    assert acts["0"].dtype == logits.dtype == torch.bfloat16
    np.testing.assert_allclose(acts["0"][:, 1].float().numpy(), 0.1, rtol=1e-2)
