"""Whether words hold, by the population of inputs on which it was asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Population = Literal["concepts", "D", "D'"]
#: Where words are tested: by labels on the concept set, by people's answers on D and on D′.
POPULATIONS: tuple[Population, ...] = ("concepts", "D", "D'")
#: As they are called on screens and in texts.
POPULATION_NAMES: dict[str, str] = {"concepts": "the concept set", "D": "D", "D'": "D′"}
WordHolds = Literal["holds", "fails", "untested"]


@dataclass(frozen=True)
class WordMatch:
    """Whether words hold on one population, and what that rests on.

    Parameters
    ----------
    population
        ``concepts``, ``D`` or ``D'``.
    verdict
        ``untested`` where nothing was asked, or what was answered decides nothing.
    estimate, low, high
        On the concept set, normalised average precision of the units' responses; on D and D′, the
        share of pictures on which people see the word where its units are active and do not where
        they are silent. With its interval; ``None`` where it was not measured.
    n
        Labelled pictures, or answers, that it rests on.
    """

    population: Population
    verdict: WordHolds
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0


@dataclass(frozen=True)
class MatchedWord:
    """One concept that an annotation names, with its match on one population.

    Parameters
    ----------
    target
        What is annotated: a unit or a group.
    units
        The unit, or the group's members.
    concept
        As the concept set calls it.
    match
        What came out.
    """

    target: str
    units: tuple[str, ...]
    concept: str
    match: WordMatch


def where_failed(matches: tuple[WordMatch, ...]) -> tuple[Population, ...]:
    """Return the populations on which words fail."""
    return tuple(m.population for m in matches if m.verdict == "fails")


def hold_everywhere(
    matches: tuple[WordMatch, ...], populations: tuple[Population, ...] = POPULATIONS
) -> bool:
    """Whether words hold on all of these populations: one that was not tested does not count."""
    held = {m.population for m in matches if m.verdict == "holds"}
    return held.issuperset(populations)


def units_bearing_words(
    words: Iterable[MatchedWord], layers: Sequence[str] = ()
) -> dict[str, tuple[str, ...]]:
    """Return, for every concept, the units whose words name it and hold on the concept set.

    Those of the cut are what a test of the word on D and D′ is about; sorted.

    Parameters
    ----------
    layers
        Only units of these; of all by default.
    """
    found: dict[str, set[str]] = {}
    for word in words:
        if word.match.population == "concepts" and word.match.verdict == "holds":
            units = {u for u in word.units if not layers or u.rpartition(":")[0] in layers}
            if units:
                found.setdefault(word.concept, set()).update(units)
    return {concept: tuple(sorted(units)) for concept, units in found.items()}


def units_annotated_with_words(words: Iterable[MatchedWord]) -> dict[str, frozenset[str]]:
    """Return, for every concept, the units whose words name it, whether it holds of them or not."""
    found: dict[str, set[str]] = {}
    for word in words:
        found.setdefault(word.concept, set()).update(word.units)
    return {concept: frozenset(units) for concept, units in found.items()}
