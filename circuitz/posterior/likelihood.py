"""Likelihood v0: how a rater who holds the card would label inputs of D.

The rater takes the annotations at face value and reads, for every class, how active the units on
its card are. For input i and class k

    score_ik = Σ over units u on the card of k of  drive_uk · scale_k · a_iu
    a_iu     = clip((r_iu − mean_u) / span_u, −1, 1)
    p_ik     = (1 − ε) · softmax_k(score_i / T) + ε / K

with drive in shares of the class's effect, scale in logits, r the unit's mean response, mean_u its
mean over the *select* rows of D, span_u the response difference between inactive and active, a
lapse ε = .02, and a temperature T > 0 fitted on the select rows. Units that are not on a card do
not count, whatever they do in the network: that is the difference to the network's own likelihood.
Wrong words cost nothing here; they are the prior's business alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from circuitz.cards.card import Card
from circuitz.errors import LabellingError
from circuitz.z.measurements import EffectMeasurements

F64 = npt.NDArray[np.float64]
LAPSE = 0.02
_LOG_T = (-4.0, 4.0)


@dataclass(frozen=True, eq=False)
class Likelihood:
    """How likely a rater who holds the card finds the labels of D.

    Parameters
    ----------
    per_input
        ``(n,)`` log p(y | x, z), natural logarithm, ≤ 0.
    temperature, lapse
        T, fitted on the select rows, and ε.
    accuracy
        Share of inputs whose label gets the highest probability.
    """

    per_input: F64
    temperature: float
    lapse: float
    accuracy: float

    @property
    def total(self) -> float:
        """Sum over all inputs: the likelihood term of the posterior."""
        return float(self.per_input.sum())

    @property
    def mean(self) -> float:
        """Mean over inputs; log(1/K) is a rater who knows nothing."""
        return float(self.per_input.mean())


def log_likelihood(
    card: Card,
    responses: npt.ArrayLike,
    units: Sequence[str],
    labels: npt.ArrayLike,
    effects: EffectMeasurements,
    *,
    select: npt.ArrayLike | None = None,
    lapse: float = LAPSE,
) -> Likelihood:
    """Log-likelihood of labels for a rater who holds the card.

    Parameters
    ----------
    card
        What the rater holds.
    responses
        ``(n, u)`` mean responses of the cut on inputs of D.
    units
        Unit ids of the columns.
    labels
        ``(n,)`` indices into the card's classes.
    effects
        Drive, span and scale of the same network.
    select
        ``(n,)`` bool: rows that mean and temperature are fitted on; default all.
    lapse
        ε, between 0 and 1, both excluded.

    Raises
    ------
    LabellingError
        If shapes, units or labels do not fit, or there are no rows to fit on.
    """
    r, y = np.asarray(responses, np.float64), np.asarray(labels, np.int64)
    k = len(card.classes)
    if r.ndim != 2 or r.shape != (len(y), len(units)) or not len(y):
        raise LabellingError(
            f"Responses {r.shape}, {len(units)} units and {len(y)} labels do not fit.",
            "Give one row an input and one column a unit.",
        )
    if not np.isfinite(r).all():
        raise LabellingError("Some responses are not finite.", "Check the network's weights.")
    if y.min() < 0 or y.max() >= k:
        raise LabellingError(f"Labels lie outside the card's {k} classes.", "Use 0 to k - 1.")
    if not 0 < lapse < 1:
        raise LabellingError(f"The lapse is {lapse}.", "Give a share between 0 and 1.")
    chosen = np.ones(len(y), bool) if select is None else np.asarray(select, bool)
    if chosen.shape != y.shape or not chosen.any():
        raise LabellingError("There are no select rows to fit on.", "Give the select split of D.")
    score = class_scores_from_card(card, r, units, effects, mean=r[chosen].mean(0))

    def mean_negative_log_likelihood(log_t: float) -> float:
        shares = _class_probabilities_with_lapse(score[chosen], float(np.exp(log_t)), lapse)
        return -float(np.log(shares[np.arange(len(shares)), y[chosen]]).mean())

    found = minimize_scalar(mean_negative_log_likelihood, bounds=_LOG_T, method="bounded")
    temperature = float(np.exp(found.x))
    shares = _class_probabilities_with_lapse(score, temperature, lapse)
    return Likelihood(
        per_input=np.log(shares[np.arange(len(y)), y]),
        temperature=temperature,
        lapse=lapse,
        accuracy=_accuracy_with_ties_shared(shares, y),
    )


def class_scores_from_card(
    card: Card,
    responses: F64,
    units: Sequence[str],
    effects: EffectMeasurements,
    *,
    mean: F64,
) -> F64:
    """Score of every class, ``(n, k)``, before temperature and lapse.

    Raises
    ------
    LabellingError
        If the card names units or classes that were not measured or read.
    """
    column = {unit: i for i, unit in enumerate(units)}
    row = {unit: i for i, unit in enumerate(effects.units)}
    target = {name: i for i, name in enumerate(effects.targets)}
    used = card.units
    unknown = [u for u in used if u not in column or u not in row]
    if unknown or any(name not in target for name in card.names):
        raise LabellingError(
            f"The card names {unknown[0] if unknown else 'classes'} that were not measured.",
            "Make the card from the same z.",
        )
    read = np.array([column[u] for u in used], np.int64)
    measured = np.array([row[u] for u in used], np.int64)
    span = effects.span[measured].astype(np.float64)
    # A unit that never changes tells nothing.
    alive = np.isfinite(span) & (np.abs(span) > 1e-12)
    activity = np.zeros((len(responses), len(used)))
    centred = responses[:, read] - mean[read]
    activity[:, alive] = np.clip(centred[:, alive] / span[alive], -1.0, 1.0)
    weights = np.zeros((len(used), len(card.classes)))
    position = {unit: i for i, unit in enumerate(used)}
    for k, entry in enumerate(card.classes):
        t = target[entry.name]
        for unit in {u for cue in entry.cues for u in cue.units}:
            drive = float(effects.drive[row[unit], t]) * float(effects.scale[t])
            weights[position[unit], k] = drive if np.isfinite(drive) else 0.0
    return activity @ weights


def _class_probabilities_with_lapse(score: F64, temperature: float, lapse: float) -> F64:
    raised = score / temperature
    raised = np.exp(raised - raised.max(1, keepdims=True))
    return (1 - lapse) * raised / raised.sum(1, keepdims=True) + lapse / score.shape[1]


def _accuracy_with_ties_shared(shares: F64, labels: npt.NDArray[np.int64]) -> float:
    """Share of labels on top; where several classes tie, a guess among them."""
    top = shares >= shares.max(1, keepdims=True) - 1e-12
    hit = top[np.arange(len(labels)), labels]
    return float((hit / top.sum(1)).mean())
