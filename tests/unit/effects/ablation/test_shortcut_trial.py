"""Ablation of networks whose call is altered equals plain hooks of torch, and never by a shortcut."""

from __future__ import annotations

import types

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import prune

import circuitz as cz
from circuitz.effects.ablation.exact_ablation import ablate_each_unit
from circuitz.effects.ablation.shortlist import ablate_shortlist, estimate_mean_drops
from circuitz.errors import LayerError, WeightsError
from circuitz.models.run.altered_calls import call_is_altered
from circuitz.models.run.fx_graph import NetGraph
from circuitz.models.run.runtime import Runtime
from circuitz.patching.from_cut import class_margins
from circuitz.z.layer import Preprocessing

SCALE = torch.tensor([1.0, 3.0, 0.2])


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(3, 6, 3, padding=1)
        self.body = nn.Sequential(nn.ReLU(), nn.Conv2d(6, 8, 3, padding=1), nn.ReLU())
        self.fc = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.body(self.c1(x)).mean((2, 3)))


class Called(Net):
    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return super().__call__(x) * SCALE


def normalised(_module: nn.Module, args: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
    return (args[0] * 0.5 + 0.2,)


def scaled(_module: nn.Module, _args: object, out: torch.Tensor) -> torch.Tensor:
    return out * SCALE


def hook_on_head(net: Net) -> None:
    net.fc.register_forward_hook(scaled)


def head_forward(net: Net) -> None:
    net.fc.forward = types.MethodType(
        lambda own, x: functional.linear(x, own.weight, own.bias) * SCALE, net.fc
    )


def hook_on_net(net: Net) -> None:
    net.register_forward_hook(scaled)


def pre_hook_on_net(net: Net) -> None:
    net.register_forward_pre_hook(normalised)


def net_forward(net: Net) -> None:
    net.forward = types.MethodType(lambda own, x: Net.forward(own, x) * SCALE, net)


def forward_around_the_original(net: Net) -> None:
    net.forward = lambda x: Net.forward(net, x) * SCALE


def hook_on_relu(net: Net) -> None:
    net.body[2].register_forward_hook(lambda _m, _a, out: out * 2)


def relu_forward(net: Net) -> None:
    net.body[2].forward = lambda x: x.relu() * 2


def hook_on_conv(net: Net) -> None:
    net.body[1].register_forward_hook(lambda _m, _a, out: out.roll(1, 1))


def pre_hook_on_body(net: Net) -> None:
    net.body.register_forward_pre_hook(normalised)


ALTERED = [
    hook_on_head, head_forward, hook_on_net, pre_hook_on_net, net_forward, relu_forward,
    forward_around_the_original, hook_on_relu, hook_on_conv, pre_hook_on_body,
]  # fmt: skip


def dead_at_first(kind: type[Net] = Net) -> Net:
    """Return a network whose first units move nothing on the first input."""
    torch.manual_seed(0)
    net = kind().eval()
    with torch.no_grad():
        net.c1.bias[:2] = -50.0
        net.c1.weight[:2] *= 30
    return net


@pytest.fixture
def x() -> torch.Tensor:
    made = torch.randn(5, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    made[0] = 0
    return made


def drops_by_hooks(net: nn.Module, x: torch.Tensor, layer: str) -> np.ndarray:
    """Return ``(n, u, k)`` margins before, less after each unit is zeroed, by hooks of torch."""
    module = net.get_submodule(layer)
    made = []
    with torch.no_grad():
        before = class_margins(net(x), "softmax")
        for u in range(module.out_channels):
            keep = torch.ones(module.out_channels, 1, 1)
            keep[u] = 0
            handle = module.register_forward_hook(lambda _m, _a, out, keep=keep: out * keep)
            made.append(before - class_margins(net(x), "softmax"))
            handle.remove()
    return torch.stack(made, 1).numpy()


def effects(net: nn.Module, x: torch.Tensor, layer: str) -> np.ndarray:
    table = cz.ablate(net, x, layers=[layer])
    return table.pivot(index="index", columns="target", values="effect").to_numpy()


@pytest.mark.parametrize("layer", ["c1", "body.1"])
@pytest.mark.parametrize("alter", ALTERED, ids=lambda f: f.__name__)
def test_an_altered_call_is_part_of_the_effect(threads, x, alter, layer) -> None:
    net = dead_at_first()
    plain = drops_by_hooks(net, x, layer).mean(0)
    alter(net)
    right = drops_by_hooks(net, x, layer).mean(0)
    assert np.abs(right - plain).max() > 0.1 * np.abs(right).max()  # it does matter
    np.testing.assert_allclose(
        effects(net, x, layer), right, atol=1e-5 * np.abs(right).max() + 1e-6
    )


@pytest.mark.parametrize("layer", ["c1", "body.1"])
def test_a_call_of_the_class_is_part_of_the_effect(threads, x, layer) -> None:
    net = dead_at_first(Called)
    right = drops_by_hooks(net, x, layer).mean(0)
    np.testing.assert_allclose(effects(net, x, layer), right, atol=1e-5)


def runtime_of(net: nn.Module) -> Runtime:
    return Runtime(net, ["c1"], Preprocessing((0.0,) * 3, (1.0,) * 3, (8, 8)))


@pytest.mark.parametrize("alter", [hook_on_net, pre_hook_on_net, net_forward])
def test_what_the_trace_leaves_out_is_not_traced(threads, x, alter) -> None:
    net = dead_at_first()
    (fast,) = ablate_each_unit(runtime_of(net), x)
    assert fast.method == "propagated"  # though the first input and units say nothing
    alter(net)
    with pytest.raises(LayerError, match="more than the forward of its class"):
        NetGraph(net)
    (slow,) = ablate_each_unit(runtime_of(net), x)
    assert slow.method == "resumed"


def test_a_trace_that_is_not_the_network_is_found_on_inputs_that_tell(
    threads, x, monkeypatch
) -> None:
    # As if nothing were known of hooks: the runs alone have to tell.
    for where in ("models.run.fx_graph", "patching.fast.traced_steps"):
        monkeypatch.setattr(f"circuitz.{where}.call_is_altered", lambda _module: False)
    for alter in (hook_on_head, head_forward, hook_on_net, pre_hook_on_net, net_forward):
        net = dead_at_first()
        alter(net)
        (found,) = ablate_each_unit(runtime_of(net), x, score=lambda o: class_margins(o, "softmax"))
        right = drops_by_hooks(net, x, "c1")
        np.testing.assert_allclose(found.drop, right, atol=1e-5)
        assert found.method == "resumed"


def test_a_wrong_share_of_one_unit_is_found(threads, x, monkeypatch) -> None:
    from circuitz.patching.fast.propagate import LocalChanges

    net = dead_at_first()
    right = LocalChanges.network_outputs_for_changes
    assert next(ablate_each_unit(runtime_of(net), x)).method == "propagated"

    def doubled(self, which):
        out, base = right(self, which), net(x)
        return base.repeat(len(which), 1) + 2 * (out - base.repeat(len(which), 1))

    monkeypatch.setattr(LocalChanges, "network_outputs_for_changes", doubled)
    (found,) = ablate_each_unit(runtime_of(net), x)
    assert found.method == "resumed"
    (plain,) = ablate_each_unit(runtime_of(net), x, shortcut=False)
    np.testing.assert_allclose(found.drop, plain.drop, atol=1e-6)


def test_zeros_alone_prove_nothing(threads, x) -> None:
    net = dead_at_first()
    some = {"c1": np.array([0])}  # its rectifier is shut on an input of zeros
    (found,) = ablate_each_unit(runtime_of(net), x[:1], units=some)
    assert found.method == "resumed"
    assert not found.drop.any()


def test_estimates_go_by_the_altered_call(threads, x) -> None:
    net = dead_at_first()
    plain = estimate_mean_drops(runtime_of(net), x, ["c1"])["c1"]
    hook_on_net(net)
    found = ablate_shortlist(runtime_of(net), x, share=0.5)
    ratio = found.estimates["c1"][2:] / np.where(plain[2:] == 0, np.nan, plain[2:])
    assert found.exact["c1"].method == "resumed"
    assert abs(np.nanmedian(ratio[:, 1]) - 3) < 1.5


def test_hooks_of_torch_that_only_make_weights_do_not_count() -> None:
    layer = nn.Linear(3, 2)
    prune.random_unstructured(layer, "weight", 0.5)
    assert not call_is_altered(layer)
    assert not call_is_altered(nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)))
    layer.register_forward_hook(scaled)
    assert call_is_altered(layer)
    handle = nn.modules.module.register_module_forward_hook(lambda _m, _a, _o: None)
    try:
        assert call_is_altered(nn.ReLU())
    finally:
        handle.remove()
    assert not call_is_altered(nn.ReLU())


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_logits_that_are_not_finite_are_named(threads, x, value) -> None:
    net = dead_at_first()
    net.register_forward_hook(
        lambda _m, _a, out: out.masked_fill(torch.tensor([False, True, False]), value)
    )
    with pytest.raises(WeightsError, match=r"not finite on these inputs \(class 1\)"):
        cz.ablate(net, x, layers=["c1"])
