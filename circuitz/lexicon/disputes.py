"""Overrides that contradict one another, and synonyms that go round in a circle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from circuitz.errors import ContradictoryOverridesError, CyclicSynonymsError
from circuitz.lexicon.concept import Concept
from circuitz.lexicon.read_yaml import Layer
from circuitz.lexicon.word_forms import phrase_key

_SETTLE = (
    "People have to settle it: take one of the two out of the file, or write the one that holds "
    "with ‘circuitz concepts override … --replace’."
)


def join_agreeing_overrides(overrides: list[Layer]) -> list[Layer]:
    """Join what people say of a concept; lists add up, single fields have to agree.

    Parameters
    ----------
    overrides
        Layers of one concept each.

    Raises
    ------
    ContradictoryOverridesError
        If two give one concept different kinds or parents, or one makes it part of what another
        makes it the context of.
    """
    said: dict[tuple[str, ...], dict[str, tuple[Any, str]]] = {}
    for layer in overrides:
        ((name, entry),) = layer.concepts.items()
        known = said.setdefault(phrase_key(name), {})
        joined = dict(entry or {})
        for field, value in joined.items():
            old = known.get(field)
            if old is not None and isinstance(value, tuple):
                joined[field] = tuple(dict.fromkeys((*old[0], *value)))
            elif old is not None and old[0] != value:
                raise ContradictoryOverridesError(
                    f"{_capitalise(old[1])} says that ‘{name}’ has the {field} ‘{old[0]}’, "
                    f"{_capitalise(layer.source)} that it has ‘{value}’.",
                    _SETTLE,
                )
            known[field] = (joined[field], layer.source)
        layer.concepts[name] = joined
        both = set(known.get("part_of", ((), ""))[0]) & set(known.get("context_of", ((), ""))[0])
        if both:
            raise ContradictoryOverridesError(
                f"{_capitalise(known['part_of'][1])} says that ‘{name}’ is part of ‘{min(both)}’, "
                f"{_capitalise(known['context_of'][1])} that it is only found beside it.",
                _SETTLE,
            )
    return overrides


def check_not_both_part_and_context(concepts: Mapping[str, Concept]) -> None:
    """Check that nothing is part of what it is only found beside.

    Raises
    ------
    ContradictoryOverridesError
        Naming the concept.
    """
    for concept in concepts.values():
        both = set(concept.part_of) & set(concept.context_of)
        if both:
            raise ContradictoryOverridesError(
                f"‘{concept.name}’ is part of ‘{min(both)}’ and only found beside it "
                f"({concept.source}).",
                "Leave it to one of ‘part_of’ and ‘context_of’.",
            )


def check_no_synonym_cycles(layers: list[Layer]) -> None:
    """Check that no two concepts of a project, overrides included, are synonyms of one another.

    Raises
    ------
    CyclicSynonymsError
        Naming the circle.
    """
    after: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    shown: dict[tuple[str, ...], str] = {}
    for layer in layers:
        for name, entry in layer.concepts.items():
            shown.setdefault(phrase_key(name), name)
            words = [phrase_key(word) for word in (entry or {}).get("synonyms", ())]
            after.setdefault(phrase_key(name), []).extend(w for w in words if w != phrase_key(name))
    for start in after:
        circle = _find_synonym_cycle(start, after)
        if circle:
            said = " → ".join(f"‘{shown[word]}’" for word in circle)
            raise CyclicSynonymsError(
                f"Synonyms go round in a circle: {said}.",
                "Keep one as the concept and list the others as its synonyms, without entries.",
            )


def _find_synonym_cycle(
    start: tuple[str, ...], after: Mapping[tuple[str, ...], list[tuple[str, ...]]]
) -> list[tuple[str, ...]]:
    ways, seen = [[start]], {start}
    while ways:
        way = ways.pop()
        for word in after.get(way[-1], ()):
            if word == start:
                return [*way, start]
            if word not in seen:
                seen.add(word)
                ways.append([*way, word])
    return []


def _capitalise(source: str) -> str:
    return source[0].upper() + source[1:]
