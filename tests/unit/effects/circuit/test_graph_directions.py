"""Circuits whose nodes are directions of a basis."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from circuitz.effects.circuit.graph import graph
from circuitz.effects.clamp import clamp_units
from circuitz.effects.edge.edges import ContrastPairs
from circuitz.effects.edge.exact_edges import exact_response_changes
from circuitz.effects.unit_effect import effect
from circuitz.errors import BasisError, GraphError, UnitError
from circuitz.models.run.basis import Basis
from circuitz.models.run.basis_space import resolve_unit_space
from circuitz.models.run.open_runtime import runtime
from circuitz.z.bases import arrays_with_basis_replaced
from circuitz.z.circuit.attribution_graph import graph_from_json_text

FEW = {"images": 60, "resamples": 30}
# Blue by itself, red and green together; the fourth unit of mixed is left out.
PART = np.array([[0, 0, 1.0, 0], [1.0, 1.0, 0, 0]])
TOP = np.array([[1.0, 0, 0, 0], [0, 1.0, 1.0, 0]])
BENT = Basis(
    directions=PART.astype(np.float32), readers=(PART * 0.7).astype(np.float32),
    centre=np.full(4, 0.05, np.float32), offset=np.full(2, -0.02, np.float32), read_as="relu",
)  # fmt: skip


def with_bases(z, **more):
    kept = z.bases
    for place, basis in {
        "colour@part": Basis.from_rows(PART),
        "mixed@top": Basis.from_rows(TOP),
        "colour@bent": BENT,
        "colour@normed": replace(BENT, normalise="norm"),
        "colour@axes": Basis.from_rows(np.eye(4)),
        "mixed@axes": Basis.from_rows(np.eye(4)),
        **more,
    }.items():
        kept = arrays_with_basis_replaced(kept, place, basis.to_arrays())
    return z.with_(bases=kept)


@pytest.fixture(scope="module")
def husky(deep):
    return graph(with_bases(deep), "husky", bases=["colour@part", "mixed@top"], **FEW)


def test_the_layers_own_axes_give_the_same_circuit(deep):
    plain = graph(deep, "husky", **FEW)
    along = graph(with_bases(deep), "husky", bases=["colour@axes", "mixed@axes"], **FEW)
    assert along.layers == ("colour@axes", "mixed@axes")
    assert along.scores["rest"] == pytest.approx(0, abs=1e-4)
    assert {n.id.replace("@axes", "") for n in along.nodes} == {n.id for n in plain.nodes}
    shares = {(e.source.replace("@axes", ""), e.target.replace("@axes", "")): e.share
              for e in along.edges}  # fmt: skip
    for edge in plain.edges:
        # What units do to the class was measured on more images.
        near = 0.05 if edge.target == "output:husky" else 2e-3
        assert shares[edge.source, edge.target] == pytest.approx(edge.share, abs=near)


def test_directions_are_nodes_and_what_is_left_out_is_unexplained(deep, husky):
    units = {n.id for n in husky.nodes if n.kind == "unit"}
    assert {"mixed@top:0", "colour@part:0"} <= units
    assert not [i for i in units if "rest" in i]
    assert husky.counts["units"] == 4
    assert husky.counts["edges"] == 3 + 3 * 2  # with the rest of each layer
    assert husky.node("colour@part:0").layer == "colour@part"
    assert husky.node("unexplained").influence == pytest.approx(1 - husky.scores["replacement"])
    z = with_bases(deep)
    for how, score in (("sufficiency", "recovered"), ("necessity", "lost")):
        cut = [n.id for n in husky.nodes if n.layer == "mixed@top"]
        assert husky.scores[score] == effect(z, cut, "husky", intervention=how, images=60).estimate


def test_a_basis_that_leaves_out_what_drives_the_class_says_so(deep):
    blind = Basis.from_rows([[0, 1.0, 0, 0], [0, 0, 1.0, 0]])  # mixed:0, blue, makes the husky
    z = with_bases(deep, **{"mixed@blind": blind})
    seen = graph(z, "husky", bases=["mixed@top"], **FEW)
    missed = graph(z, "husky", bases=["mixed@blind"], **FEW)
    assert missed.scores["rest"] > 0.5 > seen.scores["rest"]
    assert missed.scores["replacement"] < seen.scores["replacement"] - 0.3
    assert missed.scores["completeness"] < seen.scores["completeness"]
    assert missed.scores["recovered"] < seen.scores["recovered"] - 0.3
    unexplained = {e.target: e.share for e in missed.edges if e.source == "unexplained"}
    assert unexplained["output:husky"] > 0.5


@pytest.mark.parametrize("name", ["part", "bent", "normed"])
def test_exchanged_first_and_last_as_written_out(deep, name):
    z = with_bases(deep)
    run = runtime(z)
    pairs = ContrastPairs.draw_toward_class(z, run, "husky", "test", 9, 0)
    place, target = resolve_unit_space(z, f"colour@{name}"), resolve_unit_space(z, "mixed")
    found = exact_response_changes(run, place, target, pairs.x, pairs.donors, both=True)
    basis, net = place.basis, run.module
    assert basis is not None

    def moved(base, other):
        """The output of mixed with each part of colour exchanged, and with all."""
        flat, to = base.flatten(2), other.flatten(2)
        scale = basis.normalisation_scale(flat)
        steps = basis.coordinates(to) - basis.coordinates(flat)
        rows = torch.from_numpy(basis.directions)
        added = [rows[u][:, None] * steps[:, [u]] * scale for u in range(2)]
        added.append(to - flat - sum(added))
        before = net.mixed(base).mean((2, 3))
        after = [net.mixed((flat + a).view_as(base)).mean((2, 3)) for a in added]
        return torch.stack([a - before for a in after], 1)

    with torch.no_grad():
        own, lent = net.colour(pairs.x), net.colour(pairs.donors)
        plain = (moved(own, lent) - moved(lent, own)) / 2
    assert np.abs(found.change - plain.numpy()).max() < 1e-5
    assert np.abs(plain.numpy()).max() > 0.01


def test_words_json_figure_and_keeping(deep, husky):
    z = with_bases(deep).annotate("mixed@top:0", "snow").with_graph(husky)
    kept = z.graph("husky")
    assert kept.node("mixed@top:0").words == "snow"
    assert graph_from_json_text(kept.to_json()) == kept
    nodes = json.loads(kept.to_json())["nodes"]
    assert {n["unit_layer"] for n in nodes if n["unit"].startswith("mixed")} == {"mixed@top"}
    figure = kept.figure()
    assert list(figure.layout.xaxis.ticktext) == ["colour@part", "mixed@top", "husky"]
    assert "rest" in figure.layout.title.text
    assert "snow" in figure.data[-1].text
    assert kept.stale_parts(z) == ()
    other = arrays_with_basis_replaced(z.bases, "mixed@top", Basis.from_rows(TOP * 2).to_arrays())
    assert kept.stale_parts(z.with_(bases=other)) == ("bases",)
    assert kept.stale_parts(z.with_(bases={})) == ("bases",)


def test_held_directions_as_by_hand(deep):
    z = with_bases(deep).with_(concept_set=None)
    found = clamp_units(z, ["colour@normed:1", "colour@normed:0"], images=20)
    run, basis = runtime(z), resolve_unit_space(z, "colour@normed").basis
    assert basis is not None
    rows = np.flatnonzero(z.data.split == 1)
    rows = np.sort(np.random.default_rng([0, 41]).permutation(rows)[:20])
    with torch.no_grad():
        x = run.prepare(z.data.images[rows])
        flat = run.module.colour(x).flatten(2)
        now = basis.coordinates(flat)
        held = now.clone()
        for u in range(2):
            best = now[:, u].mean(1).argsort(descending=True)[:8]
            held[:, u] = now[best[torch.arange(20) % 8], u]
        rows_ = torch.from_numpy(basis.directions)
        added = torch.einsum("kd,nkp->ndp", rows_, held - now) * basis.normalisation_scale(flat)
        after = run.module.head(
            run.module.mixed((flat + added).view(20, 4, 8, 8)).mean((2, 3))
        ).softmax(1)
    assert found.after == pytest.approx(after.mean(0).numpy(), abs=1e-5)
    assert np.abs(found.after - found.before).max() > 0.01
    with pytest.raises(UnitError, match="one basis"):
        clamp_units(z, ["colour@normed:1", "colour:0"])
    with pytest.raises(UnitError, match="colour@normed:1"):
        clamp_units(z, ["colour@normed:2"])


def test_wrong_questions(deep):
    z = with_bases(deep)
    for bases, error, said in (
        (["mixed@none"], UnitError, "mixed@none"),
        (["fifth@top"], UnitError, "fifth@top"),
        (["mixed"], GraphError, "no basis"),
        (["mixed@top", "mixed@axes"], GraphError, "two bases"),
    ):
        with pytest.raises(error, match=said):
            graph(z, "husky", bases=bases, **FEW)
    early = z.with_(cut=("colour",))
    with pytest.raises(GraphError, match="after the cut"):
        graph(early, "husky", bases=["mixed@top"], **FEW)
    with pytest.raises(BasisError, match="4 units"):
        graph(with_bases(deep, **{"mixed@narrow": Basis.from_rows(np.eye(3))}), "husky",
              bases=["mixed@narrow"], **FEW)  # fmt: skip


def test_without_measured_effects_directions_of_the_cut_are_run(deep, husky):
    again = graph(
        with_bases(deep).with_(measurements=None),
        "husky",
        bases=["mixed@top", "colour@part"],
        **FEW,
    )
    assert again.nodes == husky.nodes
    assert again.edges == husky.edges
