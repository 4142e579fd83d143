"""Where the words on units hold: by labels on the concept set, by people's answers on D and D′."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from circuitz.z.word_match import (
    MatchedWord,
    WordMatch,
    units_annotated_with_words,
    units_bearing_words,
)
from circuitz.z.word_tests import word_tests

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel


class MatchesOfWords:
    """Whether an annotation's words hold, by population, looked up by target and concept."""

    def __init__(self, z: AnnotatedModel, words: Iterable[MatchedWord]) -> None:
        words = tuple(words)
        self._on_concepts = {(word.target, word.concept): word.match for word in words}
        bearing, said = units_bearing_words(words, z.cut), units_annotated_with_words(words)
        self._elsewhere = {
            (test.word, test.population, test.half): test.match
            for test in word_tests(z)
            if test.is_about(bearing.get(test.word, ()), z.weights_hash, said.get(test.word, ()))
        }

    def of(self, target: str, concept: str) -> tuple[WordMatch, ...]:
        """Return one match a population; audit's answers go before the search's."""
        first = self._on_concepts.get((target, concept), WordMatch("concepts", "untested"))
        found = [first]
        for population in ("D", "D'"):
            match = WordMatch(population, "untested")
            if first.verdict == "holds":
                for half in ("search", "audit"):
                    match = self._elsewhere.get((concept, population, half), match)
            found.append(match)
        return tuple(found)
