from __future__ import annotations

import numpy as np
import pytest

from circuitz.effects.ablation.logits_without_units import logits_without_units
from circuitz.errors import UnitError
from circuitz.models.run.open_runtime import runtime
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.silence import silence


def test_units_held_at_their_mean_are_as_good_as_silenced(caught: AnnotatedModel) -> None:
    assert caught.data is not None
    images = caught.data.images[:40]
    unit = max(caught.effective())
    held = logits_without_units(caught, [unit], images)
    cut = runtime(silence(caught, unit)).logits(images)
    # The mean of a map and a constant map are the same after the pool that follows.
    assert np.abs(held - cut).max() < 0.05 * np.abs(cut).max()
    assert np.abs(held - runtime(caught).logits(images)).max() > 0


def test_everything_held_leaves_one_answer(caught: AnnotatedModel) -> None:
    assert caught.data is not None
    size = next(s.size for s in caught.layers if s.name == caught.cut[0])
    units = [f"{caught.cut[0]}:{u}" for u in range(size)]
    logits = logits_without_units(caught, units, caught.data.images[:10])
    assert np.ptp(logits, axis=0).max() < 1e-4
    with pytest.raises(UnitError):
        logits_without_units(caught, ["output:husky"], caught.data.images[:2])
