"""What is believed about Σ log M_L(y | x, z), and how people's answers with a z's card change it.

M_L foretells how likely people name the label of an input. Of each z by itself it may be wrong by
an offset o on the log-odds, N(0, ω²) before anybody was asked; answers about inputs of D say how
large it is. The sum over D follows, with its error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, log_expit, logit

from circuitz.errors import PosteriorError

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
_OFFSETS = np.linspace(-6.0, 6.0, 241)
# Spreads of the offset, log-odds; the best by evidence is taken.
_SPREADS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)


@dataclass(frozen=True, eq=False)
class LabelAnswers:
    """Answers in the hidden arm about inputs of D, as columns.

    Parameters
    ----------
    z, row
        ``(m,)`` int64, numbers of the z and of the input.
    agrees
        ``(m,)`` bool, whether the label of D was named.
    """

    z: I64
    row: I64
    agrees: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.agrees)

    def joined(self, others: LabelAnswers) -> LabelAnswers:
        """Return these answers and others."""
        return LabelAnswers(
            np.concatenate([self.z, others.z]),
            np.concatenate([self.row, others.row]),
            np.concatenate([self.agrees, others.agrees]),
        )


@dataclass(frozen=True, eq=False)
class AnswerBelief:
    """What is believed about the summed log-likelihood of every z.

    Parameters
    ----------
    mean
        ``(z,)`` nats, summed over D.
    variance
        ``(z,)`` of what M_L misses of each z by itself.
    offsets
        ``(z, g)`` log of the probability of every offset.
    spread
        ω, log-odds.
    """

    mean: F64
    variance: F64
    offsets: F64
    spread: float

    def agreement_losses(self, log_chances: F64, answers: LabelAnswers) -> F64:
        """Return − log P of every answer as foretold, ``(m,)`` nats, named or not."""
        odds = _log_odds(log_chances[answers.z, answers.row])[:, None] + _OFFSETS
        chance = (np.exp(self.offsets[answers.z]) * expit(odds)).sum(1)
        return -np.log(np.where(answers.agrees, chance, 1 - chance))


def belief_after_answers(
    log_chances: npt.ArrayLike, answers: LabelAnswers, *, spread: float | None = None
) -> AnswerBelief:
    """Return what is believed after answers, with the spread that explains them best.

    Parameters
    ----------
    log_chances
        ``(z, n)`` log M_L(y | x, z) of every z and input of D.
    answers
        All answers that no fit of M_L has seen.
    spread
        ω; by default the one that explains the answers best.

    Raises
    ------
    PosteriorError
        If log M_L is not finite, or above 0.
    """
    logs = np.asarray(log_chances, np.float64)
    if logs.ndim != 2 or not np.isfinite(logs).all() or (logs > 0).any():
        raise PosteriorError(
            f"Log-likelihoods {logs.shape} are not finite logarithms of probabilities.",
            "Give (z, n) values of log M_L.",
        )
    told = np.zeros((len(logs), len(_OFFSETS)))
    odds = _log_odds(logs[answers.z, answers.row])[:, None] + _OFFSETS
    np.add.at(told, answers.z, np.where(answers.agrees[:, None], log_expit(odds), log_expit(-odds)))
    if spread is None:
        evidence = [float(_log_sum(told + _log_prior(width)).sum()) for width in _SPREADS]
        spread = _SPREADS[int(np.argmax(evidence))] if len(answers) else _SPREADS[0]
    joint = told + _log_prior(spread)
    offsets = joint - _log_sum(joint)[:, None]
    sums = np.array([log_expit(_log_odds(one)[:, None] + _OFFSETS).sum(0) for one in logs])
    chances = np.exp(offsets)
    mean = (chances * sums).sum(1)
    variance = (chances * (sums - mean[:, None]) ** 2).sum(1)
    return AnswerBelief(mean, variance, offsets, spread)


def _log_prior(spread: float) -> F64:
    density = -0.5 * (_OFFSETS / spread) ** 2
    return density - float(_log_sum(density[None])[0])


def _log_sum(rows: F64) -> F64:
    highest = rows.max(1)
    return highest + np.log(np.exp(rows - highest[:, None]).sum(1))


def _log_odds(log_chances: F64) -> F64:
    return logit(np.clip(np.exp(log_chances), 1e-9, 1 - 1e-9))
