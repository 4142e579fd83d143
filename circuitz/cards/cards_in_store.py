"""Cards kept with the judgements about them, so that they can be learned from without their z."""

from __future__ import annotations

from collections.abc import Iterable

from circuitz.cards.activity import CardActivity
from circuitz.cards.card import Card
from circuitz.store.judgement_store import JudgementStore
from circuitz.store.shown_record import ShownRecord

#: Kinds of what was shown, in a store.
CARD, ACTIVITY = "card", "activity"


def keep_cards(store: JudgementStore, cards: Iterable[Card]) -> None:
    """Keep cards before they are shown; those a store has already are not written again.

    Raises
    ------
    StoreError
        If they cannot be written.
    """
    _keep(store, CARD, cards)


def keep_activities(store: JudgementStore, activities: Iterable[CardActivity]) -> None:
    """Keep what is shown in place of pictures; what a store has already is not written again.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    _keep(store, ACTIVITY, activities)


def _keep(store: JudgementStore, kind: str, shown: Iterable[Card | CardActivity]) -> None:
    by_hash: dict[str, Card | CardActivity] = {}
    for one in shown:
        by_hash.setdefault(one.hash, one)
    if not by_hash:
        return
    there = store.shown_hashes(kind)
    new = [ShownRecord(h, kind, one.to_json()) for h, one in by_hash.items() if h not in there]
    if new:
        store.keep_shown(new)


def card_from_store(store: JudgementStore, card_hash: str) -> Card:
    """Return the card that was shown under a hash.

    Raises
    ------
    StoreError
        If it was not kept.
    CardError
        If it is malformed, or was written by a newer version.
    """
    return Card.from_json(store.shown_record(card_hash).record)


def activity_from_store(store: JudgementStore, activity_hash: str) -> CardActivity:
    """Return the activity that was shown under a hash.

    Raises
    ------
    StoreError
        If it was not kept.
    CardError
        If it is malformed.
    """
    return CardActivity.from_json(store.shown_record(activity_hash).record)
