from __future__ import annotations

import numpy as np
import pytest

from circuitz.effects.edge.edges import edges
from circuitz.errors import InputsError, LayerError, UnitError

FEW = {"images": 60, "resamples": 50}


def one(found, source, target):
    frame = found.frame
    return frame[(frame["source"] == source) & (frame["target"] == target)].iloc[0]


def test_known_wires_are_found_and_no_others(deep):
    found = edges(deep, "colour", "mixed", "husky", **FEW)
    assert len(found.frame) == 16
    blue = one(found, "colour:2", "mixed:0")
    assert (blue.direct, blue.low, blue.high) == pytest.approx((1, 1, 1), abs=1e-5)
    green = one(found, "colour:1", "mixed:2")
    assert green.direct == pytest.approx(1, abs=1e-5)
    wired = {
        "mixed:0": {"colour:2"},
        "mixed:1": {"colour:0", "colour:1"},
        "mixed:2": {"colour:1"},
        "mixed:3": {"colour:0", "colour:1", "colour:2"},
    }
    for row in found.frame[found.frame["found"]].itertuples():
        assert row.source in wired[row.target]
        assert row.low <= row.direct <= row.high
        assert row.direct == row.total  # nothing lies between the two layers
    summed = found.frame[found.frame["target"] == "mixed:3"]["direct"].sum()
    assert summed == pytest.approx(1, abs=1e-5)  # all that enters is added up, never below zero
    strongest = found.frame[found.frame["found"]]
    assert strongest["often"].mean() > 0.8
    assert strongest["rough_often"].mean() > 0.8
    assert found.again > 0.8
    assert found.again_rough > 0.8
    assert found.agreement > 0.7
    assert found.tried == (4, 4)
    assert found.images == found.scenes == 40


def test_the_shortlist_runs_what_matters(deep):
    every = edges(deep, "colour", "mixed", "husky", units=[0, 3], **FEW)
    few = edges(deep, "colour", "mixed", "husky", units=[0, 3], exact=2, **FEW)
    assert few.tried == (2, 4)
    assert set(few.frame["target"]) == {"mixed:0", "mixed:3"}
    assert "colour:2" in set(few.frame["source"])
    assert "colour:3" not in set(few.frame["source"])
    both = every.frame.merge(few.frame, on=["source", "target"], suffixes=("", "_few"))
    assert np.array_equal(both["direct"], both["direct_few"])


@pytest.mark.parametrize(
    ("layers", "toward", "error", "said"),
    [
        (("mixed", "colour"), "husky", LayerError, "does not come after"),
        (("colour", "fifth"), "husky", LayerError, "not a layer"),
        (("colour", "mixed"), "cat", UnitError, "husky"),
    ],
)
def test_wrong_questions(deep, layers, toward, error, said):
    with pytest.raises(error, match=said):
        edges(deep, *layers, toward, **FEW)


def test_without_d_or_split(deep):
    with pytest.raises(InputsError, match="not at hand"):
        edges(deep.with_(data=None), "colour", "mixed", "husky")
    with pytest.raises(InputsError, match="no split"):
        edges(deep, "colour", "mixed", "husky", split="train")
