"""Feature visualisation while somebody watches."""

from __future__ import annotations

import io
import threading
import time

import numpy as np
import pytest
import torch
from PIL import Image

from circuitz.data.worlds.dog_world import make_dogs
from circuitz.measurement.measure import measure
from circuitz.models.run.open_runtime import runtime
from circuitz.models.zoo.builders import build
from circuitz.responses.optimised.visualise import visualise
from circuitz.widgets.studio import live_network as live
from circuitz.widgets.studio.studio import Studio
from circuitz.wrapping.wrap import wrap
from circuitz.z.bundle.load_save import load
from circuitz.z.visuals import visuals_of

NAMES = ("husky", "corgi", "greyhound", "poodle", "beagle", "terrier")


@pytest.fixture(scope="module")
def z():
    torch.manual_seed(0)
    concepts = make_dogs("concepts", 24, seed=1)
    net = build("small-cnn", {"classes": 6, "widths": [4, 6, 6, 6]})
    return measure(wrap(net, layers=["conv2"], classes=NAMES), concepts)


@pytest.fixture
def studio(z, tmp_path):
    return Studio(z.save(tmp_path / "a.z"))


def until(studio, state, seconds=60):
    """Ask as the screen does, until it is so; the previews that came meanwhile."""
    seen, previews, deadline = 0, [], time.monotonic() + seconds
    while True:
        facts, blobs = studio._reply_to_action("optimising", {"seen": seen})
        assert facts["ok"]
        if "preview" in blobs:
            seen = facts["stamp"]
            previews.append(blobs["preview"])
        if facts["state"] == state:
            return facts, previews
        assert facts["state"] == "running", facts
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_pictures_come_as_they_are_made_and_are_kept_on_disk(studio, z):
    asked = {"unit": "conv2:3", "each": 2, "steps": 24, "negative": True}
    assert studio._reply_to_action("optimise", asked)[0]["state"] == "running"
    # Whatever else is asked meanwhile is answered.
    assert studio._reply_to_action("unit", {"unit": "conv2:0"})[0]["ok"]
    facts, previews = until(studio, "done")
    assert (facts["done"], facts["step"]) == (1, 24)
    assert previews
    made = visualise(runtime(z), z.layers[0], [3], each=2, steps=24, negative=True)[0]
    strip = np.asarray(Image.open(io.BytesIO(previews[-1])))
    assert (strip == np.concatenate(list(made), axis=1)).all()
    told = studio._reply_to_action("history", {"unit": "conv2:3"})[0]["visuals"]
    assert told[0]["negative"]
    for name, picture in zip(told[0]["pictures"], made, strict=True):
        _, blobs = studio._reply_to_action("picture", {"hash": name})
        assert (np.asarray(Image.open(io.BytesIO(blobs["picture"]))) == picture).all()
    (kept,) = visuals_of(load(studio.head["path"]), "conv2:3")
    assert list(kept.pictures) == told[0]["pictures"]
    assert studio._reply_to_action("unit", {"unit": "conv2:3"})[0]["detail"]["visuals"] == told
    # Measuring anew keeps what belongs to the weights.
    again = measure(studio.z, make_dogs("concepts", 18, seed=2))
    assert visuals_of(again, "conv2:3") == (kept,)


def test_it_can_be_cancelled_and_nothing_is_kept(studio):
    before = studio.z
    studio._reply_to_action("optimise", {"unit": "conv2:1", "steps": 1000})
    busy, _ = studio._reply_to_action("optimise", {"unit": "conv2:2"})
    assert (busy["ok"], busy["code"]) == (False, "inputs")
    studio._reply_to_action("cancel", {})
    until(studio, "cancelled")
    studio._optimiser.wait_until_idle(10)
    assert studio.z is before
    studio._reply_to_action("optimise", {"unit": "conv2:2", "steps": 1})
    assert until(studio, "done")[0]["unit"] == "conv2:2"


def test_the_figures_of_units_are_not_sent_again(studio):
    units = studio.units
    studio._reply_to_action("optimise", {"unit": "conv2:0", "steps": 1})
    until(studio, "done")
    studio._optimiser.wait_until_idle(10)
    assert studio.units is units


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"unit": "conv2:99"}, "unknown-unit"),
        ({"unit": "conv9:0"}, "unknown-unit"),
        ({"each": 0}, "inputs"),
        ({"steps": 10**9}, "inputs"),
        ({"how": "magic"}, "unknown-unit"),
    ],
)
def test_what_cannot_be_made_is_named(studio, change, code):
    facts, _ = studio._reply_to_action("optimise", {"unit": "conv2:0", "steps": 2} | change)
    if facts["ok"]:
        facts = until(studio, "failed")[0]["failure"]
    assert facts["code"] == code


def test_readers_and_kernels_without_torch_are_told(z, studio, monkeypatch):
    reader = Studio(z, read_only=True)
    assert reader._reply_to_action("optimise", {"unit": "conv2:0"})[0]["code"] == "read-only"

    def missing(name):
        raise ImportError(name, name="torch")

    monkeypatch.setattr(live, "import_module", missing)
    facts, _ = studio._reply_to_action("optimise", {"unit": "conv2:0"})
    assert facts["code"] == "network"
    assert threading.active_count() < 20
