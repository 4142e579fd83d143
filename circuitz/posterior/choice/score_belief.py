"""What is believed about the plausibility s of z's, and how comparisons change it.

M_prior foretells s of every z with an error that z's share (its parameters), and misses something
of each z by itself (what its features do not say). Both are Gaussian; comparisons are not, and
enter by Laplace's approximation. What is learned of the z's compared moves the others through the
errors they share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from circuitz.errors import PosteriorError
from circuitz.posterior.prior_from_people.outcome_model import (
    LAPSE,
    outcome_loss,
    outcome_probabilities,
)

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
# Share of the members' errors that counts as each z's own: five members span four directions.
_OWN = 0.3
# Spreads, nats, of what M_prior misses of a z by itself; the best by evidence is taken.
_MISFITS = (0.25, 0.5, 1.0, 2.0, 4.0)
# The misfit before anybody was asked, and how far other spreads are believed: N(0, 1), cut at 0.
_MISFIT_SCALE = 1.0
# Shares of the differences that M_prior claims: what was chosen for being high claims too much.
_SHARES = (0.3, 0.6, 1.0)


@dataclass(frozen=True, eq=False)
class PairOutcomes:
    """Comparisons of z's as columns.

    Parameters
    ----------
    first, second
        ``(m,)`` int64, numbers of the z's.
    outcome
        ``(m,)`` int64, index into ``COMPARE_OPTIONS``.
    slope
        ``(m,)`` slope of whoever answered; 1 for somebody new.
    log_ties
        log ν of the outcome model.
    """

    first: I64
    second: I64
    outcome: I64
    slope: F64
    log_ties: float

    def __len__(self) -> int:
        return len(self.outcome)

    def joined(self, others: PairOutcomes) -> PairOutcomes:
        """Return these comparisons and others."""
        return PairOutcomes(
            np.concatenate([self.first, others.first]),
            np.concatenate([self.second, others.second]),
            np.concatenate([self.outcome, others.outcome]),
            np.concatenate([self.slope, others.slope]),
            others.log_ties,
        )


@dataclass(frozen=True, eq=False)
class ScoreBelief:
    """A Gaussian over the plausibility of z's.

    Parameters
    ----------
    mean
        ``(z,)`` nats.
    covariance
        ``(z, z)``.
    misfit
        Spread, nats, of what M_prior misses of each z, of which the covariance contains the square.
    share
        Share of the differences claimed by M_prior that the comparisons bear out.
    """

    mean: F64
    covariance: F64
    misfit: float = 0.0
    share: float = 1.0

    def outcome_losses(self, pairs: PairOutcomes) -> F64:
        """Return − log P of every outcome as foretold, ``(m,)`` nats, the error of s included."""
        inside, a, b = _compared(pairs)
        rng = np.random.default_rng(0)
        root = square_root(self.covariance[np.ix_(inside, inside)])
        draws = self.mean[inside] + rng.standard_normal((256, len(inside))) @ root.T
        rows = np.arange(len(pairs))
        chances = [
            outcome_probabilities(s[a], s[b], pairs.slope, pairs.log_ties)[rows, pairs.outcome]
            for s in draws
        ]
        return -np.log(np.mean(chances, 0))


def belief_from_members(scores: npt.ArrayLike, members: npt.ArrayLike) -> ScoreBelief:
    """Return what M_prior alone says.

    Parameters
    ----------
    scores
        ``(z,)`` s of every z.
    members
        ``(m, z)`` the same by two members or more.

    Raises
    ------
    PosteriorError
        If shapes do not fit, there is one member, or a number is not finite.
    """
    s, every = np.asarray(scores, np.float64), np.asarray(members, np.float64)
    if s.ndim != 1 or every.ndim != 2 or every.shape[1:] != s.shape or len(every) < 2:
        raise PosteriorError(
            f"Scores {s.shape} and members' {every.shape} give no belief.",
            "Give one column a z, and two members or more.",
        )
    if not (np.isfinite(s).all() and np.isfinite(every).all()):
        raise PosteriorError("A score is not finite.", "Score these z's anew.")
    covariance = np.atleast_2d(np.cov(every, rowvar=False))
    own = _OWN * np.diag(np.diag(covariance))
    return ScoreBelief(s, (1 - _OWN) * covariance + own)


def belief_after_comparisons(prior: ScoreBelief, pairs: PairOutcomes) -> ScoreBelief:
    """Return the belief after comparisons, with the share and misfit that explain them best.

    Parameters
    ----------
    prior
        What M_prior alone says, without misfit.
    pairs
        All comparisons that no fit of M_prior has seen.
    """
    if not len(pairs):
        own = _MISFIT_SCALE**2 * np.eye(len(prior.mean))
        return ScoreBelief(prior.mean, prior.covariance + own, _MISFIT_SCALE)
    inside, a, b = _compared(pairs)
    middle = float(prior.mean.mean())
    best: tuple[float, float, float, F64, F64] | None = None
    for share in _SHARES:
        mean = middle + share * (prior.mean[inside] - middle)
        for misfit in _MISFITS:
            block = share * prior.covariance[np.ix_(inside, inside)]
            block += misfit**2 * np.eye(len(inside))
            evidence, s, after = _laplace(mean, block, pairs, a, b)
            evidence -= 0.5 * (misfit / _MISFIT_SCALE) ** 2
            if best is None or evidence > best[0]:
                best = evidence, share, misfit, s, after
    assert best is not None
    _, share, misfit, s, after = best
    mean = middle + share * (prior.mean - middle)
    covariance = share * prior.covariance + misfit**2 * np.eye(len(mean))
    # What was learned of the z's compared moves the others through the errors they share.
    block = covariance[np.ix_(inside, inside)]
    carry = covariance[:, inside] @ np.linalg.pinv(block, hermitian=True, rcond=1e-10)
    return ScoreBelief(
        mean + carry @ (s - mean[inside]),
        covariance - carry @ (block - after) @ carry.T,
        misfit,
        share,
    )


def laplace_of_comparisons(mean: F64, covariance: F64, pairs: PairOutcomes) -> tuple[I64, F64, F64]:
    """Return the z's that were compared, and mean and covariance of their s after comparisons."""
    inside, a, b = _compared(pairs)
    _, s, after = _laplace(mean[inside], covariance[np.ix_(inside, inside)], pairs, a, b)
    return inside, s, after


def _compared(pairs: PairOutcomes) -> tuple[I64, I64, I64]:
    """Return which z's were compared, and the columns of either side among them."""
    inside = np.unique(np.concatenate([pairs.first, pairs.second]))
    return inside, np.searchsorted(inside, pairs.first), np.searchsorted(inside, pairs.second)


def _laplace(
    mean: F64, covariance: F64, pairs: PairOutcomes, a: I64, b: I64
) -> tuple[float, F64, F64]:
    """Return log evidence, mean and covariance after comparisons."""
    root = square_root(covariance)

    def loss_and_gradient(w: F64) -> tuple[float, F64]:
        s = mean + root @ w
        at = outcome_loss(pairs.outcome, s[a], s[b], pairs.slope, pairs.log_ties)
        by_s = np.zeros(len(mean))
        np.add.at(by_s, a, at.by_a)
        np.add.at(by_s, b, at.by_b)
        return float(at.loss.sum() + 0.5 * w @ w), w + root.T @ by_s

    start = np.zeros(len(mean))
    fit = minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B")
    s = mean + root @ fit.x
    information = _information(a, b, s, pairs, len(mean))
    curvature = np.eye(len(mean)) + root.T @ information @ root
    after = root @ np.linalg.solve(curvature, root.T)
    evidence = -float(fit.fun) - 0.5 * float(np.linalg.slogdet(curvature)[1])
    return evidence, s, after


def _information(a: I64, b: I64, s: F64, pairs: PairOutcomes, n: int) -> F64:
    """Return Fisher's information of comparisons about s, ``(n, n)``; lapses tell nothing."""
    shares = outcome_probabilities(s[a], s[b], pairs.slope, pairs.log_ties, lapse=0.0)
    by_s = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.0, 0.0]])
    centred = by_s[None] - (shares @ by_s)[:, None]
    each = np.einsum("mo,moi,moj->mij", shares, centred, centred)
    each *= ((1 - LAPSE) * pairs.slope**2)[:, None, None]
    total = np.zeros((n, n))
    for i, p in enumerate((a, b)):
        for j, q in enumerate((a, b)):
            np.add.at(total, (p, q), each[:, i, j])
    return total


def square_root(covariance: F64) -> F64:
    """Return R with R Rᵀ the covariance, which may lack rank."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return vectors * np.sqrt(np.clip(values, 0.0, None))
