from __future__ import annotations

import csv
from pathlib import Path

import pytest

from circuitz.lexicon.lexicon import Lexicon
from circuitz.lexicon.ranking import auroc

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def pairs() -> list[tuple[str, str, bool]]:
    return read("pairs_dev.csv")


def read(name: str) -> list[tuple[str, str, bool]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return [(r["concept"], r["class"], r["label"] == "1") for r in csv.DictReader(file)]


def test_parts_and_attributes_rank_above_what_is_found_beside_a_thing(
    pairs: list[tuple[str, str, bool]],
):
    lexicon = Lexicon.load()
    scores = [lexicon.support(concept, of).score for concept, of, _ in pairs]
    labels = [label for _, _, label in pairs]
    assert len(pairs) == 200
    assert sum(labels) == 100
    assert auroc(scores, labels) >= 0.95


def test_verdicts_seldom_contradict_what_people_say(pairs: list[tuple[str, str, bool]]):
    lexicon = Lexicon.load()
    wrong = [
        (concept, of)
        for concept, of, label in pairs
        if lexicon.support(concept, of).verdict == ("opposes" if label else "supports")
    ]
    assert len(wrong) <= 0.05 * len(pairs), wrong


def test_without_wordnet_the_entries_alone_fall_short_of_it(pairs: list[tuple[str, str, bool]]):
    known = Lexicon.load()
    alone = Lexicon(known.concepts, known.categories, wordnet=False)
    labels = [label for _, _, label in pairs]
    scores = [alone.support(concept, of).score for concept, of, _ in pairs]
    assert auroc(scores, labels) < 0.9


def test_auroc_of_known_orders():
    assert auroc([0.1, 0.9], [False, True]) == 1
    assert auroc([0.9, 0.1], [False, True]) == 0
    assert auroc([0.5, 0.5, 0.5], [False, True, True]) == 0.5
    with pytest.raises(ValueError, match="Both"):
        auroc([0.5], [True])


def test_pairs_that_no_rule_was_made_for_rank_as_well():
    held = read("pairs_held.csv")
    lexicon = Lexicon.load()
    scores = [lexicon.support(concept, of).score for concept, of, _ in held]
    assert len(held) == 100
    assert auroc(scores, [label for _, _, label in held]) >= 0.95
