"""Which of two cards somebody found more plausible."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from circuitz.store.judgement import RaterKind, Use

Outcome = Literal["a", "b", "equal", "both implausible", "cannot tell"]
Side = Literal["a", "b"]
#: What may be answered, in the order of the screen; *cannot tell* is offered beside every question.
COMPARE_OPTIONS: tuple[Outcome, ...] = ("a", "b", "equal", "both implausible")
OUTCOMES: tuple[Outcome, ...] = (*COMPARE_OPTIONS, "cannot tell")
_OTHER: dict[Outcome, Outcome] = {"a": "b", "b": "a"}


@dataclass(frozen=True)
class Reason:
    """What somebody pointed at as the offence.

    Parameters
    ----------
    side
        The card it stands on.
    class_name
        The class it stands under.
    words
        The cue's words.
    part
        ``arrow``, the cue's strength on that class; or ``words``, what it is called.
    """

    side: Side
    class_name: str
    words: str
    part: Literal["arrow", "words"] = "words"

    def to_json(self) -> dict[str, Any]:
        """Return it as an answer holds it."""
        return {
            "side": self.side, "class": self.class_name, "words": self.words, "part": self.part,
        }  # fmt: skip

    @classmethod
    def from_json(cls, record: Any) -> Reason:
        """Read it from an answer; ValueError, KeyError or TypeError if it is none."""
        side, part = record["side"], record.get("part", "words")
        if side not in ("a", "b") or part not in ("arrow", "words"):
            raise ValueError(f"{side!r}, {part!r} is no place on a card")
        return cls(side, str(record["class"]), str(record["words"]), part)


@dataclass(frozen=True)
class Comparison:
    """One answer to "which of these is more plausible?".

    Parameters
    ----------
    a_hash, b_hash
        Hashes of the two cards in the order shown: ``a`` stood on the left.
    outcome
        What was said.
    rater, rater_kind
        Who said it.
    use
        What it may be used for.
    near
        Whether the cards differ in one change.
    repeat_of
        Id of the judgement that this one repeats with its sides swapped; empty for a first one.
    reasons
        What was pointed at.
    note
        What was written.
    seconds
        How long it took, where that is known.
    task, id
        The task, and the judgement it was read from.
    """

    a_hash: str
    b_hash: str
    outcome: Outcome
    rater: str = ""
    rater_kind: RaterKind = "person"
    use: Use = "train"
    near: bool = False
    repeat_of: str = ""
    reasons: tuple[Reason, ...] = ()
    note: str = ""
    seconds: float | None = None
    task: str = ""
    id: str = ""

    @property
    def cards(self) -> frozenset[str]:
        """Both cards, whichever side they stood on."""
        return frozenset((self.a_hash, self.b_hash))

    @property
    def preferred(self) -> str:
        """Hash of the card that was found more plausible; empty where neither was."""
        return {"a": self.a_hash, "b": self.b_hash}.get(self.outcome, "")

    def mirrored(self) -> Comparison:
        """Return the same with its sides swapped."""
        sides: dict[Side, Side] = {"a": "b", "b": "a"}
        return replace(
            self,
            a_hash=self.b_hash,
            b_hash=self.a_hash,
            outcome=_OTHER.get(self.outcome, self.outcome),
            reasons=tuple(replace(r, side=sides[r.side]) for r in self.reasons),
        )
