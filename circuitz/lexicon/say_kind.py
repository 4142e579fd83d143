"""What a person says a concept is to a class, laid over a lexicon."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

from circuitz.lexicon.concept import Category, override_source, require_kind
from circuitz.lexicon.lexicon import Lexicon
from circuitz.lexicon.support import told_categories
from circuitz.lexicon.word_forms import phrase_key

_INSIDE = ("part", "attribute")


def with_kind_said(
    lexicon: Lexicon, concept: str, kind: str, subject: str = "", author: str = ""
) -> Lexicon:
    """Return a lexicon in which a person says what a concept is.

    Parameters
    ----------
    lexicon
        What is known so far.
    concept
        A concept of it, or any word.
    kind
        ``part``, ``attribute``, ``surroundings``, ``artefact`` or ``low-level``.
    subject
        The class it is that of: a part of a digit. Empty: of whatever has such a thing.
    author
        Who says so.

    Raises
    ------
    LexiconError
        If there is no such kind, or no such word.
    """
    require_kind(kind)
    fields: dict[str, Any] = {"kind": kind}
    if subject.strip():
        lexicon, thing = _with_category_of(lexicon, subject.strip(), author)
        fields |= lists_of_owners(lexicon, concept, kind, thing)
    return lexicon.with_override(concept, author=author, **fields)


def lists_of_owners(
    lexicon: Lexicon, concept: str, kind: str, thing: str
) -> dict[str, tuple[str, ...]]:
    """Return whose part a concept is, and what it is only found beside, with ``thing`` put right.

    What is low-level belongs to nothing, and is beside nothing.
    """
    name = lexicon.resolve(concept)
    owners = lexicon.concepts[name].part_of if name else ()
    beside = lexicon.concepts[name].context_of if name else ()
    part_of = tuple(other for other in owners if other != thing)
    context_of = tuple(other for other in beside if other != thing)
    if kind in _INSIDE:
        part_of = (*part_of, thing)
    elif kind != "low-level":
        context_of = (*context_of, thing)
    return {"part_of": part_of, "context_of": context_of}


def _with_category_of(lexicon: Lexicon, subject: str, author: str) -> tuple[Lexicon, str]:
    """Return a lexicon that has a category or member for a class, and its name there."""
    key = phrase_key(subject)
    for category in lexicon.categories.values():
        for thing in (category.name, *category.members):
            if phrase_key(thing) == key:
                return lexicon, thing
    above = next(iter(told_categories(subject, lexicon.categories)), "")
    made = Category(subject, is_a=above, source=override_source(author))
    categories = MappingProxyType({**lexicon.categories, subject: made})
    return replace(lexicon, categories=categories), subject
