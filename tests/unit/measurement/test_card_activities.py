from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuitz.cards.activity import distinct_cues
from circuitz.cards.cue_levels import activities_from_levels, cue_levels
from circuitz.cards.make_card import card as make_card
from circuitz.errors import MeasurementError
from circuitz.measurement.card_activities import card_activities, usual_responses
from circuitz.measurement.cut_responses import cut_responses


@pytest.fixture(scope="module")
def held(caught):
    return caught, make_card(caught)


def test_levels_are_those_of_the_cuts_responses_with_places_and_without(held, shifted):
    z, card = held
    inputs, _ = shifted
    rows = np.arange(0, len(inputs), 24)
    read = cut_responses(z, inputs, rows)
    mean = cut_responses(z, z.data, np.flatnonzero(z.data.split == 0)).responses.mean(0)
    np.testing.assert_allclose(usual_responses(z), mean, atol=1e-6)
    effects = z.measurements.effects
    levels = cue_levels(card, read.responses, read.units, effects, mean=mean)
    plain = card_activities(z, card, inputs, rows, places=False)
    assert plain == activities_from_levels(card, levels)
    placed = card_activities(z, card, inputs, rows)
    assert [[(c.words, c.step) for c in a.cues] for a in placed] == [
        [(c.words, c.step) for c in a.cues] for a in plain
    ]
    assert all(bool(c.place) <= (c.step > 0) for a in placed for c in a.cues)
    assert any(c.place for a in placed for c in a.cues)


def test_snow_is_shown_where_there_is_snow_and_not_where_there_is_none(held, shifted):
    z, card = held
    inputs, ground = shifted
    snow = next(c for c in distinct_cues(card) if "snow" in c.words)
    rows = np.concatenate([np.flatnonzero(ground == g)[:12] for g in (0, 1)])
    found = card_activities(z, card, inputs, rows, places=False)
    steps = np.array([a.of_cue(snow).step for a in found])
    assert steps[:12].mean() > steps[12:].mean() + 2


def test_what_is_usual_is_that_of_the_concept_set_where_the_data_is_not_at_hand(held):
    z, _ = held
    measured = z.measurements.layers[z.cut[0]].responses.mean(0)
    np.testing.assert_allclose(usual_responses(z.with_(data=None)), measured, atol=1e-6)
    with pytest.raises(MeasurementError, match="usual"):
        usual_responses(z.with_(data=None, measurements=None))


def test_what_was_not_measured_is_named(held, shifted):
    z, card = held
    bare = z.with_(measurements=replace(z.measurements, effects=None))
    with pytest.raises(MeasurementError, match="effects"):
        card_activities(bare, card, shifted[0])
    with pytest.raises(MeasurementError, match="no inputs"):
        card_activities(z, card, shifted[0], np.array([], np.int64))
