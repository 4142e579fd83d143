"""A name says what it is, and means one thing in the whole package."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import circuitz

PACKAGE = Path(circuitz.__file__).parent
VERBS: list[str] = getattr(circuitz, "__all__", [])
FILES = {
    path.relative_to(PACKAGE).with_suffix("").as_posix(): ast.parse(path.read_text("utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
}
# Participles and pronouns say how a thing came about, not what it is. Locals may have them.
NO_NAMES = {
    "asked", "found", "given", "kept", "known", "lent", "made", "said", "taken", "there", "told",
}  # fmt: skip
# Words that had many meanings as parameters: say which.
NO_PARAMETERS = {
    "where": "place, path, folder, subset or region",
    "how": "intervention, method or preprocessing",
    "known": "concept_set, or what is known",
}
# What a folder of cases is listed by is the name that people type.
PLUG_INS = ("bench/rows/",)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def twice(names: Iterator[tuple[str, str]]) -> dict[str, list[str]]:
    places: dict[str, list[str]] = defaultdict(list)
    for name, file in names:
        places[name].append(file)
    return {name: files for name, files in places.items() if len(files) > 1}


def is_command(name: str, file: str) -> bool:
    """Whether a name in the command line is that of the verb which the command runs."""
    return file == f"cli/{name}" and name in VERBS


def is_overload(function: Function) -> bool:
    """Whether it only tells the types of the function that follows."""
    return any(isinstance(d, ast.Name) and d.id == "overload" for d in function.decorator_list)


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def parameters(function: Function) -> list[str]:
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return [one.arg for one in every if one is not None]


def attributes(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        if isinstance(node, ast.ClassDef):
            for field in node.body:
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    yield field.target.id


def test_a_class_is_defined_once():
    assert not twice(
        (node.name, file)
        for file, tree in FILES.items()
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    )


def test_a_file_name_occurs_once():
    stems = ((file.rsplit("/", 1)[-1], file) for file in FILES)
    assert not twice(
        (stem, file)
        for stem, file in stems
        if not stem.startswith("__")
        and not is_command(stem, file)
        and not file.startswith(PLUG_INS)
    )


def test_a_public_function_is_defined_once():
    assert not twice(
        (node.name, file)
        for file, tree in FILES.items()
        for node in tree.body
        if isinstance(node, Function)
        and not node.name.startswith("_")
        and not is_overload(node)
        and not is_command(node.name, file)
    )


def test_no_room_bears_the_name_of_a_verb():
    rooms = {file.split("/")[0] for file in FILES if "/" in file}
    assert not rooms & set(VERBS)


@pytest.mark.parametrize("file", FILES)
def test_participles_and_pronouns_name_nothing(file: str):
    tree = FILES[file]
    names = {file.rsplit("/", 1)[-1], *attributes(tree)}
    for function in functions(tree):
        names |= {function.name, *parameters(function)}
    assert not {name.strip("_") for name in names} & NO_NAMES


@pytest.mark.parametrize("file", FILES)
def test_a_parameter_says_which_of_its_meanings_it_has(file: str):
    vague = {
        f"{function.name}({name}): {NO_PARAMETERS[name]}?"
        for function in functions(FILES[file])
        for name in parameters(function)
        if name in NO_PARAMETERS
    }
    assert not vague
