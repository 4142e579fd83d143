"""M_L as version 1 wrote it: one way to read a card, evidence summed, activity along a curve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from circuitz.posterior.likelihood_from_people.cue_evidence import (
    GRADES,
    MARKS,
    N_LOOKED_FOR,
    N_STEPS,
    READINGS,
)
from circuitz.posterior.likelihood_from_people.label_probabilities import DEPTHS, LikelihoodWeights

_NEARLY_LINEAR = 1e-3


def weights_of_schema_1(record: Mapping[str, Any], k: int) -> LikelihoodWeights:
    """Read parameters of schema 1.

    Parameters
    ----------
    record
        ``grades``; ``states``, of words seen, not seen, and not told; ``activity``, κ and ρ: at level
        l a cue counts h(l) = (1 − e^{−κl}) / (1 − e^{−κ}), or −ρ h(−l) below what is usual; ``bias``.
    k
        Classes.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is malformed or not finite.
    """
    grades = np.asarray(record["grades"], np.float64).reshape(len(GRADES))
    seen, not_seen, not_told = np.asarray(record["states"], np.float64).reshape(3).tolist()
    curve, missing = np.asarray(record["activity"], np.float64).reshape(2).tolist()
    level = np.linspace(-1, 1, N_STEPS)
    size = np.abs(level)
    if abs(curve) < _NEARLY_LINEAR:
        height = size + curve * size * (1 - size) / 2
    else:
        height = np.expm1(-curve * size) / np.expm1(-curve)
    # Words that do not count were all taken as if nobody could tell them.
    marked = [not_told] * (N_LOOKED_FOR * (len(MARKS) - 1))
    values = np.concatenate([
        np.where(level < 0, -missing, 1.0) * height, [seen, not_seen, not_seen, *marked, not_told],
    ])  # fmt: skip
    bias = np.asarray(record["bias"], np.float64).reshape(k)
    if not all(np.isfinite(part).all() for part in (grades, values, bias)):
        raise ValueError("a number is not finite")
    return LikelihoodWeights(
        grades=grades, values=values, promises=np.ones(len(READINGS)), saturation=0.0,
        depths=np.eye(len(DEPTHS))[-1], sign_blind=0.0, guessing=0.0, spread=0.0, bias=bias,
    )  # fmt: skip
