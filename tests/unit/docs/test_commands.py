"""Every command printed in README and docs is one that there is, and the badges are true."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
from typer.main import get_command

import circuitz.cli

ROOT = Path(__file__).resolve().parents[3]
BLOCK = re.compile(r"^```(?:bash|console)\n(.*?)^```$", re.S | re.M)


def printed() -> list[tuple[str, str]]:
    """Page and words of every ``circuitz`` command in a block of commands."""
    found: list[tuple[str, str]] = []
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for block in BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                for part in line.removeprefix("$ ").split("&&"):
                    words = shlex.split(part, comments=True) if "circuitz " in part else []
                    if words[:1] == ["circuitz"]:
                        found.append((page.relative_to(ROOT).as_posix(), shlex.join(words[1:])))
    return found


def without_trust(words: list[str]) -> list[str]:
    """Leave out ``--trust-code NAME``, which may stand anywhere."""
    at = words.index("--trust-code") if "--trust-code" in words else len(words)
    return [*words[:at], *words[at + 2 :]]


@pytest.mark.parametrize(("page", "words"), printed())
def test_a_printed_command_can_be_typed(page: str, words: str) -> None:
    command: Any = get_command(circuitz.cli.app)
    context = click.Context(command, info_name="circuitz")
    rest = without_trust(shlex.split(words))
    if rest[0].startswith("--"):
        return
    # Typer brings a group class of its own, which is none of click's in every version.
    while hasattr(command, "commands"):
        assert rest[0] in command.commands, f"{page}: there is no command {rest[0]!r}"
        command = command.commands[rest.pop(0)]
    # Parses and converts, and runs nothing.
    command.make_context(context.info_name or "", rest, parent=context)


def test_a_command_that_is_none_is_told() -> None:
    command: Any = get_command(circuitz.cli.app)
    assert "nonsense" not in command.commands
    assert {"check", "new", "search"} <= set(command.commands)


def test_help_begins_where_people_do() -> None:
    command: Any = get_command(circuitz.cli.app)
    assert list(command.commands)[:4] == ["demo", "new", "measure", "check"]


def test_there_are_commands() -> None:
    pages = {page for page, _ in printed()}
    assert {"README.md", "docs/how-to/label.md", "docs/how-to/publish.md"} <= pages
    assert len(printed()) > 30


def test_badges_say_what_the_package_says() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    python = (ROOT / "docs/images/badge-python.svg").read_text(encoding="utf-8")
    assert python.count(project["requires-python"].replace(">=", "≥ ")) == 3
    licence = (ROOT / "docs/images/badge-licence.svg").read_text(encoding="utf-8")
    assert licence.count(project["license"]) == 3
