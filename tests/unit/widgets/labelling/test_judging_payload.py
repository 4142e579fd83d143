"""What the screen is told of pairs, hidden pictures and hypotheses, and what it is not told."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from circuitz.cards.card import Agreement, Card, ClassEntry, Cue
from circuitz.cards.cue_levels import activities_from_levels
from circuitz.cards.judged.questions_to_ask import class_questions_to_ask, hypotheses_to_ask
from circuitz.labelling.tasks.make_judging_pack import make_compare_pack
from circuitz.labelling.tasks.pack_of_asked import pack_of_asked_questions
from circuitz.store.memory_judgements import JudgementsInMemory
from circuitz.widgets.labelling.judging_payload import pair_payload
from circuitz.widgets.labelling.labelling import Labelling
from circuitz.widgets.labelling.labelling_payload import question_payload
from circuitz.z.word_match import WordMatch


def card(*words: str) -> Card:
    cues = tuple(Cue(w, (w,), (f"conv:{w}",), 0.5, interval=(0.4, 0.6)) for w in words)
    return Card((ClassEntry("corgi", ()), ClassEntry("husky", cues, (0.1, 0.0, 0.2), 0.25)), "dog")


FAILED = Cue("snow", ("snow",), ("conv:1",), -0.25, matches=(WordMatch("D'", "fails", n=30),))


@pytest.fixture
def store() -> JudgementsInMemory:
    return JudgementsInMemory()


def test_classes_that_differ_come_first_and_everything_on_the_card_is_told() -> None:
    other = card("ears")
    husky = replace(other.classes[1], cues=(FAILED,), outside=(("D", 0.2),))
    other = replace(
        other, classes=(other.classes[0], husky), agreement=(Agreement("D'", 0.7, 0.6, 0.8, 90),)
    )
    pack = make_compare_pack([card("ears"), other], n=1)
    (q,) = pack.questions
    told = pair_payload(pack, q)
    assert [(c["name"], c["differs"]) for c in told["classes"]] == [
        ("husky", True),
        ("corgi", False),
    ]
    sides = dict(zip(q.items, told["classes"][0]["sides"], strict=True))
    (failed,) = sides[other.hash]["cues"]
    assert (failed["for"], failed["percent"], failed["fails"]) == (False, -25, ["D′"])
    assert failed["tested"] == ["D′: fails, 30"]
    assert failed["long"] == 0.5
    remarks = " ".join(sides[other.hash]["remarks"])
    for figure in ("not explained: 10\u00a0% [0, 20]", "without words: 25", "D: 20"):
        assert figure in remarks
    assert sides[card("ears").hash]["cues"][0]["interval"] == [40, 60]
    agreement = dict(zip(q.items, told["agreement"], strict=True))
    assert "D′: 70\u00a0% [60, 80]" in agreement[other.hash][0]


def test_nothing_tells_raters_which_pairs_are_gold_or_repeated(store) -> None:
    cards = [card("ears"), card("snow"), card("ears", "snow"), card("tail")]
    pack = make_compare_pack(cards, n=12, gold=[(cards[0].hash, cards[1].hash)], seed=3)
    told = json.dumps([question_payload(pack, q)[0] for q in pack.questions])
    told += json.dumps(Labelling(pack, store, rater="mira").pack, default=str)
    for hidden in ("gold", "again", "tree", "far", "seed", cards[0].hash[:12]):
        assert hidden not in told


def test_a_hidden_picture_is_not_sent(store) -> None:
    held = card("ears", "snow")
    shown = activities_from_levels(held, [[0.6, -0.2]], [[("90", "00"), ()]])
    pack = pack_of_asked_questions(class_questions_to_ask(held, ["p0"], shown))
    widget = Labelling(pack, store, rater="mira")
    assert widget.pack["screen"] == "hidden"
    assert not widget.first["blobs"]
    (asked,) = widget.first["upcoming"]
    assert [(s["words"], s["step"], s["placeName"]) for s in asked["activity"]] == [
        ("ears", 3, "top left"), ("snow", -1, ""),
    ]  # fmt: skip
    assert "hidden pictures, 2 classes" in repr(widget)


def test_each_hypothesis_has_its_own_question(store) -> None:
    pictures = {t: np.zeros((4, 4, 3), np.uint8) for t in ("output:husky", "conv:3")}
    pack = pack_of_asked_questions(hypotheses_to_ask(list(pictures), ["snow"], pictures=pictures))
    widget = Labelling(pack, store, rater="mira")
    assert [q["asks"] for q in widget.first["upcoming"]] == [
        "What does husky look like?", "What does this part of the model see?",
    ]  # fmt: skip
    assert len(widget.first["blobs"]) == 2
    assert "conv" not in json.dumps(widget.first["upcoming"])
