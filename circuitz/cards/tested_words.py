"""Whether words hold, said in words: what stands beside a cue on a card."""

from __future__ import annotations

from collections.abc import Iterable

from circuitz.cards.card import Agreement, Card, ClassEntry, Cue
from circuitz.plausibility.prose import format_share_with_interval, percent
from circuitz.z.word_match import POPULATION_NAMES, Population, WordMatch

USED: Population = "D'"
"""The population that z is used on."""
NOT_TESTED_WHERE_USED = "not tested where it will be used"


def match_phrase(match: WordMatch) -> str:
    """Say whether words hold on a population, and on how much that rests."""
    place = POPULATION_NAMES[match.population]
    counted = "labelled inputs" if match.population == "concepts" else "answers"
    n = f" ({match.n:,} {counted})" if match.n else ""
    if match.verdict == "untested" and match.n:
        return f"not decided on {place}{n}"
    if match.verdict == "untested":
        used = match.population == USED
        return f"{NOT_TESTED_WHERE_USED} ({place})" if used else f"not tested on {place}"
    return f"{'holds' if match.verdict == 'holds' else 'does not hold'} on {place}{n}"


def doubt_phrases(cue: Cue) -> list[tuple[str, str]]:
    """Return what a reader must not overlook: verdict and phrase, failures first.

    Where words fail already, what was not tested is not said.
    """
    failed = [("fails", f"does not hold on {POPULATION_NAMES[p]}") for p in cue.fails_on]
    untested = [POPULATION_NAMES[m.population] for m in cue.matches if m.verdict == "untested"]
    if failed or not untested:
        return failed
    *first, last = untested
    places = f"{', '.join(first)} and {last}" if first else last
    return [("untested", f"not tested on {places}")]


def strength_phrase(cue: Cue) -> str:
    """Say how strongly a cue speaks, with its interval where there is one."""
    if cue.interval is None:
        return percent(cue.strength)
    return format_share_with_interval(cue.strength, *cue.interval)


def class_remarks(entry: ClassEntry) -> list[str]:
    """Say what the card tells of a class beside its cues and what is unexplained."""
    found: list[str] = []
    if entry.wordless is not None:
        found.append(f"without words: {percent(entry.wordless)}")
    found += [
        f"outside what the concept set shows, on {POPULATION_NAMES[p]}: {percent(share)}"
        for p, share in entry.outside
    ]
    return found


def agreement_phrase(agreement: Iterable[Agreement]) -> str:
    """Say how often the network chooses as its words say; the empty text where nobody tried."""
    parts = [
        f"on {POPULATION_NAMES[one.population]} "
        f"{format_share_with_interval(one.share, one.low, one.high)} of {one.n:,} inputs"
        for one in agreement
    ]
    return f"Agrees with its own words {', '.join(parts)}." if parts else ""


def tells_tests(card: Card) -> bool:
    """Whether a card tells where its words hold: those of earlier versions do not."""
    return any(cue.matches for entry in card.classes for cue in entry.cues)


def untested_where_used(card: Card) -> bool:
    """Whether a card tells tests, and some of its words were not tested on D′."""
    return any(
        match.verdict == "untested" and match.population == USED
        for entry in card.classes
        for cue in entry.cues
        for match in cue.matches
    )
