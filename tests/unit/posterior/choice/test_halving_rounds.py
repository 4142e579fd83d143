from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuitz.errors import PosteriorError
from circuitz.posterior.choice.halving_rounds import HalvingSettings, choose_by_halving


@pytest.fixture(scope="module")
def choices(drawn_searches):
    return [
        choose_by_halving(one.candidates, one.put, HalvingSettings(seed=one.seed))
        for one in drawn_searches
    ]


def test_rounds_lose_less_than_taking_the_largest(drawn_searches, choices):
    largest = [one.j.max() - one.j[one.screened.argmax()] for one in drawn_searches]
    chosen = [one.j.max() - one.j[c.z] for one, c in zip(drawn_searches, choices, strict=True)]
    assert np.mean(largest) > 2.5
    assert np.mean(chosen) < 0.5 * np.mean(largest)


def test_what_is_said_of_z_star_is_not_what_made_it_win(drawn_searches, choices):
    pairs = list(zip(drawn_searches, choices, strict=True))
    largest = [one.screened.max() - one.j[one.screened.argmax()] for one in drawn_searches]
    said = np.array([c.belief.mean[c.z] - one.j[c.z] for one, c in pairs])
    assert np.mean(largest) > 5
    assert abs(said.mean()) < 3 * said.std(ddof=1) / np.sqrt(len(said)) + 0.1


def test_the_gain_over_the_start_is_covered_by_its_interval(drawn_searches, choices):
    inside = [
        c.gain.low <= one.j[c.z] - one.j[one.candidates.start] <= c.gain.high
        for one, c in zip(drawn_searches, choices, strict=True)
        if c.state == "chosen"
    ]
    assert len(inside) >= 12
    assert np.mean(inside) >= 0.8


def test_every_answer_is_foretold_before_it_is_learned_from(choices):
    for choice in choices:
        assert [len(r.z) for r in choice.rounds] == [16, 8, 4]
        assert all(r.pairs_right <= r.pairs_decided <= 40 for r in choice.rounds)
        assert choice.judgements == 3 * 80 + (80 if choice.gain else 0)
    # Four outcomes: knowing nothing costs log 4.
    assert np.mean([c.rounds[0].pair_loss for c in choices]) < np.log(4)
    assert np.mean([r.answer_loss for c in choices for r in c.rounds]) < np.log(2)


def test_of_a_lineage_two_at_most_and_no_pair_twice_before_all(drawn_searches, choices):
    for one, choice in zip(drawn_searches, choices, strict=True):
        lineages = [one.candidates.lineages[z] for z in choice.rounds[0].z]
        assert max(lineages.count(name) for name in lineages) <= 2
    first = drawn_searches[0].rounds[0]
    assert len({frozenset(p) for p in first.pairs.tolist()}) == len(first.pairs)


def test_the_last_word_is_had_by_judgements_of_their_own(drawn_searches, choices):
    one, choice = drawn_searches[0], choices[0]
    audit = one.rounds[3]
    assert audit.audit
    assert not any(r.audit for r in one.rounds[:3])
    about = {choice.z, one.candidates.start}
    assert all(set(pair) & about for pair in audit.pairs.tolist())
    assert set(audit.inputs[:, 0].tolist()) == about


def test_the_start_is_kept_where_nothing_is_better(drawn_search):
    kept = 0
    for seed in range(8):
        one = drawn_search(seed, z=40, spread=0.0, error=3.0, misfit=0.0, eta=0.0)
        choice = choose_by_halving(one.candidates, one.put, HalvingSettings(seed=seed))
        kept += choice.state == "start kept" and choice.z == one.candidates.start
    assert kept >= 7


def test_of_equals_the_one_with_fewest_changes(drawn_searches):
    one = drawn_searches[1]
    choice = choose_by_halving(one.candidates, one.put, HalvingSettings(seed=1, alike=1e6))
    assert set(choice.equals) == set(choice.rounds[-1].z)
    fewest = min(one.candidates.changes[list(choice.equals)])
    best = choice.z if choice.state == "chosen" else None
    assert best is None or one.candidates.changes[best] == fewest


def test_a_choice_waits_and_is_taken_up(drawn_search):
    one = drawn_search(3, z=40)
    whole = choose_by_halving(one.candidates, one.put)
    one.lazy_from = 2
    waiting = choose_by_halving(one.candidates, one.put)
    assert waiting.state == "waiting"
    assert waiting.z == one.candidates.start
    assert waiting.waiting is not None
    assert waiting.waiting.number == 2
    assert len(waiting.rounds) == 1
    one.lazy_from = 99
    again = choose_by_halving(one.candidates, one.put)
    assert (again.state, again.z) == (whole.state, whole.z)
    np.testing.assert_array_equal(again.belief.mean, whole.belief.mean)


def test_bad_rounds_and_answers_about_other_zs_are_refused(drawn_search):
    one = drawn_search(0, z=20)
    with pytest.raises(PosteriorError, match="cannot be halved"):
        choose_by_halving(one.candidates, one.put, HalvingSettings(sizes=(4, 8)))

    def about_others(questions):
        came = one.put(questions)
        others = [z for z in range(20) if z not in questions.pairs]
        return replace(came, pairs=replace(came.pairs, first=np.full(40, others[0])))

    with pytest.raises(PosteriorError, match="did not ask about"):
        choose_by_halving(one.candidates, about_others, HalvingSettings(sizes=(4, 2)))
