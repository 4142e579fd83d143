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
from circuitz.lexicon.read_yaml import parse_lexicon_layer
from circuitz.lexicon.say_kind import with_kind_said
from circuitz.lexicon.support import category_chains
from circuitz.lexicon.word_forms import phrase_key


def add_concept_to_file(
    path: Path, name: str, fields: dict[str, Any], *, apart: bool = False
) -> Lexicon:
    """Add a concept to a file, which is made where there is none.

    Parameters
    ----------
    path
        YAML file.
    name
        A name no concept has yet.
    fields
        As in a file: ``kind``, ``part_of``, ``synonyms`` …
    apart
        The name may be a synonym of some concept, and is one of its own from now on.

    Returns
    -------
    Lexicon
        The lexicon as it is now.

    Raises
    ------
    LexiconError
        If there is such a concept, or the result would not hold together; nothing is written.
    """
    text = _read_or_new_lexicon_text(path)
    known = Lexicon.from_text(text, _project_source_name(path))
    found = known.resolve(name)
    if found and not (apart and phrase_key(found) != phrase_key(name)):
        raise LexiconError(
            f"The lexicon has ‘{found}’, which ‘{name}’ is a name of.",
            "Use ‘circuitz concepts override’ to say otherwise of it, or --apart to make two of them.",
        )
    text = _add_missing_categories(text, fields, known)
    return _check_and_write_lexicon(
        path,
        _insert_line_into_section(
            text, "concepts", f"{_dump_one_line_yaml(name)}: {_dump_one_line_yaml(fields)}"
        ),
    )


def add_override_to_file(
    path: Path,
    name: str,
    fields: dict[str, Any],
    *,
    author: str,
    reason: str = "",
    replace: bool = False,
) -> Lexicon:
    """Add what a person says of a concept to a file; see :func:`add_concept_to_file`.

    Parameters
    ----------
    path, name, fields
        As for :func:`add_concept_to_file`; the concept may be there.
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
    text = _read_or_new_lexicon_text(path)
    known = Lexicon.from_text(text, _project_source_name(path))
    name = known.resolve(name) or name
    if name not in known.concepts and "kind" not in fields:
        raise LexiconError(
            f"‘{name}’ is a new concept and needs a kind.", "Pass --kind part, or another."
        )
    text = _add_missing_categories(text, fields, known)
    if replace:
        text = _remove_overrides_of_concept(text, name)
    record = {"concept": name, **fields, "author": author}
    if reason:
        record["reason"] = reason
    record["time"] = datetime.now(UTC).isoformat(timespec="seconds")
    return _check_and_write_lexicon(
        path, _insert_line_into_section(text, "overrides", f"- {_dump_one_line_yaml(record)}")
    )


def say_kind_in_file(path: Path, name: str, kind: str, subject: str, *, author: str) -> Lexicon:
    """Write into a file what a person says a concept is to a class; see :func:`with_kind_said`.

    What the same author said of it before is taken out.
    """
    text = _read_or_new_lexicon_text(path)
    known = Lexicon.from_text(text, _project_source_name(path))
    fields: dict[str, Any] = {"kind": kind}
    if subject.strip():
        made = with_kind_said(known, name, kind, subject, author)
        new = [c for c in made.categories.values() if c.name not in known.categories]
        for category in new:
            above = {"is_a": category.is_a} if category.is_a else {"members": []}
            line = f"{_dump_one_line_yaml(category.name)}: {_dump_one_line_yaml(above)}"
            text = _insert_line_into_section(text, "categories", line)
        entry = made.concept(name)
        fields |= {"part_of": entry.part_of, "context_of": entry.context_of}
        known = made
    text = _remove_overrides_of_concept(text, known.resolve(name) or name, author)
    record = {"concept": known.resolve(name) or name, **fields, "author": author}
    record["time"] = datetime.now(UTC).isoformat(timespec="seconds")
    return _check_and_write_lexicon(
        path, _insert_line_into_section(text, "overrides", f"- {_dump_one_line_yaml(record)}")
    )


def _read_or_new_lexicon_text(path: Path) -> str:
    if not path.exists():
        return "version: 1\n"
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LexiconError(f"The lexicon {path} cannot be read.", "Check the path.") from error


def _project_source_name(path: Path) -> str:
    return f"project lexicon {path.name}"


def _dump_one_line_yaml(value: Any) -> str:
    plain = (
        {k: list(v) if isinstance(v, tuple) else v for k, v in value.items()}
        if isinstance(value, dict)
        else value
    )
    text = yaml.safe_dump(
        plain, default_flow_style=True, allow_unicode=True, width=10**6, sort_keys=False
    )
    return text.removesuffix("...\n").strip()


def _insert_line_into_section(text: str, section: str, line: str) -> str:
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


def _add_missing_categories(text: str, fields: dict[str, Any], lexicon: Lexicon) -> str:
    """Let there be a category for each thing that WordNet knows and no category has."""
    have = {phrase_key(c.name) for c in lexicon.categories.values()}
    have |= {phrase_key(m) for c in lexicon.categories.values() for m in c.members}
    for thing in (*fields.get("part_of", ()), *fields.get("context_of", ())):
        if phrase_key(thing) in have or not lexicon.wordnet:
            continue
        names, _ = category_chains(thing, lexicon.categories, True)[0]
        if len(names) > 1:
            above = {"is_a": names[-1] if names[1] not in lexicon.categories else names[1]}
            text = _insert_line_into_section(
                text, "categories", f"{_dump_one_line_yaml(thing)}: {_dump_one_line_yaml(above)}"
            )
            have.add(phrase_key(thing))
    return text


def _remove_overrides_of_concept(text: str, name: str, author: str = "") -> str:
    """Take the overrides of a concept out, or one author's: each stands on a line of its own."""
    data = yaml.safe_load(text) or {}
    kept = [
        o
        for o in data.get("overrides") or []
        if phrase_key(str(o.get("concept"))) != phrase_key(name)
        or author not in ("", str(o.get("author", "")))
    ]
    lines = text.splitlines(keepends=True)
    start = next((i for i, at in enumerate(lines) if at.startswith("overrides:")), None)
    if start is None:
        return text
    end = next(
        (i for i in range(start + 1, len(lines)) if re.match(r"[^\s#-]", lines[i])), len(lines)
    )
    block = ["overrides:\n", *(f"  - {_dump_one_line_yaml(o)}\n" for o in kept)] if kept else []
    return "".join([*lines[:start], *block, *lines[end:]])


def _check_and_write_lexicon(path: Path, text: str) -> Lexicon:
    """Check the text, then put it in place at once."""
    parse_lexicon_layer(text, _project_source_name(path))
    made = Lexicon.from_text(text, _project_source_name(path))
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return made
