"""What people answer when they compare two z's, given how plausible each is.

With s the plausibility of a z and r the slope of the rater, the five answers are

    P(a) ∝ e^{r s_a}    P(b) ∝ e^{r s_b}    P(equal) ∝ ν e^{r (s_a + s_b) / 2}
    P(both implausible) ∝ 1                 "cannot tell" carries no information

each mixed with a lapse, an answer at random. Without the middle two it is the model of Bradley and
Terry (1952), with the ties of Davidson (1970). *Both implausible* fixes the level of s: at s = 0 a
z alone is as often accepted as rejected.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
LAPSE = 0.02


@dataclass(frozen=True, eq=False)
class OutcomeSlopes:
    """Loss of every comparison, and its slopes.

    Parameters
    ----------
    loss
        ``(m,)`` − log P(outcome), nats.
    by_a, by_b, by_slope, by_ties
        ``(m,)`` its derivative by s_a, by s_b, by log r and by log ν.
    """

    loss: F64
    by_a: F64
    by_b: F64
    by_slope: F64
    by_ties: F64


def outcome_probabilities(
    a: F64, b: F64, slope: F64 | float, log_ties: float, *, lapse: float = LAPSE, offered: int = 4
) -> F64:
    """Return the probability of every outcome, ``(m, offered)``; columns as ``COMPARE_OPTIONS``."""
    shares = _softmax(_outcome_logits(a, b, np.asarray(slope, np.float64), log_ties, offered))
    return (1 - lapse) * shares + lapse / offered


def outcome_loss(
    outcome: I64,
    a: F64,
    b: F64,
    slope: F64,
    log_ties: float,
    *,
    lapse: float = LAPSE,
    offered: int = 4,
) -> OutcomeSlopes:
    """Return − log P(outcome) of every comparison, and its slopes.

    Parameters
    ----------
    outcome
        ``(m,)`` column of ``COMPARE_OPTIONS``.
    a, b
        ``(m,)`` plausibility of the two z's.
    slope
        ``(m,)`` r of whoever answered.
    log_ties
        log ν.
    lapse
        Share of answers given at random.
    offered
        2 leaves *equal* and *both implausible* out: plain Bradley-Terry.
    """
    shares = _softmax(_outcome_logits(a, b, slope, log_ties, offered))
    rows = np.arange(len(outcome))
    chosen = shares[rows, outcome]
    mixed = (1 - lapse) * chosen + lapse / offered
    pull = shares.copy()
    pull[rows, outcome] -= 1.0
    pull *= ((1 - lapse) * chosen / mixed)[:, None]
    equal = pull[:, 2] if offered > 2 else np.zeros(len(outcome))
    return OutcomeSlopes(
        loss=-np.log(mixed),
        by_a=slope * (pull[:, 0] + equal / 2),
        by_b=slope * (pull[:, 1] + equal / 2),
        by_slope=slope * (pull[:, 0] * a + pull[:, 1] * b + equal * (a + b) / 2),
        by_ties=equal,
    )


def fit_free_plausibilities(
    first: I64,
    second: I64,
    outcome: I64,
    n: int,
    *,
    ridge: float = 0.05,
    lapse: float = LAPSE,
    offered: int = 4,
    log_ties: float = -1.0,
) -> F64:
    """Fit one free number a z, with all raters alike: the core without any features.

    Parameters
    ----------
    first, second, outcome
        ``(m,)`` which z's were compared, and the column of ``COMPARE_OPTIONS``.
    n
        Number of z's.
    ridge
        Penalty on the sum of squares, halved: 1 / variance of the prior.
    lapse, offered, log_ties
        As in :func:`outcome_loss`; ``lapse=0, offered=2`` is plain Bradley-Terry.

    Returns
    -------
    ndarray
        ``(n,)`` float64, maximum a posteriori.
    """
    even = np.ones(len(outcome))

    def loss_and_gradient(s: F64) -> tuple[float, F64]:
        at = outcome_loss(
            outcome, s[first], s[second], even, log_ties, lapse=lapse, offered=offered
        )
        gradient = ridge * s
        np.add.at(gradient, first, at.by_a)
        np.add.at(gradient, second, at.by_b)
        return float(at.loss.sum() + 0.5 * ridge * (s**2).sum()), gradient

    start = np.zeros(n)
    options = {"ftol": 1e-15, "gtol": 1e-8, "maxiter": 2000}
    return minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", options=options).x


def _outcome_logits(a: F64, b: F64, slope: F64, log_ties: float, offered: int) -> F64:
    columns = [slope * a, slope * b, log_ties + slope * (a + b) / 2, np.zeros(np.shape(a))]
    return np.stack(columns[:offered], -1)


def _softmax(logits: F64) -> F64:
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)
