"""What a report says of where words were tested: on the concept set, on D, on D′."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from circuitz.plausibility import prose
from circuitz.z.word_match import (
    POPULATION_NAMES,
    MatchedWord,
    Population,
    WordHolds,
    units_bearing_words,
)
from circuitz.z.word_tests import WordTest

UNTESTED_WHERE_USED = "not tested where it will be used (D′)"
_NAMED = 4


def say_where_words_were_tested(words: Sequence[MatchedWord], tests: Sequence[WordTest]) -> str:
    """Say in one line on which populations words were tested, and how they fared there."""
    decided = [test for test in tests if test.verdict != "untested"]
    on_shift = any(test.population == "D'" for test in decided)
    if not decided:
        return f"words: matched on the concept set; not tested on D, {UNTESTED_WHERE_USED}"
    cut = {unit.rpartition(":")[0] for test in tests for unit in test.units}
    bearing = units_bearing_words(words, tuple(cut))
    parts = [
        _say_verdicts(population, bearing, decided)
        for population in ("D", "D'")
        if any(test.population == population for test in decided)
    ]
    if not any(test.population == "D" for test in decided):
        parts.append("not tested on D")
    if not on_shift:
        parts.append(UNTESTED_WHERE_USED)
    simulated = " (answers of simulated raters)" if any(t.simulated for t in decided) else ""
    return f"words: {'; '.join(parts)}{simulated}"


def _say_verdicts(population: Population, words: Iterable[str], tests: Sequence[WordTest]) -> str:
    verdicts: dict[str, WordHolds] = {
        test.word: test.verdict for test in tests if test.population == population
    }
    by_verdict = {
        verdict: [word for word in words if verdicts.get(word, "untested") == verdict]
        for verdict in ("holds", "fails", "untested")
    }
    said = [f"{len(by_verdict['holds'])} hold"]
    if by_verdict["fails"]:
        said.append(f"{_first_few_quoted(by_verdict['fails'])} fail")
    if by_verdict["untested"]:
        said.append(f"{_first_few_quoted(by_verdict['untested'])} not tested")
    return f"on {POPULATION_NAMES[population]} {', '.join(said)}"


def _first_few_quoted(names: list[str]) -> str:
    more = len(names) - _NAMED
    if more <= 1:
        return prose.list_quoted_names(names)
    return f"{prose.list_quoted_names(names[:_NAMED])} and {more} more"


def populations_by_unit(
    words: Sequence[MatchedWord], tests: Sequence[WordTest]
) -> dict[str, tuple[Population, ...]]:
    """Return, by unit, the populations on which all of its words were tested."""
    decided = {(t.word, t.population) for t in tests if t.verdict != "untested"}
    named: dict[str, set[str]] = {}
    undecided: set[str] = set()
    for word in words:
        for unit in word.units:
            named.setdefault(unit, set()).add(word.concept)
            if word.match.verdict == "untested":
                undecided.add(unit)
    return {
        unit: (
            *(() if unit in undecided else ("concepts",)),
            *(p for p in ("D", "D'") if all((concept, p) in decided for concept in concepts)),
        )
        for unit, concepts in named.items()
    }


def say_populations_of_units(
    units: Sequence[str], by_unit: dict[str, tuple[Population, ...]]
) -> str:
    """Name the populations on which the words of all these units were tested; empty for no words."""
    worded = [by_unit[unit] for unit in units if unit in by_unit]
    if not worded:
        return ""
    shared = [p for p in POPULATION_NAMES if all(p in some for some in worded)]
    return ", ".join(POPULATION_NAMES[p] for p in shared) or "none"
