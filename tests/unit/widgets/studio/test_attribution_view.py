"""One image, looked at closer, as the screen asks for it."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from circuitz.data.text.induction_model import load_shipped_induction_model
from circuitz.data.text.repeating_sequences import attention_pairs, make_repeating_sequences
from circuitz.data.worlds.dog_world import make_dogs
from circuitz.effects.attribution.attribute import attribute
from circuitz.measurement.measure import measure
from circuitz.models.zoo.builders import build
from circuitz.widgets.studio import live_network as live
from circuitz.widgets.studio.studio import Studio
from circuitz.wrapping.wrap import wrap


@pytest.fixture(scope="module")
def seen():
    """A studio over a small network that can be run."""
    torch.manual_seed(0)
    concepts = make_dogs("concepts", 12, seed=1)
    net = build("small-cnn", {"classes": 6, "widths": [4, 6, 6, 6]})
    names = ("husky", "corgi", "greyhound", "poodle", "beagle", "terrier")
    z = wrap(net, concepts, layers=["conv3", "conv4"], classes=names)
    return Studio(z.with_(concept_set=concepts))


@pytest.fixture(scope="module")
def read():
    """A studio over a small transformer."""
    z = wrap(
        load_shipped_induction_model("induction"),
        make_repeating_sequences(400),
        subject="letter",
        name="induction",
    )
    return Studio(measure(z, attention_pairs(30), images=24, donors=1))


def answer(studio, action, **arguments):
    facts, blobs = studio._reply_to_action(action, json.loads(json.dumps(arguments)))
    json.dumps(facts, allow_nan=False)
    return facts, blobs


@pytest.mark.parametrize(("target", "asked"), [("", "conv4:3"), ("husky", "output:husky")])
def test_a_unit_or_a_class_is_drawn_over_the_image(seen, target, asked):
    facts, blobs = answer(
        seen, "attribute", unit="conv4:3", image=5, target=target, method="gradient"
    )
    assert facts["ok"]
    assert facts["target"] == asked
    found = attribute(seen.z, [5], asked, "gradient")
    up = found.values.clip(min=0).sum() / np.abs(found.values).sum()
    assert facts["raises"] == pytest.approx(up, abs=1e-5)
    shown = {name: np.asarray(Image.open(io.BytesIO(png))) for name, png in blobs.items()}
    assert (shown["input"] == found.images[0]).all()
    raises, lowers = found.values[0] > 0, found.values[0] < 0
    plain = (shown["raises"] == shown["lowers"]).all(2)
    # What raises is drawn in one picture, what lowers in the other; nothing in both.
    assert not (plain & (np.abs(found.values[0]) > np.abs(found.values[0]).max() / 4)).any()
    grey = found.pictures("lowers")[0][raises]
    assert (np.ptp(grey.astype(int), axis=1) == 0).all()
    assert (np.ptp(found.pictures("raises")[0][lowers].astype(int), axis=1) == 0).all()
    compile(facts["python"], "cell", "eval")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"image": 12}, "inputs"),
        ({"image": -1}, "inputs"),
        ({"target": "cat"}, "unknown-unit"),
        ({"method": "guess"}, "inputs"),
        ({"method": "grad-cam"}, "unknown-unit"),
        ({"unit": "conv4:99"}, "unknown-unit"),
    ],
)
def test_what_cannot_be_attributed_is_named(seen, change, code):
    asked = {"unit": "conv4:0", "image": 0, "target": "", "method": "gradient"} | change
    facts, blobs = answer(seen, "attribute", **asked)
    assert (facts["ok"], facts["code"], blobs) == (False, code, {})


def test_a_head_comes_with_where_it_looks_and_what_it_writes(read):
    unit = "blocks.1.attn.hook_z:2"
    facts, blobs = answer(read, "pattern", unit=unit, image=3)
    t = len(facts["tokens"])
    pattern = np.frombuffer(blobs["pattern"], "<f4").reshape(t, t)
    query, key = facts["focus"]
    measured = read.z.measurements.layers["blocks.1.attn.hook_z"].responses[3, 2]
    assert pattern[query, key] == pytest.approx(measured, abs=1e-5)
    writes, _ = answer(read, "writes", unit=unit, image=3)
    changes = [row["change"] for row in writes["raises"]]
    assert changes == sorted(changes, reverse=True)
    assert min(changes) > 0 > max(row["change"] for row in writes["lowers"])
    assert writes["inputs"] == 1
    assert answer(read, "writes", unit=unit)[0]["inputs"] > 1
    for found in (facts, writes):
        compile(found["python"], "cell", "eval")


def test_images_have_no_pattern_and_tokens_no_attribution(seen, read):
    assert answer(seen, "pattern", unit="conv4:0", image=0)[0]["code"] == "layer"
    assert answer(seen, "writes", unit="conv4:0")[0]["code"] == "layer"
    asked = answer(read, "attribute", unit="blocks.0.attn.hook_z:0", image=0)
    assert asked[0]["code"] == "inputs"


def test_without_torch_the_screen_says_so(seen, monkeypatch):
    def missing(name):
        raise ImportError(name, name="torch")

    monkeypatch.setattr(live, "import_module", missing)
    for action, more in (("attribute", {"image": 0}), ("pattern", {"image": 0}), ("writes", {})):
        facts, _ = answer(seen, action, unit="conv4:0", **more)
        assert facts["code"] == "network"
        assert "torch is not installed" in facts["message"]
        assert "pip install" in facts["hint"]
