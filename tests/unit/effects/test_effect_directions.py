"""Joint effects of directions, against the network run by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from circuitz.effects.direction_effect import direction_effect
from circuitz.effects.unit_effect import effect
from circuitz.errors import UnitError
from circuitz.models.run.basis import Basis
from circuitz.models.run.basis_space import resolve_unit_space
from circuitz.models.run.open_runtime import runtime
from circuitz.patching.from_cut import Downstream, class_margins
from circuitz.patching.source_rows import draw_sources
from circuitz.z.bases import arrays_with_basis_replaced

from .conftest import Wired, make_z, trained_bent

ROWS = np.array([[1.0, 0.5, 0.0, 0.2], [0.0, 1.0, 1.0, -0.3], [0.3, 0.0, 1.0, 0.0]], np.float32)
BENT = Basis(
    directions=ROWS, readers=ROWS * 0.7, centre=np.full(4, 0.05, np.float32),
    offset=np.full(3, -0.02, np.float32), read_as="relu",
)  # fmt: skip
BASES = {"line": Basis.from_rows(ROWS), "bent": BENT, "normed": replace(BENT, normalise="norm")}
NETS = {"affine": Wired, "bends": trained_bent}


def made(net):
    z, bases = make_z(NETS[net]()), {}
    for name, basis in BASES.items():
        bases = arrays_with_basis_replaced(bases, f"colour@{name}", basis.to_arrays())
    return z.with_(bases=bases)


def decoded(basis, act, lent, units):
    """Decode, edit, encode: coordinates of some directions as on another input, the rest left."""
    flat, other = act.flatten(2), lent.flatten(2)
    steps = torch.zeros(len(act), len(basis), flat.shape[2])
    steps[:, units] = (basis.coordinates(other) - basis.coordinates(flat))[:, units]
    added = torch.einsum("kd,nkp->ndp", torch.from_numpy(basis.directions), steps)
    return (flat + added * basis.normalisation_scale(flat)).view_as(act)


@pytest.mark.parametrize("net", list(NETS))
@pytest.mark.parametrize("name", list(BASES))
@pytest.mark.parametrize("units", [[1], [0, 2]])
def test_the_same_as_by_hand(net, name, units):
    z = made(net)
    run, basis = runtime(z), BASES[name]
    found = effect(z, [f"colour@{name}:{u}" for u in units], "husky", images=36)
    drawn = draw_sources(z.data, z.classes, per_split=36, donors=2, seed=0)
    x = run.prepare(z.data.images[drawn.index])
    with torch.no_grad():
        act = run.run(x, ["colour"])[0]["colour"]
        before = class_margins(run.forward(x))[:, 0].numpy()
        scale = before[drawn.split != 2][drawn.shows[drawn.split != 2, 0]].mean()
        scale -= before[drawn.split != 2][~drawn.shows[drawn.split != 2, 0]].mean()
        rows = np.flatnonzero((drawn.split == 1) & ~drawn.shows[:, 0])
        changes = []
        for row in rows:
            for donor in drawn.donors[row, 0]:
                moved = decoded(basis, act[[row]], act[[donor]], units)
                hook = run.module.colour.register_forward_hook(lambda *_, m=moved: m)
                changes.append(float(class_margins(run.module(x[[row]]))[0, 0]) - before[row])
                hook.remove()
    assert found.n == len(rows)
    assert found.estimate == pytest.approx(np.mean(changes) / scale, abs=1e-4)
    assert abs(found.estimate) > 0.01


@pytest.mark.parametrize("net", list(NETS))
def test_the_shortcut_and_all_parts(net):
    z = made(net)
    run = runtime(z)
    acts = run.run(run.prepare(z.data.images[::3]), ["colour"])[0]["colour"]
    source, donor = np.arange(12), np.arange(12)[::-1].copy()
    target = np.zeros(12, np.int64)
    for name in BASES:
        place = resolve_unit_space(z, f"colour@{name}")
        fast, slow = (Downstream(run, place, acts, shortcut=s) for s in (True, False))
        assert fast.affine == (net == "affine" and name != "normed")
        assert not slow.affine
        each = [d.margin_change_by_unit(source, donor, target) for d in (fast, slow)]
        assert each[0].shape == (12, 4)  # three directions and the rest
        assert np.abs(each[0] - each[1]).max() < 1e-4
        for d in (fast, slow):
            joint = d.joint_margin_change(source, donor, target, [0, 1, 2, 3])
            whole = (d.margins[donor, 0] - d.margins[source, 0]).numpy()
            assert joint == pytest.approx(whole, abs=1e-4)
            assert d.joint_margin_change(source, donor, target, [1]) == pytest.approx(
                each[0][:, 1], abs=1e-4
            )


def test_one_direction_is_what_direction_effect_says():
    z = made("bends")
    for how in ("sufficiency", "necessity"):
        one = effect(z, "colour@bent:0", "husky", intervention=how)
        same = direction_effect(z, "colour@bent:0", "husky", intervention=how, randoms=0).effect
        assert one.estimate == pytest.approx(same.estimate, abs=1e-4)
        assert one.low == pytest.approx(same.low, abs=1e-4)
        few = effect(z, "colour@bent:0", "husky", intervention=how, subset=["corgi", "husky"])
        assert few.n < one.n or how == "necessity"


def test_what_cannot_be_asked():
    z = made("affine")
    for units in (["colour@line:0", "colour@bent:0"], ["colour@line:0", "colour:1"]):
        with pytest.raises(UnitError, match="one layer"):
            effect(z, units, "husky")
    with pytest.raises(UnitError, match="colour@line:2"):
        effect(z, "colour@line:3", "husky")
    with pytest.raises(UnitError, match="colour@none"):
        effect(z, "colour@none:0", "husky")
