"""Looking closer at a unit, in a kernel that has its network: everything by key."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect

import circuitz as cz
from circuitz.data.worlds.dog_world import make_dogs
from circuitz.models.zoo.builders import build
from circuitz.z.bundle.load_save import load
from circuitz.z.layer import Preprocessing
from circuitz.z.visuals import visuals_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NAMES = ("husky", "corgi", "greyhound", "poodle", "beagle", "terrier")


@pytest.fixture
def runnable(tmp_path: Path) -> Path:
    """A small network that a kernel can build, measured on images; its weights are random."""
    concepts = make_dogs("concepts", 60, seed=1)
    torch.manual_seed(0)
    net = build("small-cnn", {"classes": len(NAMES), "widths": [6, 8, 8, 8]})
    z = cz.wrap(net, layers=["conv4"], classes=NAMES, preprocess=Preprocessing())
    return cz.measure(z, concepts).save(tmp_path / "dogs.z")


def test_a_unit_is_looked_into_closer_by_key(page, watch, visitors, runnable):
    page.goto(visitors(runnable, "--author", "mira").url)
    screen = page.locator(".cz-studio")
    expect(screen).to_be_visible()
    unit = screen.locator(".cz-inspector").get_attribute("data-unit")

    # Exemplars of each class, and the spectrum.
    screen.get_by_role("button", name="spectrum", exact=True).press("Enter")
    expect(screen.locator("[data-cz=rows-spectrum] .cz-row")).not_to_have_count(0)
    screen.get_by_role("button", name="by class", exact=True).press("Enter")
    expect(
        screen.locator("[data-cz=rows-relevance], .cz-inspector .cz-faint").first
    ).to_be_visible()
    screen.get_by_role("button", name="most active", exact=True).press("Enter")

    # An exemplar, and what the unit owes to its parts; the network runs in the kernel.
    screen.locator(".cz-tiles").focus()
    page.keyboard.press("x")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    closer = screen.locator("[data-cz=closer]")
    expect(closer.locator("figcaption").nth(1)).to_contain_text("raises the unit")
    closer.get_by_label("Attributed").select_option("husky")
    expect(closer.locator("figcaption").nth(1)).to_contain_text("raises husky")
    page.keyboard.press("Escape")
    expect(closer).to_have_count(0)

    # Inputs optimised for it: previews, then pictures that are in the bundle.
    screen.locator(".cz-tiles").focus()
    page.keyboard.press("v")
    page.keyboard.press("Enter")
    kept = screen.locator("[data-cz=kept] img")
    expect(kept).to_have_count(2)
    expect(kept.first).to_have_js_property("complete", True)
    (made,) = visuals_of(load(runnable), unit)
    assert len(made.pictures) == 2
    watch.check()
