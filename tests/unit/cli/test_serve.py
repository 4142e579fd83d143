"""What ``circuitz serve`` hands on."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from circuitz.cli.shell import app
from circuitz.errors import ServeError
from circuitz.widgets import voila

runner = CliRunner()


@pytest.fixture
def asked(monkeypatch) -> dict:
    """What the server would have been started with."""
    found: dict = {}

    def serve(notebook, **wishes) -> int:
        found.update(wishes, notebook=notebook)
        return 0

    monkeypatch.setattr(voila, "serve", serve)
    monkeypatch.setattr(voila, "notebook", lambda name: name)
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


def test_a_given_author_and_reading_alone_ask_nobody(asked, bundle):
    run(bundle, "--author", "mira")
    assert (asked["ask_name"], asked["env"]["CIRCUITZ_AUTHOR"]) == (False, "mira")
    run(bundle, "--read-only")
    assert (asked["ask_name"], asked["env"]["CIRCUITZ_READ_ONLY"]) == (False, "1")


def test_a_task_pack_and_its_store_reach_the_labelling_notebook(asked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pack").mkdir()
    run("--tasks", "pack", "--store", "answers.sqlite")
    assert asked["notebook"] == voila.LABEL
    assert asked["env"]["CIRCUITZ_TASKS"] == str(tmp_path / "pack")
    assert asked["env"]["CIRCUITZ_STORE"] == str(tmp_path / "answers.sqlite")
    run("--tasks", "pack", "--store", "sqlite:///answers.sqlite")
    assert asked["env"]["CIRCUITZ_STORE"] == str(tmp_path / "answers.sqlite")
    run("--tasks", "pack", "--store", "postgresql://host/answers")
    assert asked["env"]["CIRCUITZ_STORE"] == "postgresql://host/answers"
    assert asked["ask_name"]


def test_what_does_not_go_together_is_refused(asked, tmp_path, bundle):
    with pytest.raises(ServeError, match="no task pack"):
        run("--tasks", tmp_path / "none")
    with pytest.raises(ServeError, match="two screens"):
        run(bundle, "--tasks", tmp_path)
    assert asked == {}
