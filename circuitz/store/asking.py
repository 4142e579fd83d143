"""Questions to people as values, and who answers them: what every use of judgements goes through.

A search, a test of words and a benchmark never know who answers. They are handed a function that
takes questions and returns judgements: a screen with people before it, the answers in a store, or
simulated people, who say so in every judgement they give.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from circuitz.disk.hashing import json_hash
from circuitz.store.judgement import Judgement, RaterKind, Use, iso_utc_now

YES, NO = "yes", "no"
"""What is answered to ``shows``, beside :data:`~circuitz.store.judgement.NO_OPTIONS`."""
JudgementKind = Literal["shows", "compare", "label", "hypothesis"]


@dataclass(frozen=True, eq=False)
class AskedQuestion:
    """One question to one rater or several.

    Parameters
    ----------
    kind
        ``shows`` (does this picture show the word?), ``compare`` (which of two cards is more
        plausible?), ``label`` (which class is it, with the card at hand?) or ``hypothesis`` (what
        does this class look like, what does this unit see?).
    items
        Content hashes of what is asked about: the picture; the two cards, in the order shown; the
        class or unit, as annotations name them (``output:husky``, ``conv5:54``). Of ``label`` in
        the hidden arm the input and the activity that is shown.
    options
        What may be answered, in the order shown.
    seed
        That order was drawn from it.
    word
        The word that is asked about, of ``shows``.
    arm
        Of ``label``: ``shown`` or ``hidden``, whether the rater sees the picture or only which
        annotated units are active. Of the others empty.
    z_hash, card_hash
        The z it is about, and the card that is shown; empty where none is.
    use
        What the answer may be used for.
    raters
        How many people are to answer.
    shown
        What the screen shows, by name, for whoever answers in place of a screen: ``picture``
        (``(h, w, c)`` uint8), ``card``, ``cards``, ``activity``, ``row`` and ``population``.
    """

    kind: JudgementKind
    items: tuple[str, ...]
    options: tuple[str, ...]
    seed: int = 0
    word: str = ""
    arm: str = ""
    z_hash: str = ""
    card_hash: str = ""
    use: Use = "train"
    raters: int = 1
    shown: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def judgement_kind(self) -> str:
        """Kind as judgements name it; answers of all z's about one word are of one kind."""
        if self.kind == "shows":
            return f"concept: {self.word}"
        return f"{self.kind}: {self.arm}" if self.arm else self.kind


#: Takes questions, returns what was answered: fewer judgements where somebody did not answer.
Ask = Callable[[Sequence[AskedQuestion]], Sequence[Judgement]]


def judgement_of_answer(
    question: AskedQuestion,
    answer: Mapping[str, Any],
    *,
    task: str,
    rater: str,
    rater_kind: RaterKind,
    instructions: str = "1",
    shown: str = "",
    answered: str = "",
    key: str = "",
) -> Judgement:
    """Return an answer to a question as a judgement, for whoever answers in place of a screen.

    Parameters
    ----------
    question
        What was asked.
    answer
        JSON values: ``choice`` (one of the options), and for hypotheses ``words`` and ``text``.
    task
        What the rater is working on.
    rater, rater_kind
        Who answers: simulated people say so.
    instructions
        Version of what the rater was told to do.
    shown, answered
        Times, ISO 8601; now when empty.
    key
        Idempotency key; made of task, rater and question when empty, so that the same answer to it
        is stored once, and another one refused.
    """
    now = iso_utc_now()
    return Judgement(
        task=task,
        kind=question.judgement_kind,
        z_hash=question.z_hash,
        card_hash=question.card_hash,
        items=question.items,
        options=question.options,
        seed=question.seed,
        answer=dict(answer),
        rater=rater,
        rater_kind=rater_kind,
        shown=shown or now,
        answered=answered or now,
        key=key or json_hash([task, rater, rater_kind, question.judgement_kind, *_about(question)]),
        instructions=instructions,
        use=question.use,
    ).validated_with_id()


def _about(question: AskedQuestion) -> list[str]:
    return [question.card_hash, *question.items]
