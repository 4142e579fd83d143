"""M_L learned from people who count votes, which it does not."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import circuitz as cz
from circuitz.cards.activity import CardActivity, distinct_cues
from circuitz.cards.card import Card, ClassEntry
from circuitz.errors import PosteriorError
from circuitz.posterior.likelihood_from_people.cue_evidence import READINGS, displayed_steps
from circuitz.posterior.likelihood_from_people.fit_likelihood import answer_losses
from circuitz.posterior.likelihood_from_people.fitted_likelihood import FittedLikelihood
from circuitz.posterior.likelihood_from_people.likeliest_weights import free_numbers
from circuitz.z.word_match import WordMatch

from .conftest import CLASSES, Labellers, Study, random_activity, random_card


@pytest.fixture(scope="module")
def likelihood(study: Study) -> FittedLikelihood:
    return cz.fit_likelihood(study.answers, study.cards, study.activities, seen=study.seen)


def losses(likelihood: FittedLikelihood, study: Study) -> np.ndarray:
    return answer_losses(likelihood, study.answers, study.cards, study.activities, seen=study.seen)


def own_losses(study: Study) -> np.ndarray:
    """Losses of somebody who knows how they think."""
    people = Labellers()
    cards = {card.hash: card for card in study.cards}
    by_hash = {activity.hash: activity for activity in study.activities}
    found = []
    for one in study.answers:
        if one.arm == "hidden":
            steps = {c.words: c.step for c in by_hash[one.activity_hash].cues}
            evidence = {w: float(np.sign(s) * (abs(s) > 1)) for w, s in steps.items()}
        else:
            evidence = {
                w: 0.0 if s is None else 1.0 if s else -0.4 for w, s in study.seen[one.item].items()
            }
        p = people.probabilities(cards[one.card_hash], evidence)
        found.append(-np.log(p[CLASSES.index(one.choice)]))
    return np.array(found)


@pytest.mark.parametrize("arm", ["hidden", "shown"])
def test_fresh_people_on_new_cards_are_foretold(
    likelihood: FittedLikelihood, fresh_study: Study, arm: str
):
    mine = np.array([one.arm == arm for one in fresh_study.answers])
    learned = np.log(4) - losses(likelihood, fresh_study)[mine].mean()
    there_is = np.log(4) - own_losses(fresh_study)[mine].mean()
    assert there_is > 0.4
    assert learned > 0.75 * there_is


def test_no_arm_reads_more_than_eighteen_numbers_beside_the_classes_bias():
    numbers = free_numbers(6)
    bias = numbers.pop("bias")  # pulled to 0 so hard that all six count as one number
    assert bias == 6
    of_shown = {"absent", "failing", "not_told"}
    assert sum(n for name, n in numbers.items() if name not in of_shown) <= 18
    assert sum(n for name, n in numbers.items() if name != "activity") <= 18


def test_what_the_numbers_say(likelihood: FittedLikelihood):
    weights = likelihood.weights
    by_reading = dict(zip(READINGS, weights.values, strict=True))
    assert (np.diff(weights.grades) < 0).all()
    assert by_reading["seen"] == 1
    assert by_reading["not seen"] < 0 < by_reading["step 2"]
    assert abs(by_reading["failing: seen"]) < 1
    assert weights.depths.sum() == pytest.approx(1)
    assert len(weights.bias) == len(CLASSES)
    assert np.exp(np.mean(np.log([*likelihood.raters.values()]))) == pytest.approx(1, abs=1e-4)


def renamed(card: Card, names: dict[str, str]) -> Card:
    return replace(card, classes=tuple(
        ClassEntry(
            e.name,
            tuple(replace(c, words=names[c.words], concepts=(names[c.words],)) for c in e.cues[::-1]),
        )
        for e in card.classes
    ))  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), letters=st.permutations("ABCDEFG"))
def test_names_do_not_matter_where_no_picture_is_seen(
    likelihood: FittedLikelihood, seed: int, letters: list[str]
):
    """A renaming that merges nothing, and puts the cues in another order, changes no bit."""
    from .conftest import WORDS

    rng = np.random.default_rng(seed)
    card = random_card(rng)
    activities = [random_activity(card, rng) for _ in range(4)]
    names = dict(zip(WORDS, letters, strict=True))
    other = renamed(card, names)
    told = [
        CardActivity(other.hash, tuple(replace(c, words=names[c.words]) for c in a.cues))
        for a in activities
    ]
    p, q = (
        likelihood.class_probabilities(c, displayed_steps(c, a) / 5)
        for c, a in ((card, activities), (other, told))
    )
    assert np.array_equal(p, q)


def test_marks_on_words_matter_only_where_the_picture_is_seen(likelihood: FittedLikelihood):
    rng = np.random.default_rng(3)
    card = random_card(rng)
    fails = (WordMatch("concepts", "fails", 0.0, 0.0, 0.1, 50),)
    marked = replace(card, classes=tuple(
        replace(e, cues=tuple(replace(c, matches=fails) for c in e.cues)) for e in card.classes
    ))  # fmt: skip
    levels = rng.integers(-5, 6, (6, len(distinct_cues(card)))) / 5
    assert np.array_equal(
        likelihood.class_probabilities(card, levels), likelihood.class_probabilities(marked, levels)
    )
    seen = [{c.words: True for c in distinct_cues(card)}]
    plain = likelihood.class_probabilities(card, arm="shown", seen=seen)
    told = likelihood.class_probabilities(marked, arm="shown", seen=seen)
    assert np.ptp(told) < np.ptp(plain)


def test_words_nobody_can_see_leave_people_guessing(
    likelihood: FittedLikelihood, fresh_study: Study
):
    card = renamed(fresh_study.cards[0], dict.fromkeys(words_on(fresh_study.cards[0]), "zzz blorb"))
    p = likelihood.class_probabilities(card, arm="shown", seen=[{}])
    usual = likelihood.class_probabilities(
        fresh_study.cards[0],
        arm="shown",
        seen=[dict.fromkeys(words_on(fresh_study.cards[0]), True)],
    )
    assert p.max() < usual.max()
    assert p.max() < 0.5


def words_on(card: Card) -> tuple[str, ...]:
    return tuple(dict.fromkeys(c.words for e in card.classes for c in e.cues))


def test_log_likelihood_is_that_of_the_label(likelihood: FittedLikelihood):
    rng = np.random.default_rng(4)
    card = random_card(rng)
    levels = rng.uniform(-1, 1, (5, len(distinct_cues(card))))
    p = likelihood.class_probabilities(card, levels)
    labels = np.array([0, 1, 2, 3, 0])
    found = likelihood.log_likelihood(card, labels, levels)
    assert np.allclose(found, np.log(p[np.arange(5), labels]))
    assert np.allclose(p.sum(1), 1)
    members = likelihood.member_log_likelihoods(card, labels, levels)
    assert members.shape == (5, 5)
    assert 0 < members.std(0).mean() < 0.5


def test_json_brings_back_the_same_likelihood(likelihood: FittedLikelihood, study: Study):
    back = FittedLikelihood.from_json(json.loads(json.dumps(likelihood.to_json())))
    assert back.hash == likelihood.hash
    assert np.array_equal(losses(back, study), losses(likelihood, study), equal_nan=True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("schema", 9),
        ("classes", ["one"]),
        ("weights", {}),
        ("raters", None),
        ("counts", {"a": "b"}),
    ],
)
def test_a_changed_file_is_named(likelihood: FittedLikelihood, field: str, value: object):
    with pytest.raises(PosteriorError):
        FittedLikelihood.from_json({**likelihood.to_json(), field: value})


class TestOddAnswers:
    def test_what_is_left_out_is_counted_and_told(self, study: Study):
        first = study.answers[0]
        odd = [
            replace(first, choice="cannot tell"), replace(first, card_hash="gone"),
            replace(first, choice="wolf"), replace(first, item="never seen"),
            replace(study.answers[1], activity_hash="gone"),
        ]  # fmt: skip
        likelihood = cz.fit_likelihood(
            [*study.answers[:60], *odd], study.cards, study.activities, seen=study.seen, members=0
        )
        assert likelihood.counts == {
            "shown": 30, "hidden": 30, "cannot tell": 1, "unknown card": 1, "unknown class": 1,
            "shown without what was seen": 1, "hidden without what was seen": 1,
        }  # fmt: skip
        assert sum("left out" in remark for remark in likelihood.remarks) == 5
        assert np.isnan(
            answer_losses(likelihood, odd, study.cards, study.activities, seen=study.seen)
        ).all()

    def test_nothing_to_learn_from_is_an_error(self, study: Study):
        with pytest.raises(PosteriorError, match="None of"):
            cz.fit_likelihood([], study.cards)
        with pytest.raises(PosteriorError, match="members"):
            cz.fit_likelihood(study.answers, study.cards, members=-1)

    def test_one_rater_and_a_class_never_said_are_told(self, study: Study):
        some = [replace(a, rater="ann") for a in study.answers[:40] if a.choice != "corgi"]
        likelihood = cz.fit_likelihood(some, study.cards, seen=study.seen, members=1)
        told = " ".join(likelihood.remarks)
        assert "One rater" in told
        assert "Nobody ever chose corgi" in told
        assert "was not tried" in told

    def test_what_does_not_fit_is_named(self, likelihood: FittedLikelihood, study: Study):
        card = study.cards[0]
        n = len(distinct_cues(card))
        with pytest.raises(PosteriorError, match="do not fit"):
            likelihood.class_probabilities(card, np.zeros((2, n + 1)))
        with pytest.raises(PosteriorError, match="not finite"):
            likelihood.class_probabilities(card, np.full((2, n), np.nan))
        with pytest.raises(PosteriorError, match="no activities"):
            likelihood.class_probabilities(card)
        with pytest.raises(PosteriorError, match="no words seen"):
            likelihood.class_probabilities(card, np.zeros((2, n)), arm="shown")
        with pytest.raises(PosteriorError, match="Labels"):
            likelihood.log_likelihood(card, [0, 9], np.zeros((2, n)))
        with pytest.raises(PosteriorError, match="not of"):
            displayed_steps(card, [replace(study.activities[0], card_hash="other")])
