"""Where a unit's words hold, for the inspector: by labels, and by what people answered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from circuitz.cards.matches_of_words import MatchesOfWords
from circuitz.cards.tested_words import match_phrase
from circuitz.z.word_match import (
    POPULATION_NAMES,
    MatchedWord,
    WordMatch,
    units_bearing_words,
)

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel


def word_verdicts_payload(z: AnnotatedModel, words: Iterable[MatchedWord]) -> list[dict[str, Any]]:
    """Return, for every concept that an annotation names, its verdict on each population."""
    listed = [word for word in words if word.match.population == "concepts"]
    matches = MatchesOfWords(z, listed)
    bearing = units_bearing_words(listed, z.cut)

    def matches_of_word(word: MatchedWord) -> tuple[WordMatch, ...]:
        found = matches.of(word.target, word.concept)
        # People were asked about the units of the cut together: of others nothing is known.
        if set(word.units) <= set(bearing.get(word.concept, ())):
            return found
        return (found[0], *(WordMatch(m.population, "untested") for m in found[1:]))

    return [
        {
            "target": word.target,
            "units": list(word.units),
            "concept": word.concept,
            "matches": [_match_payload(m) for m in matches_of_word(word)],
        }
        for word in listed
    ]


def _match_payload(match: WordMatch) -> dict[str, Any]:
    return {
        "population": POPULATION_NAMES[match.population],
        "verdict": match.verdict,
        "text": match_phrase(match),
        "estimate": match.estimate,
        "low": match.low,
        "high": match.high,
        "n": match.n,
    }
