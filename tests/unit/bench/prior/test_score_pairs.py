from __future__ import annotations

from pathlib import Path

import pytest

from circuitz.bench.prior.fewer_entries import entries_of_worlds, without_world_entries
from circuitz.bench.prior.score_pairs import (
    SHIPPED,
    ConceptPair,
    read_pairs,
    read_shipped_pairs,
    score_pairs,
)
from circuitz.errors import BenchError
from circuitz.lexicon.lexicon import Lexicon

PAIRS = [
    ConceptPair("ears", "dog", True),
    ConceptPair("snow", "cat", True),  # says this test, so that one is accused wrongly
    ConceptPair("snow", "dog", False),
    ConceptPair("tail", "dog", False),
    ConceptPair("zorgle", "dog", False),
]


def test_who_is_accused_and_supported_is_counted():
    found = score_pairs("mine", PAIRS, Lexicon.load())
    assert (found.pairs, found.legitimate) == (5, 2)
    assert found.accused_wrongly == (("snow", "cat"),)
    assert (found.wrong_accusations, found.right_accusations, found.wrong_supports) == (1, 1, 1)
    assert found.judged == pytest.approx(4 / 5)
    assert found.auroc == pytest.approx(2.5 / 6)


@pytest.mark.parametrize(
    ("name", "legitimate", "count"),
    [
        ("ordinary_blind", 192, 387),
        ("domains_blind", 250, 385),
        ("ordinary_dev", 100, 200),
        ("domains_dev", 130, 200),
        ("classes_dev", 100, 200),
        ("classes_held", 54, 100),
    ],
)
def test_shipped_pairs_are_all_there(name: str, legitimate: int, count: int):
    assert name in SHIPPED
    pairs = read_shipped_pairs(name)
    assert (sum(pair.legitimate for pair in pairs), len(pairs)) == (legitimate, count)
    assert all(pair.concept and pair.subject for pair in pairs)


def test_files_that_are_no_pairs_are_named(tmp_path: Path):
    path = tmp_path / "pairs.csv"
    with pytest.raises(BenchError, match="cannot be read"):
        read_pairs(path)
    path.write_text("concept,thing\nears,dog\n")
    with pytest.raises(BenchError, match="lack a column"):
        read_pairs(path)
    path.write_text("concept,subject,legitimate\nears,dog,1\n")
    with pytest.raises(BenchError, match="all alike"):
        score_pairs("mine", read_pairs(path), Lexicon.load())


def test_words_of_the_worlds_are_dropped_by_share_and_seed():
    known = Lexicon.load()
    names = entries_of_worlds(known)
    assert len(names) > 10
    assert {"snow", "ears"} <= set(without_world_entries(known, 1.0, 0).concepts)
    gone = [
        set(known.concepts) - set(without_world_entries(known, 0.5, s).concepts) for s in (0, 0, 1)
    ]
    assert gone[0] == gone[1] != gone[2]
    assert len(gone[0]) == round(len(names) / 2)
    assert without_world_entries(known, 0.0, 3).hash == known.hash
