"""What visitors' kernels show, and what they do without."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from circuitz.errors import CircuitzError, LabError, ServeError
from circuitz.widgets.serving import served_page as served
from circuitz.widgets.serving import voila
from circuitz.widgets.studio.studio import Studio

ROOT = Path(__file__).parents[4]


@pytest.fixture
def named(z, tmp_path, monkeypatch) -> Path:
    path = z.save(tmp_path / "shown.z")
    monkeypatch.setenv("CIRCUITZ_Z", str(path))
    monkeypatch.setenv("CIRCUITZ_AUTHOR", "mira")
    return path


def test_a_visitors_kernel_imports_no_torch(named):
    cells = json.loads((ROOT / "notebooks" / "studio.ipynb").read_text())["cells"]
    code = "".join("".join(cell["source"]) + "\n" for cell in cells if cell["cell_type"] == "code")
    heavy = (
        "import sys; print([m for m in ('torch', 'captum', 'transformers') if m in sys.modules])"
    )
    command = [sys.executable, "-c", f"{code}\n{heavy}"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "[]"


def test_the_studio_of_the_named_z_is_written_by_the_visitor(named):
    screen = served.studio_from_environment()
    assert isinstance(screen, Studio)
    assert screen.head["author"] == "mira"
    assert screen.head["path"] == str(named)


def test_read_only_refuses_everything_that_writes(named, monkeypatch):
    monkeypatch.setenv("CIRCUITZ_READ_ONLY", "1")
    screen = served.studio_from_environment()
    assert isinstance(screen, Studio)
    before = {p: p.read_bytes() for p in named.rglob("*") if p.is_file()}
    unit = "conv4:0"
    for action, arguments in (
        ("annotate", {"unit": unit, "text": "snow"}),
        ("undo", {}),
        ("redo", {}),
        ("waive", {"finding": "x", "author": "a", "reason": "b"}),
    ):
        answer, _ = screen._reply_to_action(action, arguments)
        assert (answer["ok"], answer["code"]) == (False, "read-only")
    assert screen._reply_to_action("unit", {"unit": unit})[0]["ok"]
    assert {p: p.read_bytes() for p in named.rglob("*") if p.is_file()} == before


def test_what_cannot_be_shown_is_said_without_markup(monkeypatch, tmp_path):
    monkeypatch.setenv("CIRCUITZ_Z", str(tmp_path / "<img src=x onerror=alert(1)>.z"))
    problem = served.studio_from_environment()
    assert isinstance(problem, served.ErrorNotice)
    assert "<img" in problem.error.message
    assert "<img" not in problem._repr_html_()
    assert "&lt;img" in problem._repr_html_()
    monkeypatch.delenv("CIRCUITZ_Z")
    assert "circuitz serve" in repr(served.studio_from_environment())


def test_a_served_problem_is_an_error_of_ours():
    html = served.ErrorNotice(CircuitzError("a < b", "c & d"))._repr_html_()
    assert "a &lt; b" in html
    assert "c &amp; d" in html


def test_the_notebook_and_its_text_are_one():
    import jupytext

    pair = [jupytext.read(ROOT / "notebooks" / f"studio.{kind}") for kind in ("ipynb", "py")]
    assert [c.source for c in pair[0].cells] == [c.source for c in pair[1].cells]
    assert not any(cell.get("outputs") for cell in pair[0].cells)


def test_impossible_wishes_are_refused_before_anything_starts(tmp_path, monkeypatch):
    page = voila.find_shipped_notebook(voila.STUDIO)
    with pytest.raises(ServeError, match="no notebook"):
        voila.serve_notebook(tmp_path / "none.ipynb", env={})
    with pytest.raises(ServeError, match="too short"):
        voila.serve_notebook(page, env={}, token="")
    with pytest.raises(ServeError, match="was not installed"):
        voila.find_shipped_notebook("none.ipynb")
    monkeypatch.setattr(voila.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(LabError, match="Voila is not installed"):
        voila.serve_notebook(page, env={})


def test_the_environment_is_put_back(monkeypatch):
    monkeypatch.setenv("CZ_THERE", "old")
    monkeypatch.delenv("CZ_NEW", raising=False)
    with voila._temporary_environment({"CZ_THERE": "new", "CZ_NEW": "x"}):
        assert (os.environ["CZ_THERE"], os.environ["CZ_NEW"]) == ("new", "x")
    assert os.environ["CZ_THERE"] == "old"
    assert "CZ_NEW" not in os.environ


def test_pages_name_no_other_server():
    for file in (voila.TEMPLATES / "voila" / "templates" / "circuitz").iterdir():
        text = file.read_text()
        assert "http://" not in text, file
        assert "https://" not in text, file
