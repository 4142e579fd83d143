"""Questions about cards as values that screens and simulated people answer alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from circuitz.cards.activity import CardActivity
from circuitz.cards.card import Card
from circuitz.cards.judged.class_answer import Arm
from circuitz.cards.judged.comparison import COMPARE_OPTIONS
from circuitz.cards.judged.plan_pairs import PairKind, PlannedPair
from circuitz.errors import CardError
from circuitz.store.asking import AskedQuestion
from circuitz.store.judgement import Use

_USES: Mapping[PairKind, Use] = {"repeat": "held-out", "gold": "gold"}


def comparisons_to_ask(
    pairs: Iterable[PlannedPair], cards: Iterable[Card], *, raters: int = 2, use: Use = "train"
) -> list[AskedQuestion]:
    """Return planned pairs as questions.

    Parameters
    ----------
    pairs
        See :func:`circuitz.cards.judged.plan_pairs.plan_pairs`.
    cards
        The cards they are of.
    raters
        How many people are to answer each.
    use
        What answers may be used for; repeats are held out, gold is gold.

    Raises
    ------
    CardError
        If a pair names a card that is not there.
    """
    by_hash = {card.hash: card for card in cards}
    found: list[AskedQuestion] = []
    for pair in pairs:
        items = (pair.a_hash, pair.b_hash)
        if not set(items) <= set(by_hash):
            raise CardError("A pair names a card that is not there.", "Give all planned cards.")
        shown = {"cards": tuple(by_hash[h] for h in items)}
        found.append(
            AskedQuestion(
                "compare", items, COMPARE_OPTIONS, pair.seed, use=_USES.get(pair.why, use),
                raters=raters, shown=shown,
            )
        )  # fmt: skip
    return found


def class_questions_to_ask(
    card: Card,
    items: Sequence[str],
    activities: Sequence[CardActivity],
    *,
    arm: Arm = "hidden",
    pictures: Sequence[Any] = (),
    raters: int = 1,
    use: Use = "train",
    seed: int = 0,
) -> list[AskedQuestion]:
    """Return the question "which class is it?" about inputs, with a card at hand.

    Parameters
    ----------
    card
        The card.
    items
        Content hashes of the inputs.
    activities
        What the card's cues do on each.
    arm
        ``hidden``: the activity is shown and no picture; ``shown``: both are.
    pictures
        Of the shown arm: ``(h, w, c)`` uint8 each.
    raters, use
        As in :class:`circuitz.store.asking.AskedQuestion`.
    seed
        The order of classes of each question is drawn from it.

    Raises
    ------
    CardError
        If there is not one activity, and in the shown arm one picture, an input, or an activity is
        of another card.
    """
    if len(activities) != len(items) or (arm == "shown" and len(pictures) != len(items)):
        raise CardError("Inputs, activities and pictures do not fit.", "Give one each an input.")
    if any(one.card_hash != card.hash for one in activities):
        raise CardError("An activity is of another card.", "Compute it with this card.")
    found: list[AskedQuestion] = []
    for i, (item, activity) in enumerate(zip(items, activities, strict=True)):
        order = int(np.random.default_rng([seed, i]).integers(2**31))
        names = np.random.default_rng(order).permutation(len(card.names))
        shown: dict[str, Any] = {"card": card, "activity": activity}
        if arm == "shown":
            shown["picture"] = pictures[i]
        found.append(
            AskedQuestion(
                "label", (item, activity.hash) if arm == "hidden" else (item,),
                tuple(card.names[int(k)] for k in names), order, arm=arm, z_hash=card.z_hash,
                card_hash=card.hash, use=use, raters=raters, shown=shown,
            )
        )  # fmt: skip
    return found


def hypotheses_to_ask(
    targets: Iterable[str],
    chips: Sequence[str],
    *,
    z_hash: str = "",
    pictures: Mapping[str, Any] | None = None,
    raters: int = 2,
    seed: int = 0,
) -> list[AskedQuestion]:
    """Return the question what a class looks like, or a unit sees.

    Parameters
    ----------
    targets
        What is asked about, as annotations name it: ``output:husky``, ``conv5:54``.
    chips
        Words that may be chosen.
    z_hash
        The z they belong to.
    pictures
        Examples by target: ``(h, w, c)`` uint8.
    raters
        How many people are to answer each.
    seed
        The order of words of each question is drawn from it.
    """
    found: list[AskedQuestion] = []
    for i, target in enumerate(targets):
        order = int(np.random.default_rng([seed, 17, i]).integers(2**31))
        drawn = np.random.default_rng(order).permutation(len(chips))
        shown = {"picture": pictures[target]} if pictures and target in pictures else {}
        found.append(
            AskedQuestion(
                "hypothesis", (target,), tuple(chips[int(k)] for k in drawn), order, z_hash=z_hash,
                raters=raters, shown=shown,
            )
        )  # fmt: skip
    return found
