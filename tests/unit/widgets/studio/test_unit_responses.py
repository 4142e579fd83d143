from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from circuitz.errors import MeasurementError, UnitError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.widgets.studio import unit_responses as responds
from circuitz.widgets.studio.studio import Studio
from circuitz.widgets.studio.unit_detail import unit_detail_payload


@pytest.fixture
def looked(z):
    """The z with what one pass measures beside exemplars by activation."""
    layer = z.measurements.layers["conv4"]
    units, n = len(layer.exemplars), len(z.concept_set)
    order = np.argsort(layer.peaks, axis=0)
    spectrum = np.stack(
        [order[:3], order[n // 4 : n // 4 + 3], order[n // 2 : n // 2 + 3], order[-3:][::-1]]
    ).transpose(2, 0, 1)
    relevant = np.full((units, 3, 4), -1, np.int64)
    relevance = np.zeros((units, 3, 4), np.float32)
    relevant[0, 1], relevance[0, 1] = [5, 9, 11, 2], [0.4, 0.3, 0.2, 0.1]
    relevant[0, 2, :2], relevance[0, 2, :2] = [9, 7], [0.6, 0.1]
    more = replace(
        layer,
        statistics=np.tile(np.array([0.5, 0.2, 0.75, 0.0, 3.0], np.float32), (units, 1)),
        spectrum=spectrum.astype(np.int64),
        clarity=np.full(units, 0.8, np.float32),
        polysemanticity=np.full(units, np.nan, np.float32),
        redundancy=np.full(units, 0.9, np.float32),
        neighbours=np.tile(np.array([1, 2, -1], np.int64), (units, 1)),
        neighbour_correlation=np.tile(np.array([0.9, 0.5, 0.0], np.float32), (units, 1)),
        relevant=relevant,
        relevance=relevance,
        embedding="conv4",
    )
    measured = replace(z.measurements, layers={"conv4": more})
    return z.with_(what="measured", measurements=measured)


def test_a_unit_comes_with_its_figures_and_whom_it_fires_with(looked):
    facts, _ = unit_detail_payload(looked, "conv4:0", Lexicon.load())
    assert facts["statistics"] == {
        "mean": 0.5, "deviation": pytest.approx(0.2), "active": 0.75, "low": 0.0, "high": 3.0,
    }  # fmt: skip
    assert facts["quality"]["embedding"] == "conv4"
    assert facts["quality"]["polysemanticity"] is None
    assert [n["unit"] for n in facts["neighbours"]] == ["conv4:1", "conv4:2"]
    assert facts["more"]
    json.dumps(facts, allow_nan=False)


def test_classes_come_by_the_units_share_with_each_picture_once(looked):
    found, blobs = responds.spectrum_and_relevance_payload(looked, "conv4:0")
    assert [row["name"] for row in found["relevant"]] == ["poodle", "corgi"]
    assert [c["image"] for c in found["relevant"][1]["cells"]] == [5, 9, 11, 2]
    assert [c["share"] for c in found["relevant"][0]["cells"]] == pytest.approx([0.6, 0.1])
    at = {
        c["image"]: c["at"] for row in found["relevant"] + found["spectrum"] for c in row["cells"]
    }
    assert sorted(at.values()) == list(range(len(at)))
    # The picture at a cell's place is the image it names.
    width, height = found["size"]
    strip = Image.open(io.BytesIO(blobs["strip"]))
    assert strip.size == (width * len(at), height)
    shown = np.asarray(strip.crop((at[9] * width, 0, (at[9] + 1) * width, height)))
    assert (shown == looked.concept_set.images[9]).all()


def test_the_spectrum_rises_from_level_to_level(looked):
    found, _ = responds.spectrum_and_relevance_payload(looked, "conv4:3")
    means = [np.mean([c["response"] for c in row["cells"]]) for row in found["spectrum"]]
    assert [row["name"] for row in found["spectrum"]] == list(responds.LEVELS)
    assert means == sorted(means)
    assert found["relevant"] == []


def test_many_classes_are_cut_to_the_strongest_and_the_rest_counted(looked):
    layer = looked.measurements.layers["conv4"]
    many = 20
    share = np.linspace(0.1, 0.9, many, dtype=np.float32)[None, :, None]
    wide = replace(
        layer,
        relevant=np.zeros((8, many, 1), np.int64),
        relevance=np.broadcast_to(share, (8, many, 1)).copy(),
    )
    z = looked.with_(
        classes=tuple(f"c{i}" for i in range(many)),
        measurements=replace(looked.measurements, layers={"conv4": wide}, effects=None),
    )
    found, _ = responds.spectrum_and_relevance_payload(z, "conv4:0")
    assert [row["name"] for row in found["relevant"]] == [f"c{i}" for i in range(19, 7, -1)]
    assert found["unlisted"] == 8


def test_what_was_measured_long_ago_says_that_there_is_no_more(z):
    facts, _ = unit_detail_payload(z, "conv4:0", Lexicon.load())
    assert facts["statistics"] == facts["quality"] == {}
    assert facts["neighbours"] == []
    assert not facts["more"]
    found, blobs = responds.spectrum_and_relevance_payload(z, "conv4:0")
    assert found["spectrum"] == found["relevant"] == []
    assert blobs == {}


@pytest.mark.parametrize("unit", ["conv4:99999", "nowhere:0"])
def test_units_that_are_not_there_are_named(looked, unit):
    answer, _ = Studio(looked)._reply_to_action("responds", {"unit": unit})
    assert not answer["ok"]
    assert answer["code"] != "unexpected"


def test_without_measurements_it_says_how_to_get_them(make_z):
    with pytest.raises(MeasurementError, match="no pictures"):
        responds.spectrum_and_relevance_payload(make_z(measured=False), "conv4:0")
    with pytest.raises(UnitError):
        responds.spectrum_and_relevance_payload(make_z(), "not a unit")
