from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from circuitz.cards.card import Agreement, Card, ClassEntry, Cue, UnitExemplars
from circuitz.cards.field_guide import exemplar_thumbnails
from circuitz.cards.make_card import card, card_with_permuted_words, empty_card
from circuitz.errors import CardError
from circuitz.z.layer import LayerSpec
from circuitz.z.measurements import EffectMeasurements, LayerMeasurements, Measurements
from circuitz.z.model import AnnotatedModel
from circuitz.z.word_match import MatchedWord, Population, WordHolds, WordMatch
from circuitz.z.word_tests import WordTest, with_word_tests, word_tests

DRIVE = np.array(
    [[0.6, -0.1], [0.15, 0.0], [0.05, 0.3], [-0.04, 0.09], [0.5, 0.5], [0.01, 0.01]], np.float32
)


@dataclass
class Report:
    unexplained: dict[str, tuple[float, float, float]] = field(default_factory=dict)


@dataclass
class StrictReport(Report):
    valid_units: object = ()


def measurements() -> Measurements:
    u, n = 6, 12
    none = np.zeros((0, u, 2), np.float32)
    effects = EffectMeasurements(
        units=tuple(f"conv:{i}" for i in range(u)), targets=("husky", "corgi"),
        scale=np.array([5, 5], np.float32), sufficiency=none, necessity=none,
        split=np.zeros(0, np.uint8), scene=np.zeros(0, np.int64), source=np.zeros(0, np.int64),
        drive=DRIVE, span=np.ones(u, np.float32),
    )  # fmt: skip
    exemplars = np.full((u, 9), -1, np.int64)
    exemplars[:, :4] = np.arange(u * 4).reshape(u, 4) % n
    layer = LayerMeasurements(
        "conv", np.zeros((n, u), np.float32), np.zeros((n, u), np.float32), exemplars,
        np.zeros((u, 9, 4), np.int16), np.zeros((u, 9, 2, 2), np.uint8),
        np.zeros((u, 4), np.int64), np.zeros((u, 5), np.float32),
    )  # fmt: skip
    return Measurements({"conv": layer}, effects, concepts_hash="abc")


def model() -> AnnotatedModel:
    z = AnnotatedModel(
        name="t", classes=("husky", "corgi"), subject="dog",
        layers=(LayerSpec("conv", 6, shape=(6, 2, 2)),), cut=("conv",),
        weights={"w": np.ones(2, np.float32)}, measurements=measurements(),
    )  # fmt: skip
    z = z.annotate("conv:0", "snow on the ground", concepts=("snow",))
    z = z.annotate("conv:1", "snow", concepts=("snow",))
    z = z.annotate("conv:2", "pointed ears", concepts=("pointed ears",))
    z = z.annotate("conv:3", "two things", concepts=("pointed ears", "curled tail"))
    return z.annotate("conv:4", "no idea", concepts=("black-box",))


REPORT = Report({"husky": (0.21, 0.1, 0.3)})


def test_strength_is_the_summed_drive_of_units_with_the_concept() -> None:
    made = card(model(), REPORT)
    husky = made.entry_of_class("husky")
    assert [(c.words, c.strength) for c in husky.cues] == [
        ("snow", 0.75), ("pointed ears", 0.03), ("curled tail", -0.02),
    ]  # fmt: skip
    assert husky.cues[0].units == ("conv:0", "conv:1")
    assert husky.cues[0].strength_grade == "very strong"
    assert not husky.cues[2].speaks_for_class
    assert [(c.words, round(c.strength, 3)) for c in made.entry_of_class("corgi").cues] == [
        ("pointed ears", 0.345), ("snow", -0.1), ("curled tail", 0.045),
    ]  # fmt: skip
    assert husky.unexplained == (0.21, 0.1, 0.3)
    assert made.entry_of_class("corgi").unexplained is None
    assert made.units == ("conv:0", "conv:1", "conv:2", "conv:3")
    assert made.concepts == ("curled tail", "pointed ears", "snow")
    assert "conv:4" not in made.units


def test_exemplars_name_concept_set_rows() -> None:
    cue = card(model(), REPORT).entry_of_class("husky").cues[0]
    assert cue.exemplars[0] == UnitExemplars("conv", "conv:0", (0, 1, 2))
    assert cue.exemplars[1].unit == "conv:1"


def test_the_few_that_matter() -> None:
    assert [len(e.cues) for e in card(model(), REPORT, per_class=1).classes] == [1, 1]
    assert [len(e.cues) for e in card(model(), REPORT, least=0.2).classes] == [1, 1]
    with pytest.raises(CardError, match="0 cues"):
        card(model(), REPORT, per_class=0)


def test_annotations_that_failed_their_match_count_as_none() -> None:
    strict = StrictReport({}, valid_units={"conv:2"})
    assert card(model(), strict).units == ("conv:2",)
    by_concept = StrictReport({}, valid_units={"conv:0": ("snow",), "conv:3": ("curled tail",)})
    made = card(model(), by_concept)
    assert made.concepts == ("curled tail", "snow")
    assert made.entry_of_class("corgi").cues[1].strength == pytest.approx(0.09)
    assert card(model(), REPORT, valid=()).is_empty


def test_groups_give_their_words_to_members_without_their_own() -> None:
    z = model().annotate("group:conv:5,conv:2", "curled tail", concepts=("curled tail",))
    made = card(z, REPORT, least=0.0)
    units = {c.words: c.units for c in made.entry_of_class("corgi").cues}
    assert set(units["curled tail"]) == {"conv:3", "conv:5"}
    assert set(units["pointed ears"]) == {"conv:2", "conv:3"}


def test_words_unknown_to_the_lexicon_stay_as_written() -> None:
    z = model().annotate("conv:5", "Zorbs", concepts=())
    made = card(z, REPORT, least=0.0)
    cue = next(c for c in made.entry_of_class("husky").cues if c.words == "Zorbs")
    assert cue.concepts == ()


def test_one_shared_text_is_shown_and_differing_texts_give_the_concept() -> None:
    made = card(model(), StrictReport({}, valid_units={"conv:0"}))
    assert made.entry_of_class("husky").cues[0].words == "snow on the ground"


def test_json_round_trip_and_tampering() -> None:
    made = card(model(), REPORT)
    record = json.loads(json.dumps(made.to_json()))
    back = Card.from_json(record)
    assert back == made
    assert back.hash == made.hash
    record["classes"][0]["cues"][0]["words"] = "grass"
    with pytest.raises(CardError, match="changed after"):
        Card.from_json(record)


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"schema": 1},
        {"schema": 99},
        {"schema": 1, "classes": [{"name": "a"}], "subject": "", "z_hash": "", "concepts_hash": ""},
        {"schema": 1, "classes": 3, "subject": "", "z_hash": "", "concepts_hash": ""},
        {
            "schema": 1, "subject": "", "z_hash": "", "concepts_hash": "",
            "classes": [{"name": "a", "unexplained": None, "cues": [
                {"words": "x", "concepts": "xyz", "units": [], "strength": 1, "exemplars": []}]}],
        },
        {
            "schema": 1, "subject": "", "z_hash": "", "concepts_hash": "",
            "classes": [{"name": "a", "unexplained": None, "cues": [
                {"words": "x", "concepts": [], "units": [], "strength": "nan", "exemplars": []}]}],
        },
    ],
)  # fmt: skip
def test_malformed_cards_are_refused(record: dict[str, object]) -> None:
    with pytest.raises(CardError):
        Card.from_json(record)


def test_hash_is_of_what_is_shown() -> None:
    made = card(model(), REPORT)
    assert replace(made, z_hash="other").hash == made.hash
    assert replace(made, subject="cat").hash != made.hash
    assert card_with_permuted_words(made, 0).hash != made.hash


def test_permuted_moves_every_phrase_and_nothing_else() -> None:
    made = card(model(), REPORT)
    for seed in range(5):
        other = card_with_permuted_words(made, seed)
        assert other == card_with_permuted_words(made, seed)
        moves: dict[str, str] = {}
        for a, b in zip(made.classes, other.classes, strict=True):
            assert (a.name, a.unexplained) == (b.name, b.unexplained)
            for x, y in zip(a.cues, b.cues, strict=True):
                assert (x.units, x.strength, x.exemplars) == (y.units, y.strength, y.exemplars)
                assert x.words != y.words
                assert moves.setdefault(x.words, y.words) == y.words
        assert sorted(moves) == sorted(moves.values())


def test_permuting_less_than_two_phrases_changes_nothing() -> None:
    one = Card((ClassEntry("a", (Cue("x", ("x",), (), 0.3),)),))
    assert card_with_permuted_words(one, 0) == one


def test_field_guide() -> None:
    text = card(model(), REPORT).to_text()
    assert "kinds of dog" in text
    assert (
        "**husky** — speaks for it: snow (very strong), pointed ears (slight); "
        "speaks against it: curled tail (slight); not explained: 21 % [10, 30]; without words: "
        in text
    )
    nothing = empty_card(("a", "b")).to_text()
    assert nothing.count("nothing is known about it yet") == 2


HOSTILE = '"><script>alert(1)</script> *b*'


def test_html_is_escaped_and_self_contained() -> None:
    bad = Card((ClassEntry(HOSTILE, (Cue(HOSTILE, (HOSTILE,), (HOSTILE,), -0.5),)),), HOSTILE)
    page = bad.to_html()
    assert "<script" not in page
    assert "speaks against it" in page
    assert "\\*b\\*" in bad.to_text()
    made = card(model(), REPORT)
    images = np.random.default_rng(0).integers(0, 255, (12, 16, 16, 3), dtype=np.uint8)
    pictures = exemplar_thumbnails(made, images)
    page = made.to_html(pictures)
    assert set(pictures) <= set(range(12))
    assert page.count("data:image/png;base64,") >= 6
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert "http" not in page
    gray = exemplar_thumbnails(made, images[:3, :, :, :1])
    assert set(gray) == {0, 1, 2}


def test_unmeasured_models_have_no_card() -> None:
    with pytest.raises(CardError, match="not measured"):
        card(model().with_(measurements=None), REPORT)


@dataclass
class WordsReport(Report):
    words: tuple[MatchedWord, ...] = ()


def matched(target: str, concept: str, verdict: WordHolds, low: float = 0.5) -> MatchedWord:
    match = WordMatch("concepts", verdict, 0.6, low, 0.7, 240)
    return MatchedWord(target, (target,), concept, match)


WORDS = (
    matched("conv:0", "snow", "holds"), matched("conv:1", "snow", "fails"),
    matched("conv:2", "pointed ears", "holds"), matched("conv:3", "pointed ears", "holds", 0.4),
)  # fmt: skip


def asked(z: AnnotatedModel, population: Population, verdict: WordHolds) -> WordTest:
    return WordTest(
        "pointed ears", population, "search", verdict, 0.95, 0.8, 0.99, 19, 20, 0.02, 12,
        ("conv:2", "conv:3"), z.weights_hash, "d",
    )  # fmt: skip


def test_every_annotation_is_shown_and_those_that_fail_are_marked() -> None:
    made = card(model(), WordsReport(words=WORDS))
    husky = made.entry_of_class("husky")
    assert [(c.words, c.units, c.matches[0].verdict, c.counts) for c in husky.cues] == [
        ("snow on the ground", ("conv:0",), "holds", True), ("snow", ("conv:1",), "fails", False),
        ("pointed ears", ("conv:2", "conv:3"), "holds", True),
        ("curled tail", ("conv:3",), "untested", False),
    ]  # fmt: skip
    assert husky.cues[1].fails_on == ("concepts",)
    ears = husky.cues[2].matches
    assert (ears[0].low, ears[0].n) == (0.4, 240), "the unit that matches least speaks for all"
    assert [m.verdict for m in ears[1:]] == ["untested", "untested"]
    assert made.counted.concepts == ("pointed ears", "snow")
    # Units 4 (a black box) and 5 bear no words.
    assert husky.wordless == pytest.approx(0.51 / np.abs(DRIVE[:, 0]).sum(), abs=1e-4)
    assert Card.from_json(json.loads(json.dumps(made.to_json()))) == made


def test_words_that_fail_where_people_were_asked_do_not_count() -> None:
    z = model()
    z = with_word_tests(z, [asked(z, "D", "holds"), asked(z, "D'", "fails")])
    ears = card(z, WordsReport(words=WORDS)).entry_of_class("corgi").cues[0]
    assert [(m.population, m.verdict) for m in ears.matches] == [
        ("concepts", "holds"), ("D", "holds"), ("D'", "fails"),
    ]  # fmt: skip
    assert ears.fails_on == ("D'",)
    assert not ears.counts
    assert ears.matches[1].n == 20
    # A test of other units, or of other weights, says nothing of these.
    other = z.with_(weights={"w": np.zeros(2, np.float32)})
    assert word_tests(other) == ()
    fewer = z.annotate("conv:3", "a tail", concepts=())
    said = card(fewer, WordsReport(words=WORDS[:3])).entry_of_class("corgi").cues[0]
    assert [m.verdict for m in said.matches] == ["holds", "untested", "untested"]


def test_the_error_of_a_strength_is_told_where_it_was_measured() -> None:
    z = model()
    assert z.measurements is not None
    assert z.measurements.effects is not None
    assert card(z, REPORT).entry_of_class("husky").cues[0].interval is None
    error = np.full(DRIVE.shape, 0.03, np.float32)
    measured = replace(z.measurements, effects=replace(z.measurements.effects, drive_error=error))
    cue = card(z.with_(measurements=measured), REPORT).entry_of_class("husky").cues[0]
    half = 1.96 * 0.03 * np.sqrt(2)
    assert cue.interval == (round(0.75 - half, 4), round(0.75 + half, 4))


def test_a_card_without_new_facts_keeps_the_hash_it_had() -> None:
    old = Card((ClassEntry("husky", (Cue("snow", ("snow",), ("conv:0",), 0.5),)),), "dog")
    assert old.to_json()["schema"] == 1
    assert set(old.to_json()["classes"][0]["cues"][0]) == {
        "words", "concepts", "units", "strength", "exemplars",
    }  # fmt: skip
    assert replace(old, agreement=(Agreement("D", 0.9, 0.8, 0.95, 100),)).to_json()["schema"] == 2
