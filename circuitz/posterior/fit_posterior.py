"""Both models of the posterior, fitted to judgements as they were given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from circuitz.cards.activity import CardActivity
from circuitz.cards.card import Card
from circuitz.cards.judged.read_back import read_judged_answers
from circuitz.posterior.likelihood_from_people.fit_likelihood import fit_likelihood
from circuitz.posterior.likelihood_from_people.fitted_likelihood import FittedLikelihood
from circuitz.posterior.prior_from_people.compared_cards import cards_by_hash
from circuitz.posterior.prior_from_people.fit_prior import fit_prior
from circuitz.posterior.prior_from_people.fitted_prior import FittedPrior
from circuitz.posterior.prior_from_people.word_indicators import WordFeatures
from circuitz.store.judgement import Judgement


@dataclass(frozen=True, eq=False)
class FittedPosterior:
    """M_prior and M_L as the same people made them.

    Parameters
    ----------
    prior
        M_prior.
    likelihood
        M_L of the hidden arm; ``None`` where nobody answered in it.
    comparisons, answers
        How many of each were learned from.
    remarks
        What is wrong with the judgements, one sentence each.
    """

    prior: FittedPrior
    likelihood: FittedLikelihood | None
    comparisons: int
    answers: int
    remarks: tuple[str, ...] = ()


def fit_posterior(
    judgements: Iterable[Judgement],
    cards: Mapping[str, Card] | Sequence[Card],
    activities: Mapping[str, CardActivity] | Sequence[CardActivity] = (),
    *,
    words: WordFeatures = "wordnet",
    members: int = 5,
    seed: int = 0,
) -> FittedPosterior:
    """Fit M_prior to the comparisons, and M_L to the hidden-arm answers, among judgements.

    Parameters
    ----------
    judgements
        Of any kind; answers that were taken back, gold, and answers held out are not learned from.
    cards
        The cards they may be about, by hash or alone.
    activities
        What was displayed in the hidden arm, by hash or alone.
    words
        Which features of words M_prior has.
    members
        Fits with raters and cards drawn again, whose spread is the error.
    seed
        Of the members.

    Raises
    ------
    PosteriorError
        If there is no comparison of two of the cards, or too few.
    """
    held = cards_by_hash(cards)
    read = read_judged_answers(judgements, held.values())
    compared = [one for one in read.comparisons if one.use == "train"]
    told = [one for one in read.class_answers if one.arm == "hidden" and one.use == "train"]
    prior = fit_prior(compared, held, words=words, members=members, seed=seed)
    likelihood = (
        fit_likelihood(told, held, activities, members=members, seed=seed) if told else None
    )
    return FittedPosterior(
        prior, likelihood, len(compared), len(told), tuple(p.text for p in read.problems)
    )
