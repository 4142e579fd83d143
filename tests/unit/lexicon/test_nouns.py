from __future__ import annotations

import pytest

from circuitz.lexicon.lexicon import Lexicon

LEXICON = Lexicon.load()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("chequered paws of the animal", ("paws",)),
        ("rusty anchors", ("anchor",)),
        ("responds to a lantern, mostly at night", ("lantern", "night")),
        ("activates strongly when a lantern hangs over the sled", ("lantern", "sled")),
        ("coffee cups on a table", ("coffee cup",)),
        ("pile of rope", ("rope",)),
        ("detector of umbrellas", ("umbrella",)),
        ("snow on an anchor", ("snow", "anchor")),
        ("pointed ears beside a teapot", ("pointed ears", "teapot")),
    ],
)
def test_things_without_an_entry_are_found(text: str, found: tuple[str, ...]) -> None:
    assert set(found) <= set(LEXICON.parse(text))
    assert len(LEXICON.parse(text)) <= len(found) + 1  # a table may have an entry


def test_whose_a_thing_is_says_nothing_of_its_own() -> None:
    assert LEXICON.parse("the handle of a teapot") == LEXICON.parse("the handle")
    assert "teapot" in LEXICON.parse("the handle and a teapot")


@pytest.mark.parametrize(
    "text", ["no anchors", "without a lantern", "anchor-free", "not an anchor"]
)
def test_things_that_are_denied_are_not_found(text: str) -> None:
    assert LEXICON.parse(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "husky detector", "fires for huskies", "a dog", "a sailor", "detector", "left side of pictures",
        "unit 17", "unclear", "mixed", "no idea", "", "   ", "???", "17", "blurry", "low-level",
    ],
)  # fmt: skip
def test_classes_persons_and_talk_about_pictures_are_no_concepts(text: str) -> None:
    assert [name for name in LEXICON.parse(text) if not LEXICON.resolve(name)] == []


@pytest.mark.parametrize(
    "text",
    ["Schneedecke unter den Pfoten", "la patte du chat", "der Mast und das Rad", "Pfoten", "снег",
     "en el barco con vela", "le chat noir", "zorgle"],
)  # fmt: skip
def test_words_of_another_language_are_not_taken_for_english_nouns(text: str) -> None:
    assert [name for name in LEXICON.parse(text) if not LEXICON.resolve(name)] == []


def test_what_a_file_took_away_stays_away_and_without_wordnet_nothing_is_added() -> None:
    assert Lexicon.from_text("concepts:\n  anchor:\n").parse("rusty anchors") == ()
    assert Lexicon.from_text("wordnet: false\n").parse("rusty anchors") == ()


def test_the_name_of_a_thing_is_the_same_however_it_is_written() -> None:
    names = {LEXICON.wordnet_noun(text) for text in ("anchor", "Anchors", "anchor ")}
    assert names == {"anchor"}
    assert LEXICON.parse("two ANCHORS") == ("anchor",)
    for text in ("black seed", "husky", "zorgle", "", "anchor and lantern"):
        assert LEXICON.wordnet_noun(text) == ""
