"""Read judgements back into comparisons, class answers and hypotheses; nothing is lost."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from circuitz.cards.card import Card
from circuitz.cards.judged.card_differences import CardProfile, card_difference
from circuitz.cards.judged.class_answer import Arm, ClassAnswer
from circuitz.cards.judged.comparison import OUTCOMES, Comparison, Reason
from circuitz.cards.judged.hypothesis import Hypothesis
from circuitz.disk.safe_text import one_spelling_of_name
from circuitz.store.in_force import by_time_given
from circuitz.store.judgement import Judgement

ProblemKind = Literal["contradiction", "unknown card", "malformed"]
#: Kinds as judgements name them. A class answer of earlier packs is plain ``label``.
COMPARE, HYPOTHESIS = "compare", "hypothesis"
LABEL_ARMS: Mapping[str, tuple[Arm, bool]] = {
    "label": ("shown", False), "label-again": ("shown", True),
    "label: shown": ("shown", False), "label-again: shown": ("shown", True),
    "label: hidden": ("hidden", False), "label-again: hidden": ("hidden", True),
}  # fmt: skip


@dataclass(frozen=True)
class AnswerProblem:
    """Something about answers that whoever learns from them should know.

    Parameters
    ----------
    kind
        ``contradiction``: one rater said two things; both are kept. ``unknown card``: about a card
        that was not given. ``malformed``: no answer of its kind.
    ids
        The judgements.
    text
        One sentence.
    """

    kind: ProblemKind
    ids: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class JudgedAnswers:
    """Judgements as values. Every row that was read is in exactly one of these, but for problems.

    Parameters
    ----------
    comparisons, class_answers, hypotheses
        Answers in force, by the time they were given.
    withdrawn
        Rows that were taken back or replaced, and those that take back.
    left_out
        Rows in force that could not be read; ``problems`` says why.
    other_kinds
        Rows of other kinds, such as *does it show w*.
    problems
        What is wrong or contradictory.
    """

    comparisons: tuple[Comparison, ...] = ()
    class_answers: tuple[ClassAnswer, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    withdrawn: tuple[Judgement, ...] = ()
    left_out: tuple[Judgement, ...] = ()
    other_kinds: tuple[Judgement, ...] = ()
    problems: tuple[AnswerProblem, ...] = ()


def read_judged_answers(
    rows: Iterable[Judgement], cards: Iterable[Card] | None = None
) -> JudgedAnswers:
    """Read judgements back into typed values.

    Parameters
    ----------
    rows
        Judgements, in force or all of them.
    cards
        The cards they may be about: comparisons and class answers about others are left out, and
        said to be. ``None``: any card; then no comparison is known to be near.
    """
    standing, withdrawn = _rows_in_force(rows)
    pool = None if cards is None else {card.hash: CardProfile(card) for card in cards}
    comparisons: list[Comparison] = []
    classes: list[ClassAnswer] = []
    hypotheses: list[Hypothesis] = []
    left_out: list[Judgement] = []
    other: list[Judgement] = []
    problems: list[AnswerProblem] = []
    for row in standing:
        if row.kind not in (COMPARE, HYPOTHESIS, *LABEL_ARMS):
            other.append(row)
            continue
        strange = _unknown_card(row, pool)
        if strange:
            left_out.append(row)
            text = f"Judgement {row.id} is about card {strange[:16]}, which is not at hand."
            problems.append(AnswerProblem("unknown card", (row.id,), text))
            continue
        try:
            if row.kind == COMPARE:
                comparisons.append(_comparison(row, pool))
            elif row.kind == HYPOTHESIS:
                hypotheses.append(_hypothesis(row))
            else:
                classes.append(_class_answer(row))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            left_out.append(row)
            text = f"Judgement {row.id} is no answer of kind {row.kind!r}: {error}."
            problems.append(AnswerProblem("malformed", (row.id,), text))
    told = _with_repeats(comparisons)
    problems += _contradictory_comparisons(told)
    problems += _contradictory_class_answers(classes)
    return JudgedAnswers(
        told, tuple(classes), tuple(hypotheses), tuple(withdrawn), tuple(left_out), tuple(other),
        tuple(problems),
    )  # fmt: skip


def _rows_in_force(rows: Iterable[Judgement]) -> tuple[list[Judgement], list[Judgement]]:
    """Return the rows that count, by time, and those taken back or replaced, or that take back."""
    everything = by_time_given({row.id or id(row): row for row in rows}.values())
    superseded = {row.supersedes for row in everything if row.supersedes}
    newest: dict[Any, Judgement] = {}
    gone: list[Judgement] = []
    for row in everything:
        if row.answer is None or (row.id and row.id in superseded):
            gone.append(row)
            continue
        rater = one_spelling_of_name(row.rater)
        key = (row.task, row.kind, row.items, rater, row.rater_kind)
        if key in newest:
            gone.append(newest.pop(key))
        newest[key] = row
    return list(newest.values()), gone


def _unknown_card(row: Judgement, pool: Mapping[str, CardProfile] | None) -> str:
    """Return the hash of a card that is not in the pool; empty where all are."""
    if pool is None or row.kind == HYPOTHESIS:
        return ""
    named = row.items if row.kind == COMPARE else (row.card_hash,)
    return next((card for card in named if card not in pool), "")


def _comparison(row: Judgement, pool: Mapping[str, CardProfile] | None) -> Comparison:
    answer = row.answer or {}
    outcome = answer["choice"]
    if outcome not in OUTCOMES:
        raise ValueError(f"{str(outcome)[:60]!r} is no outcome of a comparison")
    if len(row.items) != 2 or row.items[0] == row.items[1]:
        raise ValueError("it compares no two cards")
    a, b = row.items
    return Comparison(
        a, b, outcome,
        rater=row.rater, rater_kind=row.rater_kind, use=row.use,
        near=pool is not None and card_difference(pool[a], pool[b]).near,
        reasons=tuple(Reason.from_json(one) for one in answer.get("reasons") or ()),
        note=str(answer.get("note") or ""),
        seconds=_seconds(answer), task=row.task, id=row.id,
    )  # fmt: skip


def _class_answer(row: Judgement) -> ClassAnswer:
    answer = row.answer or {}
    arm, repeat = LABEL_ARMS[row.kind]
    if not row.items:
        raise ValueError("it is about no input")
    if not row.has_offered_choice:
        raise ValueError(f"{str(answer['choice'])[:60]!r} was not offered")
    told = {str(k): float(v) for k, v in (answer.get("probabilities") or {}).items()}
    return ClassAnswer(
        row.items[0], row.card_hash, str(answer["choice"]), arm, row.options,
        rater=row.rater, rater_kind=row.rater_kind, use=row.use,
        activity_hash=row.items[1] if len(row.items) > 1 else "",
        probabilities=told, repeat=repeat, z_hash=row.z_hash,
        seconds=_seconds(answer), task=row.task, id=row.id,
    )  # fmt: skip


def _hypothesis(row: Judgement) -> Hypothesis:
    answer = row.answer or {}
    words = answer.get("words") or ()
    if isinstance(words, str) or not row.items:
        raise ValueError("it names no words, or nothing they are about")
    return Hypothesis(
        row.items[0], tuple(str(w) for w in words), str(answer.get("text") or ""),
        rater=row.rater, rater_kind=row.rater_kind, use=row.use, z_hash=row.z_hash,
        answered=row.answered, seconds=_seconds(answer), task=row.task, id=row.id,
    )  # fmt: skip


def _seconds(answer: Mapping[str, Any]) -> float | None:
    value = answer.get("seconds")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _with_repeats(comparisons: Iterable[Comparison]) -> tuple[Comparison, ...]:
    """Say of each comparison which earlier one, of the same rater in the same task, it mirrors."""
    first: dict[Any, Comparison] = {}
    found: list[Comparison] = []
    for one in comparisons:
        key = (one.task, one.rater, one.rater_kind, one.cards)
        earlier = first.setdefault(key, one)
        mirrors = earlier is not one and earlier.a_hash == one.b_hash
        found.append(replace(one, repeat_of=earlier.id) if mirrors else one)
    return tuple(found)


def _contradictory_comparisons(comparisons: Iterable[Comparison]) -> list[AnswerProblem]:
    by_pair: dict[Any, list[Comparison]] = defaultdict(list)
    for one in comparisons:
        by_pair[one.rater, one.rater_kind, one.cards].append(one)
    found: list[AnswerProblem] = []
    for (rater, _, _), some in by_pair.items():
        preferred = {one.preferred for one in some} - {""}
        if len(preferred) > 1:
            a, b = sorted(preferred)
            text = f"{rater} found {a[:8]} more plausible than {b[:8]}, and the other way round."
            found.append(AnswerProblem("contradiction", tuple(one.id for one in some), text))
    return found


def _contradictory_class_answers(answers: Iterable[ClassAnswer]) -> list[AnswerProblem]:
    by_input: dict[Any, list[ClassAnswer]] = defaultdict(list)
    for one in answers:
        if one.names_class:
            by_input[one.rater, one.rater_kind, one.arm, one.card_hash, one.item].append(one)
    found: list[AnswerProblem] = []
    for (rater, *_), some in by_input.items():
        choices = sorted({one.choice for one in some})
        if len(choices) > 1:
            text = f"{rater} said of one input, with one card: {' and '.join(choices)}."
            found.append(AnswerProblem("contradiction", tuple(one.id for one in some), text))
    return found
