from __future__ import annotations

import numpy as np
import pytest
import torch

from circuitz.data.text.induction_model import load_shipped_induction_model
from circuitz.data.text.repeating_sequences import make_repeating_sequences
from circuitz.effects.clamp import clamp_units
from circuitz.errors import BuilderError, InputsError, UnitError
from circuitz.wrapping.wrap import wrap


def test_a_unit_that_makes_the_husky_raises_it(deep):
    found = clamp_units(deep, ["mixed:0"], images=30)
    assert found.of == "D"
    assert found.images == 30
    assert found.before.sum() == pytest.approx(1, abs=1e-5)
    assert found.after.sum() == pytest.approx(1, abs=1e-5)
    assert found.after[0] > found.before[0] + 0.1


def test_what_drives_nothing_changes_nothing(deep):
    for units in (["mixed:3"], ["colour:3"]):
        found = clamp_units(deep, units)
        assert np.abs(found.after - found.before).max() < 1e-6


def test_without_a_concept_set_or_d_the_other_serves(deep):
    alone = clamp_units(deep.with_(concept_set=None), ["mixed:0"])
    assert alone.after[0] > alone.before[0]
    without = clamp_units(deep.with_(data=None), ["mixed:0"])
    assert without.of == "concept set"
    with pytest.raises(InputsError, match="no inputs"):
        clamp_units(deep.with_(data=None, concept_set=None), ["mixed:0"])


@pytest.mark.parametrize(
    "units", [[], ["mixed:0", "colour:0"], ["mixed:9"], ["output:husky"], ["nothing"]]
)
def test_what_cannot_be_held(deep, units):
    with pytest.raises(UnitError):
        clamp_units(deep, units)


def test_without_a_network(deep):
    with pytest.raises(BuilderError, match="live module"):
        clamp_units(deep.with_(live=None), ["mixed:0"])


def test_heads_are_held_at_what_they_gather_elsewhere():
    net = load_shipped_induction_model("induction")
    z = wrap(net, make_repeating_sequences(600), subject="letter", name="induction")
    layer = "blocks.1.attn.hook_z"
    found = clamp_units(z, [f"{layer}:0", f"{layer}:3"], images=12)
    assert found.of == "D"
    rows = np.flatnonzero(z.data.split == 1)
    rows = np.sort(np.random.default_rng([0, 41]).permutation(rows)[:12])
    x = torch.from_numpy(z.data.images[rows].astype(np.int64))
    seen = {}
    module = net.get_submodule(layer)
    hook = module.register_forward_hook(lambda _m, _a, out: seen.update(z=out.clone()))
    with torch.no_grad():
        before = net(x).softmax(1).mean(0)
        hook.remove()
        held = seen["z"].clone()
        for head in (0, 3):
            best = seen["z"][:, :, head].norm(dim=2).mean(1).argsort(descending=True)[:8]
            held[:, :, head] = seen["z"][best[torch.arange(12) % 8], :, head]
        hook = module.register_forward_hook(lambda *_: held)
        after = net(x).softmax(1).mean(0)
        hook.remove()
    assert found.before == pytest.approx(before.numpy(), abs=1e-5)
    assert found.after == pytest.approx(after.numpy(), abs=1e-5)
    assert np.abs(found.after - found.before).max() > 0.02
    with pytest.raises(InputsError, match="no inputs"):
        clamp_units(z.with_(data=None), [f"{layer}:0"])
