"""What no screen could ask is refused before a pack is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from circuitz.cards.rater_answer import CANNOT_TELL, DISCARDED
from circuitz.errors import LabellingError
from circuitz.store.leases import LONGEST_LEASE

if TYPE_CHECKING:
    from circuitz.labelling.tasks.pack import Question, TaskPack

MOST_QUESTIONS = 20_000
MOST_OVERLAP = 50
MOST_CHIPS = 200
_ANEW = "Make the pack anew."


def refuse_unaskable_pack(pack: TaskPack) -> None:
    """Refuse what no screen could ask.

    Raises
    ------
    LabellingError
        Saying what is wrong.
    """
    if pack.kind == "hypothesis":
        _check_chips(pack.chips)
    else:
        check_answerable_classes(pack.classes)
    if not pack.questions:
        raise LabellingError("There is nothing to ask.", "Give pictures to label.")
    if len(pack.questions) > MOST_QUESTIONS:
        raise LabellingError(
            f"{len(pack.questions):,} questions are too many.", f"Up to {MOST_QUESTIONS:,}."
        )
    check_overlap_and_lease(pack.overlap, pack.lease)
    ids = [q.id for q in pack.questions]
    if len(set(ids)) != len(ids):
        raise LabellingError("A question occurs twice.", _ANEW)
    if len({q.judgement_kind_and_item for q in pack.questions}) != len(ids):
        # A gold picture among the others: one answer would count as both.
        raise LabellingError("A picture is asked about twice.", _ANEW)
    for q in pack.questions:
        _check_shown(pack, q)
    golden = {q.id for q in pack.questions if q.kind == "gold"}
    if golden != set(pack.gold) or not set(pack.gold.values()) <= set(pack.classes):
        raise LabellingError("Gold questions and their answers do not fit.", _ANEW)


def _check_shown(pack: TaskPack, q: Question) -> None:
    """Refuse a question that lacks what is to be shown."""
    kind = q.judged_as.partition(":")[0] or "label"
    if kind != pack.kind:
        raise LabellingError(f"A question of kind {kind!r} is in a pack of {pack.kind}.", _ANEW)
    if pack.kind == "compare":
        if len(q.items) != 2 or len(set(q.items)) != 2 or not set(q.items) <= set(pack.cards):
            raise LabellingError("A comparison lacks one of its two cards.", _ANEW)
        return
    if pack.hidden:
        shown = pack.activities.get(q.further[0]) if len(q.further) == 1 else None
        if shown is None or shown.card_hash != pack.card.hash:
            raise LabellingError("A question lacks the activity of the card's signs.", _ANEW)
        return
    if q.picture not in pack.pictures:
        raise LabellingError("A question has no picture.", _ANEW)
    if any(not 0 <= s.heat < len(pack.heat) for s in q.seen):
        raise LabellingError("A question lacks a map of its units.", _ANEW)


def _check_chips(chips: Sequence[str]) -> None:
    odd = [c for c in chips if not c.strip() or c in (CANNOT_TELL, DISCARDED)]
    if odd or len(set(chips)) != len(chips) or len(chips) > MOST_CHIPS:
        raise LabellingError(
            f"{odd[0]!r} cannot be a word to choose." if odd else "The words to choose do not do.",
            f"Give each word once, up to {MOST_CHIPS}.",
        )


def check_answerable_classes(names: Sequence[str]) -> None:
    """Refuse classes that cannot be the answers to choose from.

    Raises
    ------
    LabellingError
        Naming the class.
    """
    for name in names:
        if not name.strip() or name in (CANNOT_TELL, DISCARDED):
            raise LabellingError(
                f"A class is called {name!r}, which is an answer of its own.", "Rename the class."
            )
    if len(set(names)) != len(names) or len(names) < 2:
        raise LabellingError("A pack needs two classes or more, each once.", "Check the card.")


def check_overlap_and_lease(overlap: int, lease: float) -> None:
    """Refuse an overlap or a lease that helps nobody.

    Raises
    ------
    LabellingError
        Naming the number.
    """
    if not 1 <= overlap <= MOST_OVERLAP:
        raise LabellingError(
            f"Each question would be answered by {overlap} people.", f"Choose 1 to {MOST_OVERLAP}."
        )
    if not 5 <= lease <= LONGEST_LEASE:
        raise LabellingError(
            f"Leases of {lease} seconds help nobody.", "Choose 5 seconds to a week."
        )
