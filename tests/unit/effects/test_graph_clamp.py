from __future__ import annotations

import numpy as np
import pytest

from circuitz.effects.graph_clamp import clamp
from circuitz.errors import BuilderError, InputsError, UnitError


def test_a_unit_that_makes_the_husky_raises_it(deep):
    found = clamp(deep, ["mixed:0"], images=30)
    assert found.of == "D"
    assert found.images == 30
    assert found.before.sum() == pytest.approx(1, abs=1e-5)
    assert found.after.sum() == pytest.approx(1, abs=1e-5)
    assert found.after[0] > found.before[0] + 0.1


def test_what_drives_nothing_changes_nothing(deep):
    for units in (["mixed:3"], ["colour:3"]):
        found = clamp(deep, units)
        assert np.abs(found.after - found.before).max() < 1e-6


def test_without_a_concept_set_or_d_the_other_serves(deep):
    alone = clamp(deep.with_(concept_set=None), ["mixed:0"])
    assert alone.after[0] > alone.before[0]
    without = clamp(deep.with_(data=None), ["mixed:0"])
    assert without.of == "concept set"
    with pytest.raises(InputsError, match="no images"):
        clamp(deep.with_(data=None, concept_set=None), ["mixed:0"])


@pytest.mark.parametrize(
    "units", [[], ["mixed:0", "colour:0"], ["mixed:9"], ["output:husky"], ["nothing"]]
)
def test_what_cannot_be_held(deep, units):
    with pytest.raises(UnitError):
        clamp(deep, units)


def test_without_a_network(deep):
    with pytest.raises(BuilderError, match="live module"):
        clamp(deep.with_(live=None), ["mixed:0"])
