"""Slopes of the loss, by what a fit finds; ways of reading a card; files of version 1."""

from __future__ import annotations

import numpy as np
import pytest

from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.posterior.likelihood_from_people.cue_evidence import (
    GRADES,
    READINGS,
    CueEvidence,
    cue_evidence,
)
from circuitz.posterior.likelihood_from_people.label_probabilities import (
    DEPTHS,
    LabelledEvidence,
    LikelihoodWeights,
    class_probabilities,
)
from circuitz.posterior.likelihood_from_people.likeliest_weights import find_likeliest_weights
from circuitz.posterior.likelihood_from_people.weights_of_schema_1 import weights_of_schema_1
from circuitz.z.word_match import WordMatch

STEPS = 11


def plain_weights(k: int, **other: object) -> LikelihoodWeights:
    """Somebody who sums all cues: what is there counts 1, what is missing -.4."""
    values = np.concatenate([np.full(5, -0.4), [0.0], [0.5, 0.5], np.ones(3)])
    looked = np.tile([1.0, -0.4, -0.2], 3)
    settings: dict[str, object] = {
        "grades": np.array([4.0, 2.5, 1.5, 0.7]), "values": np.concatenate([values, looked, [0.0]]),
        "promises": np.ones(len(READINGS)), "saturation": 0.1, "depths": np.eye(len(DEPTHS))[-1],
        "sign_blind": 0.0, "guessing": 0.0, "spread": 0.0, "bias": np.zeros(k),
    }  # fmt: skip
    return LikelihoodWeights(**{**settings, **other})  # type: ignore[arg-type]


def made_up(weights: LikelihoodWeights, m: int, seed: int, raters: int) -> LabelledEvidence:
    """Answers of people each of whom has one way of reading, drawn by its share."""
    rng = np.random.default_rng(seed)
    k, c = len(weights.bias), 5
    grade = np.sort(rng.integers(0, len(GRADES) + 1, (m, k, c)), 2)
    sign = np.where(grade == len(GRADES), 0.0, rng.choice([1.0, 1.0, -1.0], (m, k, c)))
    evidence = CueEvidence(rng.integers(0, STEPS, (m, k, c)), grade, sign, np.ones((m, k, c)))
    offered = np.ones((m, k), bool)
    offered[: m // 4, 0] = False
    rater = np.arange(m) % raters
    choice = np.zeros(m, np.int64)
    for j in range(raters):
        depth = np.eye(len(DEPTHS))[rng.choice(len(DEPTHS), p=weights.depths)]
        own = plain_weights(k, depths=depth, sign_blind=float(rng.random() < weights.sign_blind))
        p = class_probabilities(own, evidence, offered=offered)
        for i in np.flatnonzero(rater == j):
            choice[i] = rng.choice(k, p=p[i])
    return LabelledEvidence(evidence, offered, choice, rater, np.arange(m) % 5)


def test_ways_of_reading_and_what_cues_count_come_back():
    true = plain_weights(3, depths=np.array([0.0, 0.4, 0.0, 0.6]), sign_blind=0.25)
    found = find_likeliest_weights(made_up(true, 4000, 0, 40), 40)
    weights = found.weights
    assert weights.depths[1] == pytest.approx(0.4, abs=0.2)
    assert weights.depths[0] + weights.depths[2] < 0.2
    assert weights.sign_blind == pytest.approx(0.25, abs=0.2)
    assert weights.guessing < 0.1
    at_one = weights.grades / weights.grades[0]
    assert np.abs(at_one - true.grades / 4).max() < 0.12
    assert np.abs(weights.values[:STEPS] - true.values[:STEPS]).max() < 0.2
    assert np.abs(found.log_sureness).max() < 0.4


def test_a_fit_ends_where_nothing_near_is_likelier():
    """A wrong slope would stop it elsewhere."""
    answers = made_up(plain_weights(3, sign_blind=0.3), 120, 1, 6)
    best = find_likeliest_weights(answers, 6)
    again = find_likeliest_weights(answers, 6, start=best.theta + 0.3)
    assert np.abs(again.theta - best.theta).max() < 0.02


def test_a_class_that_was_not_offered_is_never_said():
    weights = plain_weights(3, guessing=0.2, spread=0.4, depths=np.full(4, 0.25))
    answers = made_up(weights, 40, 1, 4)
    p = class_probabilities(weights, answers.evidence, offered=answers.offered)
    assert not p[~answers.offered].any()
    assert np.allclose(p.sum(1), 1)


def card_of(*cues: Cue) -> Card:
    other = Cue("stub tail", ("stub tail",), ("u:9",), 0.3)
    return Card((ClassEntry("husky", cues), ClassEntry("corgi", (other,))), "dog")


def share_of_husky(weights: LikelihoodWeights, card: Card, **seen: bool) -> float:
    words = {name.replace("_", " "): value for name, value in seen.items()}
    evidence = cue_evidence(card, card.names, arm="shown", seen=[{"stub tail": False, **words}])
    return float(class_probabilities(weights, evidence)[0, 0])


EARS = Cue("pointed ears", ("pointed ears",), ("u:1",), 0.5)
SNOW = Cue("snow", ("snow",), ("u:2",), -0.3)


def test_a_card_that_promises_much_says_less_with_one_cue():
    more = Cue("curled tail", ("curled tail",), ("u:3",), 0.45)
    weights = plain_weights(2, values=np.where(plain_weights(2).values < 0, 0, 1.0))
    short, long = (
        share_of_husky(weights, card, pointed_ears=True, curled_tail=False)
        for card in (card_of(EARS), card_of(EARS, more))
    )
    assert short > long + 0.01
    summed = plain_weights(2, values=weights.values, saturation=0.0)
    assert share_of_husky(summed, card_of(EARS), pointed_ears=True) == pytest.approx(
        share_of_husky(summed, card_of(EARS, more), pointed_ears=True, curled_tail=False)
    )


def test_who_reads_one_cue_or_minds_no_signs_answers_so():
    card = card_of(EARS, SNOW)
    first = np.eye(len(DEPTHS))[0]
    with_snow, without = (
        share_of_husky(plain_weights(2, depths=first), card, pointed_ears=True, snow=snow)
        for snow in (True, False)
    )
    assert with_snow == without
    for blind, sign in ((0.0, -1), (1.0, 1)):
        gain = share_of_husky(
            plain_weights(2, sign_blind=blind), card, pointed_ears=True, snow=True
        ) - share_of_husky(plain_weights(2, sign_blind=blind), card, pointed_ears=True, snow=False)
        assert sign * gain > 0.01


def test_files_of_version_1_say_what_they_said():
    """By its own formula: evidence summed, h(l) = (1 − e^{−κl}) / (1 − e^{−κ}), −ρ h below."""
    record = {
        "grades": [2.0, 1.5, 1.0, 0.5], "states": [1.0, -0.3, 0.1], "activity": [1.2, 0.7],
        "bias": [0.2, -0.1],
    }  # fmt: skip
    weights = weights_of_schema_1(record, 2)
    card = card_of(EARS, SNOW)
    steps = np.array([[4, -2, 0]])
    h = [(1 - np.exp(-1.2 * x / 5)) / (1 - np.exp(-1.2)) for x in (4, 2)]
    husky = 2.0 * h[0] - 1.5 * (-0.7 * h[1]) + 0.2
    p = class_probabilities(weights, cue_evidence(card, card.names, arm="hidden", steps=steps))
    assert p[0, 0] == pytest.approx(0.98 / (1 + np.exp(-0.1 - husky)) + 0.01)
    fails = Cue("snow", ("snow",), ("u:2",), -0.3, matches=(WordMatch("concepts", "fails"),))
    marked = card_of(EARS, fails)
    husky, corgi = 2.0 * 1.0 - 1.5 * 0.1 + 0.2, 1.5 * -0.3 - 0.1
    assert share_of_husky(weights, marked, pointed_ears=True, snow=True) == pytest.approx(
        0.98 / (1 + np.exp(corgi - husky)) + 0.01
    )
    for name in record:
        with pytest.raises((KeyError, ValueError)):
            weights_of_schema_1({k: v for k, v in record.items() if k != name}, 2)
