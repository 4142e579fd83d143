"""What ``circuitz serve`` hands on."""

from __future__ import annotations

import io
import sqlite3

import pytest
from PIL import Image
from typer.testing import CliRunner

from circuitz.cards.card import Card, ClassEntry
from circuitz.cli.shell import app
from circuitz.errors import BundleError, LabellingError, ServeError, StoreError
from circuitz.labelling.tasks.pack import Question, TaskPack
from circuitz.labelling.tasks.pack_io import write_pack
from circuitz.widgets.serving import voila

runner = CliRunner()


@pytest.fixture
def asked(monkeypatch) -> dict:
    """What the server would have been started with."""
    found: dict = {}

    def serve(notebook, **wishes) -> int:
        found.update(wishes, notebook=notebook)
        return 0

    monkeypatch.setattr(voila, "serve_notebook", serve)
    monkeypatch.setattr(voila, "find_shipped_notebook", lambda name: name)
    return found


def run(*arguments) -> None:
    import circuitz.cli  # noqa: F401 - registers the commands

    done = runner.invoke(app, ["serve", *map(str, arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output


@pytest.fixture
def bundle(tmp_path):
    from circuitz.z.model import AnnotatedModel

    return AnnotatedModel("small", ("a", "b")).save(tmp_path / "small.z")


def test_the_studio_asks_for_names_and_shows_one_z(asked, bundle):
    run(bundle, "--no-browser", "--max-visitors", 3, "--idle", 60)
    assert asked["notebook"] == voila.STUDIO
    assert asked["env"]["CIRCUITZ_Z"] == str(bundle)
    assert asked["env"]["CIRCUITZ_READ_ONLY"] == ""
    assert (asked["ask_name"], asked["open_browser"]) == (True, False)
    assert (asked["most_visitors"], asked["idle"]) == (3, 60)
    assert asked["title"] == "Studio: small"
    assert asked["base_url"] == "/"
    run(bundle, "--base-url", "/user/ada/proxy/8866/", "--name", "hub.example.org")
    assert asked["base_url"] == "/user/ada/proxy/8866/"
    assert asked["names"] == ["hub.example.org"]


def test_a_given_author_and_reading_alone_ask_nobody(asked, bundle):
    run(bundle, "--author", "mira")
    assert (asked["ask_name"], asked["env"]["CIRCUITZ_AUTHOR"]) == (False, "mira")
    run(bundle, "--read-only")
    assert (asked["ask_name"], asked["env"]["CIRCUITZ_READ_ONLY"]) == (False, "1")


@pytest.fixture
def pack(tmp_path):
    """A task pack made by hand."""
    entries = tuple(ClassEntry(name, ()) for name in ("a", "b"))
    question = Question("q" * 16, "i" * 32, "ask", "1.png", "pictures/1.png")
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    made = TaskPack(
        name="What is it?", card=Card(entries, "", "z" * 32), questions=(question,), seed=0,
        overlap=1, guidelines="Look.", pictures={"pictures/1.png": buffer.getvalue()},
    )  # fmt: skip
    return write_pack(made, tmp_path / "pack")


def test_a_task_pack_and_its_store_reach_the_labelling_notebook(asked, pack, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("--tasks", "pack", "--store", "answers.sqlite")
    assert asked["notebook"] == voila.LABEL
    assert asked["env"]["CIRCUITZ_TASKS"] == str(pack)
    assert asked["env"]["CIRCUITZ_STORE"] == str(tmp_path / "answers.sqlite")
    run("--tasks", "pack", "--store", "sqlite:///answers.sqlite")
    assert asked["env"]["CIRCUITZ_STORE"] == str(tmp_path / "answers.sqlite")
    run("--tasks", "pack")
    assert asked["env"]["CIRCUITZ_STORE"] == str(tmp_path / "pack.sqlite")
    assert asked["ask_name"]


@pytest.mark.parametrize(
    ("store", "told"),
    [
        ("postgresql://me:secret@host/answers", "postgresql://… by this version"),
        ("postgres://host/answers", "postgres://… by this version"),
        ("mysql+pymysql://host/answers", "by this version"),
        ("sqlite://answers.sqlite", "three slashes"),
        ("text.sqlite", "not a database"),
        ("other.sqlite", "another program"),
        ("text.sqlite/answers.sqlite", "cannot be made"),
    ],
)
def test_a_store_that_cannot_be_used_is_told_before_a_screen_opens(
    store, told, asked, pack, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.sqlite").write_text("This is no database, and long enough to tell.\n" * 9)
    with sqlite3.connect(tmp_path / "other.sqlite") as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(StoreError, match=told) as error:
        run("--tasks", pack, "--store", store)
    assert "secret" not in str(error.value)
    assert asked == {}


def test_a_pack_that_cannot_be_used_is_told_before_a_screen_opens(asked, pack):
    (pack / "card.json").write_text("{}")
    with pytest.raises(BundleError, match=r"card\.json"):
        run("--tasks", pack)
    (pack / "tasks.json").unlink()
    with pytest.raises(LabellingError, match="no task pack"):
        run("--tasks", pack)
    assert asked == {}


def test_what_does_not_go_together_is_refused(asked, tmp_path, bundle, pack):
    with pytest.raises(ServeError, match="no task pack"):
        run("--tasks", tmp_path / "none")
    with pytest.raises(ServeError, match="two screens"):
        run(bundle, "--tasks", pack)
    with pytest.raises(ServeError, match="there to write"):
        run("--tasks", pack, "--read-only")
    with pytest.raises(ServeError, match="answers to a task pack"):
        run(bundle, "--store", "answers.sqlite")
