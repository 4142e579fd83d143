from __future__ import annotations

import pytest

from circuitz.bench.prior.score_pairs import read_shipped_pairs, score_pairs
from circuitz.lexicon.lexicon import Lexicon
from circuitz.lexicon.ranking import auroc

ORDINARY = ("classes_dev", "classes_held", "ordinary_dev")


@pytest.mark.parametrize("name", ORDINARY)
def test_parts_and_attributes_rank_above_what_is_found_beside_a_thing(name: str):
    found = score_pairs(name, read_shipped_pairs(name), Lexicon.load())
    assert found.auroc >= 0.95
    assert found.judged >= 0.8


@pytest.mark.parametrize("name", [*ORDINARY, "domains_dev", "ordinary_blind"])
def test_hardly_any_pair_is_accused_wrongly(name: str):
    found = score_pairs(name, read_shipped_pairs(name), Lexicon.load())
    assert found.wrong_accusations <= 0.01 * found.pairs, found.accused_wrongly


@pytest.mark.parametrize("name", ORDINARY)
def test_most_of_what_only_stands_beside_ordinary_things_is_accused(name: str):
    found = score_pairs(name, read_shipped_pairs(name), Lexicon.load())
    assert found.right_accusations >= 0.7 * (found.pairs - found.legitimate)
    assert found.wrong_supports <= 0.02 * found.pairs


def test_pairs_that_no_rule_was_corrected_on_are_judged_nearly_as_well():
    found = score_pairs("", read_shipped_pairs("ordinary_blind"), Lexicon.load())
    assert found.auroc >= 0.95
    assert found.right_accusations >= 0.6 * (found.pairs - found.legitimate)
    domains = score_pairs("", read_shipped_pairs("domains_blind"), Lexicon.load())
    assert domains.wrong_accusations <= 0.015 * domains.pairs, domains.accused_wrongly


def test_without_wordnet_the_entries_alone_fall_short_of_it():
    known = Lexicon.load()
    alone = Lexicon(known.concepts, known.categories, wordnet=False)
    assert score_pairs("", read_shipped_pairs("classes_dev"), alone).auroc < 0.9


def test_auroc_of_known_orders():
    assert auroc([0.1, 0.9], [False, True]) == 1
    assert auroc([0.9, 0.1], [False, True]) == 0
    assert auroc([0.5, 0.5, 0.5], [False, True, True]) == 0.5
    with pytest.raises(ValueError, match="Both"):
        auroc([0.5], [True])
