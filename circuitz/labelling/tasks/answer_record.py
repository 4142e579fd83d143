"""What is stored of an answer, checked against what was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from circuitz.cards.judged.comparison import Reason
from circuitz.cards.rater_answer import CANNOT_TELL, DISCARDED
from circuitz.disk.safe_text import strip_and_check_text
from circuitz.errors import CircuitzError, LabellingError
from circuitz.labelling.tasks.pack import Question, TaskPack

WRITTEN = "written"
"""Choice of an answer that is words, as a screen sends it; it is not stored."""
MOST_REASONS = 20
LONGEST_NOTE = 2000
_Details = Mapping[str, Any]


def checked_answer(
    pack: TaskPack,
    question: Question,
    options: Sequence[str],
    choice: str,
    details: _Details | None = None,
) -> dict[str, Any]:
    """Return an answer as it is stored.

    Parameters
    ----------
    pack, question
        What was asked.
    options
        What may be chosen.
    choice
        One of them, or ``cannot tell``; ``not usable`` where a picture is shown; ``written`` where
        the answer is words.
    details
        What else was said: ``reasons`` and ``note`` of a comparison, ``words`` and ``text`` of a
        hypothesis.

    Raises
    ------
    LabellingError
        If it is no answer to this question.
    """
    more = dict(details or {})
    if pack.kind == "hypothesis" and choice == WRITTEN:
        return _checked_words(options, more)
    others = (CANNOT_TELL,) if pack.kind != "label" else (CANNOT_TELL, DISCARDED)
    offered = others if pack.kind == "hypothesis" else (*options, *others)
    if choice not in offered:
        raise LabellingError(
            f"{choice[:60]!r} is no answer to this question.",
            f"Answers are {', '.join(offered[:12])}.",
        )
    answer: dict[str, Any] = {"choice": choice}
    if pack.kind == "compare":
        answer |= _checked_reasons(pack, question, more)
    return answer


def _checked_reasons(pack: TaskPack, question: Question, details: _Details) -> dict[str, Any]:
    """Return reasons that point at what stands on the cards, and the note."""
    found: dict[str, Any] = {}
    told = details.get("reasons") or []
    if not isinstance(told, list) or len(told) > MOST_REASONS:
        raise LabellingError("The reasons are no list of a sensible length.", "Reload the page.")
    reasons: list[Reason] = []
    for one in told:
        try:
            reason = Reason.from_json(one)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise LabellingError("A reason points at nothing.", "Reload the page.") from error
        card = pack.cards[question.items[0 if reason.side == "a" else 1]]
        shown = {(e.name, cue.words) for e in card.classes for cue in e.cues}
        if (reason.class_name, reason.words) not in shown:
            raise LabellingError(
                f"{reason.words[:60]!r} does not stand under {reason.class_name[:60]!r} on that card.",
                "Reload the page.",
            )
        reasons.append(reason)
    if reasons:
        found["reasons"] = [reason.to_json() for reason in dict.fromkeys(reasons)]
    note = _checked_text(details.get("note"))
    return {**found, "note": note} if note else found


def _checked_words(options: Sequence[str], details: _Details) -> dict[str, Any]:
    words = details.get("words") or []
    if not isinstance(words, list) or not set(map(str, words)) <= set(options):
        raise LabellingError("A word was chosen that was not offered.", "Reload the page.")
    text = _checked_text(details.get("text"))
    if not words and not text:
        raise LabellingError("Nothing was said.", "Choose a word, write some, or say cannot tell.")
    return {"words": list(dict.fromkeys(map(str, words))), "text": text}


def _checked_text(value: Any) -> str:
    """Return what was written; each line is checked, blank ones are dropped."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return ""
    if not isinstance(value, str) or len(value) > LONGEST_NOTE:
        raise LabellingError(
            "What was written is too long, or no text.", f"Up to {LONGEST_NOTE:,} characters."
        )
    try:
        lines = [
            strip_and_check_text(line, what="note") for line in value.splitlines() if line.strip()
        ]
    except CircuitzError as error:
        raise LabellingError(error.message, error.hint) from error
    return "\n".join(lines)
