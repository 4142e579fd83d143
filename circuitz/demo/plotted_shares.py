"""Figures of the report as places along a scale, in percent of its width."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from circuitz.stats.counted_shares import share_with_wilson_interval


@dataclass(frozen=True)
class Scale:
    """A straight scale from ``low`` to ``high``."""

    low: float
    high: float

    def position_of(self, value: float) -> float:
        """Return the place of a value, 0 to 100; what lies outside sits at the end."""
        if not math.isfinite(value):
            return 0.0
        return round(100 * min(1.0, max(0.0, (value - self.low) / (self.high - self.low))), 2)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Places and words of round values, five or so."""
        reach = self.high - self.low
        step = next((s for s in (0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0) if reach / s <= 6), reach)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [
            (self.position_of(i * step), percent_as_text(i * step)) for i in range(first, last + 1)
        ]


SHARES = Scale(0.0, 1.0)


def scale_around(values: Iterable[float], low: float = -0.2, high: float = 1.0) -> Scale:
    """Return a scale that holds all the values, and at least ``low`` to ``high``."""
    known = [v for v in values if math.isfinite(v)]
    # Beyond these a picture of shares says no more.
    return Scale(
        max(min([low, *known]), -2.0) - 0.02,
        min(max([high, *known]), 3.0) + 0.02,
    )


@dataclass(frozen=True)
class PlottedShare:
    """A share with its interval, as written and as drawn.

    Parameters
    ----------
    value, low, high
        The share and its 95 % interval; NaN where it is not known.
    n
        What it was counted on; 0 where that is not known.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    n: int = 0

    @property
    def has_interval(self) -> bool:
        """Whether there is an interval to draw."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def text(self) -> str:
        """``96 %``."""
        return percent_as_text(self.value)

    @property
    def interval(self) -> str:
        """``[93, 98]``; empty where it is not known."""
        return (
            f"[{whole_percent_as_text(self.low)}, {whole_percent_as_text(self.high)}]"
            if self.has_interval
            else ""
        )

    @property
    def count_in_words(self) -> str:
        """``n = 3,000``; empty where it is not known."""
        return f"n = {self.n:,}" if self.n else ""


def share_with_interval(value: float, n: int) -> PlottedShare:
    """Return a share of ``n`` with its Wilson interval."""
    if n < 1 or not math.isfinite(value):
        return PlottedShare(value)
    found = share_with_wilson_interval(round(value * n), n)
    return PlottedShare(value, found.low, found.high, n)


def percent_as_text(share: float) -> str:
    """``0.713`` as ``71 %``; a dash for what is not known."""
    return f"{whole_percent_as_text(share)}\u00a0%" if math.isfinite(share) else "–"


def whole_percent_as_text(share: float) -> str:
    """``0.713`` as ``71``."""
    if not math.isfinite(share):
        return "–"
    # A minus sign before a zero would claim a direction that was not found.
    return f"{round(100 * share) + 0:d}".replace("-", "−")


def number_as_text(value: float, places: int = 2) -> str:
    """Write a number with a real minus sign; a dash for what is not known."""
    if not math.isfinite(value):
        return "–"
    return f"{round(value, places) + 0.0:,.{places}f}".replace("-", "−")


def p_value_as_text(value: float) -> str:
    """Write a p or q value: ``0.003``, ``< 0.001``."""
    if not math.isfinite(value):
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.2g}"
