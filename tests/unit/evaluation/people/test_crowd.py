"""A crowd answers every kind of question, the same way every time, and says it is simulated."""

import numpy as np
import pytest

from circuitz.cards.activity import CardActivity, CueActivity, distinct_cues
from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.cards.judged.comparison import COMPARE_OPTIONS
from circuitz.data.worlds.world_by_name import world_by_name
from circuitz.errors import LabellingError
from circuitz.evaluation.people.crowd import Crowd, make_people
from circuitz.evaluation.people.habits import FAMILIES
from circuitz.evaluation.people.picture_truth import PictureTruth, pixels_hash
from circuitz.evaluation.people.simulated_person import SimulatedPerson
from circuitz.evaluation.people.world_words import words_of_world
from circuitz.store.asking import AskedQuestion

WORDS = words_of_world(world_by_name("dogs").world)
IMAGE = np.full((4, 4, 3), 7, np.uint8)
KEY = pixels_hash(IMAGE)
GOOD = Card(
    (
        ClassEntry("husky", (Cue("pointed ears", ("pointed ears",), ("u:1",), 0.5),)),
        ClassEntry("corgi", (Cue("short legs", ("short legs",), ("u:2",), 0.5),)),
    )
)
BAD = Card(
    tuple(ClassEntry(n, (Cue("snow", ("snow",), ("u:1",), 0.6),)) for n in ("husky", "corgi"))
)


@pytest.fixture
def crowd() -> Crowd:
    truth = PictureTruth()
    truth.add_picture(IMAGE, ["pointed ears", "snow"], ["pointed ears", "floppy ears", "snow"])
    return Crowd(make_people(WORDS, [0, 1]), truth)


def active(card: Card) -> CardActivity:
    """The first unit much more active than usual, the second as usual."""
    steps = {"u:1": 5, "u:2": 0}
    cues = [CueActivity(c.words, c.units, steps[c.units[0]]) for c in distinct_cues(card)]
    return CardActivity(card.hash, tuple(cues))


def shows(word: str, raters: int = 12) -> AskedQuestion:
    return AskedQuestion("shows", (KEY,), ("yes", "no"), word=word, raters=raters)


def test_most_see_what_is_there_and_nobody_what_has_no_meaning(crowd: Crowd) -> None:
    def choices(word: str) -> list[str]:
        return [j.answer["choice"] for j in crowd([shows(word)]) if j.answer]

    assert choices("snow").count("yes") >= 9
    assert choices("floppy ears").count("no") >= 9
    assert set(choices("zzz blorb")) == {"cannot tell"}


def test_every_answer_is_marked_simulated_and_given_once(crowd: Crowd) -> None:
    once, again = crowd([shows("snow")]), crowd([shows("snow")])
    assert {j.rater_kind for j in once} == {"simulated"}
    assert len({j.rater for j in once}) == 12
    assert all(j.kind == "concept: snow" and "simulated" in j.rater for j in once)
    assert [(j.key, j.answer) for j in once] == [(j.key, j.answer) for j in again]
    assert crowd.answer_counts == {"shows": 24}


def test_comparison_follows_the_cards_and_not_the_side(crowd: Crowd) -> None:
    def answers(first: Card, second: Card) -> list[str]:
        question = AskedQuestion(
            "compare",
            (first.hash, second.hash),
            COMPARE_OPTIONS,
            raters=12,
            shown={"cards": (first, second)},
        )
        return [j.answer["choice"] for j in crowd([question]) if j.answer]

    assert answers(GOOD, BAD).count("a") >= 8
    assert answers(BAD, GOOD).count("b") >= 8
    assert answers(BAD, BAD).count("both implausible") >= 8


def test_hidden_arm_reads_activity_and_not_names(crowd: Crowd) -> None:
    renamed = Card(
        (
            ClassEntry("husky", (Cue("zzz blorb", (), ("u:1",), 0.5),)),
            ClassEntry("corgi", (Cue("snow", ("snow",), ("u:2",), 0.5),)),
        )
    )
    for person in crowd.people:
        chances = [
            person.class_chances(
                card, ("husky", "corgi"), shown=None, activity=active(card), key="x"
            )
            for card in (GOOD, renamed)
        ]
        assert np.allclose(chances[0], chances[1])
        assert chances[0][0] > 0.6


def test_label_in_the_shown_arm_is_a_judgement_with_chances(crowd: Crowd) -> None:
    question = AskedQuestion(
        "label", (KEY,), ("corgi", "husky"), arm="shown", raters=12, card_hash=GOOD.hash,
        shown={"card": GOOD},
    )  # fmt: skip
    given = crowd([question])
    assert {j.kind for j in given} == {"label: shown"}
    assert sum(j.answer["choice"] == "husky" for j in given if j.answer) >= 8
    assert all(
        sum(j.answer["probabilities"].values()) == pytest.approx(1) for j in given if j.answer
    )


def test_spammers_answer_anything() -> None:
    person = SimulatedPerson("spammer", 0, WORDS)
    assert set(person.comparison_chances(GOOD, BAD).values()) == {0.25}


def test_what_cannot_be_asked_is_named(crowd: Crowd) -> None:
    with pytest.raises(LabellingError, match="no two cards"):
        crowd([AskedQuestion("compare", ("x", "y"), ("a", "b"))])
    with pytest.raises(LabellingError, match="shows no card"):
        crowd([AskedQuestion("label", (KEY,), ("a", "b"))])
    with pytest.raises(LabellingError, match="empty"):
        Crowd((), PictureTruth())
    with pytest.raises(LabellingError, match="no family"):
        _ = SimulatedPerson("martian", 0, WORDS).habits


def test_families_differ_in_what_they_are(crowd: Crowd) -> None:
    assert len({p.habits for p in crowd.people}) == len(crowd.people)
    assert {p.family for p in crowd.people} == set(FAMILIES) - {"spammer"}
