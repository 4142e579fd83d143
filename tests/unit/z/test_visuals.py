"""Optimised inputs kept with a z: as evidence, of the weights they were made from."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from circuitz.errors import MeasurementError, UnitError
from circuitz.z.bundle.load_save import load
from circuitz.z.layer import LayerSpec
from circuitz.z.measurements import Measurements
from circuitz.z.model import AnnotatedModel
from circuitz.z.visuals import (
    MOST,
    NOTE,
    VisualisationRun,
    current_run_pictures_by_hash,
    visuals_of,
    with_visualisation_run,
)


def png(shade):
    out = io.BytesIO()
    Image.new("RGB", (4, 4), (shade, 0, 0)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def z():
    made = AnnotatedModel(
        "z", ("a", "b"), layers=(LayerSpec("conv", 3),), weights={"w": np.ones(2, np.float32)}
    )
    return made.with_(measurements=Measurements(weights_hash=made.weights_hash))


def test_a_run_is_kept_in_the_bundle_and_one_of_the_same_settings_replaced(z, tmp_path):
    z = with_visualisation_run(z, "conv:1", [png(10), png(20)], VisualisationRun((), "fourier", 32))
    z = with_visualisation_run(
        z, "conv:1", [png(30)], VisualisationRun((), "maco", 64, negative=True)
    )
    found = load(z.save(tmp_path / "a.z"))
    assert visuals_of(found, "conv:1") == visuals_of(z, "conv:1")
    assert [(v.how, v.negative, len(v.pictures)) for v in visuals_of(found, "conv:1")] == [
        ("maco", True, 1),
        ("fourier", False, 2),
    ]
    assert current_run_pictures_by_hash(found)[visuals_of(z, "conv:1")[0].pictures[0]] == png(30)
    again = with_visualisation_run(found, "conv:1", [png(40)], VisualisationRun((), "fourier", 32))
    assert len(visuals_of(again, "conv:1")) == 2
    assert visuals_of(again, "conv:0") == ()
    assert again.hash == z.hash


def test_only_the_last_runs_are_kept(z):
    for steps in range(1, MOST + 4):
        z = with_visualisation_run(
            z, "conv:0", [png(steps)], VisualisationRun((), "fourier", steps)
        )
    assert [v.steps for v in visuals_of(z, "conv:0")] == list(range(MOST + 3, 3, -1))


def test_pictures_of_other_weights_or_that_are_gone_are_not_shown(z):
    z = with_visualisation_run(z, "conv:0", [png(1)], VisualisationRun(()))
    other = z.with_(weights={"w": np.zeros(2, np.float32)})
    assert visuals_of(other, "conv:0") == ()
    assert current_run_pictures_by_hash(other) == {}
    bare = z.with_(measurements=Measurements(weights_hash=z.weights_hash))
    assert visuals_of(bare, "conv:0") == ()


@pytest.mark.parametrize(
    "note", [3, [], {"conv:0": 3}, {"conv:0": [{"pictures": "x"}]}, {"conv:0": [None, {"how": 2}]}]
)
def test_notes_of_strangers_are_passed_over(z, note):
    broken = z.with_(notes={NOTE: note})
    assert visuals_of(broken, "conv:0") == ()
    assert current_run_pictures_by_hash(broken) == {}
    assert (
        len(
            visuals_of(
                with_visualisation_run(broken, "conv:0", [png(1)], VisualisationRun(())), "conv:0"
            )
        )
        == 1
    )


def test_what_cannot_be_kept_is_named(z):
    with pytest.raises(MeasurementError, match="nothing to keep"):
        with_visualisation_run(z.with_(measurements=None), "conv:0", [png(1)], VisualisationRun(()))
    with pytest.raises(MeasurementError, match="no pictures"):
        with_visualisation_run(z, "conv:0", [], VisualisationRun(()))
    with pytest.raises(UnitError):
        with_visualisation_run(z, "no unit", [png(1)], VisualisationRun(()))
