"""An alarm where J rises over a search and an independent check falls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import kendalltau

from circuitz.errors import PosteriorError

# Z's at the end of the search that are looked at: enough for Kendall's test to have power.
_WINDOW = 40
_LEAST = 8
_LEVEL = 0.05


@dataclass(frozen=True)
class Parting:
    """How J and an independent check move over the last z's of a search.

    Parameters
    ----------
    alarm
        Whether J rises and the check falls, each beyond chance.
    j_trend, check_trend
        Kendall's τ of each with time, −1 to 1.
    j_p, check_p
        One-sided: chance of as much rising of J, and as much falling of the check, without trend.
    n
        Z's looked at; of fewer than eight there is no telling.
    """

    alarm: bool
    j_trend: float
    check_trend: float
    j_p: float
    check_p: float
    n: int


def parting_of_check(j: npt.ArrayLike, check: npt.ArrayLike, *, window: int = _WINDOW) -> Parting:
    """Say whether a search has begun to please its models at the cost of what they stand for.

    Parameters
    ----------
    j
        ``(t,)`` J of the z's the search stood on, in time.
    check
        ``(t,)`` a score J was not fitted to: fresh judgements, agreement of a card with its words,
        or accuracy on held-out inputs. NaN where it was not measured.
    window
        How many z's at the end are looked at.

    Raises
    ------
    PosteriorError
        If the two are of different lengths.
    """
    proxy, other = np.asarray(j, np.float64), np.asarray(check, np.float64)
    if proxy.shape != other.shape or proxy.ndim != 1:
        raise PosteriorError(
            f"J {proxy.shape} and its check {other.shape} are not of the same z's.",
            "Give one number of each a z.",
        )
    both = np.flatnonzero(np.isfinite(proxy) & np.isfinite(other))[-window:]
    if len(both) < _LEAST:
        return Parting(False, float("nan"), float("nan"), 1.0, 1.0, len(both))
    up, j_p = _trend(both, proxy[both], "greater")
    down, check_p = _trend(both, other[both], "less")
    return Parting(
        max(j_p, check_p) < _LEVEL, up, down, j_p, check_p,
        len(both),
    )  # fmt: skip


def _trend(
    time: npt.NDArray[np.int64], values: npt.NDArray[np.float64], side: Literal["greater", "less"]
) -> tuple[float, float]:
    """Return Kendall's τ and its one-sided p; a constant has no trend."""
    tau, p = np.asarray(kendalltau(time, values, alternative=side), np.float64)
    return float(tau), float(np.nan_to_num(p, nan=1.0))
