"""Lay lexicon files over one another, and check that the result holds together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from circuitz.errors import LexiconError
from circuitz.lexicon.concept import KINDS, Category, Concept
from circuitz.lexicon.read_yaml import CONCEPT_FIELDS, Layer
from circuitz.lexicon.word_forms import phrase_key


def forgotten_names(layers: list[Layer]) -> frozenset[str]:
    """Return the names that some layer took away and no later one gave back."""
    gone: dict[tuple[str, ...], str] = {}
    for layer in layers:
        for name, entry in layer.concepts.items():
            if entry is None:
                gone[phrase_key(name)] = name
            else:
                gone.pop(phrase_key(name), None)
    return frozenset(gone.values())


def synonyms_people_list(
    layers: list[Layer], before: frozenset[frozenset[tuple[str, ...]]] = frozenset()
) -> frozenset[frozenset[tuple[str, ...]]]:
    """Return the sets of names that people's layers list as synonyms, on top of those before."""
    same = set(before)
    for layer in layers:
        for name, entry in layer.concepts.items():
            key = phrase_key(name)
            words = {key, *(phrase_key(word) for word in (entry or {}).get("synonyms", ()))}
            if len(words) > 1:
                touching = {group for group in same if key in group}
                same = (same - touching) | {frozenset(words.union(*touching))}
    return frozenset(same)


def merge_layers(layers: list[Layer]) -> tuple[dict[str, Concept], dict[str, Category]]:
    """Lay layers over one another, later ones on top, field by field.

    A name that a later layer gives to one concept is taken away from any other.
    """
    concepts: dict[str, Concept] = {}
    categories: dict[str, Category] = {}
    for layer in layers:
        for name, entry in layer.categories.items():
            if entry is None:
                categories.pop(name, None)
                continue
            old = categories.get(name)
            merged: dict[str, Any] = {"is_a": old.is_a, "members": old.members} if old else {}
            categories[name] = Category(name, **{**merged, **entry}, source=layer.source)
        claims = _concept_by_claimed_key(layer)
        spelled = {phrase_key(name): name for name in concepts}
        written: set[str] = set()
        described = {
            (str(entry.get("is_a", "")), phrase_key(adjective)): name
            for name, entry in layer.concepts.items()
            if entry is not None
            for adjective in entry.get("adjectives", ())
        }
        for name, entry in layer.concepts.items():
            if entry is None:
                concepts.pop(name, None)
                continue
            # ‘Ears’ or ‘ear’ of a project is the ‘ears’ that is there already.
            name = spelled.get(phrase_key(name), name)  # noqa: PLW2901
            written.add(name)
            old = concepts.get(name)
            given = {**(_concept_fields(old) if old else {}), **entry}
            if old and layer.adds_synonyms and "synonyms" in entry:
                given["synonyms"] = tuple(dict.fromkeys((*old.synonyms, *entry["synonyms"])))
            if "kind" not in given:
                raise LexiconError(
                    f"‘{name}’ has no kind{layer.describe_entry_place('concepts', name)}.",
                    f"Give one of {', '.join(KINDS)}.",
                )
            concepts[name] = Concept(name, source=layer.source, **given)
        for name, concept in list(concepts.items()):
            if name in written:
                continue
            concepts[name] = replace(
                concept,
                synonyms=tuple(
                    s for s in concept.synonyms if claims.get(phrase_key(s), name) == name
                ),
                adjectives=tuple(
                    a
                    for a in concept.adjectives
                    if described.get((concept.is_a, phrase_key(a)), name) == name
                ),
            )
    return concepts, categories


def _concept_fields(concept: Concept) -> dict[str, Any]:
    return {f: getattr(concept, f) for f in CONCEPT_FIELDS}


def _concept_by_claimed_key(layer: Layer) -> dict[tuple[str, ...], str]:
    """Names that a layer gives to concepts; one given to two of them is an error."""
    claims: dict[tuple[str, ...], str] = {}
    for name, entry in layer.concepts.items():
        for word in (name, *(entry or {}).get("synonyms", ())):
            owner = claims.setdefault(phrase_key(word), name)
            if owner != name:
                raise LexiconError(
                    f"‘{word}’ is a name of both ‘{owner}’ and ‘{name}’"
                    f"{layer.describe_entry_place('concepts', name)}.",
                    "Leave it to one of them.",
                )
    return claims


def check_lexicon_consistency(
    concepts: Mapping[str, Concept], categories: Mapping[str, Category]
) -> None:
    """Check that what a lexicon refers to exists and that nothing is a kind of itself.

    Raises
    ------
    LexiconError
        Naming the concept and its source.
    """
    for table, entries in (("concept", concepts), ("category", categories)):
        parents = {name: entry.is_a for name, entry in entries.items()}
        for name, entry in entries.items():
            if entry.is_a and entry.is_a not in parents:
                raise LexiconError(
                    f"‘{name}’ is a kind of ‘{entry.is_a}’, a {table} that is not there "
                    f"({entry.source}).",
                    f"Add ‘{entry.is_a}’ or correct its name.",
                )
            seen, at = [name], entry.is_a
            while at:
                if at in seen:
                    loop = " → ".join([*seen[seen.index(at) :], at])
                    raise LexiconError(
                        f"Nothing can be a kind of itself: {loop} ({entry.source}).",
                        "Break the circle.",
                    )
                seen.append(at)
                at = parents[at]
    owners: dict[tuple[str, ...], str] = {}
    described: dict[tuple[str, tuple[str, ...]], str] = {}
    members = {m for c in categories.values() for m in c.members} | set(categories)
    for concept in concepts.values():
        for thing in (*concept.part_of, *concept.context_of):
            if thing not in members:
                beside = "found beside" if thing in concept.context_of else "part of"
                raise LexiconError(
                    f"‘{concept.name}’ is {beside} ‘{thing}’, which no category has "
                    f"({concept.source}).",
                    "Name a category, or add it to the members of one.",
                )
        for word in (concept.name, *concept.synonyms):
            owner = owners.setdefault(phrase_key(word), concept.name)
            if owner != concept.name:
                raise LexiconError(
                    f"‘{word}’ is a name of both ‘{owner}’ and ‘{concept.name}’ "
                    f"({concept.source}).",
                    "Leave it to one of them.",
                )
        for adjective in concept.adjectives:
            owner = described.setdefault((concept.is_a, phrase_key(adjective)), concept.name)
            if owner != concept.name:
                raise LexiconError(
                    f"‘{adjective} {concept.is_a}’ is a name of both ‘{owner}’ and "
                    f"‘{concept.name}’ ({concept.source}).",
                    "Leave it to one of them.",
                )
        if concept.adjectives and not concept.is_a:
            raise LexiconError(
                f"‘{concept.name}’ has adjectives but is a kind of nothing ({concept.source}).",
                "Say what they describe with ‘is_a’.",
            )
