"""Directions ablated one by one, against decode, edit, encode by a hook."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from circuitz.effects.ablation.ablate import ablate
from circuitz.effects.ablation.ablation_job import AblationJob
from circuitz.effects.ablation.exact_ablation import ablate_each_unit as run_ablation
from circuitz.errors import BasisError, InputsError, LayerError, UnitError
from circuitz.models.adapters.weight_arrays import weights_to_numpy
from circuitz.models.run.basis import Basis
from circuitz.models.run.basis_space import resolve_unit_space
from circuitz.models.run.layer_specs import describe_layers, flatten_unit_maps, unflatten_unit_maps
from circuitz.models.run.network_facts import find_layer
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.spliced_network import SplicedNetwork
from circuitz.models.zoo.builders import build
from circuitz.patching.from_cut import class_margins
from circuitz.z.bases import arrays_with_basis_replaced
from circuitz.z.model import AnnotatedModel

from ..conftest import CLASSES, PREP, Wired, make_data, make_z


def a_basis(size, k=3, **changes):
    draw = np.random.default_rng(size)
    rows = np.abs(draw.normal(size=(k, size))).astype(np.float32)
    return replace(Basis.from_rows(rows), read_as="relu", **changes)


@pytest.fixture(scope="module")
def z():
    torch.manual_seed(0)
    args = {"classes": 3, "widths": [6, 8, 7], "strides": [1, 1, 1]}
    net = build("small-cnn", args)
    names = ["conv1", "conv2", "conv3"]
    made = AnnotatedModel(
        "small", CLASSES, layers=describe_layers(net, names, torch.rand(1, 3, 8, 8)), cut=("conv3",),
        preprocessing=PREP, weights=weights_to_numpy(net), builder="small-cnn", builder_args=args,
        data=make_data(), live=net,
    )  # fmt: skip
    kept = {}
    for place, basis in {
        "conv2@plain": a_basis(8),
        "conv2@normed": a_basis(8, normalise="norm", k=2),
        "conv3@nmf": replace(a_basis(7), read_as="nonnegative"),
    }.items():
        kept = arrays_with_basis_replaced(kept, place, basis.to_arrays())
    return made.with_(bases=kept)


def by_hand(z, place, u, x, fill, donors):
    """Margins ``(n, k)`` with one coordinate changed, by a hook on the layer."""
    run, found = runtime(z), resolve_unit_space(z, place)
    basis, layer = found.basis, found.layer

    def coordinates(inputs):
        act = run.run(inputs, [layer.name])[0][layer.name]
        return act, flatten_unit_maps(layer, act), basis.coordinates(flatten_unit_maps(layer, act))

    act, flat, now = coordinates(x)
    new = now.clone()
    new[:, u] = {
        "zero": lambda: torch.zeros_like(now[:, u]),
        "mean": lambda: now.mean(0, keepdim=True)[:, u].expand_as(now[:, u]),
        "resample": lambda: coordinates(donors)[2][:, u],
    }[fill]()
    moved = unflatten_unit_maps(layer, flat + basis.activation_change(new - now, flat), act)
    module = find_layer(run.module, layer.name)
    hook = module.register_forward_hook(lambda *_: moved)
    with torch.no_grad():
        after = class_margins(run.forward(x))
    hook.remove()
    return after


@pytest.mark.parametrize("fill", ["zero", "mean", "resample"])
def test_the_same_as_by_hand(z, fill):
    places = ["conv2@plain", "conv2@normed", "conv3@nmf"]
    table = ablate(z, layers=places, fill=fill, images=12)
    assert set(table["method"]) == {"exact"}
    assert len(table) == (3 + 2 + 3) * 3
    rows = np.flatnonzero(z.data.split == 1)
    rows = np.sort(np.random.default_rng(0).permutation(rows)[:12])
    run = runtime(z)
    x = run.prepare(z.data.images[rows])
    order = np.random.default_rng(0).permutation(12)
    lends = np.empty_like(order)
    lends[order] = np.roll(order, -1)
    with torch.no_grad():
        before = class_margins(run.forward(x))
    for place in places:
        mine = table[table["layer"] == place]
        for u in range(mine["index"].max() + 1):
            drop = (before - by_hand(z, place, u, x, fill, x[lends])).mean(0)
            for k, name in enumerate(CLASSES):
                row = mine[(mine["unit"] == f"{place}:{u}") & (mine["target"] == name)]
                assert row["effect"].item() == pytest.approx(drop[k].item(), abs=2e-6)
    assert table["effect"].abs().max() > 1e-4


def test_beside_layers_and_only_what_changes_is_computed(z):
    seen = []
    table = ablate(
        z, layers=["conv2", "conv2@plain", "conv2.0"], images=9,
        progress=lambda done, n: seen.append((done, n)),
    )  # fmt: skip
    plain = ablate(z, layers=["conv2", "conv2.0"], images=9)
    # Equals but for rounding stand in any order, so rows are held to those of the same name.
    mine = table[table["layer"] != "conv2@plain"].set_index(["unit", "target"])["effect"]
    theirs = plain.set_index(["unit", "target"])["effect"]
    assert set(mine.index) == set(theirs.index)
    assert np.allclose(mine.sort_index(), theirs.sort_index(), atol=1e-6)
    assert seen[-1] == (8 + 8 + 3, 8 + 8 + 3)
    x = torch.rand(4, 3, 8, 8)
    spliced = SplicedNetwork(
        runtime(z), {"conv2@plain": resolve_unit_space(z, "conv2@plain").basis}, x
    )
    name = spliced.module_name("conv2@plain")
    (fast,), (slow,) = (
        list(run_ablation(spliced.runtime, x, [name], shortcut=s)) for s in (True, False)
    )
    assert (fast.method, slow.method) == ("propagated", "resumed")
    assert np.abs(fast.drop - slow.drop).max() < 1e-6


def test_a_neuron_is_a_direction():
    z = make_z(Wired())
    z = z.with_(
        bases=arrays_with_basis_replaced({}, "colour@axes", Basis.from_rows(np.eye(4)).to_arrays())
    )
    for fill in ("zero", "mean", "resample"):
        one = ablate(z, layers=["colour"], fill=fill, images=9)
        two = ablate(z, layers=["colour@axes"], fill=fill, images=9)
        two["unit"] = two["unit"].str.replace("@axes", "")
        both = one.merge(two, on=["unit", "target"])
        assert len(both) == 12
        for column in ("effect", "low", "high"):
            assert np.allclose(both[f"{column}_x"], both[f"{column}_y"], atol=1e-5)


def test_a_shortlist_of_directions(z):
    every = ablate(z, layers=["conv2@plain", "conv3@nmf"], images=9)
    short = ablate(z, layers=["conv2@plain", "conv3@nmf"], images=9, shortlist=0.5)
    assert set(short["method"]) == {"exact", "estimated"}
    exact = short[short["method"] == "exact"].merge(every, on=["unit", "target"])
    assert np.allclose(exact["effect_x"], exact["effect_y"], atol=1e-6)
    assert set(short["layer"]) == {"conv2@plain", "conv3@nmf"}


def test_in_pieces_that_are_kept(z, tmp_path):
    whole = ablate(z, layers=["conv2@plain", "conv2"], images=9)
    for _ in range(2):  # the second time from what is kept
        again = ablate(z, layers=["conv2@plain", "conv2"], images=9, checkpoint=tmp_path)
        assert again.equals(whole)
    other = z.with_(
        bases=arrays_with_basis_replaced(z.bases, "conv2@plain", a_basis(8, k=1).to_arrays())
    )
    fresh = ablate(other, layers=["conv2@plain", "conv2"], images=9, checkpoint=tmp_path)
    assert len(fresh) == len(whole) - 6
    x = runtime(z).prepare(z.data.images[:4])
    bases = {"conv2@plain": resolve_unit_space(z, "conv2@plain").basis}
    job = AblationJob(runtime(z), x, "zero", None, [0, 2], bases)
    there = AblationJob.open(job.payload())
    assert there.bases["conv2@plain"].hash == bases["conv2@plain"].hash


def test_wrong_questions(z):
    with pytest.raises(UnitError, match="no basis 'conv2@none'"):
        ablate(z, layers=["conv2@none"])
    with pytest.raises(LayerError):
        ablate(Wired(), torch.rand(2, 3, 8, 8), layers=["colour@axes"])
    with pytest.raises(InputsError, match="fill"):
        ablate(z, layers=["conv2@plain"], fill="noise")
    with pytest.raises(BasisError, match="8 units"):
        ablate(
            z.with_(bases=arrays_with_basis_replaced({}, "conv2@x", a_basis(5).to_arrays())), layers=["conv2@x"]
        )  # fmt: skip
