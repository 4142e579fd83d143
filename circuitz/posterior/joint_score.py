"""J of z's: plausibility and likelihood in one number, with the error of either model in it.

    J(z) = λ s(z) + η Σ over D of log M_L(y | x, z)

s is M_prior's score, which is log M_prior up to one constant a search. At λ = η = 1 a difference
of J is the logarithm of the posterior odds. η is one number a run, fixed before it: M_L is a model
of people and errs on many inputs in the same direction, so a sum over all of D may claim more
nats than it knows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circuitz.errors import PosteriorError

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LikelihoodWeight:
    """η of a run, and what it was made from.

    Parameters
    ----------
    eta
        min(1, 1 / σ).
    sigma
        Typical error, in nats, of a difference of summed log M_L.
    pairs
        Pairs of reference z's it is the median over.
    inputs
        Inputs of D that were summed.
    """

    eta: float
    sigma: float
    pairs: int
    inputs: int


@dataclass(frozen=True, eq=False)
class JointScores:
    """J of several z's.

    Parameters
    ----------
    values
        ``(z,)`` J, nats, up to a constant.
    members
        ``(m, z)`` J by pairs of members of both models: their spread is the models' error.
    prior, likelihood
        ``(z,)`` the two terms as they enter: λ s and η Σ log M_L.
    lam, eta
        λ and η.
    """

    values: F64
    members: F64
    prior: F64
    likelihood: F64
    lam: float
    eta: float

    @property
    def error(self) -> F64:
        """``(z,)`` standard deviation of J over the members."""
        return self.members.std(0, ddof=1)

    def difference(self, a: int, b: int) -> tuple[float, float]:
        """Return J(a) − J(b) and its standard deviation over the members, nats."""
        over_members = self.members[:, a] - self.members[:, b]
        return float(self.values[a] - self.values[b]), float(over_members.std(ddof=1))

    @property
    def posterior(self) -> F64:
        """``(z,)`` probability of each z if one of them is right; the posterior at λ = η = 1."""
        shares = np.exp(self.values - self.values.max())
        return shares / shares.sum()


def likelihood_weight(log_likelihoods: npt.ArrayLike, members: npt.ArrayLike) -> LikelihoodWeight:
    """Choose η from reference z's, before a run.

    For z's a and b, with Δℓ_i = log M_L(y_i | x_i, a) − log M_L(y_i | x_i, b) and Δℓ_i^m that of
    ensemble member m, the error of the summed difference is

        σ² = n · Var_i(Δℓ_i) + Var_m(Σ_i Δℓ_i^m)

    η = min(1, 1 / σ) with σ² the median over pairs: a typical difference keeps an error of one nat
    at most.

    Parameters
    ----------
    log_likelihoods
        ``(z, n)`` log M_L of two reference z's or more, on the same inputs of D.
    members
        ``(m, z, n)`` the same by two members or more.

    Raises
    ------
    PosteriorError
        If shapes do not fit, there is too little of anything, or values are not finite.
    """
    of_inputs = _finite(log_likelihoods, 2, "log-likelihoods")
    of_members = _finite(members, 3, "members' log-likelihoods")
    z, n = of_inputs.shape
    if of_members.shape[1:] != (z, n) or z < 2 or n < 2 or len(of_members) < 2:
        raise PosteriorError(
            f"Log-likelihoods {of_inputs.shape} and members' {of_members.shape} give no η.",
            "Give two reference z's, two inputs and two members, or more of each.",
        )
    summed = of_members.sum(2)
    variances: list[float] = []
    for a in range(z):
        for b in range(a):
            over_inputs = n * float((of_inputs[a] - of_inputs[b]).var(ddof=1))
            variances.append(over_inputs + float((summed[:, a] - summed[:, b]).var(ddof=1)))
    sigma = float(np.sqrt(np.median(variances)))
    eta = 1.0 if sigma <= 1 else 1 / sigma
    return LikelihoodWeight(eta, sigma, len(variances), n)


def joint_scores(
    scores: npt.ArrayLike,
    log_likelihoods: npt.ArrayLike,
    *,
    score_members: npt.ArrayLike,
    likelihood_members: npt.ArrayLike,
    lam: float = 1.0,
    eta: float = 1.0,
) -> JointScores:
    """Return J of z's, with its error.

    Parameters
    ----------
    scores
        ``(z,)`` s of every z (:meth:`FittedPrior.scores`).
    log_likelihoods
        ``(z,)`` log M_L summed over D (:meth:`FittedLikelihood.log_likelihood`, hidden arm).
    score_members, likelihood_members
        ``(m, z)`` both by member. The two models are fitted to different answers, so that member i
        of the one goes with member i of the other; of the longer ensemble the rest is left out.
    lam, eta
        λ, and η of :func:`likelihood_weight`; both 0 or more.

    Raises
    ------
    PosteriorError
        If shapes do not fit, there are fewer than two members, or a number is not finite.
    """
    s = _finite(scores, 1, "scores")
    total = _finite(log_likelihoods, 1, "log-likelihoods")
    of_s = _finite(score_members, 2, "members' scores")
    of_total = _finite(likelihood_members, 2, "members' log-likelihoods")
    m = min(len(of_s), len(of_total))
    if not (s.shape == total.shape == of_s.shape[1:] == of_total.shape[1:]) or m < 2:
        raise PosteriorError(
            f"Scores {s.shape}, log-likelihoods {total.shape} and members {of_s.shape}, "
            f"{of_total.shape} do not fit.",
            "Give one column a z, and two members or more.",
        )
    if not (np.isfinite([lam, eta]).all() and min(lam, eta) >= 0):
        raise PosteriorError(f"λ = {lam} and η = {eta} make no J.", "Give numbers from 0 up.")
    prior, likelihood = lam * s, eta * total
    members = lam * of_s[:m] + eta * of_total[:m]
    return JointScores(prior + likelihood, members, prior, likelihood, lam, eta)


def _finite(values: npt.ArrayLike, axes: int, what: str) -> F64:
    found = np.asarray(values, np.float64)
    if found.ndim != axes or not np.isfinite(found).all():
        raise PosteriorError(
            f"The {what} {found.shape} have another shape than {axes} axes, or are not finite.",
            "Compute them anew.",
        )
    return found
