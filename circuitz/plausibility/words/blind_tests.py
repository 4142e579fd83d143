"""Blind tests that z keeps: what stands in for a match where no concept is labelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from circuitz.plausibility.words.word_verdict import WordVerdict
from circuitz.stats.multiple_testing import benjamini_hochberg_q_values
from circuitz.z.finding import Verdict

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

NOTES = "blind_tests"


@dataclass(frozen=True)
class BlindTestRecord:
    """A finished blind test of one word on one target.

    Parameters
    ----------
    target, word
        What was tested.
    accuracy, low, high, p_flag, p_support, power
        As in :class:`circuitz.plausibility.words.detection_test.Detection`.
    sentence
        What came out, in words.
    task, weights
        The questions, and the hash of the weights that were looked at.
    simulated
        Whether a simulated rater gave any of the answers.
    """

    target: str
    word: str
    accuracy: float
    low: float
    high: float
    p_flag: float
    p_support: float
    power: float
    sentence: str
    task: str
    weights: str
    simulated: bool


def with_blind_tests(z: AnnotatedModel, tests: Sequence[BlindTestRecord]) -> AnnotatedModel:
    """Return z with tests kept; one of the same word on the same target is replaced."""
    kept = {(t.target, t.word): t for t in (*blind_tests_of_current_weights(z).values(), *tests)}
    return z.with_(what="blind tests", notes={**z.notes, NOTES: [asdict(t) for t in kept.values()]})


def blind_tests_of_current_weights(z: AnnotatedModel) -> dict[tuple[str, str], BlindTestRecord]:
    """Return the tests kept of these weights, by target and word; others say nothing of them."""
    records: Any = z.notes.get(NOTES, [])
    names = {field.name for field in fields(BlindTestRecord)}
    found = [BlindTestRecord(**record) for record in records if set(record) == names]
    return {(t.target, t.word): t for t in found if t.weights == z.weights_hash}


def judge_by_blind_tests(
    words: Sequence[WordVerdict], tests: Mapping[tuple[str, str], BlindTestRecord], q: float
) -> tuple[WordVerdict, ...]:
    """Give words that no label can judge the verdict of their blind tests, where they have any.

    A text that names several such concepts needs a test of each: it is supported when all are,
    and flagged when one is. Benjamini-Hochberg over all words judged so.
    """
    mine: dict[int, list[BlindTestRecord]] = {}
    for i, word in enumerate(words):
        if word.basis not in ("unlabelled", "unknown"):
            continue
        named = word.parsed.missing or (word.parsed.text.strip(),)
        # Tests may be kept under the names that were read in the text when it was written.
        for names in (named, word.parsed.annotation.concepts):
            found = [t for n in names if (t := tests.get((word.parsed.target, n))) is not None]
            if names and len(found) == len(names):
                mine[i] = found
                break
    p_flag = {i: min(1.0, len(some) * min(t.p_flag for t in some)) for i, some in mine.items()}
    p_support = {i: max(t.p_support for t in some) for i, some in mine.items()}
    q_flag = benjamini_hochberg_q_values(list(p_flag.values()))
    q_support = benjamini_hochberg_q_values(list(p_support.values()))
    judged = list(words)
    for (i, some), flag, support in zip(mine.items(), q_flag, q_support, strict=True):
        verdict: Verdict = "inconclusive"
        if flag <= q:
            verdict = "flagged"
        elif support <= q:
            verdict = "supported"
        word = words[i]
        judged[i] = replace(
            word,
            basis="blind",
            p_flag=p_flag[i],
            p_support=p_support[i],
            q_flag=float(flag),
            q_support=float(support),
            verdict=verdict,
            passed=word.parsed.missing if verdict == "supported" else (),
            reason="; ".join(t.sentence.removesuffix(".") for t in some),
        )
    return tuple(judged)
