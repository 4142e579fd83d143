"""Script in every text field: it is shown as it was written, and never runs."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from circuitz.cards.card import Card, ClassEntry, Cue, UnitExemplars
from circuitz.demo.husky_report import write_husky_report
from circuitz.plausibility.report import Report
from circuitz.z.effect import Effect
from circuitz.z.finding import Finding, Remedy, Waiver
from circuitz.z.layer import LayerSpec
from circuitz.z.model import AnnotatedModel

pytestmark = pytest.mark.browser

# Each would set window.ran, or ask another machine, if anything took it for more than text.
PAYLOADS = (
    "<script>window.ran=1</script>",
    "<img src=x onerror=window.ran=1>",
    "\"><svg onload=window.ran=1>",
    "' onfocus=window.ran=1 autofocus tabindex=1 x='",
    "</style></title></textarea><script>window.ran=1</script>",
    "--><script>window.ran=1</script><!--",
    "<a href=javascript:window.ran=1>x</a><base href=http://evil.example/>",
    "<link rel=stylesheet href=http://evil.example/a.css><img src=http://evil.example/b>",
    "&lt;script&gt;window.ran=1&lt;/script&gt; &amp; {{ 7777*7 }} {% raw %}",
    "url(http://evil.example/c);x:expression(1)}</style><style>*{background:url(http://evil.example/d)}",
    "[[x]](javascript:window.ran=1) `<iframe srcdoc='<script>parent.ran=1</script>'>",
)  # fmt: skip
ALL = " ".join(PAYLOADS)
# Names of layers hold no colon and no blank.
LAYER = "<img/src=x/onerror=window.ran=1>"


def stories() -> ModuleType:
    """The unit tests of the report know how to make a story without training anything."""
    place = Path(__file__).parents[1] / "unit" / "demo" / "test_husky_report.py"
    spec = importlib.util.spec_from_file_location("stories", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def harmless(page: Page, html: Path) -> str:
    """Open a file, poke at it, and return the text a person sees."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(f"dialog {dialog.message}"))
    page.goto(html.as_uri())
    page.keyboard.press("Tab")
    page.mouse.move(300, 300)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.wait_for_timeout(200)
    assert page.evaluate("window.ran === undefined")
    attributes = page.evaluate(
        "[...document.querySelectorAll('*')].flatMap(e => [...e.attributes].map(a => a.name))"
    )
    assert not [name for name in attributes if name.startswith("on")]
    tags = set(page.evaluate("[...document.querySelectorAll('*')].map(e => e.localName)"))
    assert not tags & {"script", "iframe", "base", "link", "object", "embed", "form"}
    outside = [url for url in asked if not url.startswith(("file:", "data:"))]
    assert outside == []
    return str(page.evaluate("document.body.textContent"))


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("policy", ["with", "without"])
def test_the_written_report(page: Page, watch: Any, tmp_path: Path, policy: str) -> None:
    """Without its content policy too: nothing relies on the browser to refuse."""
    module = stories()
    classes = tuple(f"{payload} {i}" for i, payload in enumerate(PAYLOADS[:6]))
    told = module._story(classes, ALL)
    waiver = Waiver("x", ALL, ALL, ALL)
    husky = told.husky.with_(name=ALL, subject=ALL, story=ALL, notes={ALL: ALL})
    findings = tuple(
        replace(f, sentence=ALL, chain=(ALL,), decide=ALL, kind=f.kind, waiver=waiver)
        for f in told.zstar.findings
    )
    told = replace(told, husky=husky, zstar=told.zstar.with_(findings=findings, subject=ALL))
    place = write_husky_report(told, tmp_path / "report.html")
    if policy == "without":
        text = place.read_text("utf-8")
        bare = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
        assert bare != text
        place.write_text(bare, "utf-8")
    seen = squeezed(harmless(page, place))
    for payload in PAYLOADS:
        assert squeezed(payload) in seen
    assert "54439" not in seen
    watch.check()


def evil_model() -> AnnotatedModel:
    finding = Finding(
        ALL, "implausible-driver", 1, (f"{LAYER}:0",), f"output:{ALL}", "flagged", ALL, 0.5,
        (0.1, 0.9), effects=(Effect((f"{LAYER}:0",), ALL, "sufficiency"),), chain=(ALL,),
        remedies=(Remedy(ALL, ALL, {ALL: ALL}),), decide=ALL, hashes=((ALL, ALL),),
    )  # fmt: skip
    unexplained = replace(finding, id="u", kind="unexplained-effect", verdict="supported")
    waived = replace(finding, id="w", waiver=Waiver("w", ALL, ALL, ALL))
    z = AnnotatedModel(
        ALL,
        (ALL, *PAYLOADS[:3]),
        subject=ALL,
        layers=(LayerSpec(LAYER, 3),),
        cut=(LAYER,),
        bases={f"{LAYER}@{LAYER}": np.ones((2, 3))},
        findings=(finding, unexplained, waived),
        story=ALL,
        notes={ALL: ALL},
        remarks=(ALL,),
    )
    for target in (
        f"{LAYER}:0",
        f"{LAYER}@{LAYER}:1",
        f"output:{ALL}",
        f"group:{LAYER}:1,{LAYER}:2",
    ):
        # An author's name is short: one payload each.
        z = z.annotate(target, ALL, concepts=PAYLOADS[:9], author=PAYLOADS[1], author_kind="model")
    return z


def test_everything_that_shows_itself_in_a_notebook(page: Page, watch: Any, tmp_path: Path) -> None:
    z = evil_model()
    settings = {"split": ALL, "delta": 0.1, "q": 0.05, ALL: ALL}
    report = Report(z.findings, {ALL: (0.2, 0.1, 0.3)}, ALL, settings, {ALL: ALL}, stale=(ALL,))
    cue = Cue(ALL, (ALL,), (f"{LAYER}:0",), 0.5, (UnitExemplars(LAYER, f"{LAYER}:0", (0,)),))
    card = Card(
        (ClassEntry(ALL, (cue, replace(cue, strength=-0.5)), (0.2, 0.1, 0.3)),), ALL, ALL, ALL
    )
    shown = {
        "z": z._repr_html_(),
        "report": report._repr_html_(),
        "card": card._repr_html_(),
        "annotations": z.annotations._repr_html_(),
        "history": z.history()._repr_html_(),
        "findings": report.frame._repr_html_(),
        "units": z.units._repr_html_(),
        "diff": z.diff(AnnotatedModel("m", ("a",)))._repr_html_(),
    }
    for name, html in shown.items():
        assert "<script" not in html.lower()
        place = tmp_path / f"{name}.html"
        # As a notebook shows it: in a page of its own, with nothing between it and the reader.
        place.write_text(f"<!doctype html><meta charset=utf-8><body>{html}</body>", "utf-8")
        seen = squeezed(harmless(page, place))
        if name in ("z", "report", "card"):
            for payload in PAYLOADS:
                assert squeezed(payload) in seen, name
        assert "window.ran" in seen
    watch.check()


def test_the_card_that_is_written_as_text_stays_text() -> None:
    """Markdown: what could become markup or a link is escaped."""
    cue = Cue(ALL, (), (f"{LAYER}:0",), 0.5)
    text = Card((ClassEntry(ALL, (cue,)),), ALL).to_text()
    assert not re.search(r"(?<!\\)[<>\[\]&`]", text)
    assert squeezed(ALL) in text.replace("\\", "")
