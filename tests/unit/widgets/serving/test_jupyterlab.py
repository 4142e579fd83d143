from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from circuitz.errors import BundleError, LabError
from circuitz.widgets.serving import jupyterlab as lab
from circuitz.z.bundle.load_save import load

ROOT = Path(__file__).resolve().parents[4]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture
def path(z, tmp_path):
    return z.save(tmp_path / "work" / "dogs.z")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_stripped_and_their_scripts_say_the_same(notebook):
    cells = json.loads(notebook.read_text())["cells"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
    pair = jupytext.read(notebook.with_suffix(".py"))
    assert [c.source for c in pair.cells] == ["".join(c["source"]) for c in cells]


def test_the_notebook_is_put_next_to_the_z_once(path):
    place = lab.copy_notebook_to_writable_folder(path)
    assert place == path.parent / lab.NOTEBOOK
    assert "jupytext" not in json.loads(place.read_text())["metadata"]
    place.write_text("mine now")
    assert lab.copy_notebook_to_writable_folder(path).read_text() == "mine now"


def test_where_the_z_cannot_be_written_to_the_working_folder_takes_the_notebook(
    path, tmp_path, monkeypatch
):
    real = Path.open

    def refuse(self, *args, **kwargs):
        if self.parent == path.parent and "x" in str(args):
            raise PermissionError(13, "Permission denied")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.chdir(tmp_path)
    assert lab.copy_notebook_to_writable_folder(path) == tmp_path / lab.NOTEBOOK
    monkeypatch.chdir(path.parent)
    with pytest.raises(LabError, match="neither"):
        lab.copy_notebook_to_writable_folder(path)


def test_no_server_starts_for_what_is_no_bundle(tmp_path):
    with pytest.raises(BundleError, match="no bundle"), lab.run_jupyterlab(tmp_path / "none.z"):
        pass
    assert not (tmp_path / lab.NOTEBOOK).exists()


def test_a_server_that_dies_is_a_named_error_with_its_last_words(path, tmp_path):
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\necho port is taken >&2\nexit 3\n")
    fake.chmod(0o755)
    with (
        pytest.raises(LabError, match="port is taken"),
        lab.run_jupyterlab(path, python=str(fake)),
    ):
        pass


def test_the_server_gets_the_z_and_its_token_out_of_sight_and_is_ended(path, tmp_path):
    seen = tmp_path / "seen.json"
    fake = tmp_path / "python"
    server = (
        f"#!{sys.executable}\n"
        "import http.server, json, os, sys\n"
        "port = int([a for a in sys.argv if 'ServerApp.port=' in a][0].split('=')[1])\n"
        f"json.dump([sys.argv, dict(os.environ)], open({str(seen)!r}, 'w'))\n"
        "http.server.HTTPServer(('127.0.0.1', port),"
        " http.server.SimpleHTTPRequestHandler).serve_forever()\n"
    )
    fake.write_text(server)
    fake.chmod(0o755)
    (path.parent / "api").write_text("{}")
    with lab.run_jupyterlab(path, python=str(fake)) as running:
        arguments, environment = json.loads(seen.read_text())
        assert environment["CIRCUITZ_Z"] == str(path)
        assert environment["JUPYTER_TOKEN"] == running.token
        assert not any(running.token in argument for argument in arguments)
        assert "--ServerApp.ip=127.0.0.1" in arguments
        news = Path(environment["JUPYTERLAB_SETTINGS_DIR"], lab._NEWS)
        assert json.loads(news.read_text())["fetchNews"] == "false"
        assert running.url.startswith("http://127.0.0.1:")
    assert running.process.poll() is not None
    assert not news.exists()


@pytest.mark.slow
def test_the_wheel_holds_the_screen_and_the_notebook(tmp_path):
    build = (
        "import sys; from hatchling.builders.wheel import WheelBuilder; "
        "next(WheelBuilder(sys.argv[1]).build(directory=sys.argv[2], versions=['standard']))"
    )
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(
        [sys.executable, "-c", build, str(ROOT), str(tmp_path)],
        check=True,
        env=environment,
        timeout=120,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {f"circuitz/static/{name}" for name in ("studio.js", "studio.css", "LICENSES.txt")}
    assert shipped | {"circuitz/notebooks/01_husky.ipynb", "circuitz/py.typed"} <= names
    assert not [name for name in names if "node_modules" in name or name.startswith("tests")]


def run(notebook: Path, folder: Path) -> nbformat.NotebookNode:
    book = nbformat.read(notebook, as_version=4)
    client = NotebookClient(book, timeout=120, resources={"metadata": {"path": str(folder)}})
    client.execute()
    return book


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom(path, monkeypatch):
    before = load(path).hash
    monkeypatch.setenv("CIRCUITZ_Z", str(path))
    book = run(lab.copy_notebook_to_writable_folder(path), path.parent)
    outputs = [out for cell in book.cells for out in cell.get("outputs", [])]
    assert not [out for out in outputs if out["output_type"] == "error"]
    shown = "\n".join(str(out.get("data", {}).get("text/plain", "")) for out in outputs)
    assert "mislabelled-unit" in shown
    assert "Studio of" in shown
    assert any("application/vnd.jupyter.widget-view+json" in out.get("data", {}) for out in outputs)
    assert load(path).hash == before


@pytest.mark.slow
def test_the_notebook_without_a_z_says_how_to_make_one(path, tmp_path, monkeypatch):
    monkeypatch.delenv("CIRCUITZ_Z", raising=False)
    empty = tmp_path / "a" / "b"
    empty.mkdir(parents=True)
    with pytest.raises(CellExecutionError, match="circuitz demo"):
        run(lab.find_quickstart_notebook(), empty)
