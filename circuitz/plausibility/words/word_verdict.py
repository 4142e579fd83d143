"""What was found of one annotation's words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from circuitz.plausibility.words.counterfactual_test import InsertionFailure
from circuitz.plausibility.words.discriminates import (
    Absence,
)
from circuitz.plausibility.words.parsed_annotation import ParsedAnnotation
from circuitz.plausibility.words.rival_margin import RivalMargin
from circuitz.plausibility.words.word_scores import (
    MatchScore,
)
from circuitz.z.finding import Verdict
from circuitz.z.word_match import Population, WordHolds

Basis = Literal[
    "concepts", "class", "unknown", "unlabelled", "ambiguous", "unusable", "unmeasured", "blind"
]


@dataclass(frozen=True)
class UncountedWord:
    """A concept that passes on the concept set and counts as none all the same.

    Parameters
    ----------
    concept
        As the concept set calls it.
    population, verdict
        Where it fails, or was not tested.
    reason
        The same in words, with the figures.
    """

    concept: str
    population: Population
    verdict: WordHolds
    reason: str


@dataclass(frozen=True)
class WordVerdict:
    """Verdict on one annotation.

    Parameters
    ----------
    parsed
        The annotation.
    basis
        What it could be judged by; ``concepts`` is the normal case, ``blind`` a test with raters
        where no concept is labelled (:mod:`circuitz.plausibility.words.blind_tests`).
    own
        Scores of the named concepts, best on *select* first.
    rival
        Score of the strongest other concept on *select*; ``None`` when there is no other.
    rival_margin
        Rival less best own score; for a class word the rival's score itself.
    p_flag, q_flag, p_support, q_support
        See :mod:`circuitz.plausibility.words.word_fit`.
    verdict, passed
        Verdict, and the concepts the annotation counts as (none when it is flagged).
    reason
        Why it is inconclusive; of a blind test, what came out.
    coincides
        Concept that cannot be told from a named one here; empty when none.
    confounded
        Concept and class that cannot be told apart here; empty when there are none.
    absent
        Concept whose absence the unit seems to see, where that speaks most against the words.
    insertion_failures
        Named concepts whose putting in hardly moves the unit, though their labels match.
    uncounted
        Named concepts that pass on the concept set, and do not hold or were not tested where the
        model is used (:mod:`circuitz.plausibility.words.words_elsewhere`).
    cache
        What others worked out from the words and their scores, which do not change while the
        annotation stands; verdicts may, with what else is annotated.
    """

    parsed: ParsedAnnotation
    basis: Basis
    own: tuple[MatchScore, ...] = ()
    rival: MatchScore | None = None
    rival_margin: RivalMargin | None = None
    p_flag: float = float("nan")
    q_flag: float = float("nan")
    p_support: float = float("nan")
    q_support: float = float("nan")
    verdict: Verdict = "inconclusive"
    passed: tuple[str, ...] = ()
    reason: str = ""
    coincides: str = ""
    confounded: tuple[str, str] | tuple[()] = ()
    absent: Absence | None = None
    insertion_failures: tuple[InsertionFailure, ...] = ()
    uncounted: tuple[UncountedWord, ...] = ()
    cache: dict[Any, Any] = field(default_factory=dict[Any, Any], compare=False, repr=False)
