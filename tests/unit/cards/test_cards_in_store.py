from __future__ import annotations

from dataclasses import replace

import pytest

from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.cards.cards_in_store import card_from_store, keep_cards
from circuitz.errors import StoreError
from circuitz.store.memory_judgements import JudgementsInMemory
from circuitz.z.word_match import WordMatch

CUE = Cue(
    "snow", ("snow",), ("conv4:1",), 0.4, interval=(0.3, 0.5),
    matches=(WordMatch("concepts", "holds", 0.8, 0.7, 0.9, 40), WordMatch("D'", "fails", n=31)),
)  # fmt: skip
CARD = Card((ClassEntry("husky", (CUE,), wordless=0.2), ClassEntry("corgi", ())), "dog", "z1")


def test_a_card_outlives_its_z() -> None:
    store = JudgementsInMemory()
    keep_cards(store, [CARD, replace(CARD, z_hash="z2"), replace(CARD, subject="bird")])
    keep_cards(store, [CARD])
    assert len(store.shown_hashes("card")) == 2
    back = card_from_store(store, CARD.hash)
    assert back == CARD
    assert back.entry_of_class("husky").cues[0].fails_on == ("D'",)
    with pytest.raises(StoreError, match="is not in this store"):
        card_from_store(store, "no such card")
