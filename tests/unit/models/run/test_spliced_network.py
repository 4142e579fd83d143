"""Directions as units of a layer of their own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from circuitz.errors import BasisError, LayerError
from circuitz.models.run.basis import Basis
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.spliced_network import SplicedNetwork
from circuitz.models.run.unit_axes import unit_axis
from circuitz.z.layer import Preprocessing


def a_basis(size, normalise="none", k=3):
    draw = np.random.default_rng(size)
    rows, readers = draw.normal(size=(2, k, size)).astype(np.float32)
    return Basis(
        rows, readers, draw.normal(size=size).astype(np.float32), np.zeros(k, np.float32),
        read_as="relu", normalise=normalise,
    )  # fmt: skip


@pytest.mark.parametrize("normalise", ["none", "layer_norm"])
def test_on_every_network_coordinates_are_read_and_written(net_and_layers, prep, normalise):
    net, layers = net_and_layers
    before = {n: t.clone() for n, t in net.state_dict().items()}
    names = dict(net.named_modules())
    torch.manual_seed(1)
    x = torch.randn(3, 3, 16, 16)
    run = Runtime(net, layers, prep)
    acts, logits = run.run(x, layers)
    bases = {}
    for layer in layers:
        size = acts[layer].shape[unit_axis(run, layer)]
        bases[f"{layer}@a"] = a_basis(size, normalise)
        bases[f"{layer}@b.2"] = a_basis(size, k=2)
    spliced = SplicedNetwork(run, bases, x)
    assert torch.equal(spliced.runtime.run(x, [])[1], logits)
    for place, basis in bases.items():
        layer, name = place.partition("@")[0], spliced.module_name(place)
        act, axis = acts[layer], unit_axis(run, layer)
        moved = act.movedim(axis, 1)
        flat = moved.flatten(2) if moved.ndim > 2 else moved.unsqueeze(2)
        found, _ = spliced.runtime.run(x, [name, spliced.module_name(layer)])
        assert torch.equal(found[spliced.module_name(layer)], act)
        got = found[name]
        assert unit_axis(spliced.runtime, name) == axis
        now = basis.coordinates(flat)
        assert torch.allclose(got.movedim(axis, 1).reshape(now.shape), now, atol=1e-5)
        # Written: what follows reads the layer moved along the direction.
        new = got.clone()
        new.select(axis, 1).fill_(2.0)
        change = now.clone()
        change[:, 1] = 2.0
        plain = flat + basis.activation_change(change - now, flat)
        plain = plain.reshape(moved.shape).movedim(1, axis)
        bypassed = run.is_bypassed(layer)
        after = spliced.runtime.resume(name, new, x)
        assert torch.allclose(after, run.resume(layer, plain, x if bypassed else None), atol=1e-4)
    assert dict(net.named_modules()) == names
    assert all(torch.equal(t, before[n]) for n, t in net.state_dict().items())


def test_layers_within_layers():
    inner = nn.Sequential(nn.Linear(6, 5), nn.ReLU())
    net = nn.Sequential(inner, nn.Linear(5, 3))
    x = torch.randn(4, 6)
    run = Runtime(net, [], Preprocessing(), like=x)
    spliced = SplicedNetwork(run, {"0@a": a_basis(5), "0.1@b": a_basis(5)}, x)
    assert spliced.module_name("0") == "0"
    assert spliced.module_name("0.0") == "0.layer.0"
    assert spliced.module_name("1") == "1"
    acts, logits = spliced.runtime.run(
        x, [spliced.module_name(n) for n in ("0@a", "0.1@b", "0.0", "0.1")]
    )
    assert torch.equal(logits, net(x))
    assert torch.equal(acts["0.layer.0"], inner[0](x))
    assert torch.allclose(acts[spliced.module_name("0@a")], acts[spliced.module_name("0.1@b")])


def test_half_precision():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3)).bfloat16()
    x = torch.rand(2, 3, 8, 8)
    run = Runtime(net, [], Preprocessing(), like=x)
    spliced = SplicedNetwork(run, {"1@a": a_basis(4)}, x)
    plain = run.run(x, [])[1]
    assert torch.equal(spliced.runtime.run(x, [])[1], plain)
    name = spliced.module_name("1@a")
    act = spliced.runtime.run(x, [name])[0][name]
    after = spliced.runtime.resume(name, act + 1, x)
    assert after.dtype is plain.dtype
    assert not torch.equal(after, plain)


def test_what_does_not_fit():
    net = nn.Sequential(nn.Linear(6, 5), nn.ReLU())
    x = torch.randn(4, 6)
    run = Runtime(net, [], Preprocessing(), like=x)
    with pytest.raises(BasisError, match="6 numbers, but 0 has 5"):
        SplicedNetwork(run, {"0@a": a_basis(6)}, x)
    with pytest.raises(LayerError):
        SplicedNetwork(run, {"7@a": a_basis(5)}, x)
    assert SplicedNetwork(run, {}, x).runtime is run
