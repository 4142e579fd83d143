"""Write a concept or an override into a project's lexicon file, leaving the rest as it stands."""

from __future__ import annotations

import os
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from circuitz.errors import LexiconError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.lexicon.read_yaml import read_layer
from circuitz.lexicon.support import wider
from circuitz.lexicon.word_forms import key


def add_concept(path: Path, name: str, fields: dict[str, Any]) -> Lexicon:
    """Add a concept to a file, which is made where there is none.

    Parameters
    ----------
    path
        YAML file.
    name
        A name no concept has yet.
    fields
        As in a file: ``kind``, ``part_of``, ``synonyms`` …

    Returns
    -------
    Lexicon
        The lexicon as it is now.

    Raises
    ------
    LexiconError
        If there is such a concept, or the result would not hold together; nothing is written.
    """
    text = _read(path)
    known = Lexicon.from_text(text, _source(path))
    if known.resolve(name):
        raise LexiconError(
            f"The lexicon has ‘{known.resolve(name)}’, which ‘{name}’ is a name of.",
            "Use ‘circuitz concepts override’ to say otherwise.",
        )
    text = _with_things(text, fields, known)
    return _write(path, _insert(text, "concepts", f"{_flow(name)}: {_flow(fields)}"))


def add_override(
    path: Path,
    name: str,
    fields: dict[str, Any],
    *,
    author: str,
    reason: str = "",
    replace: bool = False,
) -> Lexicon:
    """Add what a person says of a concept to a file; see :func:`add_concept`.

    Parameters
    ----------
    path, name, fields
        As for :func:`add_concept`; the concept may be there.
    author, reason
        Who says so and why.
    replace
        Take out what others said of the concept before.

    Raises
    ------
    ContradictoryOverridesError
        If it contradicts another person's and is not to replace it; nothing is written.
    LexiconError
        If the result would not hold together.
    """
    text = _read(path)
    known = Lexicon.from_text(text, _source(path))
    name = known.resolve(name) or name
    if name not in known.concepts and "kind" not in fields:
        raise LexiconError(
            f"‘{name}’ is a new concept and needs a kind.", "Pass --kind part, or another."
        )
    text = _with_things(text, fields, known)
    if replace:
        text = _without(text, name)
    record = {"concept": name, **fields, "author": author}
    if reason:
        record["reason"] = reason
    record["time"] = datetime.now(UTC).isoformat(timespec="seconds")
    return _write(path, _insert(text, "overrides", f"- {_flow(record)}"))


def _read(path: Path) -> str:
    if not path.exists():
        return "version: 1\n"
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LexiconError(f"The lexicon {path} cannot be read.", "Check the path.") from error


def _source(path: Path) -> str:
    return f"project lexicon {path.name}"


def _flow(value: Any) -> str:
    plain = (
        {k: list(v) if isinstance(v, tuple) else v for k, v in value.items()}
        if isinstance(value, dict)
        else value
    )
    text = yaml.safe_dump(
        plain, default_flow_style=True, allow_unicode=True, width=10**6, sort_keys=False
    )
    return text.removesuffix("...\n").strip()


def _insert(text: str, section: str, line: str) -> str:
    """Put a line first into a section, with the indent that is there; the section may be new."""
    found = re.search(rf"^{section}:[ \t]*(\{{\}}|\[\]|null|~)?[ \t]*(#.*)?$", text, re.MULTILINE)
    if found is None:
        if re.search(rf"^{section}:", text, re.MULTILINE):
            raise LexiconError(
                f"‘{section}’ is written on one line, which cannot be added to.",
                "Write its entries on lines of their own.",
            )
        return f"{text.rstrip()}\n{section}:\n  {line}\n"
    rest = text[found.end() :]
    after = re.match(r"(?:[ \t]*(?:#.*)?\n)*([ \t]*)(\S)", rest)
    indent = "  "
    if after is not None and (after.group(1) or after.group(2) == "-"):
        indent = after.group(1)
    return f"{text[: found.start()]}{section}:\n{indent}{line}{rest if rest else chr(10)}"


def _with_things(text: str, fields: dict[str, Any], known: Lexicon) -> str:
    """Let there be a category for each thing that WordNet knows and no category has."""
    have = {key(c.name) for c in known.categories.values()}
    have |= {key(m) for c in known.categories.values() for m in c.members}
    for thing in (*fields.get("part_of", ()), *fields.get("context_of", ())):
        if key(thing) in have or not known.wordnet:
            continue
        names, _ = wider(thing, known.categories, True)[0]
        if len(names) > 1:
            above = {"is_a": names[-1] if names[1] not in known.categories else names[1]}
            text = _insert(text, "categories", f"{_flow(thing)}: {_flow(above)}")
            have.add(key(thing))
    return text


def _without(text: str, name: str) -> str:
    """Take the overrides of a concept out: each stands on a line of its own."""
    data = yaml.safe_load(text) or {}
    kept = [o for o in data.get("overrides") or [] if key(str(o.get("concept"))) != key(name)]
    lines = text.splitlines(keepends=True)
    start = next((i for i, at in enumerate(lines) if at.startswith("overrides:")), None)
    if start is None:
        return text
    end = next(
        (i for i in range(start + 1, len(lines)) if re.match(r"[^\s#-]", lines[i])), len(lines)
    )
    block = ["overrides:\n", *(f"  - {_flow(o)}\n" for o in kept)] if kept else []
    return "".join([*lines[:start], *block, *lines[end:]])


def _write(path: Path, text: str) -> Lexicon:
    """Check the text, then put it in place at once."""
    read_layer(text, _source(path))
    made = Lexicon.from_text(text, _source(path))
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return made
