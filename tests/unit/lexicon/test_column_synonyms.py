"""Synonyms are one concept where labels agree or a person says so."""

from __future__ import annotations

import numpy as np
import pytest

from circuitz.errors import ColumnNamesError, ContradictingColumnsError
from circuitz.lexicon.column_disputes import (
    check_columns_are_told_apart,
    hint_for_unsettled_pair,
)
from circuitz.lexicon.column_synonyms import columns_spelled_alike, compare_synonym_columns
from circuitz.lexicon.lexicon import Lexicon

LEXICON = Lexicon.load()
N = 400


def labels(agreement: float, share: float = 0.5) -> np.ndarray:
    """Two columns that agree on this share of the pictures."""
    one = (np.arange(N) < share * N).astype(np.float32)
    other = one.copy()
    wrong = np.random.default_rng(0).permutation(N)[: round((1 - agreement) * N)]
    other[wrong] = 1 - other[wrong]
    return np.stack([one, other], 1)


def relation(names: tuple[str, str], table: np.ndarray, lexicon: Lexicon = LEXICON) -> str:
    pairs = compare_synonym_columns(names, table, lexicon)
    return pairs[0].relation if pairs else ""


@pytest.mark.parametrize(
    ("agreement", "said"),
    [(1.0, "one"), (0.995, "one"), (0.98, "unsettled"), (0.9, "unsettled"), (0.6, "contradicting")],
)
def test_labels_say_whether_synonyms_are_one(agreement: float, said: str) -> None:
    assert relation(("grass", "lawn"), labels(agreement)) == said


def test_what_are_no_synonyms_is_never_one() -> None:
    assert relation(("letter w", "letter x"), labels(1.0)) == ""
    assert relation(("round outline", "pointed outline"), labels(1.0)) == ""
    assert relation(("Blond_Hair", "Wavy_Hair"), labels(1.0)) == ""


def test_rare_labels_agree_by_what_they_show_not_by_what_they_lack() -> None:
    table = np.zeros((N, 2), np.float32)
    table[0, 0] = table[1, 1] = 1
    assert relation(("grass", "lawn"), table) == "unsettled"


def test_labels_that_never_meet_decide_nothing() -> None:
    table = labels(1.0)
    table[::2, 0] = table[1::2, 1] = np.nan
    assert relation(("grass", "lawn"), table) == "unsettled"
    few = labels(1.0)
    few[10:, 1] = np.nan
    assert relation(("grass", "lawn"), few) == "unsettled"


def test_words_made_of_adjectives_may_be_two() -> None:
    assert LEXICON.resolve("shaggy coat") == LEXICON.resolve("fluffy coat")
    assert relation(("shaggy coat", "fluffy coat"), labels(0.6)) == ""
    assert relation(("shaggy coat", "fluffy coat"), labels(0.95)) == "unsettled"


def test_a_person_settles_it_either_way() -> None:
    one = LEXICON.with_override("grass", synonyms=["lawn"], author="ada")
    assert one.resolve("turf") == "grass"  # what was a synonym stays one
    assert relation(("grass", "lawn"), labels(0.95), one) == "one"
    assert relation(("grass", "lawn"), labels(0.6), one) == "contradicting"
    two = LEXICON.with_override("lawn", kind="surroundings", apart=True)
    assert relation(("grass", "lawn"), labels(0.95), two) == ""
    assert two.resolve("lawn") == "lawn"
    file = Lexicon.from_text("concepts:\n  grass: {kind: surroundings, synonyms: [lawn, turf]}\n")
    assert relation(("lawn", "turf"), labels(0.95), file) == "one"
    people = Lexicon.from_text("overrides:\n  - {concept: grass, synonyms: [lawn], author: a}\n")
    assert relation(("grass", "lawn"), labels(0.95), people) == "one"
    kind = Lexicon.from_text("concepts:\n  grass: {kind: part, part_of: [dog]}\n")
    assert relation(("grass", "lawn"), labels(0.95), kind) == "unsettled"


def test_a_refusal_names_the_columns_and_what_settles_it() -> None:
    with pytest.raises(ContradictingColumnsError, match=r"‘grass’ and ‘lawn’ .* 60.0 %") as caught:
        check_columns_are_told_apart(("grass", "lawn"), labels(0.6), LEXICON)
    assert caught.value.code == "contradicting-columns"
    assert "--apart" in caught.value.hint
    with pytest.raises(ContradictingColumnsError, match="forms of one word"):
        check_columns_are_told_apart(("zorgle", "zorgles"), labels(0.6), LEXICON)


@pytest.mark.parametrize("other", ["Wavy Hair", "wavy_hair", "WAVYHAIR", "wavy-hair", " wavy hair"])
def test_names_that_differ_in_case_or_blanks_alone_are_refused(other: str) -> None:
    assert columns_spelled_alike(("snow", "wavy hair", other)) == ("wavy hair", other)
    with pytest.raises(ColumnNamesError, match="wavy hair") as caught:
        check_columns_are_told_apart(("wavy hair", other), labels(1.0), LEXICON)
    assert caught.value.code == "column-names"


def test_the_hint_says_how_to_make_them_one_and_two() -> None:
    names = ("turf", "lawn")
    (pair,) = compare_synonym_columns(names, labels(0.95), LEXICON)
    hint = hint_for_unsettled_pair(pair, names, LEXICON)
    assert "concepts override grass --synonym turf --synonym lawn" in hint
    assert "concepts add lawn --kind surroundings --apart" in hint
    both = LEXICON.with_override("grass", synonyms=["turf", "lawn"])
    assert relation(names, labels(0.95), both) == "one"
