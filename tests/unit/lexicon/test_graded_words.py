"""More and less: they claim nothing of what a unit is."""

from __future__ import annotations

import pytest

from circuitz.lexicon.column_names import column_names
from circuitz.lexicon.graded_words import GradedWord, split_graded_words, with_graded_words
from circuitz.lexicon.lexicon import Lexicon

GOLDEN = "golden coat, more with long legs, less with snow"


@pytest.mark.parametrize(
    ("text", "plain", "graded"),
    [
        (GOLDEN, "golden coat", [("long legs", 1), ("snow", -1)]),
        ("snow, less grass", "snow", [("grass", -1)]),
        ("snow; Less with grass and water; ears", "snow, ears", [("grass and water", -1)]),
        ("less with snow", "", [("snow", -1)]),
        # Alone these may be names, and here nothing is compared.
        ("less hair", "less hair", []),
        ("more or less snow", "more or less snow", []),
        ("snow, more ears", "snow, more ears", []),
        ("a dog with ears", "a dog with ears", []),
        ("", "", []),
    ],
)
def test_graded_parts_are_told_from_what_a_unit_is(text, plain, graded) -> None:
    assert split_graded_words(text) == (plain, tuple(GradedWord(n, s) for n, s in graded))


def test_graded_words_replace_those_said_before() -> None:
    text = with_graded_words(GOLDEN, [GradedWord("ears", 1)])
    assert text == "golden coat, more with ears"
    assert with_graded_words(text, []) == "golden coat"
    assert with_graded_words("", [GradedWord("snow", -1)]) == "less with snow"


def test_no_reader_takes_them_for_concepts() -> None:
    lexicon = Lexicon.load()
    assert lexicon.parse(GOLDEN) == lexicon.parse("golden coat")
    reader = column_names(("golden coat", "long legs", "snow"), lexicon)
    assert reader.read(GOLDEN).names == ("golden coat",)
    assert reader.read(GOLDEN, ("golden coat",)).names == ("golden coat",)
    assert reader.read("golden coat and long legs").names == ("golden coat", "long legs")
