"""The circuit of a class on the screen: drawn, walked by key, held, and where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect

import circuitz as cz
from circuitz.data.worlds.dog_world import make_dogs
from circuitz.models.zoo.builders import build
from circuitz.models.zoo.training import Recipe, fit
from circuitz.z.bundle.load_save import load
from circuitz.z.layer import Preprocessing

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SCREEN = ".cz-studio"


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """A small network that a kernel can build, with the circuit of one class."""
    data, concepts = make_dogs("D", 40, seed=0), make_dogs("concepts", 120, seed=1)
    torch.manual_seed(0)
    net = build("small-cnn", {"classes": len(data.classes), "widths": [8, 12, 12, 12]})
    fit(net, data.images, data.labels, Preprocessing(), Recipe(epochs=6, seed=0))
    z = cz.wrap(
        net, data, layers=["conv3", "conv4"], classes=data.classes, preprocess=Preprocessing()
    )
    z = cz.propose(cz.measure(z, concepts, images=60, pictures=False))
    z = z.with_graph(cz.graph(z, "husky", images=60, resamples=50))
    return z.save(tmp_path / "husky.z")


def test_a_circuit_is_walked_by_key_and_held(page, watch, visitors, drawn):
    graph = load(drawn).graph("husky").collapse_supernodes()
    page.goto(visitors(drawn, "--author", "mira").url)
    screen = page.locator(SCREEN)
    expect(screen).to_be_visible()
    page.locator(".cz-studio .cz-tiles").focus()
    page.keyboard.press("4")
    nodes = screen.locator(".cz-node")
    expect(nodes).to_have_count(len(graph.nodes))
    shown = nodes.evaluate_all("all => all.map(e => e.dataset.node)")
    assert sorted(shown) == sorted(n.id for n in graph.nodes)
    replacement = f"{round(graph.scores['replacement'] * 100)} %"
    expect(screen.locator(".cz-graph-facts")).to_contain_text(replacement)

    # From the class to what drives it, and that unit opened beside.
    expect(screen.locator('.cz-node[tabindex="0"]')).to_be_focused()
    page.keyboard.press("ArrowLeft")
    here = page.evaluate("document.activeElement.dataset.node")
    node = graph.node(here)
    assert node.layer == "conv4"
    page.keyboard.press("Enter")
    first = (node.members or (node.id,))[0]
    expect(screen.locator(".cz-inspector")).to_have_attribute("data-unit", first)

    # Held as long as the key is down; the network runs in the kernel.
    page.keyboard.down(" ")
    outputs = screen.locator("[data-cz=outputs]")
    expect(outputs).to_have_attribute("data-held", "true")
    expect(outputs).to_contain_text("is held")
    expect(outputs.locator(".cz-output")).to_have_count(len(load(drawn).classes))
    page.keyboard.up(" ")
    expect(outputs).to_have_attribute("data-held", "false")

    # By mouse as well, on another node; letting go is no click.
    box = screen.locator(".cz-node-unit").first.bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    expect(outputs).to_have_attribute("data-held", "true")
    page.mouse.up()
    expect(outputs).to_have_attribute("data-held", "false")
    expect(screen.locator(".cz-inspector")).to_have_attribute("data-unit", first)

    # No circuit: it says how to get one.
    screen.get_by_role("button", name="corgi", exact=True).click()
    expect(screen.locator("[data-cz=graph-empty]")).to_contain_text("has not been measured")
    watch.check()
