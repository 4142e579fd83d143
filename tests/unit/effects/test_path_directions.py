"""Paths from, through and around directions, and directions that are held."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from circuitz.effects.mediation import change_parts_by_path
from circuitz.effects.path_effect import path_effect
from circuitz.effects.unit_effect import effect
from circuitz.errors import UnitError
from circuitz.models.run.basis import Basis
from circuitz.models.run.basis_space import basis_unit_space
from circuitz.models.run.layer_specs import describe_layers
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_space import UnitSpace
from circuitz.patching.patch import UnitSet
from circuitz.z.bases import arrays_with_basis_replaced
from circuitz.z.layer import LayerSpec

from .test_path_effect import PREP, Plain, first

FEW = {"images": 30}


def a_basis(size, k=3):
    draw = np.random.default_rng(size)
    rows, readers = draw.normal(size=(2, k, size)).astype(np.float32)
    zeros = np.zeros(k, np.float32)
    return Basis(rows, readers, np.zeros(size, np.float32), zeros, read_as="relu")


def moved(basis, act, values, which):
    """Decode, edit, encode, a position after the other."""
    out = act.clone()
    for n, i, j in np.ndindex(len(act), *act.shape[2:]):
        now, then = (torch.from_numpy(basis.readers) @ a[n, :, i, j] for a in (act, values))
        step = then.relu() - now.relu()
        for u in which:
            out[n, :, i, j] += step[u] * torch.from_numpy(basis.directions[u])
    return out


def ready(skip):
    net = Plain(skip=skip)
    specs = {s.name: s for s in describe_layers(net, ["a", "b", "c"], torch.rand(1, 3, 6, 6))}
    draw = torch.Generator().manual_seed(3)
    x, lent = (torch.rand((3, 3, 6, 6), generator=draw) for _ in range(2))
    bases = {name: a_basis(specs[name].size) for name in "ab"}
    places = {f"{n}@m": basis_unit_space(specs[n], basis, "m") for n, basis in bases.items()}
    return (
        net,
        Runtime(net, list(specs), PREP),
        places | {"c": UnitSpace.of_layer(specs["c"])},
        bases,
        x,
        lent,
    )


@pytest.mark.parametrize("skip", [False, True])
def test_four_parts_are_forward_passes_written_out(skip):
    net, run, places, bases, x, lent = ready(skip)
    source, via = UnitSet(["a@m:1"], places), UnitSet(["b@m:0", "b@m:2"], places)
    found = change_parts_by_path(run, x, lent, source, via, first)
    with torch.no_grad():
        before, a, b, _ = net.by_hand(x)
        changed = moved(bases["a"], a, net.a(lent), [1])
        total, _, made, _ = net.by_hand(x, changed)

        def put(values):
            return lambda out: moved(bases["b"], out, values, [0, 2])

        through = net.by_hand(x, bt=put(made))[0]
        around = net.by_hand(x, changed, bt=put(b))[0]
    for part, known in zip(found, (total, through, around), strict=False):
        assert np.abs(part - (known - before)[:, 0].numpy()).max() < 1e-5
        assert np.abs(part).max() > 1e-4
    assert not any(m._forward_hooks for m in net.modules())


def test_directions_left_out_of_a_set_stay():
    _, run, places, bases, x, lent = ready(skip=False)
    specs = {name: place.layer for name, place in places.items()} | {
        place.layer.name: place.layer for place in places.values()
    }
    via = UnitSet(["b@m:1"], places)
    quiet = UnitSet([f"b:{u}" for u in range(specs["b"].size)], specs, excluding=via)
    act, values = (run.run(i, ["b"])[0]["b"] for i in (x, lent))
    assert torch.allclose(
        quiet.write("b", act, values), moved(bases["b"], values, act, [1]), atol=1e-5
    )


def test_at_a_position():
    spec = LayerSpec("t", 4, unit_axis=2, token_axes=(1,), shape=(5, 4))
    basis = a_basis(4)
    place = basis_unit_space(spec, basis, "m")
    act, values = torch.randn(2, 3, 5, 4)
    every = UnitSet(["t@m:0"], {"t@m": place}).write("t", act, values)
    one = UnitSet(["t@m:0@pos2"], {"t@m": place}).write("t", act, values)
    assert torch.equal(one[:, 2], every[:, 2])
    assert torch.equal(one[:, [0, 1, 3, 4]], act[:, [0, 1, 3, 4]])
    both = UnitSet(["t@m:0", "t@m:1@pos2"], {"t@m": place}).write("t", act, values)
    joint = UnitSet(["t@m:0", "t@m:1"], {"t@m": place}).write("t", act, values)
    assert torch.equal(both[:, 2], joint[:, 2])
    assert torch.equal(both[:, 3], every[:, 3])


@pytest.fixture(scope="module")
def along(deep):
    kept = arrays_with_basis_replaced({}, "colour@axes", Basis.from_rows(np.eye(4)).to_arrays())
    return deep.with_(
        bases=arrays_with_basis_replaced(kept, "mixed@axes", Basis.from_rows(np.eye(4)).to_arrays())
    )


def test_neurons_as_directions_have_the_same_paths(along):
    one = path_effect(along, "colour:2", "husky", ["mixed:0"], held="mixed:3", **FEW)
    two = path_effect(along, "colour@axes:2", "husky", ["mixed@axes:0"], held="mixed@axes:3", **FEW)
    assert np.allclose(one.frame["effect"], two.frame["effect"], atol=1e-4)
    assert two.mediators == ("mixed@axes:0",)
    whole = path_effect(along, "colour@axes:2", "husky", "mixed@axes", **FEW)
    assert len(whole.mediators) == 4
    assert whole.through.estimate == pytest.approx(whole.total.estimate, abs=1e-4)
    direct = path_effect(along, "colour:2", "husky", "mixed@axes:0", direct=True, **FEW)
    plain = path_effect(along, "colour:2", "husky", "mixed:0", direct=True, **FEW)
    assert np.allclose(direct.frame["effect"], plain.frame["effect"], atol=1e-4)


@pytest.mark.parametrize("held", ["rest", "mixed@axes:1"])
def test_neurons_as_directions_are_held_alike(along, held):
    one = effect(along, "mixed:0", "husky", held=held.replace("@axes", ""), **FEW)
    two = effect(along, "mixed@axes:0", "husky", held=held, **FEW)
    assert two.estimate == pytest.approx(one.estimate, abs=1e-4)
    told = {"rest of the cut": "all other directions of mixed@axes", "mixed:1": "mixed@axes:1"}
    assert two.held in [one.held.replace(*words) for words in told.items()]


def test_what_cannot_be_put(along):
    with pytest.raises(UnitError, match="one way"):
        path_effect(along, ["colour@axes:0", "colour:1"], "husky", "mixed:0", **FEW)
    with pytest.raises(UnitError, match="mixed@none"):
        path_effect(along, "colour:0", "husky", "mixed@none:1", **FEW)
    with pytest.raises(UnitError, match="mixed@axes:3"):
        path_effect(along, "colour:0", "husky", "mixed@axes:4", **FEW)
    with pytest.raises(UnitError, match="in two of"):
        path_effect(along, "colour@axes:0", "husky", "mixed@axes:1", held="mixed@axes:1", **FEW)
