"""Questions that a search or a benchmark would put to anybody, as a task pack for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from circuitz.cards.activity import CardActivity
from circuitz.cards.card import Card
from circuitz.errors import LabellingError
from circuitz.labelling.concepts.concept_pack import enlarged_png
from circuitz.labelling.tasks.guidelines_by_kind import guidelines_of_kind, title_of_kind
from circuitz.labelling.tasks.pack import (
    LEASE_SECONDS,
    Kind,
    Question,
    TaskPack,
    opaque_question_id,
)
from circuitz.store.asking import AskedQuestion


def pack_of_asked_questions(
    asked_questions: Sequence[AskedQuestion],
    *,
    gold: Mapping[tuple[str, ...], str] | None = None,
    name: str = "",
    guidelines: str = "",
    seed: int = 0,
    exemplars: Mapping[int, bytes] | None = None,
    lease: float = LEASE_SECONDS,
) -> TaskPack:
    """Put comparisons, class questions of one card, or hypotheses into a pack.

    Parameters
    ----------
    asked_questions
        All of one kind, arm and, of class questions, one card. Each shows what it is about.
    gold
        Known answers by items, of questions whose use is ``gold``.
    name, guidelines
        What raters read; by the kind when empty.
    seed
        Seed of each rater's order of options.
    exemplars
        PNG by index into the concept set, where all cards were made with one.
    lease
        Seconds a question stays with a rater who does not answer.

    Raises
    ------
    LabellingError
        If they are of several kinds, lack what is to be shown, or there are none.
    """
    if not asked_questions:
        raise LabellingError("There is nothing to ask.", "Give one question or more.")
    first = asked_questions[0]
    if any((q.kind, q.arm) != (first.kind, first.arm) for q in asked_questions):
        raise LabellingError("The questions are of several kinds.", "Make a pack for each.")
    if first.kind == "shows":
        raise LabellingError(
            "Whether pictures show a word is asked with packs of its own.",
            "circuitz concepts ask makes them.",
        )
    answers = dict(gold or {})
    questions: list[Question] = []
    known_answers: dict[str, str] = {}
    pictures: dict[str, bytes] = {}
    seen: set[tuple[str, ...]] = set()
    for q in asked_questions:
        kind = _kind_in_pack(q, seen)
        seen.add(q.items)
        picture = _picture(q, pictures)
        ident = opaque_question_id(seed, " ".join(q.items), kind, q.judgement_kind)
        made = Question(
            ident, q.items[0], kind, "", picture, judged_as=q.judgement_kind,
            further=q.items[1:], seed=q.seed, use=q.use,
        )  # fmt: skip
        questions.append(made)
        if kind == "gold":
            if q.items not in answers:
                raise LabellingError("A gold question has no known answer.", "Give it in gold.")
            known_answers[ident] = answers[q.items]
    return TaskPack(
        name=name.strip() or title_of_kind(first.kind, first.arm),
        card=_card(asked_questions),
        questions=tuple(questions),
        seed=seed,
        overlap=max(q.raters for q in asked_questions),
        guidelines=guidelines.strip() or guidelines_of_kind(first.kind, first.arm),
        gold=known_answers,
        pictures=pictures,
        exemplars=dict(exemplars or {}),
        lease=lease,
        kind=first.kind,
        cards=_cards(asked_questions) if first.kind == "compare" else {},
        activities=_activities(asked_questions) if first.arm == "hidden" else {},
        chips=tuple(dict.fromkeys(c for q in asked_questions for c in sorted(q.options)))
        if first.kind == "hypothesis"
        else (),
    )


def _kind_in_pack(q: AskedQuestion, seen: set[tuple[str, ...]]) -> Kind:
    if q.use == "gold":
        return "gold"
    return "again" if q.kind == "compare" and q.items[::-1] in seen else "ask"


def _card(asked_questions: Sequence[AskedQuestion]) -> Card:
    """Return the one card of class questions; of others one that says nothing but which z it is."""
    if asked_questions[0].kind != "label":
        (z_hash, *more) = {q.z_hash for q in asked_questions}
        return Card((), z_hash="" if more else z_hash)
    cards = {q.card_hash: q.shown.get("card") for q in asked_questions}
    (card, *others) = cards.values()
    if others or not isinstance(card, Card):
        raise LabellingError("Class questions show one card.", "Make a pack for each card.")
    return card


def _cards(asked_questions: Sequence[AskedQuestion]) -> dict[str, Card]:
    shown = [
        card for q in asked_questions for card in cast(Sequence[Any], q.shown.get("cards", ()))
    ]
    return {card.hash: card for card in shown if isinstance(card, Card)}


def _activities(asked_questions: Sequence[AskedQuestion]) -> dict[str, CardActivity]:
    shown = [q.shown.get("activity") for q in asked_questions]
    return {one.hash: one for one in shown if isinstance(one, CardActivity)}


def _picture(q: AskedQuestion, pictures: dict[str, bytes]) -> str:
    """Put a question's picture among the pack's, where it shows one; returns the file's name."""
    pixels = q.shown.get("picture")
    if pixels is None or q.arm == "hidden":
        return ""
    name = f"pictures/{opaque_question_id(0, q.items[0], 'ask')}.png"
    if name not in pictures:
        pictures[name] = enlarged_png(np.asarray(pixels))
    return name
