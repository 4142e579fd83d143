"""A column is its own concept, by its own name; the lexicon says what words mean it."""

from __future__ import annotations

import pytest

from circuitz.lexicon.column_names import ColumnNames
from circuitz.lexicon.column_synonyms import SynonymPair
from circuitz.lexicon.lexicon import Lexicon

LEXICON = Lexicon.load()
FACES = (
    "Arched_Eyebrows", "Big_Lips", "Black_Hair", "Blond_Hair", "Mouth_Slightly_Open", "Mustache",
    "No_Beard", "Wavy_Hair", "Wearing_Earrings", "Wearing_Necklace", "Young",
)  # fmt: skip
OUTLINES = ("round outline", "pointed outline")
LETTERS = ("letter w", "letter x")


def named(text: str, columns: tuple[str, ...], stated: tuple[str, ...] = ()) -> list[str]:
    """Names of the columns a text means; ``-`` before what no column labels, ``?`` for doubt."""
    read = ColumnNames(columns, LEXICON).read(text, stated)
    found = [
        "+".join(columns[i] for i in some) if some else f"-{name}" for name, some in read.concepts
    ]
    return found + [f"?{'+'.join(words.columns)}" for words in read.ambiguous]


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("responds to wavy hair", ["Wavy_Hair"]),
        ("BLOND-HAIR at the top, and black hair", ["Blond_Hair", "Black_Hair"]),
        ("hair", ["?Black_Hair+Blond_Hair+Wavy_Hair"]),
        ("curly hair", ["-curly hair"]),
        ("not blond hair", []),
        ("lips", ["Big_Lips"]),
        ("earrings", ["Wearing_Earrings"]),
        ("no beard", ["No_Beard"]),
        ("young", ["Young"]),
        ("eyebrows", ["Arched_Eyebrows"]),
    ],
)
def test_attributes_of_faces_are_each_its_own(text: str, means: list[str]) -> None:
    assert named(text, FACES) == means


@pytest.mark.parametrize(
    ("text", "columns", "means"),
    [
        ("round outlines", OUTLINES, ["round outline"]),
        ("edges", OUTLINES, ["?round outline+pointed outline"]),
        ("edges", OUTLINES[:1], ["round outline"]),
        ("Letter X here", LETTERS, ["letter x"]),
        ("a letter", LETTERS, ["?letter w+letter x"]),
        ("letter y", LETTERS[:1], ["-letter y"]),
        ("red", ("red car", "blue car"), ["red car"]),
        ("an anchor", ("rusty anchor", "little anchor"), ["?rusty anchor+little anchor"]),
        ("fluffy, grey coat", ("fluffy coat", "grey coat", "coat"), ["fluffy coat", "grey coat"]),
        ("pointy ears", ("ears", "pointed ears"), ["pointed ears"]),
        ("ears and pointed ears", ("ears", "pointed ears"), ["pointed ears"]),
        ("ears", ("pointed ears", "floppy ears"), ["pointed ears+floppy ears"]),
        ("wavy hair", ("hair",), ["hair"]),
        ("wavy hair", ("snow",), ["-hair"]),
        ("fur", ("coat",), ["coat"]),
        ("turf", ("grass", "lawn"), ["?grass+lawn"]),
        ("lawns", ("grass", "lawn"), ["lawn"]),
        ("big zorgle here", ("zorgle", "snow"), ["zorgle"]),
        ("beard", ("no beard",), ["-beard"]),
    ],
)
def test_words_name_a_column_by_its_own_name_first(
    text: str, columns: tuple[str, ...], means: list[str]
) -> None:
    assert named(text, columns) == means


def test_what_was_read_before_gives_way_to_the_name_of_a_column() -> None:
    assert named("round outline", OUTLINES, ("edges",)) == ["round outline"]
    assert named("edges", OUTLINES, ("edges",)) == ["?round outline+pointed outline"]
    assert named("wavy hair and snow", ("Wavy_Hair", "snow"), ("hair", "snow")) == [
        "Wavy_Hair", "snow",
    ]  # fmt: skip


def test_what_is_stated_beside_the_text_stands() -> None:
    assert named("snow, not sure about grass", ("snow", "grass"), ("snow",)) == ["snow"]
    assert named("the white stuff", ("snow", "grass"), ("snow",)) == ["snow"]
    assert named("it", ("Wavy_Hair",), ("wavy hair",)) == ["Wavy_Hair"]
    assert named("it", ("Blond_Hair",), ("wavy hair",)) == ["-wavy hair"]


def test_columns_that_share_a_word_are_rivals_and_wider_ones_are_not() -> None:
    columns = ColumnNames(("hair", "blond hair", "wavy hair", "no beard", "beard"), LEXICON)
    assert columns.are_kin(0, 1)
    assert not columns.are_kin(1, 2)
    assert not columns.are_kin(3, 4)
    assert columns.concept_of == columns.names


def test_synonyms_that_are_one_concept_are_judged_together() -> None:
    one = ColumnNames(("grass", "lawn"), LEXICON, (SynonymPair((0, 1), "one", 1.0, 99),))
    assert one.concept_of == ("grass", "grass")
    assert one.read("turf").concepts == (("grass", (0, 1)),)
    doubt = ColumnNames(("grass", "lawn"), LEXICON, (SynonymPair((0, 1), "unsettled", 0.95, 99),))
    assert doubt.concept_of == ("grass", "lawn")
    assert doubt.are_kin(0, 1)
    assert not ColumnNames(("grass", "lawn"), LEXICON).are_kin(0, 1)


def test_what_earlier_versions_called_a_column_is_known_where_it_was_its_name_alone() -> None:
    columns = ColumnNames(("snowy", "letter w", "letter x", "blond hair", "zorgle"), LEXICON)
    assert [columns.name_before(name) for name in (*columns.names, "conv4:3")] == [
        "snow", "letter w", "letter x", "hair", "zorgle", "conv4:3",
    ]  # fmt: skip


def test_a_name_alone_stands_for_one_column_or_none() -> None:
    columns = ColumnNames(("snowy", "letter w", "letter x"), LEXICON)
    assert columns.column_of("snow") == 0
    assert columns.column_of("letter x") == 2
    assert columns.column_of("letter") is None
    assert columns.column_of("grass") is None
