"""Evidence chains: whether a concept may speak for a class of things, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise

from circuitz.lexicon.concept import Category, Concept, Support, Verdict
from circuitz.lexicon.judge import (
    hypernym_names_with_sentences,
    is_kind_of_its_last_word,
    is_mostly_place,
    is_single_wordnet_noun,
)
from circuitz.lexicon.phrases import class_noun
from circuitz.lexicon.word_forms import phrase_key

_KIND_PHRASE = {
    "part": "a part of things",
    "attribute": "an attribute",
    "surroundings": "surroundings",
    "artefact": "an artefact",
    "low-level": "low-level",
}


def prefix_article(noun: str) -> str:
    """Return the noun with *a* or *an*."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


CategoryChain = tuple[list[str], list[str]]


def category_chains(
    subject: str, categories: Mapping[str, Category], wordnet: bool = False
) -> list[CategoryChain]:
    """Follow a thing up its categories.

    Parameters
    ----------
    subject
        A thing.
    categories
        By name.
    wordnet
        Ask WordNet what a thing is that no category has.

    Returns
    -------
    list of (names, chain)
        One for each reading of the word, the commonest first: the thing, its category, the wider
        ones, and a sentence for each step; only the thing where it is not known.
    """
    known = _name_and_category_by_key(categories)
    names, chain = _category_chain(phrase_key(subject), categories, known)
    found = [(names, chain)] if names else []
    if not found and wordnet and is_single_wordnet_noun(subject):  # a hot dog is no dog
        found = _category_chains_by_wordnet(subject, categories, known)
    if not found:
        names, chain = _category_chain(_known_words_of_subject(subject, known), categories, known)
        found = [(names, chain)] if names else []
    if not found and wordnet:
        found = _category_chains_by_wordnet(subject, categories, known)
    return found or [([subject], [])]


def _category_chains_by_wordnet(
    subject: str,
    categories: Mapping[str, Category],
    by_key: Mapping[tuple[str, ...], tuple[str, str]],
) -> list[CategoryChain]:
    found: list[CategoryChain] = []
    for kinds in hypernym_names_with_sentences(subject):
        ways: list[CategoryChain] = []
        for above, steps in kinds:
            names, chain = _category_chain(phrase_key(above), categories, by_key)
            if names:
                is_kind = steps or (
                    f"{_capitalised_with_article(subject)} is {prefix_article(above)} (WordNet).",
                )
                ways.append(([subject, *names], [*is_kind, *chain]))
        if ways:  # the narrowest category, by the shortest way
            found.append(max(ways, key=lambda way: len(way[0])))
    return found


Words = tuple[str, ...]


def _name_and_category_by_key(categories: Mapping[str, Category]) -> dict[Words, tuple[str, str]]:
    """Categories and members by their comparable words: name as it is written, and category."""
    return _keys_of_categories(tuple(categories.values()))


@lru_cache(maxsize=64)
def _keys_of_categories(categories: tuple[Category, ...]) -> dict[Words, tuple[str, str]]:
    found: dict[Words, tuple[str, str]] = {}
    for category in categories:
        found.setdefault(phrase_key(category.name), (category.name, category.name))
    for category in categories:
        for member in category.members:
            found.setdefault(phrase_key(member), (member, category.name))
    return found


def _category_chain(
    start: Words, categories: Mapping[str, Category], by_key: Mapping[Words, tuple[str, str]]
) -> CategoryChain:
    if start not in by_key:
        return [], []
    name, at = by_key[start]
    names, chain = [name], list[str]()
    if name != at:
        names.append(at)
        chain.append(
            f"{_capitalised_with_article(name)} is {prefix_article(at)} ({categories[at].source})."
        )
    while categories[at].is_a:
        above = categories[at].is_a
        chain.append(
            f"{_capitalised_with_article(at)} is {prefix_article(above)} ({categories[at].source})."
        )
        names.append(above)
        at = above
    return names, chain


def _known_words_of_subject(subject: str, by_key: Mapping[Words, tuple[str, str]]) -> Words:
    """Return the words of a subject, or what it is one of: *breed of dog*, *hunting dog*.

    Only the last word is that: a plant disease is no plant. Nor is it where that ends a noun of
    another meaning: a chest x-ray is no ray.
    """
    words = phrase_key(subject)
    if words in by_key:
        return words
    noun = phrase_key(class_noun(subject))
    ends = (noun, noun[-1:]) if is_kind_of_its_last_word(class_noun(subject)) else (noun,)
    return next((end for end in ends if end in by_key), words)


def told_categories(subject: str, categories: Mapping[str, Category]) -> list[str]:
    """Return the categories that somebody put a thing in, narrowest first."""
    known = _name_and_category_by_key(categories)
    words = _known_words_of_subject(subject, known)
    if words != phrase_key(subject) and is_single_wordnet_noun(class_noun(subject)):
        words = phrase_key(class_noun(subject))  # a hot dog is no dog
    names, _ = _category_chain(words, categories, known)
    return [name for name in names if name in categories]


def _capitalised_with_article(noun: str) -> str:
    phrase = prefix_article(noun)
    return phrase[0].upper() + phrase[1:]


def lineage(concept: Concept, concepts: Mapping[str, Concept]) -> list[Concept]:
    """Return the concept and the ones it is a kind of, nearest first."""
    line = [concept]
    while line[-1].is_a:
        line.append(concepts[line[-1].is_a])
    return line


def judge_support_from_entries(
    concept: Concept | None,
    name: str,
    subject: str,
    concepts: Mapping[str, Concept],
    categories: Mapping[str, Category],
    wordnet: bool = False,
) -> Support:
    """Judge a concept for a class of ``subject``; see :meth:`Lexicon.support`."""
    if concept is None:
        return Support("unknown", (f"The lexicon does not know ‘{name}’.",), 0.4)
    if not subject.strip():
        steps = ["No subject was given; the classes are taken for kinds of things."]
        return _judge_by_categories(concept, concepts, "thing", [], steps, False)
    readings = category_chains(subject.strip(), categories, wordnet)
    judged: list[Support] = []
    for names, steps in readings:
        thing, known = names[0], bool(steps) or names[0] in categories
        unknown = f"The lexicon does not know what a ‘{thing}’ is; it is taken for a thing."
        judged.append(
            _judge_by_categories(
                concept, concepts, thing, names, steps or ([] if known else [unknown]), known
            )
        )
    inside = concept.kind in ("part", "attribute")
    found = next((s for s in judged if inside and s.verdict == "supports"), judged[0])
    if concept.kind != "surroundings" or found.verdict != "supports":
        return found
    if told_categories(subject, categories) or is_mostly_place(subject):
        return found
    doubt = f"Few senses of ‘{subject.strip()}’ are places: it may be a thing that stands in one."
    return Support("unknown", (*found.chain[:-1], doubt), 0.5)


def _judge_by_categories(
    concept: Concept,
    concepts: Mapping[str, Concept],
    thing: str,
    names: list[str],
    steps: list[str],
    thing_known: bool,
) -> Support:
    line = lineage(concept, concepts)
    beside = _judge_as_context(line, names, steps)
    if beside is not None:
        return beside
    if concept.kind in ("surroundings", "artefact"):
        return _judge_surroundings_or_artefact(concept, thing, names, steps)
    if concept.kind == "low-level":
        low = f"‘{concept.name}’ is low-level ({concept.source})."
        return Support("neutral", (low, "It may belong to anything."), 0.68)
    return _judge_part_or_attribute(line, thing, names, thing_known, steps)


def _judge_as_context(line: list[Concept], names: list[str], steps: list[str]) -> Support | None:
    """Find that somebody calls the concept the context of such things."""
    owner = next((c for c in line if c.context_of or c.part_of), line[-1])
    whose = next((p for p in owner.context_of if p in names), "")
    # Of a part of animals that is context of dogs, the nearer word counts.
    part = next((p for p in owner.part_of if p in names), "")
    if not whose or (part and names.index(part) < names.index(whose)):
        return None
    said = f"‘{owner.name}’ is found beside {prefix_article(whose)} and is no part of it ({owner.source})."
    return Support("opposes", (said, *steps[: names.index(whose)]), 0.02)


def _judge_surroundings_or_artefact(
    concept: Concept, thing: str, names: list[str], steps: list[str]
) -> Support:
    chain = (f"‘{concept.name}’ is {_KIND_PHRASE[concept.kind]} ({concept.source}).",)
    if concept.kind == "surroundings" and "place" in names:
        return Support("supports", (*chain, *steps, "Surroundings make up a place."), 0.9)
    if concept.kind == "surroundings":
        reason = f"Surroundings are not part of {prefix_article(thing)}."
    else:
        reason = f"Artefacts are not part of {prefix_article(thing)}."
    return Support("opposes", (*chain, *([] if len(names) > 1 else steps), reason), 0.05)


def _judge_part_or_attribute(
    line: list[Concept], thing: str, names: list[str], thing_known: bool, steps: list[str]
) -> Support:
    """Judge parts and attributes; ``line`` is the concept and what it is a kind of."""
    chain: list[str] = []
    for lower, upper in pairwise(line):
        chain.append(f"‘{lower.name}’ is a kind of ‘{upper.name}’ ({lower.source}).")
    owner = next((c for c in line if c.part_of), line[-1])
    verb = "describes" if owner.kind == "attribute" else "is part of"
    if not owner.part_of:
        chain.append(f"‘{owner.name}’ is {_KIND_PHRASE[owner.kind]} ({owner.source}).")
        verdict: Verdict = "supports" if owner.kind == "part" else "neutral"
        closing = (
            "It may belong to anything."
            if verdict == "neutral"
            else f"{_capitalised_with_article(thing)} has parts."
        )
        return Support(verdict, (*chain, closing), 0.8 if verdict == "supports" else 0.68)
    whose = [p for p in owner.part_of if p in names]
    if whose:
        chain.append(f"‘{owner.name}’ {verb} {prefix_article(whose[0])} ({owner.source}).")
        chain += steps[: names.index(whose[0])]
        return Support("supports", tuple(chain), 0.95)
    listed = " or ".join(prefix_article(p) for p in owner.part_of)
    chain.append(f"‘{owner.name}’ {verb} {listed} ({owner.source}).")
    if not names:
        return Support("supports", (*chain, *steps, "So it may be part of it."), 0.6)
    if not thing_known:
        return Support("unknown", (*chain, *steps, "So it may be part of it, or not."), 0.45)
    return Support(
        "opposes", (*chain, *steps, f"{_capitalised_with_article(thing)} has no such part."), 0.1
    )
