"""J(z*) − J(start) on judgements that no choice rested on.

Whatever chose z* thinks too well of it. So the last word is had by judgements made afterwards, read
as if nothing was thought of either before: the difference of s from comparisons of the two with
each other and with other z's, and the summed log M_L with an offset of each z that only these answers set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circuitz.posterior.choice.answer_belief import LabelAnswers, belief_after_answers
from circuitz.posterior.choice.candidate_scores import CandidateScores, JointBelief
from circuitz.posterior.choice.score_belief import (
    PairOutcomes,
    ScoreBelief,
    laplace_of_comparisons,
)

F64 = npt.NDArray[np.float64]
# Spread of s of either before anybody was asked, nats: wide, so that answers decide.
_WIDE = 8.0
# Spread of M_L's offset before anybody was asked, log-odds.
_WIDE_OFFSET = 1.6


@dataclass(frozen=True)
class FreshGain:
    """A gain over the start, with its error.

    Parameters
    ----------
    value
        J(z*) − J(start), nats.
    low, high
        95 % interval.
    prior, likelihood
        Its two terms: λ Δs and η ΔΣ log M_L.
    judgements
        How many judgements it rests on.
    """

    value: float
    low: float
    high: float
    prior: float
    likelihood: float
    judgements: int


def gain_on_fresh_judgements(
    candidates: CandidateScores,
    belief: JointBelief,
    z_star: int,
    pairs: PairOutcomes,
    answers: LabelAnswers,
) -> FreshGain:
    """Return J(z*) − J(start), believing nothing of these two beforehand.

    Parameters
    ----------
    candidates
        All z's of the search.
    belief
        What is believed of the z's that both are compared with.
    z_star
        Number of the z that was chosen.
    pairs, answers
        Judgements that came after the choice.
    """
    start = candidates.start
    delta, spread = _difference_of_scores(belief.scores, z_star, start, pairs)
    two = np.array([z_star, start])
    about = LabelAnswers((answers.z == start).astype(np.int64), answers.row, answers.agrees)
    summed = belief_after_answers(candidates.log_chances[two], about, spread=_WIDE_OFFSET)
    between = candidates.likelihood_members[:, z_star] - candidates.likelihood_members[:, start]
    likelihood = candidates.eta * float(summed.mean[0] - summed.mean[1])
    variance = (candidates.lam * spread) ** 2 + candidates.eta**2 * (
        float(summed.variance.sum()) + float(between.var(ddof=1))
    )
    value, error = candidates.lam * delta + likelihood, float(np.sqrt(variance))
    return FreshGain(
        value, value - 1.96 * error, value + 1.96 * error, candidates.lam * delta, likelihood,
        len(pairs) + len(answers),
    )  # fmt: skip


def _difference_of_scores(
    scores: ScoreBelief, z_star: int, start: int, pairs: PairOutcomes
) -> tuple[float, float]:
    """Return mean and standard deviation of s(z*) − s(start).

    Of these two nothing is believed beforehand; of the z's both are compared with, what the rounds
    have taught.
    """
    mean, covariance = scores.mean.copy(), scores.covariance.copy()
    two = [z_star, start]
    mean[two] = scores.mean[two].mean()
    covariance[two], covariance[:, two] = 0.0, 0.0
    covariance[two, two] = _WIDE**2
    inside, s, after = laplace_of_comparisons(mean, covariance, pairs)
    at = np.searchsorted(inside, two)
    variance = after[at[0], at[0]] + after[at[1], at[1]] - 2 * after[at[0], at[1]]
    return float(s[at[0]] - s[at[1]]), float(np.sqrt(variance))
