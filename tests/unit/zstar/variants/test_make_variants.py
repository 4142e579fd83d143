"""Variants of one z put to people, and what the models fitted to their answers make of its words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

import circuitz as cz
from circuitz.errors import SearchError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.posterior.fit_posterior import fit_posterior
from circuitz.posterior.likelihood_from_people.fitted_likelihood import FittedLikelihood
from circuitz.posterior.prior_from_people.fitted_prior import FittedPrior
from circuitz.store.asking import AskedQuestion, judgement_of_answer
from circuitz.store.judgement import Judgement
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.chains.searched_networks import SearchedNetworks
from circuitz.zstar.kernels.prior_plan import gains_without_word
from circuitz.zstar.variants.make_variants import Variants, make_variants
from circuitz.zstar.variants.variant_states import variant_states
from tests.unit.zstar.chains.conftest import Opinion


@pytest.fixture(scope="module")
def variants(caught: AnnotatedModel) -> Variants:
    return make_variants(caught, n=24, comparisons=120, answers=60)


def judge(
    questions: Sequence[AskedQuestion], liked: tuple[str, ...], seed: int = 0
) -> list[Judgement]:
    """Compare by an opinion of words, and read the signs of a card at face value."""
    opinion, rng = Opinion(liked), np.random.default_rng(seed)
    given: list[Judgement] = []
    for i, question in enumerate(questions):
        if question.kind == "compare":
            felt = [opinion(card) + 0.5 * rng.gumbel() for card in question.shown["cards"]]
            choice = "a" if felt[0] > felt[1] else "b"
        else:
            card, activity = question.shown["card"], question.shown["activity"]
            votes: dict[str, float] = {}
            for entry in card.classes:
                shown = [(cue.strength, activity.of_cue(cue)) for cue in entry.cues]
                votes[entry.name] = sum(size * one.level for size, one in shown if one is not None)
            choice = max(votes, key=lambda name: votes[name])
        given.append(
            judgement_of_answer(
                question, {"choice": choice}, task="t", rater=f"r{i % 4}", rater_kind="simulated"
            )
        )
    return given


def test_variants_differ_in_words_and_paths_and_nothing_is_trained(
    caught: AnnotatedModel,
) -> None:
    networks = SearchedNetworks(caught, Lexicon.load(), inputs=1, images=60, seed=0)
    states = variant_states(networks, 30, seed=1)
    first = networks.state_of("start")
    assert states["as it is"] == first
    assert len({state.key for state in states.values()}) == len(states) <= 30
    assert {state.network for state in states.values()} == {"start"}
    for word in first.vocabulary:
        assert word not in states[f"without the word ‘{word}’"].vocabulary
        cut = states[f"path of ‘{word}’ cut"]
        assert set(cut.silenced) == set(first.bearing(word))
        assert not set(cut.silenced) & set(cut.words)
    assert not states["no words"].words
    moved = states["words moved to other units"]
    assert sorted(moved.words.values()) == sorted(first.words.values())
    assert variant_states(networks, 30, seed=1) == states
    assert len(variant_states(networks, 5, seed=1)) == 5


def test_each_card_is_asked_about_once_and_pairs_join_them_all(variants: Variants) -> None:
    hashes = {card.hash for card in variants.cards.values()}
    assert len(hashes) == len(variants.cards)
    assert {h for q in variants.comparisons for h in q.items} == hashes
    assert {q.card_hash for q in variants.class_questions} <= hashes
    assert len({q.card_hash for q in variants.class_questions}) > 5
    assert 50 <= len(variants.class_questions) <= 70
    assert all(q.arm == "hidden" for q in variants.class_questions)


@pytest.mark.parametrize("bad", ["snow", "ears"])
def test_models_fitted_to_judgements_of_variants_go_by_what_people_like(
    variants: Variants, caught: AnnotatedModel, bad: str
) -> None:
    liked = tuple(w for w in ("ears", "tail", "legs", "snow", "grass", "sand") if w != bad)
    given = judge(variants.questions, liked)
    cards = list(variants.cards.values())
    fitted = fit_posterior(given, cards, variants.activities, members=2)
    assert fitted.likelihood is not None
    assert fitted.comparisons + fitted.answers <= len(given)
    gains = gains_without_word(fitted.prior, variants.cards["as it is"])
    assert max(gains, key=lambda word: gains[word]) == bad
    again = FittedPrior.from_json(fitted.prior.to_json())
    assert again.scores(cards) == pytest.approx(fitted.prior.scores(cards))
    assert FittedLikelihood.from_json(fitted.likelihood.to_json()).hash == fitted.likelihood.hash


def test_a_z_without_words_has_nothing_to_compare(caught: AnnotatedModel) -> None:
    with pytest.raises(SearchError, match="look alike"):
        cz.make_variants(caught.with_(log=()), n=4)
