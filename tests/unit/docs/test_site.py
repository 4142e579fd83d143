"""The site is built without a warning, holds every page, and asks nobody else for anything."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FETCHED = re.compile(
    r"<(?:script|img|iframe|source|audio|video)\b[^>]*?\bsrc=[\"']?([^\"' >]+)"
    r"|<link\b[^>]*?\bhref=[\"']?([^\"' >]+)",
    re.S,
)
IN_CSS = re.compile(r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(place)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return place


def test_every_page_is_built(site: Path) -> None:
    docs = ROOT / "docs"
    missing = [
        page
        for page in (p.relative_to(docs) for p in docs.rglob("*.md"))
        if not (site / page.with_suffix(".html")).is_file()
    ]
    assert not missing
    assert (
        "circuitz.data.worlds.make_world.make_set" in (site / "reference" / "api.html").read_text()
    )


def test_no_page_fetches_anything_from_elsewhere(site: Path) -> None:
    outside: list[tuple[str, str]] = []
    for page in site.rglob("*.html"):
        for found in FETCHED.findall(page.read_text(encoding="utf-8")):
            address = found[0] or found[1]
            if re.match(r"(?:[a-z]+:)?//", address):
                outside.append((page.name, address))
    for sheet in site.rglob("*.css"):
        for found in IN_CSS.findall(sheet.read_text(encoding="utf-8", errors="replace")):
            address = found[0] or found[1]
            if re.match(r"(?:https?:)?//", address):
                outside.append((sheet.name, address))
    assert not outside


def test_what_a_page_fetches_is_there(site: Path) -> None:
    for page in site.rglob("*.html"):
        for found in FETCHED.findall(page.read_text(encoding="utf-8")):
            address = (found[0] or found[1]).partition("?")[0].partition("#")[0]
            # The page for wrong addresses is served from anywhere, so its own begin at the root.
            base = site if address.startswith("/") else page.parent
            if address and not address.startswith("data:"):
                assert (base / address.lstrip("/")).exists(), (page.name, address)
