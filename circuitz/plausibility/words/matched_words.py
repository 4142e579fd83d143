"""What annotations say, concept by concept, and whether it holds on the concept set."""

from __future__ import annotations

import math
from collections.abc import Sequence

from circuitz.plausibility.check_settings import CheckSettings
from circuitz.plausibility.words.parsed_annotation import ConceptColumns
from circuitz.plausibility.words.word_fit import undecided_concepts
from circuitz.plausibility.words.word_verdict import WordVerdict
from circuitz.z.word_match import MatchedWord, WordHolds, WordMatch


def matched_words(
    verdicts: Sequence[WordVerdict], settings: CheckSettings, columns: ConceptColumns
) -> tuple[MatchedWord, ...]:
    """Return every concept that every annotation names, with its match on the concept set.

    Words that no column of the concept set can judge are untested, as they are written.
    """
    return tuple(
        found for word in verdicts for found in _concepts_of_annotation(word, settings, columns)
    )


def _concepts_of_annotation(
    word: WordVerdict, settings: CheckSettings, columns: ConceptColumns
) -> list[MatchedWord]:
    parsed = word.parsed
    undecided = set(undecided_concepts(word, settings, columns))
    withheld = bool(word.confounded) or bool(word.coincides)
    found: list[MatchedWord] = []
    for score in word.own:
        name = score.column_concept
        verdict: WordHolds = "fails"
        if name in word.passed:
            verdict = "holds"
        elif name in undecided or withheld:
            verdict = "untested"
        estimate, low, high = map(_finite_or_none, (score.nauprc, score.low, score.high))
        match = WordMatch("concepts", verdict, estimate, low, high, int(score.mean.n))
        found.append(MatchedWord(parsed.target, parsed.units, name, match))
    scored = {one.concept for one in found} | {score.concept for score in word.own}
    others = [name for name, _ in parsed.concepts if name not in scored]
    others += [name for name in parsed.missing if name not in scored]
    if not found and not others:
        others = [parsed.text.strip()]
    for name in others:
        # A blind test stands in for a match where no concept is labelled.
        verdict = "untested"
        if word.basis == "blind" and word.verdict != "inconclusive":
            verdict = "holds" if word.verdict == "supported" else "fails"
        found.append(MatchedWord(parsed.target, parsed.units, name, WordMatch("concepts", verdict)))
    return found


def _finite_or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
