"""Entries of a lexicon as plain values: to read and hash them, to write them, to lay over others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from circuitz.errors import LexiconError
from circuitz.lexicon.concept import (
    DEFAULT_SOURCE,
    Category,
    Concept,
    override_source,
    require_kind,
)
from circuitz.lexicon.read_yaml import Layer, parse_lexicon_layer
from circuitz.lexicon.word_forms import phrase_key


def _fields_to_hash(entry: Concept | Category) -> dict[str, Any]:
    """Return what an entry says, whoever says it, in an order of its own."""
    data = asdict(entry)
    del data["source"]
    return {k: sorted(v) if isinstance(v, tuple) else v for k, v in data.items()}


def _fields_to_write(entry: Concept | Category) -> dict[str, Any]:
    """Return the fields of an entry that a file would list."""
    data = asdict(entry)
    return {
        k: list(v) if isinstance(v, tuple) else v
        for k, v in data.items()
        if v and k not in ("name", "source")
    }


def hash_of_entries(
    concepts: Mapping[str, Concept],
    categories: Mapping[str, Category],
    shipped: str,
    forgotten: Iterable[str],
) -> str:
    """Return the hash of what a lexicon says; ``shipped`` is that of WordNet and the table."""
    content = {
        "concepts": {n: _fields_to_hash(c) for n, c in concepts.items()},
        "categories": {n: _fields_to_hash(c) for n, c in categories.items()},
        "wordnet": shipped,
        "forgotten": sorted(" ".join(phrase_key(name)) for name in forgotten),
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def text_of_entries(
    concepts: Mapping[str, Concept],
    categories: Mapping[str, Category],
    wordnet: bool,
    forgotten: Iterable[str],
) -> str:
    """Return a whole lexicon as YAML."""
    data: dict[str, Any] = {
        "version": 1,
        "extends": "none",
        "wordnet": wordnet,
        "categories": {n: _fields_to_write(c) for n, c in categories.items()},
        "concepts": {
            **{n: _fields_to_write(c) for n, c in concepts.items()},
            **dict.fromkeys(sorted(forgotten)),
        },
    }
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)


def concepts_as_layer(concepts: Mapping[str, Concept]) -> Layer:
    """Return concepts as a layer that others can be laid over."""
    layer = Layer("lexicon")
    for name, concept in concepts.items():
        data = asdict(concept)
        layer.concepts[name] = {k: v for k, v in data.items() if k not in ("name", "source")}
    return layer


def layer_of_override(name: str, entry: str, author: str, **fields: Any) -> Layer:
    """Return what a person says of a concept as a layer; fields that are ``None`` are not said.

    Parameters
    ----------
    name, entry
        The concept as it is written, and the entry it names; empty for none.
    author
        Who says so.
    """
    if not phrase_key(name):
        raise LexiconError(f"{name!r} is no name.", "Use a word.")
    if fields["kind"] is not None:
        require_kind(fields["kind"])
    layer = Layer(override_source(author), adds_synonyms=True)
    plain = ("kind", "is_a")
    layer.concepts[entry or name] = {
        field: value if field in plain else tuple(value)
        for field, value in fields.items()
        if value is not None
    }
    return layer


@lru_cache(maxsize=1)
def shipped_layer() -> Layer:
    """Return the entries that are shipped."""
    text = files("circuitz.lexicon").joinpath("default.yaml").read_text(encoding="utf-8")
    return parse_lexicon_layer(text, DEFAULT_SOURCE)


def read_lexicon_file(path: Path) -> str:
    """Return the text of a lexicon file; an error says why it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise LexiconError(
            f"The lexicon {path} cannot be read: {reason}.", "Check the path."
        ) from error


def write_lexicon_file(path: Path, text: str) -> None:
    """Write the text of a lexicon; an error says why it cannot be written."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LexiconError(
            f"The lexicon cannot be written to {path}: {error.strerror}.", "Choose a path."
        ) from error


def hint_at_nearest(name: str, concepts: Iterable[str]) -> str:
    """Say what to do about a name that has no entry: the nearest ones, or add it."""
    near = get_close_matches(name.lower(), list(concepts), n=3, cutoff=0.75)
    add = (
        "The lexicon is in English; add the word to a file of yours: circuitz concepts add "
        f"{name!r} --kind part --part-of dog --lexicon mine.yaml"
    )
    return f"Did you mean {' or '.join(near)}? {add}" if near else add
