"""The Python printed in README and docs runs, in the order it is printed."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from circuitz.z.bundle.data_ref import DataRef
from circuitz.z.bundle.inputs_io import write_inputs

ROOT = Path(__file__).resolve().parents[3]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.S | re.M)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
PAGES = (
    "docs/start.md",
    "docs/how-to/annotate.md",
    "docs/how-to/directions.md",
    "docs/how-to/features.md",
    "docs/how-to/label.md",
    "docs/how-to/read-a-finding.md",
    "docs/how-to/use-your-own-model.md",
    "docs/concepts/effects.md",
    "docs/reference/lexicon.md",
    "docs/reference/python.md",
)


def blocks(page: str) -> list[tuple[int, str]]:
    """Line number and text of every Python block of a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [(text.count("\n", 0, m.start(1)), m[1]) for m in BLOCK.finditer(text)]


def run(page: str, names: dict[str, Any]) -> dict[str, Any]:
    for line, code in blocks(page):
        # Blank lines put the page's own line numbers into a traceback.
        exec(compile("\n" * line + code, str(ROOT / page), "exec"), names)
    return names


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Everything README's tour left behind, in a folder that then looks like the demo's."""
    folder = tmp_path_factory.mktemp("tour")
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.chdir(folder)
        names = run("README.md", {})
        z = names["z"]
        demo = folder / "circuitz-demo"
        demo.mkdir()
        write_inputs(demo / "D", names["data"])
        z.with_(data_ref=DataRef.referring_to(names["data"], "D"), live=None).save(demo / "husky.z")
        yield names


def test_the_tour_finds_what_it_says_it_finds(told: dict[str, Any]) -> None:
    assert told["worst"].verdict == "flagged"
    assert "snow" in told["worst"].sentence
    assert told["caught"][0].verdict == "flagged"
    assert "snow" in told["caught"][0].sentence
    assert told["back"].hash == told["z"].hash
    assert told["effect"].n > 0
    assert set(told["report"].unexplained) == set(told["data"].classes)


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("name", PAGES)
def test_pages_run_on_what_the_demo_writes(name: str) -> None:
    assert blocks(name)
    run(name, {})


def pages() -> list[str]:
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page.relative_to(ROOT).as_posix() for page in found]


@pytest.mark.parametrize("name", pages())
def test_links_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    own = [link for link in LINK.findall(text) if "://" not in link]
    missing = [link for link in own if not ((ROOT / name).parent / link).exists()]
    assert not missing
