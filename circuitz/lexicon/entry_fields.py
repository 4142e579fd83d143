"""Entries of a lexicon as plain values: to hash them, to write them, to lay a file over them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import yaml

from circuitz.errors import LexiconError
from circuitz.lexicon.concept import KINDS, OVERRIDE_SOURCE, Category, Concept
from circuitz.lexicon.read_yaml import Layer
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
    if fields["kind"] is not None and fields["kind"] not in KINDS:
        raise LexiconError(
            f"There is no kind ‘{fields['kind']}’.", f"Kinds are {', '.join(KINDS)}."
        )
    source = f"{OVERRIDE_SOURCE} by {author}" if author else OVERRIDE_SOURCE
    layer = Layer(source, adds_synonyms=True)
    plain = ("kind", "is_a")
    layer.concepts[entry or name] = {
        field: value if field in plain else tuple(value)
        for field, value in fields.items()
        if value is not None
    }
    return layer
