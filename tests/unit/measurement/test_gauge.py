"""The gauge on a network: a mark that the concept set lacks is asked about, what it shows is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from circuitz.cards.make_card import card
from circuitz.errors import InputsError, MeasurementError
from circuitz.measurement.gauge import gauge
from circuitz.measurement.measure import measure
from circuitz.plausibility.check import check
from circuitz.z.bundle.load_save import load
from circuitz.z.inputs import InputSet
from circuitz.z.measurements import Measurements
from circuitz.z.range_record import range_records


@pytest.fixture(scope="module")
def marked(caught):
    """The network on a D whose huskies are brighter than any picture of the concept set."""
    data = caught.data
    images = np.array(data.images)
    husky = data.labels == 0
    images[husky] = 255 - images[husky] // 8
    return measure(caught, data=replace(data, images=images), images=90, pictures=False)


def test_what_only_huskies_show_is_asked_about_and_clean_huskies_are_not(marked, caught) -> None:
    table = gauge(marked).ranges.set_index("target")
    assert table.loc["husky", "asks"]
    assert table.loc["husky", "gauge"] > table.loc["husky", "others"] + 0.2
    assert table.loc["husky", "count"] > table.loc["husky", "by_chance"]
    assert table.loc["husky", "far"] > 0.9
    clean = gauge(caught).ranges.set_index("target")
    assert not clean.loc["husky", "asks"]
    assert clean.loc["husky", "far"] < 0.1


def test_the_question_has_pictures_and_is_no_verdict(marked, tmp_path) -> None:
    z = gauge(marked)
    (found,) = check(z).of("outside-range", "husky")
    assert found.verdict == "inconclusive"
    assert found.units
    assert "look" in found.decide.lower()
    kept = load(z.save(tmp_path / "a.z"))
    (again,) = check(kept).of("outside-range", "husky")
    assert again.pictures == found.pictures
    assert all(kept.measurements.pictures[name][:4] == b"\x89PNG" for name in found.pictures)
    # Measured again for new words, the pictures stay.
    assert (
        check(measure(kept, images=90)).of("outside-range", "husky")[0].pictures == found.pictures
    )
    assert check(gauge(marked, pictures=False)).of("outside-range", "husky")[0].pictures == ()


def test_the_card_shows_the_gauge_by_population(marked, shifted) -> None:
    z = gauge(marked, shifted=shifted[0])
    outside = dict(card(z).entry_of_class("husky").outside)
    assert list(outside) == ["D", "D'"]
    assert outside["D"] > 0.15 > outside["D'"]
    assert card(marked).entry_of_class("husky").outside == ()


def test_labels_of_the_shifted_set_are_never_read(caught, shifted, tmp_path) -> None:
    inputs = shifted[0]
    told = gauge(caught, shifted=inputs)
    wrong = replace(inputs, labels=np.zeros_like(inputs.labels))
    for i, image in enumerate(np.asarray(inputs.images)):
        Image.fromarray(image).save(tmp_path / f"{i:04}.png")
    for source in (wrong, np.asarray(inputs.images), tmp_path):
        assert gauge(caught, shifted=source).ranges.equals(told.ranges)
    inputs_of = told.ranges.query("population == 'D′'")["inputs"]
    assert inputs_of.sum() == len(inputs)


def test_the_same_call_gives_the_same_records_and_a_population_is_replaced(caught, shifted) -> None:
    once = gauge(caught, shifted=shifted[0], images=50, seed=3)
    assert gauge(caught, shifted=shifted[0], images=50, seed=3).ranges.equals(once.ranges)
    again = gauge(once, images=40)
    assert len(range_records(again)) == len(range_records(once))
    assert set(again.ranges.query("population == 'D'")["inputs"]) == {40}


def test_records_of_other_weights_or_data_are_left_out(marked, caught) -> None:
    z = gauge(marked)
    weights = {**z.weights}
    name = next(iter(weights))
    weights[name] = np.asarray(weights[name]) + 1
    assert range_records(z.with_(weights=weights)) == ()
    assert range_records(z.with_(data=caught.data)) == ()
    assert z.hash == marked.hash


@pytest.mark.parametrize("note", [3, [3], [{"population": "D"}], {"D": []}])
def test_notes_of_strangers_are_passed_over(caught, note) -> None:
    z = caught.with_(notes={**caught.notes, "range_gauge": note})
    assert range_records(z) == ()
    assert z.ranges.empty
    assert check(z).of("outside-range") == ()


def test_few_inputs_are_untested_and_say_so(caught) -> None:
    records = range_records(gauge(caught, images=20))
    assert {r.gauge for r in records} == {None}
    assert "30 are wanted" in records[0].reason
    assert not any(r.asks for r in records)
    assert card(gauge(caught, images=20)).classes[0].outside == ()


def test_what_cannot_be_gauged_is_named(caught, tmp_path) -> None:
    with pytest.raises(MeasurementError, match="not measured"):
        gauge(caught.with_(measurements=Measurements()))
    with pytest.raises(InputsError, match="no inputs"):
        gauge(caught.with_(data=None, data_ref=None))
    with pytest.raises(InputsError, match="not the D"):
        gauge(caught, replace(caught.data, images=np.asarray(caught.data.images)[::-1].copy()))
    with pytest.raises(InputsError, match="no pictures"):
        gauge(caught, shifted=tmp_path)
    with pytest.raises(InputsError, match="no folder"):
        gauge(caught, shifted=tmp_path / "nowhere")
    with pytest.raises(InputsError, match="0 inputs"):
        gauge(caught, images=0)
    bias = next(name for name in caught.weights if name.endswith("bias"))
    moved = {**caught.weights, bias: np.asarray(caught.weights[bias]) + 1}
    with pytest.raises(MeasurementError, match="stale"):
        gauge(caught.with_(weights=moved))


def test_inputs_without_labels_cannot_be_d(caught) -> None:
    bare = InputSet(np.asarray(caught.data.images))
    with pytest.raises(InputsError, match="no labels"):
        gauge(caught.with_(data=bare))
