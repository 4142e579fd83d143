"""How well a prior foretells choices of people it was not fitted to, and how well one could."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.errors import PosteriorError
from circuitz.posterior.prior_from_people.compared_cards import ComparedCards
from circuitz.posterior.prior_from_people.outcome_model import LAPSE
from circuitz.stats.agreement import IntervalEstimate
from circuitz.stats.counted_shares import wilson_interval

F64 = npt.NDArray[np.float64]
#: Slopes of fresh choices between which the scale of s is that of people's choices.
SLOPES_OF_ONE = (0.8, 1.25)
_SLOPES = np.linspace(-4.0, 8.0, 601)
_DRAWS, _FEWEST_RATERS, _FEWEST_PAIRS = 400, 4, 20


@dataclass(frozen=True)
class PriorCalibration:
    """A prior against choices it did not learn from.

    Parameters
    ----------
    held_out
        What the choices differ in from those learned from: ``raters``, ``cards``, ``lineages``
        or ``as given``.
    slope
        Of a logistic regression of choices on s_a − s_b, with its 95 % interval; pairs, and of
        four raters or more the raters too, are drawn again.
    accuracy
        Share of decided choices that went to the card with the higher s.
    agreement
        Share of pairs of answers about the same two cards that are alike; ``None`` of too few.
    ceiling
        Most that any score could reach of accuracy, (1 + √(2r − 1)) / 2 with r the agreement.
    log_loss
        Nats a comparison over all four outcomes; log 4 = 1.386 knows nothing.
    """

    held_out: str
    slope: IntervalEstimate | None
    accuracy: IntervalEstimate | None
    agreement: IntervalEstimate | None
    ceiling: float | None
    log_loss: float

    @property
    def scale_is_of_choices(self) -> bool:
        """Whether λ = 1 may be claimed; else λ is a convention."""
        low, high = SLOPES_OF_ONE
        return self.slope is not None and low <= self.slope.low and self.slope.high <= high

    @property
    def foretells(self) -> bool:
        """Whether accuracy is above chance by its 95 % lower limit; a search abstains if not."""
        return self.accuracy is not None and self.accuracy.low > 0.5

    @property
    def share_of_ceiling(self) -> float | None:
        """Accuracy over its ceiling."""
        if self.accuracy is None or self.ceiling is None:
            return None
        return self.accuracy.estimate / self.ceiling

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> PriorCalibration:
        """Read it back."""
        intervals = {
            name: None if record[name] is None else IntervalEstimate(**record[name])
            for name in ("slope", "accuracy", "agreement")
        }
        ceiling = record["ceiling"]
        return cls(
            held_out=str(record["held_out"]), **intervals,
            ceiling=None if ceiling is None else float(ceiling),
            log_loss=float(record["log_loss"]),
        )  # fmt: skip


def calibration_of_scores(
    compared: ComparedCards, a: F64, b: F64, loss: F64, *, held_out: str, seed: int = 0
) -> PriorCalibration:
    """Set scores against choices.

    Parameters
    ----------
    compared
        The choices.
    a, b
        ``(m,)`` scores of the first and the second card.
    loss
        ``(m,)`` − log of the outcome's probability.
    held_out
        What the choices differ in from those learned from.
    """
    decided = compared.decided
    agreement = repeat_agreement(compared)
    return PriorCalibration(
        held_out=held_out,
        slope=choice_slope(compared.subset(decided), (a - b)[decided], seed=seed),
        accuracy=_pair_accuracy(compared.outcome[decided] == 0, (a - b)[decided]),
        agreement=agreement,
        ceiling=None if agreement is None else accuracy_ceiling(agreement.estimate),
        log_loss=float(loss.mean()),
    )


def choice_slope(
    decided: ComparedCards, difference: F64, *, lapse: float = LAPSE, seed: int = 0
) -> IntervalEstimate | None:
    """Return the slope of choices on a difference of scores; ``None`` where nothing tells it."""
    if not len(difference) or not np.abs(difference).max() > 0:
        return None
    toward = np.where(decided.outcome == 0, difference, -difference)
    shares = 1 / (1 + np.exp(-np.clip(toward[:, None] * _SLOPES, -500, 500)))
    log_likelihood = np.log((1 - lapse) * shares + lapse / 2)
    rng = np.random.default_rng(seed)
    _, pair = np.unique(decided.pair, return_inverse=True)
    drawn = rng.exponential(size=(_DRAWS, int(pair.max()) + 1))[:, pair]
    raters, rater = np.unique(decided.rater, return_inverse=True)
    if len(raters) >= _FEWEST_RATERS:
        drawn *= rng.exponential(size=(_DRAWS, len(raters)))[:, rater]
    best = _SLOPES[(drawn @ log_likelihood).argmax(1)]
    low, high = np.quantile(best, [0.025, 0.975])
    estimate = _SLOPES[log_likelihood.sum(0).argmax()]
    return IntervalEstimate(float(estimate), float(low), float(high), len(difference))


def repeat_agreement(compared: ComparedCards) -> IntervalEstimate | None:
    """Return how often two decided answers about the same two cards are alike.

    Answers of different raters count where there are enough; else those of the same rater.
    """
    found: dict[bool, list[bool]] = {True: [], False: []}
    low_won = (compared.outcome == 0) == (compared.first < compared.second)
    earlier: dict[int, list[int]] = {}
    for i in np.flatnonzero(compared.decided):
        before = earlier.setdefault(int(compared.pair[i]), [])
        for j in before:
            same_rater = bool(compared.rater[i] == compared.rater[j])
            found[same_rater].append(bool(low_won[i] == low_won[j]))
        before.append(int(i))
    alike = next((v for v in (found[False], found[True]) if len(v) >= _FEWEST_PAIRS), None)
    if alike is None:
        return None
    low, high = wilson_interval(sum(alike) / len(alike), len(alike))
    return IntervalEstimate(float(np.mean(alike)), float(low), float(high), len(alike))


def accuracy_ceiling(agreement: float) -> float:
    """Return the most accuracy that answers which agree so often allow.

    Two answers, each right with chance p, agree with chance p² + (1 − p)². Where pairs differ in
    p, the mean p is less than this: it is an upper limit.

    Raises
    ------
    PosteriorError
        If the agreement is no share.
    """
    if not 0 <= agreement <= 1:
        raise PosteriorError(f"The agreement is {agreement}.", "It is a share, from 0 to 1.")
    return float((1 + np.sqrt(max(2 * agreement - 1, 0.0))) / 2)


def _pair_accuracy(first_won: npt.NDArray[np.bool_], difference: F64) -> IntervalEstimate | None:
    if not len(difference):
        return None
    right = np.where(difference == 0, 0.5, (difference > 0) == first_won).sum()
    low, high = wilson_interval(float(right / len(difference)), len(difference))
    return IntervalEstimate(
        float(right / len(difference)), float(low), float(high), len(difference)
    )
