"""Edges whose ends are directions of a basis, against the same written out plainly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from circuitz.effects.edge.edges import ContrastPairs, edges
from circuitz.effects.edge.exact_edges import exact_response_changes
from circuitz.errors import BasisError, LayerError, UnitError
from circuitz.models.run.basis import Basis
from circuitz.models.run.basis_space import basis_unit_space, resolve_unit_space
from circuitz.models.run.open_runtime import runtime
from circuitz.patching.interchange import Exchange, check_basis_not_over_heads
from circuitz.z.bases import arrays_with_basis_replaced
from circuitz.z.layer import LayerSpec

FEW = {"images": 60, "resamples": 30}
ROWS = np.array([[1.0, 0.5, 0.0, 0.2], [0.0, 1.0, 1.0, -0.3]])
K, D = ROWS.shape
BENT = Basis(
    directions=ROWS.astype(np.float32), readers=(ROWS * 0.7).astype(np.float32),
    centre=np.full(D, 0.05, np.float32), offset=np.full(K, -0.1, np.float32), read_as="relu",
)  # fmt: skip
BASES = {"line": Basis.from_rows(ROWS), "bent": BENT, "normed": replace(BENT, normalise="norm")}
READ = Basis.from_rows(np.array([[1.0, 0, 0, 1.0], [0, 1.0, -1.0, 0.0], [0, 0, 1.0, 0]]))


def with_bases(z):
    kept = z.bases
    for name, basis in BASES.items():
        kept = arrays_with_basis_replaced(kept, f"colour@{name}", basis.to_arrays())
    return z.with_(bases=arrays_with_basis_replaced(kept, "mixed@read", READ.to_arrays()))


def coordinates(basis, x):
    """Of one position's activations ``(d,)``."""
    x = x.astype(np.float64)
    scale = np.linalg.norm(x) / len(x) ** 0.5 if basis.normalise == "norm" else 1.0
    found = basis.readers @ (x / max(scale, 1e-8) - basis.centre) + basis.offset
    return (np.maximum(found, 0) if basis.read_as == "relu" else found), scale


def plainly(net, basis, x, lent):
    """Changes ``(n, k + 1, v)`` of the mean coordinate in mixed, one position after another."""
    with torch.no_grad():
        own, other = (net.colour(i).numpy() for i in (x, lent))
        moved = np.repeat(own[:, None], K + 1, 1)
        for n, i, j in np.ndindex(len(x), *own.shape[2:]):
            (now, scale), (then, _) = (coordinates(basis, a[n, :, i, j]) for a in (own, other))
            steps = [(then[u] - now[u]) * basis.directions[u] * scale for u in range(K)]
            steps.append(other[n, :, i, j] - own[n, :, i, j] - sum(steps))
            for u in range(K + 1):
                moved[n, u, :, i, j] += steps[u]

        def read(act):
            maps = net.mixed(torch.as_tensor(act, dtype=torch.float32)).numpy()
            return np.einsum("kd,ndhw->nkhw", READ.readers, maps).mean((2, 3))

        before = read(own)
        return np.stack([read(moved[:, u]) - before for u in range(K + 1)], 1), read(other) - before


@pytest.mark.parametrize("name", list(BASES))
def test_the_same_as_written_out(deep, name):
    z = with_bases(deep)
    run = runtime(z)
    pairs = ContrastPairs.draw_toward_class(z, run, "husky", "test", 12, 0)
    source, target = resolve_unit_space(z, f"colour@{name}"), resolve_unit_space(z, "mixed@read")
    found = exact_response_changes(run, source, target, pairs.x, pairs.donors)
    change, whole = plainly(run.module, BASES[name], pairs.x, pairs.donors)
    assert np.abs(change).max(axis=(0, 2)).min() > 1e-3
    assert np.abs(found.change - change).max() < 1e-5
    assert np.abs(found.whole - whole).max() < 1e-5


def test_directions_and_the_rest_sum_to_the_whole(deep):
    z = with_bases(deep)
    run = runtime(z)
    pairs = ContrastPairs.draw_toward_class(z, run, "husky", "test", 12, 0)
    own, other = (run.run(x, ["colour"])[0]["colour"] for x in (pairs.x, pairs.donors))
    for name in BASES:
        swap = Exchange(resolve_unit_space(z, f"colour@{name}"), own, other)
        made = own + sum(swap.output_with_parts_swapped(part) - own for part in range(K + 1))
        assert torch.allclose(made, other, atol=1e-5)
        found = edges(z, f"colour@{name}", "mixed", "husky", units=[0, 2], **FEW).frame
        assert set(found["source"]) == {f"colour@{name}:{u}" for u in (0, 1, "rest")}
        sums = found.groupby("target")[["direct", "rough"]].sum()
        # On the way between the two outputs nothing bends; alone, a direction may lead beyond.
        assert sums["rough"].to_numpy() == pytest.approx([1, 1], abs=1e-4)
        assert sums.loc["mixed:0", "direct"] == pytest.approx(1, abs=0.05)


def test_the_layers_own_axes_are_its_units_and_leave_nothing(deep):
    z = deep.with_(
        bases=arrays_with_basis_replaced(
            deep.bases, "colour@axes", Basis.from_rows(np.eye(4)).to_arrays()
        )
    )
    plain = edges(z, "colour", "mixed", "husky", **FEW).frame
    along = edges(z, "colour@axes", "mixed", "husky", **FEW).frame
    rest = along[along["source"] == "colour@axes:rest"]
    assert len(rest) == 4
    assert np.nan_to_num(rest["direct"]).max() < 1e-4
    along = along.assign(source=along["source"].str.replace("@axes", ""))
    both = plain.merge(along, on=["source", "target"], suffixes=("", "_along"))
    assert len(both) == 16
    for column in ("direct", "total", "low", "high", "rough"):
        assert np.allclose(both[column], both[f"{column}_along"], atol=1e-4, equal_nan=True)


def test_what_is_left_is_always_run(deep):
    found = edges(with_bases(deep), "colour@line", "mixed@read", "husky", exact=1, **FEW)
    assert found.tried == (2, 3)
    assert "colour@line:rest" in set(found.frame["source"])
    assert set(found.frame["target"]) == {f"mixed@read:{u}" for u in range(3)}


def test_wrong_questions(deep):
    z = with_bases(deep)
    with pytest.raises(UnitError, match="colour@none"):
        edges(z, "colour@none", "mixed", "husky", **FEW)
    with pytest.raises(LayerError, match="not a layer"):
        edges(z, "fifth@line", "mixed", "husky", **FEW)
    with pytest.raises(LayerError, match="does not come after"):
        edges(z, "colour@line", "colour", "husky", **FEW)


def test_heads_are_moved_whole():
    spec = LayerSpec("blocks.0.attn.hook_z", 2, unit_axis=2, token_axes=(1,), shape=(8, 2, 3))
    with pytest.raises(BasisError, match="heads"):
        check_basis_not_over_heads(basis_unit_space(spec, Basis.from_rows(np.eye(2)), "axes"))
