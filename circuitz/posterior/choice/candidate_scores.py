"""The z's of a search as its choice sees them: numbers of two models, and where each came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circuitz.errors import PosteriorError
from circuitz.posterior.choice.answer_belief import AnswerBelief, LabelAnswers, belief_after_answers
from circuitz.posterior.choice.score_belief import (
    PairOutcomes,
    ScoreBelief,
    belief_after_comparisons,
    belief_from_members,
    square_root,
)

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class JointBelief:
    """What is believed about J of every z.

    Parameters
    ----------
    mean
        ``(z,)`` J, nats, up to a constant.
    covariance
        ``(z, z)``.
    scores, answers
        The two parts.
    """

    mean: F64
    covariance: F64
    scores: ScoreBelief
    answers: AnswerBelief

    @property
    def errors(self) -> F64:
        """``(z,)`` standard deviations."""
        return np.sqrt(np.clip(np.diag(self.covariance), 0.0, None))

    def draws(self, n: int, rng: np.random.Generator) -> F64:
        """Draw ``(n, z)`` J's from what is believed."""
        return self.mean + rng.standard_normal((n, len(self.mean))) @ square_root(self.covariance).T


@dataclass(frozen=True, eq=False)
class CandidateScores:
    """What both models say of the z's that a search visited.

    Parameters
    ----------
    lineages
        Of every z the name of the network it came from: z's of one lineage are much alike.
    changes
        ``(z,)`` int64, how many changes lie between the start and each z.
    scores, score_members
        ``(z,)`` and ``(m, z)``: s by M_prior, and by its members.
    log_chances
        ``(z, n)`` log M_L(y | x, z) on inputs of D, in the hidden arm.
    likelihood_members
        ``(m, z)`` its sum over these inputs by M_L's members.
    start
        Number of the z that the search began with.
    lam, eta
        λ and η of J = λ s + η Σ log M_L.
    log_ties
        log ν of M_prior's outcome model.

    Raises
    ------
    PosteriorError
        If shapes do not fit or a number is not finite.
    """

    lineages: tuple[str, ...]
    changes: I64
    scores: F64
    score_members: F64
    log_chances: F64
    likelihood_members: F64
    start: int
    lam: float = 1.0
    eta: float = 1.0
    log_ties: float = -1.0

    def __post_init__(self) -> None:
        z = len(self.lineages)
        shapes = (
            self.changes.shape, self.scores.shape, self.score_members.shape[1:],
            self.log_chances.shape[:1], self.likelihood_members.shape[1:],
        )  # fmt: skip
        if z < 2 or any(shape != (z,) for shape in shapes) or not 0 <= self.start < z:
            raise PosteriorError(
                f"{z} lineages, start {self.start} and columns {shapes} do not fit.",
                "Give every z one column everywhere, the start among them, and two z's or more.",
            )
        if not np.isfinite(self.likelihood_members).all() or len(self.likelihood_members) < 2:
            raise PosteriorError(
                "The members of M_L are fewer than two, or not finite.", "Fit M_L with members."
            )

    def belief(self, pairs: PairOutcomes, answers: LabelAnswers) -> JointBelief:
        """Return what is believed of J after judgements that neither model was fitted to."""
        s = belief_after_comparisons(belief_from_members(self.scores, self.score_members), pairs)
        told = belief_after_answers(self.log_chances, answers)
        shared = np.atleast_2d(np.cov(self.likelihood_members, rowvar=False))
        return JointBelief(
            mean=self.lam * s.mean + self.eta * told.mean,
            covariance=self.lam**2 * s.covariance + self.eta**2 * (shared + np.diag(told.variance)),
            scores=s,
            answers=told,
        )

    def no_pairs(self) -> PairOutcomes:
        """Return no comparisons."""
        none = np.zeros(0, np.int64)
        return PairOutcomes(none, none, none, np.zeros(0), self.log_ties)


def no_answers() -> LabelAnswers:
    """Return no answers."""
    none = np.zeros(0, np.int64)
    return LabelAnswers(none, none, none.astype(bool))
