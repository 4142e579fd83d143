"""Effects while chosen supports are held, beside runs of the network written out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from circuitz.effects.unit_effect import effect
from circuitz.errors import InputsError, UnitError
from circuitz.patching.controlled_effect import draw_donors_for_held_units
from circuitz.patching.from_cut import class_margins
from circuitz.patching.source_rows import draw_sources

FEW = {"images": 15, "seed": 2}


def by_hand(net, z, k, how, held, held_as, units):
    """The same, one trial after the other, from activations put together by index."""
    drawn = draw_sources(z.data, z.classes, per_split=15, donors=2, seed=2)
    x = torch.from_numpy(z.data.images[drawn.index]).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        acts = net.colour(x)
        everywhere = class_margins(net(x))[:, k].numpy()
    own = drawn.shows[:, k]
    seen = drawn.split != 2
    scale = everywhere[own & seen].mean() - everywhere[~own & seen].mean()
    rows = np.flatnonzero((drawn.split == 1) & (own == (how == "necessity")))
    lenders = draw_donors_for_held_units(drawn, rows, k, held_as == "with", 2)
    found = []
    for row, lender in zip(rows, lenders, strict=True):
        values = []
        for donor, lent in zip(drawn.donors[row, k], lender, strict=True):
            assert drawn.shows[lent, k] == (held_as == "with")
            assert lent != row
            without = acts[row : row + 1].clone()
            without[:, held] = acts[lent : lent + 1, held]
            after = without.clone()
            after[:, units] = acts[donor : donor + 1, units]
            with torch.no_grad():
                both = net.head(net.bend(torch.cat([without, after])).mean((2, 3)))
            change = class_margins(both)[:, k].diff().item()
            values.append(-change if how == "necessity" else change)
        found.append(np.mean(values) / scale)
    return np.mean(found), len(rows)


@pytest.mark.parametrize("how", ["sufficiency", "necessity"])
@pytest.mark.parametrize("held_as", ["without", "with"])
def test_it_is_what_running_each_trial_by_hand_gives(world, how, held_as):
    z = world.z(world.bent)
    found = effect(
        z,
        "colour:2",
        "husky",
        intervention=how,
        held=["colour:0", "colour:1"],
        held_as=held_as,
        **FEW,
    )
    known, n = by_hand(world.bent, z, 0, how, [0, 1], held_as, [2])
    assert found.estimate == pytest.approx(known, abs=1e-5)
    assert found.n == n
    assert found.low < found.estimate < found.high
    free = effect(z, "colour:2", "husky", intervention=how, **FEW)
    same = (how, held_as) == ("necessity", "with")  # one husky shows as little red as another
    assert same == (abs(found.estimate - free.estimate) < 1e-4), "it matters where it bends"


def test_behind_an_affine_layer_what_is_held_does_not_matter(world):
    z = world.z()
    free = effect(z, "colour:2", "husky", **FEW)
    held = effect(z, "colour:2", "husky", held="colour:0", **FEW)
    assert held.estimate == pytest.approx(free.estimate, abs=1e-5)
    assert (held.low, held.high) == pytest.approx((free.low, free.high), abs=1e-5)


def test_what_it_says_about_itself(world):
    z = world.z(world.bent)
    one = effect(z, "colour:2", "husky", held=["colour:1", "colour:0"], **FEW)
    assert one.held == "colour:0, colour:1 as on inputs of other classes"
    assert effect(z, "colour:2", "husky", held="group:colour:0,colour:1", **FEW) == one
    rest = effect(z, "colour:2", "husky", held="rest", held_as="with", **FEW)
    assert rest.held == "rest of the cut as on inputs of husky"
    assert effect(z, "colour:2", "husky", **FEW).held == "rest of the cut"


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        ({"held": "colour:2"}, UnitError, "changed and held"),
        ({"held": "colour:9"}, UnitError, "colour:0 to colour:3"),
        ({"held": "output:husky"}, UnitError, "cannot be put"),
        ({"held": "colour:0", "held_as": "somehow"}, InputsError, "without or with"),
    ],
)
def test_wrong_questions(world, wrong, error, said):
    with pytest.raises(error) as caught:
        effect(world.z(world.bent), "colour:2", "husky", **wrong, **FEW)
    assert said in f"{caught.value.message} {caught.value.hint}"
