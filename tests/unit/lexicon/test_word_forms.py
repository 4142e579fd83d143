from __future__ import annotations

import pytest

from circuitz.lexicon.word_forms import negation_flags, phrase_key, singular, tokens


@pytest.mark.parametrize(
    ("word", "one"),
    [
        ("ears", "ear"), ("bodies", "body"), ("patches", "patch"), ("boxes", "box"),
        ("grass", "grass"), ("glasses", "glasses"), ("feet", "foot"), ("leaves", "leaf"),
        ("wolves", "wolf"), ("snow", "snow"), ("bus", "bus"), ("is", "is"), ("lens", "lens"),
        ("noses", "nose"), ("bushes", "bush"),
    ],
)  # fmt: skip
def test_plurals(word: str, one: str):
    assert singular(word) == one


def test_case_hyphens_underscores_and_possessives_make_no_difference():
    assert (
        phrase_key("Pointed-Ears")
        == phrase_key("pointed_ears")
        == phrase_key("pointed ear")
        == ("pointed", "ear")
    )
    assert phrase_key("dog’s tail") == phrase_key("dog's tails") == ("dog", "tail")
    assert phrase_key("ﬂuffy") == ("fluffy",)  # a ligature
    assert phrase_key("  …!? ") == ()


def test_marks_part_clauses():
    assert [t.clause for t in tokens("snow, grass. sand")] == [0, 1, 2]
    assert len({t.clause for t in tokens("a long-haired dog")}) == 1


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("X", False), ("no X", True), ("not an X", True), ("not with X", True),
        ("without any X", True), ("isn't X", True), ("no Y. X", False), ("no Y, X", False),
        ("no Y and X", False), ("without Y and X", True), ("not Y but X", False),
        ("not only X", False), ("not just X", False), ("instead of X", True),
        ("rather than X", True), ("free of X", True), ("non X", True), ("X without Y", False),
        ("no Y or X", True), ("neither Y nor X", True), ("no Y with X", False),
    ],
)  # fmt: skip
def test_denial(text: str, denied: bool):
    words = tokens(text)
    starts = [i for i, t in enumerate(words) if t.word in ("x", "y")]
    at = [words[i].word for i in starts].index("x")
    assert negation_flags(words, starts)[at] is denied
