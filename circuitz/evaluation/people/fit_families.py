"""Fit the families of simulated people to real answers, and say which one somebody is most like."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from circuitz.cards.card import Card
from circuitz.cards.judged.comparison import COMPARE_OPTIONS, Comparison
from circuitz.errors import LabellingError
from circuitz.evaluation.people.card_verdict import verdicts_on_card
from circuitz.evaluation.people.comparing import chances_of_pairs
from circuitz.evaluation.people.habits import FAMILIES, Habits
from circuitz.evaluation.people.world_words import WorldWord

#: Fewer comparisons than this do not tell families apart.
FEWEST = 30
_LAPSES = (0.02, 0.05, 0.15, 0.4)
_START = (0.0, 0.0, 0.0)
# A priori spread of the logarithms of wobble and tie, and of the level.
_SPREAD = (0.7, 0.7, 1.0)
_LEAST_CHANCE = 1e-9
_Verdicts = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int64]]


@dataclass(frozen=True)
class FittedRater:
    """What came out for one person.

    Parameters
    ----------
    rater, rater_kind
        Who.
    comparisons
        Answers it rests on.
    family, weight
        The family this person is most like, and its share of the evidence.
    runner_up
        The next one.
    noise, tie, level, lapse
        Of the family, as fitted to this person.
    nats
        Mean loss a comparison by that fit; log 4 = 1.386 knows nothing.
    too_few
        Whether there are too few answers to tell families apart.
    weights
        Share of the evidence by family.
    """

    rater: str
    rater_kind: str
    comparisons: int
    family: str
    weight: float
    runner_up: str
    noise: float
    tie: float
    level: float
    lapse: float
    nats: float
    too_few: bool
    weights: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)


def fit_families(
    comparisons: Iterable[Comparison],
    cards: Mapping[str, Card],
    words: Mapping[str, WorldWord],
) -> tuple[FittedRater, ...]:
    """Fit every family to every rater's comparisons, by penalised likelihood.

    A family's way of reading stays; its wobble, ties, level of acceptance (by gradient) and lapse
    (on a grid) are fitted.

    Parameters
    ----------
    comparisons
        Answers; *cannot tell*, gold, and those about cards that are not at hand are left out.
    cards
        By hash.
    words
        What everybody knows of the words on the cards; others are taken for not understood.

    Raises
    ------
    LabellingError
        If no comparison is left.
    """
    by_rater: dict[tuple[str, str], list[Comparison]] = {}
    for one in comparisons:
        usable = one.outcome in COMPARE_OPTIONS and one.a_hash in cards and one.b_hash in cards
        if usable:
            by_rater.setdefault((one.rater, one.rater_kind), []).append(one)
    if not by_rater:
        raise LabellingError(
            "No comparison of cards that are at hand is among these answers.",
            "Give the cards that were shown: the pack of tasks, or a file that holds them.",
        )
    return tuple(
        _fit_rater(rater, kind, some, cards, words)
        for (rater, kind), some in sorted(by_rater.items())
    )


def _fit_rater(
    rater: str,
    kind: str,
    some: list[Comparison],
    cards: Mapping[str, Card],
    words: Mapping[str, WorldWord],
) -> FittedRater:
    fits = {family: _fit_family(habits, some, cards, words) for family, habits in FAMILIES.items()}
    least = min(loss for loss, _ in fits.values())
    raw = {family: math.exp(least - loss) for family, (loss, _) in fits.items()}
    weights = {family: share / sum(raw.values()) for family, share in raw.items()}
    order = sorted(weights, key=lambda family: -weights[family])
    best = fits[order[0]][1]
    return FittedRater(
        rater=rater, rater_kind=kind, comparisons=len(some), family=order[0],
        weight=round(weights[order[0]], 4), runner_up=order[1], noise=round(best.noise, 4),
        tie=round(best.tie, 4), level=round(best.level, 4), lapse=best.lapse,
        nats=round(_loss(best, _verdicts(best, some, cards, words)) / len(some), 4),
        too_few=len(some) < FEWEST, weights={f: round(w, 4) for f, w in weights.items()},
    )  # fmt: skip


def _fit_family(
    base: Habits,
    some: list[Comparison],
    cards: Mapping[str, Card],
    words: Mapping[str, WorldWord],
) -> tuple[float, Habits]:
    """Return the least penalised loss of a family, and its parameters there."""
    verdicts = _verdicts(base, some, cards, words)
    found: list[tuple[float, Habits]] = []
    for lapse in (base.lapse,) if base.lapse == 1 else _LAPSES:

        def loss(theta: npt.NDArray[np.float64], lapse: float = lapse) -> float:
            penalty = sum(0.5 * (t / s) ** 2 for t, s in zip(theta, _SPREAD, strict=True))
            return _loss(_moved(base, theta, lapse), verdicts) + float(penalty)

        best = minimize(loss, np.array(_START), method="Nelder-Mead", options={"maxiter": 200})
        found.append((float(best.fun), _moved(base, best.x, lapse)))
    return min(found, key=lambda pair: pair[0])


def _moved(base: Habits, theta: npt.NDArray[np.float64], lapse: float) -> Habits:
    return replace(
        base,
        noise=base.noise * math.exp(float(np.clip(theta[0], -3, 3))),
        tie=base.tie * math.exp(float(np.clip(theta[1], -3, 3))),
        level=base.level + float(theta[2]),
        lapse=lapse,
    )


def _verdicts(
    habits: Habits,
    some: list[Comparison],
    cards: Mapping[str, Card],
    words: Mapping[str, WorldWord],
) -> _Verdicts:
    """Verdicts on both cards of every comparison, ``(m, v)`` each, and what came out, ``(m,)``."""
    keys = {key for one in some for key in (one.a_hash, one.b_hash)}
    by_key = {key: verdicts_on_card(cards[key], habits, words) for key in keys}
    if len({len(found) for found in by_key.values()}) > 1:
        # Cards of different numbers of classes: the whole of each is read.
        by_key = {key: (float(np.mean(found)),) for key, found in by_key.items()}
    return (
        np.array([by_key[one.a_hash] for one in some]),
        np.array([by_key[one.b_hash] for one in some]),
        np.array([COMPARE_OPTIONS.index(one.outcome) for one in some]),  # type: ignore[arg-type]
    )


def _loss(habits: Habits, verdicts: _Verdicts) -> float:
    a, b, outcome = verdicts
    chances = chances_of_pairs(a, b, habits)[np.arange(len(outcome)), outcome]
    return float(-np.log(np.maximum(chances, _LEAST_CHANCE)).sum())
