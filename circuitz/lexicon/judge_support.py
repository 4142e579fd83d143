"""What a lexicon says of a concept and a class: its entries and WordNet asked in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from circuitz.lexicon import judge
from circuitz.lexicon import support as chains
from circuitz.lexicon.combine import (
    confirm_said,
    support_from_wordnet,
    weigh_entry_against_wordnet,
)
from circuitz.lexicon.concept import Category, Concept, Support
from circuitz.lexicon.concept_and_class import ConceptAndClass, take_apart
from circuitz.lexicon.exclusion import orders_of_categories


@dataclass(frozen=True, eq=False)
class Entries:
    """What a lexicon has, as far as a judgement needs it.

    Parameters
    ----------
    concepts, categories
        By name.
    resolve
        From a name to the concept with it; empty for none.
    named_by_last_words
        From a phrase to its last words that name a concept; empty for none.
    wordnet
        WordNet may be asked about the concept.
    """

    concepts: Mapping[str, Concept]
    categories: Mapping[str, Category]
    resolve: Callable[[str], str]
    named_by_last_words: Callable[[str], str]
    wordnet: bool


def judge_support(concept: str, subject: str, entry: Concept | None, entries: Entries) -> Support:
    """Judge a concept for a class; see :meth:`Lexicon.support`."""
    said = chains.judge_support_from_entries(
        entry, concept, subject, entries.concepts, entries.categories, entries.wordnet
    )
    if not entries.wordnet:
        return said
    line = chains.lineage(entry, entries.concepts) if entry is not None else []
    pair = _take_apart(concept, subject, line, entries)
    if entry is not None and any(c.origin != "shipped" for c in line):
        return confirm_said(said, entry, pair)
    orders = (
        frozenset(whole.order for whole in pair.wholes) if pair.categories else frozenset[str]()
    )
    judged = judge.judge_concept_by_wordnet(concept, subject, orders)
    if entry is None:
        return support_from_wordnet(judged, pair)
    return weigh_entry_against_wordnet(said, entry, judged, pair)


def _take_apart(
    concept: str, subject: str, line: list[Concept], entries: Entries
) -> ConceptAndClass:
    """Take a concept and a class apart; ``line`` is its entry and what that is a kind of."""
    told = tuple(chains.told_categories(subject, entries.categories)) if subject else ()
    named = entries.named_by_last_words(concept) or concept
    owned = next((c.part_of for c in line if c.part_of), ())
    above = (c for thing in owned for c in chains.told_categories(thing, entries.categories))
    pair = take_apart(concept, named, subject, told, orders_of_categories(above))
    around = tuple(w for w in pair.phrase.before if _is_around(w, entries))
    return replace(pair, modifiers_around=around) if around else pair


def _is_around(word: str, entries: Entries) -> bool:
    entry = entries.concepts.get(entries.resolve(word))
    return entry is not None and entry.kind == "surroundings"
