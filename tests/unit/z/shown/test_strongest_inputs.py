"""What a unit's exemplars are, as a table and as pictures."""

from __future__ import annotations

import base64
import dataclasses
import io
import re

import numpy as np
import pytest
from PIL import Image

import circuitz as cz
from circuitz.z.inputs import InputSet
from circuitz.z.shown.strongest_inputs import StrongestInputs


@pytest.fixture(scope="module")
def measured(world):
    z = cz.measure(world.z(data=None), world.concepts())
    return z.annotate("colour:2", "snow <b>here</b>")


def test_they_are_the_inputs_of_largest_peak_best_first(measured) -> None:
    found = measured.exemplars("colour:2")
    peaks = measured.concept_set.images.reshape(60, -1, 3)[:, :, 2].max(1) / 255
    np.testing.assert_allclose(found.peaks, np.sort(peaks)[::-1][:9], atol=1e-6)
    np.testing.assert_allclose(peaks[found.index], found.peaks, atol=1e-6)
    table = found.frame
    assert table["rank"].tolist() == list(range(9))
    assert all("snow" in shows for shows in table["shows"])
    np.testing.assert_array_equal(found.images, measured.concept_set.images[found.index])
    assert len(measured.exemplars("colour:2", count=3)) == 3


def test_they_are_shown_as_pictures_that_can_be_read_back(measured) -> None:
    page = measured.exemplars("colour:2")._repr_html_()
    files = re.findall(r"base64,([^\"]+)\"", page)
    assert len(files) == 9
    first = np.asarray(Image.open(io.BytesIO(base64.b64decode(files[0]))))
    np.testing.assert_array_equal(first, measured.exemplars("colour:2").images[0])
    assert "<b>here" not in page
    assert "&lt;b&gt;here" in page
    assert "colour:2" in repr(measured.exemplars("colour:2"))


def test_a_unit_that_never_fires_says_so(measured) -> None:
    found = dataclasses.replace(
        measured.exemplars("colour:2"),
        index=np.zeros(0, np.int64),
        peaks=np.zeros(0, np.float32),
        boxes=np.zeros((0, 4), np.int64),
    )
    assert "Nothing in the concept set" in found._repr_html_()
    assert found.frame.empty


@pytest.mark.parametrize("padding", ["[padding]", "<pad>", "[PAD]"])
def test_texts_are_read_without_their_padding(padding: str) -> None:
    texts = InputSet(np.array([[1, 2, 0]], np.int32), vocabulary=(padding, "a", "<i>"))
    one = np.zeros(1, np.int64)
    found = StrongestInputs(
        "u:0", "", texts, one, one.astype(np.float32), np.zeros((1, 4), np.int64)
    )
    assert found.frame["text"].tolist() == ["a <i>"]
    assert "a &lt;i&gt;" in found._repr_html_()


def test_what_was_not_measured_is_refused_by_name(world, measured) -> None:
    with pytest.raises(cz.MeasurementError, match="not measured"):
        world.z().exemplars("colour:2")
    with pytest.raises(cz.MeasurementError, match="concept set"):
        measured.with_(concept_set=None).exemplars("colour:2")
    with pytest.raises(cz.UnitError):
        measured.exemplars("colour:99")
