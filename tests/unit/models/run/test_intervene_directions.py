"""Interventions along directions of a basis, against decode, edit, encode by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from circuitz.errors import BasisError, InterventionError, UnitError
from circuitz.models.adapters.weight_arrays import weights_to_numpy
from circuitz.models.run.basis import Basis
from circuitz.models.run.layer_specs import describe_layers
from circuitz.models.run.network_facts import find_layer
from circuitz.models.run.open_runtime import runtime as opened
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_axes import unit_axis
from circuitz.z.bases import arrays_with_basis_replaced
from circuitz.z.bundle.load_save import load
from circuitz.z.intervention import Intervention, interventions_of, with_interventions
from circuitz.z.layer import Preprocessing
from circuitz.z.model import AnnotatedModel


def a_basis(size, kind):
    draw = np.random.default_rng(size)
    rows = draw.normal(size=(3, size)).astype(np.float32)
    linear = Basis.from_rows(rows)
    bent = replace(
        linear, readers=draw.normal(size=(3, size)).astype(np.float32),
        centre=draw.normal(size=size).astype(np.float32), read_as="relu",
    )  # fmt: skip
    return {"linear": linear, "relu": bent, "norm": replace(bent, normalise="layer_norm")}[kind]


def by_hand(basis, act, axis, edit):
    """Coordinates edited at every position, one after the other, and written back."""
    moved = act.movedim(axis, -1)
    out = moved.clone()
    for at in np.ndindex(*moved.shape[:-1]):
        x = moved[at]
        if basis.normalise == "layer_norm":
            scale = x.std() + 1e-5
            normed = (x - x.mean()) / scale
        else:
            scale, normed = 1.0, x
        now = torch.from_numpy(basis.readers) @ (normed - torch.from_numpy(basis.centre))
        now = now.relu() if basis.read_as == "relu" else now
        new = edit(now.clone(), at)
        out[at] = x + ((new - now) @ torch.from_numpy(basis.directions)) * scale
    return out.movedim(-1, axis)


@pytest.mark.parametrize("kind", ["linear", "relu", "norm"])
def test_clamped_and_steered_on_every_network(net_and_layers, prep, kind):
    net, layers = net_and_layers
    torch.manual_seed(1)
    x = torch.randn(2, 3, 16, 16)
    for layer in layers:
        found = Runtime(net, layers, prep)
        plain = found.run(x, [layer])[0][layer]
        axis = unit_axis(found, layer)
        basis = a_basis(plain.shape[axis], kind)
        run = Runtime(
            net,
            layers,
            prep,
            bases=arrays_with_basis_replaced({}, f"{layer}@mine", basis.to_arrays()),
        )
        done = [
            Intervention(f"{layer}@mine", (2, 0), "clamp", value=(3.0, -1.0)),
            Intervention(f"{layer}@mine", (1,), "steer", value=(0.5,)),
        ]
        logits = run.intervene(x, done)[1]

        def clamped(c, _at):
            c[2], c[0] = 3.0, -1.0
            return c

        def steered(c, _at):
            c[1] += 0.5
            return c

        wanted = by_hand(basis, by_hand(basis, plain, axis, clamped), axis, steered)
        hook = find_layer(net, layer).register_forward_hook(lambda *_, w=wanted: w)
        with torch.no_grad():
            plainly = run.to_logits(net.eval()(x))
        hook.remove()
        assert torch.allclose(logits, plainly, atol=1e-4, rtol=1e-4)
        assert (logits - run.forward(x)).abs().max() > 1e-3


@pytest.fixture
def small():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(320, 4))
    basis = a_basis(5, "relu")
    basis = replace(basis, readers=np.abs(basis.readers), centre=np.full(5, 0.05, np.float32))
    prep = Preprocessing((0.0,) * 3, (1.0,) * 3, (8, 8))
    run = Runtime(
        net, ["1"], prep, bases=arrays_with_basis_replaced({}, "1@mine", basis.to_arrays())
    )
    return run, basis, torch.rand(4, 3, 8, 8)


@pytest.mark.parametrize("kind", ["zero", "mean", "patch", "resample"])
def test_lent_coordinates(small, kind):
    run, basis, x = small
    act = run.run(x, ["1"])[0]["1"]
    flat = act.flatten(2)
    now = basis.coordinates(flat)
    donors = (3, 2, 1, 0) if kind == "patch" else ()
    how = Intervention("1@mine", (1,), kind, donors=donors, positions=(0, 9), seed=3)
    new = now.clone()
    at = torch.tensor([0, 9])
    found = run.intervene(x, [how], layers=["1"])[0]["1"].flatten(2)
    if kind == "resample":
        options = [basis.activation_change((now[[j]] - now[[i]]) * _at(now, at), flat[[i]])
                   for i in range(4) for j in range(4) if i != j]  # fmt: skip
        moved = (found - flat).split(1)
        assert all(any(torch.allclose(m, o, atol=1e-5) for o in options) for m in moved)
        return
    new[:, 1, at] = {
        "zero": torch.zeros(4, 2),
        "mean": now.mean(0, keepdim=True)[:, 1, at].expand(4, 2),
        "patch": now.flip(0)[:, 1, at],
    }[kind]
    assert torch.allclose(found, flat + basis.activation_change(new - now, flat), atol=1e-5)
    assert not torch.allclose(found, flat)


def _at(now, at):
    mask = torch.zeros_like(now[:1])
    mask[:, 1, at] = 1
    return mask


def test_kept_in_a_bundle_and_replayed(small, tmp_path):
    run, basis, x = small
    net = run.module
    z = AnnotatedModel(
        "z", ("a", "b", "c", "d"), layers=describe_layers(net, ["1"], x), cut=("1",),
        preprocessing=run.preprocessing, weights=weights_to_numpy(net), live=net,
        bases=arrays_with_basis_replaced({}, "1@mine", basis.to_arrays()),
    )  # fmt: skip
    done = [Intervention("1@mine", (0, 2), "clamp", value=(1.5,), positions=(3,))]
    with_interventions(z, "more", done).save(tmp_path / "m.z")
    again = load(tmp_path / "m.z").with_(live=net)
    assert interventions_of(again, "more") == tuple(done)
    logits = opened(again).intervene(x, interventions_of(again, "more"))[1]
    assert torch.equal(logits, run.intervene(x, done)[1])
    assert (logits - run.forward(x)).abs().max() > 1e-4
    # Another basis of the same network is another direction, whatever ran before.
    other = again.with_(
        bases=arrays_with_basis_replaced({}, "1@mine", a_basis(5, "norm").to_arrays())
    )
    assert not torch.allclose(opened(other).intervene(x, done)[1], logits)
    assert torch.equal(opened(again).intervene(x, done)[1], logits)


def test_what_does_not_fit_is_named_and_nothing_stays(small):
    run, _, x = small
    before = run.forward(x)
    wide = arrays_with_basis_replaced(run.bases, "0@wide", a_basis(6, "linear").to_arrays())
    run = Runtime(run.module, ["1"], run.preprocessing, bases=wide)
    for how, error, said in (
        (Intervention("1@none", (0,)), UnitError, "no basis '1@none'"),
        (Intervention("1@mine", (3,)), UnitError, "no direction 3"),
        (Intervention("1@mine", (0,), positions=(64,)), UnitError, "no position 64"),
        (Intervention("0@wide", (0,)), BasisError, "6 numbers"),
        (Intervention("1@mine", (0,), "patch", donors=(9, 0, 1, 2)), InterventionError, "Donors"),
    ):
        with pytest.raises(error, match=said):
            run.intervene(x, [how])
    assert torch.equal(run.forward(x), before)
    assert not any(m._forward_hooks for m in run.module.modules())


def test_a_basis_over_heads_moves_nothing():
    class Heads(nn.Module):
        unit_axis = 2

        def forward(self, x):
            return x

    net = nn.Sequential(Heads(), nn.Flatten(), nn.Linear(24, 3))
    basis = a_basis(4, "linear")
    x = torch.rand(2, 2, 4, 3)
    run = Runtime(
        net,
        [],
        Preprocessing(),
        like=x,
        bases=arrays_with_basis_replaced({}, "0@m", basis.to_arrays()),
    )
    with pytest.raises(BasisError, match="heads"):
        run.intervene(x, [Intervention("0@m", (0,))])
