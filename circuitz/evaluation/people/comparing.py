"""How a simulated person compares two cards: the chance of every answer, in closed form."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from circuitz.cards.judged.comparison import COMPARE_OPTIONS
from circuitz.evaluation.people.habits import Habits

F64 = npt.NDArray[np.float64]


def comparison_chances(
    verdicts_a: tuple[float, ...], verdicts_b: tuple[float, ...], habits: Habits
) -> dict[str, float]:
    """Return the chance of each of the four outcomes; they sum to 1.

    Parameters
    ----------
    verdicts_a, verdicts_b
        Of :func:`circuitz.evaluation.people.card_verdict.verdicts_on_card`, in one order: the same
        classes are looked at on both cards.
    habits
        Of the person.
    """
    chances = chances_of_pairs(np.array([verdicts_a]), np.array([verdicts_b]), habits)[0]
    return {name: float(p) for name, p in zip(COMPARE_OPTIONS, chances, strict=True)}


def chances_of_pairs(verdicts_a: F64, verdicts_b: F64, habits: Habits) -> F64:
    """Return the chance of each outcome of many pairs, ``(m, 4)``; verdicts are ``(m, v)``."""
    both = expit((habits.level - np.maximum(verdicts_a, verdicts_b)) / habits.noise)
    apart = (verdicts_a - verdicts_b) / habits.noise
    a, b = expit(apart - habits.tie), expit(-apart - habits.tie)
    told = np.stack([(1 - both) * a, (1 - both) * b, (1 - both) * (1 - a - b), both], -1)
    even = habits.lapse / len(COMPARE_OPTIONS)
    return (1 - habits.lapse) * told.mean(1) + even
