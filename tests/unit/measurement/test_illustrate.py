"""Flagged findings get pictures of their own sets of units, and no verdict changes by it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from circuitz.errors import MeasurementError
from circuitz.measurement.illustrate import illustrate
from circuitz.plausibility.check import check
from circuitz.z.model import AnnotatedModel


def _undrawn(z: AnnotatedModel) -> AnnotatedModel:
    assert z.measurements is not None
    return z.with_(measurements=replace(z.measurements, pictures={}, group_pictures={}))


def test_every_flagged_effect_has_pictures_of_its_own_units(caught: AnnotatedModel) -> None:
    z = _undrawn(caught)
    before = check(z)
    about = [f for f in before.flagged if f.target.startswith("output:") and f.units]
    assert about
    told = []
    drawn = illustrate(z, progress=lambda done, n: told.append((done, n)))
    after = check(drawn)
    assert {f.id: f.verdict for f in after.findings} == {f.id: f.verdict for f in before.findings}
    by_id = {f.id: f for f in after.findings}
    for finding in about:
        pictures = by_id[finding.id].pictures
        assert pictures
        assert all(drawn.measurements.pictures[name].startswith(b"\x89PNG") for name in pictures)
    assert told[-1][0] == told[-1][1]
    layers = drawn.measurements.layers
    assert all(layers[name] is one for name, one in caught.measurements.layers.items())


def test_findings_can_be_named(caught: AnnotatedModel) -> None:
    z = _undrawn(caught)
    supported = [f for f in check(z).findings if f.verdict == "supported" and f.target and f.units]
    drawn = illustrate(z, supported[:1])
    keys = [f for f in check(drawn).findings if f.id == supported[0].id]
    assert keys[0].pictures


def test_without_effects_or_a_check_there_is_nothing_to_draw(caught: AnnotatedModel) -> None:
    bare = caught.with_(measurements=replace(caught.measurements, effects=None))
    assert illustrate(bare) is bare
    unsplit = caught.with_(concept_set=replace(caught.concept_set, split=None))
    assert illustrate(unsplit) is unsplit
    # Weights that changed since would be measured again, and without D lose their effects.
    moved = {name: 1.01 * array for name, array in caught.weights.items()}
    away = caught.with_(weights=moved, data=None, data_ref=None)
    assert illustrate(away) is away
    with pytest.raises(MeasurementError, match="not measured"):
        illustrate(caught.with_(measurements=None))
