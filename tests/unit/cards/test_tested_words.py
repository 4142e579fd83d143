"""A card says where its words hold, and what a reader must not overlook."""

from __future__ import annotations

from dataclasses import replace

import pytest

from circuitz.cards.card import Agreement, Card, ClassEntry, Cue
from circuitz.cards.tested_words import doubt_phrases, match_phrase, untested_where_used
from circuitz.labelling.tasks.pack import Question, TaskPack
from circuitz.widgets.labelling.labelling_payload import task_pack_payload
from circuitz.z.word_match import POPULATIONS, WordMatch

ON_CONCEPTS = WordMatch("concepts", "holds", 0.8, 0.7, 0.9, 1240)
ON_D = WordMatch("D", "holds", 0.95, 0.9, 1.0, 25)
FAILS = WordMatch("D'", "fails", 0.5, 0.3, 0.7, 31)
UNTESTED = WordMatch("D'", "untested")


def cue(*matches: WordMatch, words: str = "snow") -> Cue:
    return Cue(words, ("snow",), ("conv4:1",), 0.48, interval=(0.41, 0.55), matches=matches)


def card(*cues: Cue) -> Card:
    entry = ClassEntry("husky", cues, (0.1, 0.0, 0.2), wordless=0.18, outside=(("D'", 0.23),))
    return Card(
        (entry, ClassEntry("corgi", ())), "dog", agreement=(Agreement("D", 0.91, 0.88, 0.94, 300),)
    )


@pytest.mark.parametrize(
    ("match", "said"),
    [
        (ON_CONCEPTS, "holds on the concept set (1,240 labelled inputs)"),
        (FAILS, "does not hold on D′ (31 answers)"),
        (UNTESTED, "not tested where it will be used (D′)"),
        (replace(UNTESTED, n=60), "not decided on D′ (60 answers)"),
        (WordMatch("D", "untested"), "not tested on D"),
    ],
)
def test_a_match_in_words(match: WordMatch, said: str) -> None:
    assert match_phrase(match) == said


def test_what_fails_goes_before_what_was_not_tested() -> None:
    assert doubt_phrases(cue(ON_CONCEPTS, ON_D, FAILS)) == [("fails", "does not hold on D′")]
    assert doubt_phrases(cue(ON_CONCEPTS, WordMatch("D", "untested"), FAILS)) == [
        ("fails", "does not hold on D′")
    ]
    assert doubt_phrases(cue(ON_CONCEPTS, WordMatch("D", "untested"), UNTESTED)) == [
        ("untested", "not tested on D and D′")
    ]
    assert doubt_phrases(cue(ON_CONCEPTS, ON_D, replace(FAILS, verdict="holds"))) == []
    assert doubt_phrases(cue()) == []
    nothing = cue(*(WordMatch(p, "untested") for p in POPULATIONS))
    assert doubt_phrases(nothing) == [("untested", "not tested on the concept set, D and D′")]


def test_the_field_guide_says_where_words_hold() -> None:
    made = card(
        cue(ON_CONCEPTS, ON_D, FAILS), cue(ON_CONCEPTS, ON_D, UNTESTED, words="cold *ground*")
    )
    text = made.to_text()
    assert "Agrees with its own words on D 91 % [88, 94] of 300 inputs." in text
    assert "Some of these words were *not tested where it will be used* (D′)." in text
    assert (
        "speaks for it: snow (very strong; does not hold on D′), cold \\*ground\\* (very strong)"
        in text
    )
    assert (
        "not explained: 10 % [0, 20]; without words: 18 %; outside what the concept set shows, on D′: 23 %."
        in text
    )
    assert (
        "- snow, 48 % [41, 55]: holds on the concept set (1,240 labelled inputs); holds on D (25 answers); does not hold on D′ (31 answers)"
        in text
    )
    assert "*not tested where it will be used* (D′)\n" in text
    page = made.to_html()
    assert '<span class="cz-fails">does not hold on D′</span>' in page
    assert '<span class="cz-untested">not tested on D′</span>' in page
    assert "<b>not tested where it will be used</b>" in page
    assert untested_where_used(made)


def test_a_card_of_an_earlier_version_reads_as_it_did() -> None:
    old = Card((ClassEntry("husky", (Cue("snow", ("snow",), (), 0.48),), (0.1, 0.0, 0.2)),), "dog")
    assert old.to_text().endswith(
        "**husky** — speaks for it: snow (very strong); not explained: 10 % [0, 20].\n"
    )
    for later in ("details", "cz-fails", "cz-untested", "where-used", "own words"):
        assert later not in old.to_html()


def test_the_labelling_screen_is_told_what_is_doubtful() -> None:
    question = Question("q" * 16, "item", "ask", "", "p.png")
    pack = TaskPack(
        "Dogs", card(cue(ON_CONCEPTS, ON_D, FAILS), cue(words="old")), (question,), 0, 1, "Look.",
        pictures={"p.png": b"\x89PNG\r\n\x1a\n"},
    )  # fmt: skip
    cues = task_pack_payload(pack)["card"][0]["cues"]
    assert cues[0]["doubts"] == [{"verdict": "fails", "text": "does not hold on D′"}]
    assert cues[1]["doubts"] == []
