"""Effects estimated in a few passes, and the likely ones run exactly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import LayerGradientXActivation
from torch import nn

from circuitz.effects.ablation.attribution_patching import (
    first_order_attribution,
    propagated_attribution,
)
from circuitz.effects.ablation.exact_ablation import ablate_each_unit
from circuitz.effects.ablation.shortlist import ablate_shortlist, estimate_mean_drops
from circuitz.errors import InputsError, LayerError
from circuitz.models.run.runtime import Runtime
from circuitz.patching.fast.traced_program import Program
from circuitz.z.layer import Preprocessing

PREP = Preprocessing((0.0,) * 3, (1.0,) * 3, (12, 12))


def conv(i: int, o: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(i, o, 3, stride, 1)


def net(bend: nn.Module | None = None) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        conv(3, 6), nn.BatchNorm2d(6), bend or nn.ReLU(inplace=True), conv(6, 8, 2),
        bend or nn.ReLU(inplace=True), conv(8, 10), bend or nn.ReLU(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(10, 4),
    ).eval()  # fmt: skip


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = net()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x if float(x.detach().sum()) < 1e30 else -x)


@pytest.fixture
def x(threads) -> torch.Tensor:
    return torch.randn(5, 3, 12, 12, generator=torch.Generator().manual_seed(3))


def test_plain_attribution_is_captums_gradient_times_activation(x) -> None:
    runtime = Runtime(net(), ["0", "3", "9"], PREP)
    found = first_order_attribution(runtime, x, ["0", "3", "9"])
    for name in ("0", "3"):
        theirs = LayerGradientXActivation(runtime.forward, runtime.module.get_submodule(name))
        for k in range(4):
            per_unit = theirs.attribute(x, target=k).flatten(2).sum(2).detach().numpy()
            np.testing.assert_allclose(found[name][:, :, k], per_unit, atol=1e-5)
    logits = runtime.forward(x).detach().numpy()
    np.testing.assert_allclose(found["9"], logits[:, :, None] * np.eye(4), atol=1e-6)


def test_averaged_gradients_add_up_to_the_whole_layers_effect(x) -> None:
    runtime = Runtime(net(), ["3"], PREP)
    act = runtime.run(x, ["3"])[0]["3"]
    with torch.no_grad():
        whole = runtime.forward(x) - runtime.resume("3", torch.zeros_like(act))
    once = first_order_attribution(runtime, x, ["3"])["3"].sum(1)
    often = first_order_attribution(runtime, x, ["3"], steps=64)["3"].sum(1)
    np.testing.assert_allclose(often, whole.numpy(), atol=2e-3)
    assert np.abs(often - whole.numpy()).max() < np.abs(once - whole.numpy()).max()


def test_without_bends_both_are_exact(x) -> None:
    runtime = Runtime(net(nn.Identity()), ["0", "3"], PREP)
    exact = {a.layer: a.drop for a in ablate_each_unit(runtime, x)}
    program = Program(runtime.module)
    for found in (
        first_order_attribution(runtime, x, ["0", "3"], steps=1),
        propagated_attribution(program, runtime, x, {"0": 1, "3": 1}),
    ):
        np.testing.assert_allclose(found["3"], exact["3"], atol=1e-5)
    # Batch norm after the first layer adds a constant, which changes nothing.
    np.testing.assert_allclose(
        propagated_attribution(program, runtime, x, {"0": 1})["0"], exact["0"], atol=1e-5
    )


def test_a_change_that_spreads_once_is_followed_exactly(x) -> None:
    runtime = Runtime(net(), ["3", "5"], PREP)
    exact = {a.layer: a.drop for a in ablate_each_unit(runtime, x)}
    found = propagated_attribution(Program(runtime.module), runtime, x, {"3": 1, "5": 1})
    plain = first_order_attribution(runtime, x, ["3", "5"])
    for name in ("3", "5"):
        np.testing.assert_allclose(found[name], exact[name], atol=1e-6)
    # (At the last ReLU, activation × gradient is exact too.)
    assert np.abs(plain["3"] - exact["3"]).max() > 1e-4


def test_following_estimates_better_where_it_spreads_twice(x) -> None:
    runtime = Runtime(net(), ["0"], PREP)
    exact = next(ablate_each_unit(runtime, x)).drop
    ours = propagated_attribution(Program(runtime.module), runtime, x, {"0": 1})["0"]
    plain = first_order_attribution(runtime, x, ["0"])["0"]
    assert np.abs(ours - exact).mean() < 0.9 * np.abs(plain - exact).mean()


def test_the_shortlist_is_exact_and_holds_the_strongest(x) -> None:
    runtime = Runtime(net(), ["0", "3", "5"], PREP)
    exact = {a.layer: a for a in ablate_each_unit(runtime, x)}
    found = ablate_shortlist(runtime, x, share=0.5, batch=2)
    assert sum(len(a.units) for a in found.exact.values()) == 12
    for name, some in found.exact.items():
        np.testing.assert_allclose(some.drop, exact[name].drop[:, some.units], atol=1e-6)
    assert {n: e.shape for n, e in found.estimates.items()} == {
        "0": (6, 4),
        "3": (8, 4),
        "5": (10, 4),
    }
    strength = {(n, u): np.abs(a.drop.mean(0)[u]).max() for n, a in exact.items() for u in a.units}
    top = sorted(strength, key=lambda unit: -strength[unit])[:5]
    assert all(u in found.exact[n].units for n, u in top)


def test_batches_make_no_difference(x) -> None:
    runtime = Runtime(net(), ["0", "5"], PREP)
    one, two = (estimate_mean_drops(runtime, x, ["0", "5"], batch=b) for b in (2, 16))
    for name in one:
        np.testing.assert_allclose(one[name], two[name], atol=1e-6)


def test_networks_and_layers_that_cannot_be_followed(x) -> None:
    runtime = Runtime(Branching(), ["inner.0", "inner"], PREP)
    found = ablate_shortlist(runtime, x, share=1.0)
    plain = first_order_attribution(runtime, x, ["inner.0", "inner"])
    for name in found.estimates:
        np.testing.assert_allclose(found.estimates[name], plain[name].mean(0), atol=1e-6)
    assert all(a.method == "resumed" for a in found.exact.values())
    assert all(not m._forward_hooks for m in runtime.module.modules())


def test_what_cannot_be_run_is_named(x) -> None:
    runtime = Runtime(net(), ["0"], PREP)
    for share in (0, -1, 1.5):
        with pytest.raises(InputsError, match="share"):
            ablate_shortlist(runtime, x, share=share)
    with pytest.raises(InputsError, match="no inputs"):
        ablate_shortlist(runtime, x[:0])
    with pytest.raises(LayerError, match="no layer 'up'"):
        ablate_shortlist(runtime, x, ["up"])
