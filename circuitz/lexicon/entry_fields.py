"""Entries of a lexicon as plain values: to hash them, to write them, to lay a file over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from circuitz.lexicon.concept import Category, Concept
from circuitz.lexicon.read_yaml import Layer


def fields_to_hash(entry: Concept | Category) -> dict[str, Any]:
    """Return what an entry says, whoever says it, in an order of its own."""
    data = asdict(entry)
    del data["source"]
    return {k: sorted(v) if isinstance(v, tuple) else v for k, v in data.items()}


def fields_to_write(entry: Concept | Category) -> dict[str, Any]:
    """Return the fields of an entry that a file would list."""
    data = asdict(entry)
    return {
        k: list(v) if isinstance(v, tuple) else v
        for k, v in data.items()
        if v and k not in ("name", "source")
    }


def concepts_as_layer(concepts: Mapping[str, Concept]) -> Layer:
    """Return concepts as a layer that others can be laid over."""
    layer = Layer("lexicon")
    for name, concept in concepts.items():
        data = asdict(concept)
        layer.concepts[name] = {k: v for k, v in data.items() if k not in ("name", "source")}
    return layer
