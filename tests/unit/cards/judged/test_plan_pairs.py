from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from circuitz.cards.judged.plan_pairs import plan_pairs
from circuitz.errors import CardError

WORDS = ("snow", "pointed ears", "curled tail", "fluffy coat")


@pytest.fixture
def pool(make_card):
    """Every subset of four words: neighbours differ in one, the far ends in four."""
    return [make_card({w: 0.3 for i, w in enumerate(WORDS) if code >> i & 1}) for code in range(16)]


def reached(pairs) -> set[str]:
    """Cards that the pairs join to the first."""
    found = {pairs[0].a_hash}
    while more := {c for p in pairs if found & p.cards for c in p.cards} - found:
        found |= more
    return found


def test_the_tree_comes_first_and_joins_every_card(pool) -> None:
    pairs = plan_pairs(pool, 60, seed=3)
    assert [p.why for p in pairs[:15]] == ["tree"] * 15
    assert "tree" not in [p.why for p in pairs[15:]]
    assert reached(pairs[:15]) == {card.hash for card in pool}


def test_shares_of_the_rest_are_as_planned(pool) -> None:
    gold = [(pool[0].hash, pool[15].hash), (pool[1].hash, pool[14].hash), *(
        (pool[i].hash, pool[i + 2].hash) for i in (4, 5, 8, 9)
    )]  # fmt: skip
    pairs = plan_pairs(pool, 75, gold=gold, seed=1)
    counts = Counter(p.why for p in pairs)
    assert counts == {"tree": 15, "far": 20, "repeat": 6, "gold": 6, "near": 22, "random": 6}
    firsts = [p.cards for p in pairs if p.why != "repeat"]
    assert len(set(firsts)) == len(firsts)


def test_near_pairs_are_one_change_apart_and_far_ones_are_not(pool) -> None:
    pairs = plan_pairs(pool, 60, seed=0)
    near = [p for p in pairs if p.why == "near"]
    assert near
    assert all(p.near for p in near)
    assert not any(p.near for p in pairs if p.why == "far")


def test_pairs_that_differ_in_figures_alone_are_not_asked_about_as_near(pool) -> None:
    seen_otherwise = [
        replace(card, classes=tuple(replace(e, wordless=0.5) for e in card.classes))
        for card in pool
    ]
    alike = {frozenset((a.hash, b.hash)) for a, b in zip(pool, seen_otherwise, strict=True)}
    pairs = plan_pairs([*pool, *seen_otherwise], 250, seed=0)
    chosen = {p.cards for p in pairs if p.why in ("near", "random")}
    assert chosen
    assert not chosen & alike


def test_every_word_is_asked_about_as_often_as_the_others(pool) -> None:
    by_hash = {card.hash: set(card.concepts) for card in pool}
    pairs = plan_pairs(pool, 45, seed=2)
    told = Counter(
        word for p in pairs if p.why == "near" for word in by_hash[p.a_hash] ^ by_hash[p.b_hash]
    )
    # Eight pairs tell of each word; some are in the tree.
    assert sum(told.values()) == sum(p.why == "near" for p in pairs)
    assert max(told.values()) - min(told[w] for w in WORDS) <= 1


def test_repeats_swap_the_sides_of_an_earlier_pair(pool) -> None:
    pairs = plan_pairs(pool, 60, seed=5)
    shown = {(p.a_hash, p.b_hash) for p in pairs if p.why != "repeat"}
    repeats = [p for p in pairs if p.why == "repeat"]
    assert repeats
    assert all((p.b_hash, p.a_hash) in shown for p in repeats)


def test_gold_is_told_by_the_sides_as_shown(pool) -> None:
    gold = [(pool[15].hash, card.hash) for card in pool[:10]]
    pairs = [p for p in plan_pairs(pool, 115, gold=gold, seed=0) if p.why == "gold"]
    assert {p.answer for p in pairs} == {"a", "b"}
    for p in pairs:
        assert (p.a_hash if p.answer == "a" else p.b_hash) == pool[15].hash


def test_sides_follow_the_recorded_seed_and_even_out(pool) -> None:
    assert plan_pairs(pool, 60, seed=7) == plan_pairs(pool[::-1], 60, seed=7)
    assert plan_pairs(pool, 60, seed=7) != plan_pairs(pool, 60, seed=8)
    pairs = plan_pairs(pool, 115, seed=7)
    assert 0.3 < np.mean([p.a_hash < p.b_hash for p in pairs]) < 0.7


def test_cards_that_look_alike_are_one(make_card) -> None:
    with pytest.raises(CardError, match="two cards"):
        plan_pairs([make_card({"snow": 0.3}), make_card({"snow": 0.3})])


def test_too_few_pairs_and_strange_gold_are_named(pool) -> None:
    with pytest.raises(CardError, match="cannot join 16"):
        plan_pairs(pool, 14)
    with pytest.raises(CardError, match="gold pair"):
        plan_pairs(pool, 60, gold=[("nobody", pool[0].hash)])
    with pytest.raises(CardError, match="gold pair"):
        plan_pairs(pool, 60, gold=[(pool[0].hash, pool[0].hash)])


def test_two_cards_make_one_pair_and_its_repeats_do_not_run_out(make_card) -> None:
    pairs = plan_pairs([make_card({"snow": 0.3}), make_card({})], 20)
    assert [p.why for p in pairs] == ["tree", "repeat"]
