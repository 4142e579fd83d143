"""The developer page tells of what is there, and a new thing is told of wherever it must be."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import grimp
import pytest
from anywidget import AnyWidget
from typer.main import get_command

import circuitz
from circuitz.bench.checker.facts import CONCEPT_FACTS, FACTS
from circuitz.cli import app
from circuitz.cli.annotations import Format, SourceFormat
from circuitz.errors import BuilderError
from circuitz.models.zoo.builders import build, builder_names
from circuitz.plausibility.rules.kinds import RULES
from circuitz.widgets.studio.studio import Studio
from circuitz.z.formats.annotation_row import FORMATS, READ_FORMATS

ROOT = Path(__file__).resolve().parents[3]
PATH = re.compile(r"(?:circuitz|widgets|tests|docs)/[\w./-]*")
FUNCTION = re.compile(r"((?:\w+\.)*\w+)\(\)")
DEFINITION = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
# At the top of a screen's file, or a member of the class above it.
ON_SCREEN = re.compile(
    r"^(?:export )?(?:class|function) (\w+)|^  (?:private |readonly |async )*(\w+)(?:\(| = \()",
    re.M,
)


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def defined_in(path: str) -> Iterator[str]:
    """Names of classes and functions, and of members as ``Class.member``."""
    owner = ""
    if not path.endswith(".py"):
        for top, member in ON_SCREEN.findall(read(path)):
            owner = top or owner
            yield top or f"{owner}.{member}"
        return
    for node in ast.parse(read(path)).body:
        if isinstance(node, DEFINITION):
            yield node.name
            for member in node.body:
                if isinstance(member, DEFINITION):
                    yield f"{node.name}.{member.name}"
                if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name):
                    yield f"{node.name}.{member.target.id}"


def spoken_of() -> list[tuple[str, str]]:
    """Each path of the developer page, and each function with the path before it."""
    found: list[tuple[str, str]] = []
    path = ""
    for span in re.findall(r"`([^`\n]+)`", read("docs/developer.md")):
        if PATH.fullmatch(span):
            path = span
            found.append((path, ""))
        elif match := FUNCTION.fullmatch(span):
            found.append((path, match[1]))
    return found


@pytest.mark.parametrize(("path", "name"), dict.fromkeys(spoken_of()))
def test_what_the_page_names_is_there(path: str, name: str) -> None:
    if name.startswith("cz."):
        assert name.removeprefix("cz.") in circuitz.__all__
    elif "NAME" in path:
        assert (ROOT / path).parent.is_dir()
    elif name:
        assert name in set(defined_in(path))
    else:
        assert (ROOT / path).exists()


def test_the_glossary_names_what_is_in_the_code() -> None:
    files = (f.relative_to(ROOT).as_posix() for f in (ROOT / "circuitz").rglob("*.py"))
    known = {name for file in files for name in defined_in(file)}
    columns = (line.split("|")[3] for line in read("docs/glossary.md").splitlines() if "|" in line)
    named = {name for column in columns for name in re.findall(r"`([\w.]+)(?:\(\))?`", column)}
    assert len(named) > 40
    assert not named - known


def rooms() -> list[str]:
    """Return the rooms from the top of the house to the ground."""
    contracts = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    floors = next(contract for contract in contracts if contract["type"] == "layers")
    return [name.strip("()") for name in floors["layers"]]


def test_picture_and_readme_show_the_floors_in_their_order() -> None:
    assert re.findall(r'class="room"[^>]*>(\w+)<', read("docs/images/floors.svg")) == rooms()
    tree = read("README.md").partition("## How the repository is laid out")[2].split("```")[1]
    assert re.findall(r"^  (\w+)/", tree, re.M) == rooms()[::-1]
    imports = grimp.build_graph(
        "circuitz",
        include_external_packages=True,
        exclude_type_checking_imports=True,
        cache_dir=None,
    )
    free = {
        room
        for room in rooms()
        if "torch" not in imports.find_upstream_modules(f"circuitz.{room}", as_package=True)
    }
    assert set(re.findall(r"^  (\w+)/ +·", tree, re.M)) == free
    marked = re.findall(r"<circle.*\n<text[^>]*room[^>]*>(\w+)<", read("docs/images/floors.svg"))
    assert set(marked) == free


@pytest.mark.parametrize("kind", RULES)
def test_a_kind_of_finding_is_complete(kind: str) -> None:
    stem = kind.replace("-", "_")
    assert (ROOT / f"tests/unit/plausibility/rules/test_{stem}.py").exists()
    assert f"\n### `{kind}`\n" in read("docs/concepts/plausibility.md")
    assert f"*{kind}*" in read("docs/how-to/read-a-finding.md")
    assert kind in {**FACTS, **CONCEPT_FACTS}


@pytest.mark.parametrize("name", builder_names())
def test_a_shipped_network_can_be_built(name: str) -> None:
    with pytest.raises(BuilderError, match="cannot be built from"):
        build(name, {"no such argument": 1})


def commands(group: Any, words: str = "circuitz") -> Iterator[str]:
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, f"{words} {name}")
    if not hasattr(group, "commands"):
        yield words


@pytest.mark.parametrize("words", list(commands(get_command(app))))
def test_every_command_is_in_the_reference(words: str) -> None:
    page = read("docs/reference/cli.md")
    assert re.search(rf"`(?:circuitz )?{words.removeprefix('circuitz ')}\b", page)


def test_every_format_of_words_can_be_asked_for() -> None:
    assert set(FORMATS) == set(Format) - {"auto"}
    assert set(READ_FORMATS) == set(SourceFormat) - {"auto"}


def test_screen_and_python_know_the_same() -> None:
    traits = set(Studio.class_traits(sync=True)) - set(AnyWidget.class_traits(sync=True))
    shape = read("widgets/src/studio/studio_payload.ts").partition("interface Traits {")[2]
    assert set(re.findall(r"^  (\w+):", shape.partition("}")[0], re.M)) == traits - {"_esm", "_css"}
    source = "".join(
        file.read_text("utf-8")
        for file in (ROOT / "widgets/src").rglob("*.ts*")
        if "labelling" not in file.parts
    )
    answered = set(Studio._handlers_by_action(MagicMock()))
    asked = re.findall(r'(?:link\.request|this\.act|this\.ask|useAsked)\("(\w+)"', source)
    assert set(asked) <= answered
    assert answered <= set(re.findall(r'"(\w+)"', source))
