"""A hundred thousand units on the screen: what is not there is fetched, and nothing is left out."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from circuitz.bench.synthetic_z import LAYER, random_annotated_model
from circuitz.widgets.studio.unit_table import UnitTable
from circuitz.z.bundle.load_save import load

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SCREEN = ".cz-studio"
COUNT = 100_000
#: Whether every tile in sight has its pictures.
DRAWN = """() => {
  const box = document.querySelector('.cz-tiles').getBoundingClientRect();
  const all = [...document.querySelectorAll('.cz-tile')].filter((tile) => {
    const at = tile.getBoundingClientRect();
    return at.bottom > box.top && at.top < box.bottom;
  });
  return all.length > 3 && all.every((tile) => {
    const canvas = tile.querySelector('canvas');
    const { data } = canvas.getContext('2d').getImageData(9, 9, 4, 4);
    return data.some((value) => value > 0);
  });
}"""


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A bundle of 100,000 units, made by hand."""
    return random_annotated_model(COUNT, concept_images=60, effect_images=24, annotated=20).save(
        tmp_path / "large.z"
    )


def test_end_search_class_and_words(page, watch, large, visitors):
    page.goto(visitors(large, "--author", "mira").url)
    screen = page.locator(SCREEN)
    expect(screen).to_be_visible()
    inspector = screen.locator(".cz-inspector")
    count = screen.locator("[data-cz=count]")
    expect(count).to_have_text("100,000")
    page.wait_for_function(DRAWN)

    # To the end: unit, effects and pictures follow.
    screen.locator(".cz-tiles").focus()
    page.keyboard.press("End")
    last = f"{LAYER}:{COUNT - 1}"
    expect(inspector).to_have_attribute("data-unit", last)
    page.wait_for_function(DRAWN)
    expect(inspector.locator(".cz-bar-row .cz-bar-value").first).not_to_have_text("–")
    page.locator(".cz-tiles").evaluate("e => { e.scrollTop = e.scrollHeight / 2; }")
    page.wait_for_function(DRAWN)

    # A search finds what was never in sight; a class lists all that drive it, strongest first.
    page.keyboard.press("/")
    page.keyboard.type("conv4:7654")
    expect(count).to_have_text("11 of 100,000")
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    driving = UnitTable(load(large)).drivers("husky", "sufficiency")[0]
    screen.get_by_label("class driven").select_option("husky")
    expect(count).to_have_text(f"{len(driving):,} of 100,000")
    screen.locator(".cz-tiles").focus()
    page.keyboard.press("Home")
    expect(inspector).to_have_attribute("data-unit", f"{LAYER}:{driving[0]}")
    page.wait_for_function(DRAWN)
    expect(screen.locator(".cz-tile[aria-selected=true] .cz-drive")).to_contain_text("husky")

    # Words on a unit far down; they are on disk, and found.
    screen.get_by_role("button", name="clear", exact=True).click()
    screen.locator(".cz-tiles").focus()
    page.keyboard.press("End")
    page.keyboard.press("e")
    page.keyboard.type("grass in a corner")
    page.keyboard.press("Enter")
    tile = screen.locator(f'.cz-tile[data-unit="{last}"]')
    expect(tile.locator(".cz-tile-words")).to_contain_text("grass in a corner")
    assert load(large).effective()[last].text == "grass in a corner"
    page.keyboard.press("/")
    page.keyboard.type("in a corner")
    expect(count).to_have_text("1 of 100,000")

    # What drives each class, by word.
    page.keyboard.press("Escape")
    page.keyboard.press("3")
    sentences = screen.locator(".cz-classes .cz-sentence")
    expect(sentences).to_have_count(4)
    expect(sentences.first).to_contain_text("driven by")
    watch.check()
