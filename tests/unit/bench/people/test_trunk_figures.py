"""What a card says as an input of M_L_test, and how labels of D′ are scored."""

from __future__ import annotations

import numpy as np
import pytest

from circuitz.bench.people.asked_labels import LabelPictures
from circuitz.bench.people.pooled_z import PooledZ
from circuitz.bench.people.trunk_figures import LabelJudges, card_input
from circuitz.cards.activity import cue_key, distinct_cues
from circuitz.evaluation.people.picture_truth import PictureTruth


def test_the_card_says_most_of_the_class_whose_cues_are_active(painted_pool: tuple[PooledZ, ...]):
    z = next(one for one in painted_pool if one.words == "proposed")
    said = card_input(z)
    column = {cue_key(cue): j for j, cue in enumerate(distinct_cues(z.card))}
    entry = z.card.classes[2]
    by_hand = sum(c.strength * z.levels_shifted[:, column[cue_key(c)]] for c in entry.cues)
    assert np.corrcoef(said[:, 2], by_hand)[0, 1] == pytest.approx(1)
    assert (said - said.mean(1, keepdims=True)).std() == pytest.approx(2)


def test_a_card_without_cues_says_nothing(painted_pool: tuple[PooledZ, ...]):
    z = next(one for one in painted_pool if one.words == "bare")
    assert not card_input(z).any()


def test_labels_are_scored_against_truth_and_against_people():
    pictures = LabelPictures(
        ("husky", "corgi"), np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), ("snow", "grass"),
        ("a", "b", "c", "d"), PictureTruth(),
    )  # fmt: skip
    rows = np.arange(4)
    chances = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.0, 1.0]])
    judges = LabelJudges(pictures, rows, rows, chances)
    assert judges.ceiling == pytest.approx(0.825)
    assert judges.majority_worst == 0
    scored = judges.score(np.array([0, 0, 1, 1]))
    assert scored["right"] == 1
    assert scored["agreement"] == pytest.approx((0.9 + 0.2 + 0.6 + 1.0) / 4)
