"""A z whose every text tries to become part of the page, in JupyterLab and in Voila."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

import circuitz as cz
from circuitz.data.worlds.dog_world import make_dogs
from circuitz.models.zoo.builders import build
from circuitz.models.zoo.training import Recipe, fit
from circuitz.z.finding import Waiver
from circuitz.z.layer import Preprocessing

pytestmark = [pytest.mark.browser, pytest.mark.slow]

IMAGE = "<img src=x onerror=window.pwned=1>"
SCRIPT = "<script>window.pwned=2</script>"
DRAWING = "<svg/onload=window.pwned=3>"
LINK = "[press](javascript:window.pwned=4)"
BREAK = "\"'><b id=pwned>"
CLOSING = "</script></style><b id=pwned>"
TEMPLATE = "{{7*7}}${7*7}"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Path:
    """A bundle with such texts wherever a person can put one."""
    data = make_dogs("D", 130, seed=0)
    concepts = make_dogs("concepts", 200, seed=1)
    classes = (IMAGE, SCRIPT, DRAWING, LINK, BREAK, CLOSING)
    data = replace(data, classes=classes)
    names = list(concepts.concept_names)
    names[:4] = [IMAGE, SCRIPT, BREAK, LINK]
    concepts = replace(concepts, concept_names=tuple(names))
    torch.manual_seed(0)
    net = build("small-cnn", {"classes": 6, "widths": [12, 16, 24, 24]})
    how = Preprocessing()
    rows = np.flatnonzero(data.split == 0)
    fit(net, data.images[rows], data.labels[rows], how, Recipe(epochs=8, seed=0))
    z = cz.wrap(
        net,
        data,
        layers=["conv4"],
        classes=classes,
        preprocess=how,
        subject=BREAK,
        name=f"a {IMAGE}{CLOSING}",
    )
    z = cz.measure(z, concepts, data, pictures=False, images=36)
    texts = (IMAGE, SCRIPT, DRAWING, LINK, BREAK, CLOSING, TEMPLATE, "snow " + IMAGE)
    for row, text in enumerate(texts):
        z = z.annotate(f"conv4:{row}", text, author=f"{SCRIPT}{BREAK}{row}")
    z = cz.measure(z, pictures=False, images=36)
    report = cz.check(z)
    waived = (Waiver(report.findings[0].id, IMAGE, f"{SCRIPT}{BREAK}", "2026-01-01T00:00:00Z"),)
    z = z.with_(
        what=IMAGE, waivers=waived, story=f"# {IMAGE}\n{SCRIPT}\n{LINK}", notes={IMAGE: SCRIPT}
    )
    return z.save(tmp_path_factory.mktemp("hostile") / "hostile.z")


def test_texts_stay_texts(page, watch, hostile, opened):
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    screen = opened(page, hostile)
    expect(screen).to_contain_text(f"a {IMAGE}{CLOSING}")
    inspector = screen.locator(".cz-inspector")
    # Every unit's words, letter for letter.
    for row, text in enumerate((IMAGE, SCRIPT, DRAWING, LINK, BREAK, CLOSING, TEMPLATE)):
        page.keyboard.press("/")
        page.keyboard.press("Control+a")
        page.keyboard.type(f"conv4:{row}")
        page.keyboard.press("Enter")
        expect(inspector).to_have_attribute("data-unit", f"conv4:{row}")
        expect(inspector.locator("h3")).to_have_text(f"conv4:{row}{text}")
        expect(inspector).to_contain_text(f"{SCRIPT}{BREAK}{row}")
        harmless(page, dialogs)
    # Its concepts, its classes, its findings.
    expect(inspector).to_contain_text(SCRIPT)
    page.keyboard.press("2")
    expect(screen.locator(".cz-finding[data-finding]").first).to_be_visible()
    expect(screen.locator(".cz-finding-list")).to_contain_text(IMAGE)
    harmless(page, dialogs)
    page.keyboard.press("f")
    harmless(page, dialogs)
    page.keyboard.press("3")
    for name in (IMAGE, SCRIPT, DRAWING, LINK, BREAK, CLOSING):
        expect(screen.locator(".cz-panel")).to_contain_text(name)
    harmless(page, dialogs)
    # What is typed now, and who types it.
    page.keyboard.press("1")
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type(f"{IMAGE} {DRAWING}")
    page.keyboard.press("Enter")
    expect(inspector.locator("h3")).to_contain_text(f"{IMAGE} {DRAWING}")
    harmless(page, dialogs)
    watch.check()


def test_a_visitors_name_and_the_pages_before_the_screen(page, watch, hostile, visitors):
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    server = visitors(hostile)
    page.goto(f"{server.url}&{IMAGE}={SCRIPT}{BREAK}")
    expect(page.locator("main")).to_contain_text(f"Studio: a {IMAGE}{CLOSING}")
    harmless(page, dialogs)
    page.keyboard.type(f"{IMAGE}{BREAK}")
    page.keyboard.press("Enter")
    expect(page.locator(".cz-studio")).to_contain_text(f"{IMAGE}{BREAK}"[:60])
    harmless(page, dialogs)
    with watch.outage():  # the browser remarks on refusals
        page.goto(f"{server.base}{SCRIPT}{IMAGE}?token={server.token}")
        harmless(page, dialogs)
        page.context.clear_cookies()
        page.goto(f"{server.base}login?next={BREAK}{IMAGE}javascript:window.pwned=5")
        expect(page.get_by_label("Token")).to_be_visible()
        harmless(page, dialogs)
        page.goto(f"{server.base}login?next=//evil.example/")
        # Keys that are pressed before the field has the focus are lost.
        expect(page.get_by_label("Token")).to_be_focused()
        page.keyboard.type(server.token)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Who is looking?")).to_be_visible()
    assert page.url.startswith(server.base)
    watch.check()


def harmless(page, dialogs) -> None:
    assert page.evaluate("typeof window.pwned") == "undefined"
    assert page.locator("#pwned").count() == 0
    assert dialogs == []


def test_the_page_itself_forbids_what_is_not_its_own(visitors, hostile):
    server = visitors(hostile, "--author", "mira")
    import urllib.request

    request = urllib.request.Request(server.url)
    with urllib.request.urlopen(request, timeout=60) as answer:
        rules = answer.headers["Content-Security-Policy"]
        assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "default-src 'self'" in rules
    assert "frame-ancestors 'self'" in rules
    assert "http" not in rules
