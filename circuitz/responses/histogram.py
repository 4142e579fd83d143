"""Histograms of streams whose range is not known before their end.

Bins are as wide as a power of two and start at multiples of it; when a value falls outside, bins
are merged in pairs until all fit. So the counts are exact, and depend neither on the order of
the values nor on how the stream was cut into pieces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

BINS = 32
# A unit that hardly changes gets bins no finer than this many powers of two below its size.
_DEPTH = 20
_FINEST = -60


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of ``u`` streams.

    Parameters
    ----------
    counts
        ``(u, 32)`` int64.
    power, first
        ``(u,)`` int64: bins are ``2**power`` wide, and the first starts at ``first * 2**power``.
    low, high
        ``(u,)`` float64 smallest and largest value.
    """

    counts: I64
    power: I64
    first: I64
    low: F64
    high: F64

    @classmethod
    def of_values(cls, values: npt.NDArray[np.floating]) -> Histogram:
        """Count finite values ``(n, u)``, n at least 1."""
        x = np.asarray(values, np.float64)
        low, high = x.min(0), x.max(0)
        power, first = _finest_bin_power_and_first_bin(low, high)
        place = np.floor(np.ldexp(x, -power)).astype(np.int64) - first
        units = x.shape[1]
        flat = (place + BINS * np.arange(units)).ravel()
        counts = np.bincount(flat, minlength=units * BINS).reshape(units, BINS)
        return cls(counts.astype(np.int64), power, first, low, high)

    def __add__(self, other: Histogram) -> Histogram:
        low, high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        power, first = _finest_bin_power_and_first_bin(low, high)
        counts = np.zeros_like(self.counts)
        unit = np.arange(len(counts))[:, None]
        for part in (self, other):
            place = part.first[:, None] + np.arange(BINS)
            place = (place >> (power - part.power)[:, None]) - first[:, None]
            # Bins beyond the last that is used are empty, and may lie outside.
            np.add.at(counts, (unit, np.clip(place, 0, BINS - 1)), part.counts)
        return Histogram(counts, power, first, low, high)

    @property
    def edges(self) -> npt.NDArray[np.float32]:
        """``(u, 33)`` edges of the bins."""
        places = self.first[:, None] + np.arange(BINS + 1)
        return np.ldexp(places.astype(np.float64), self.power[:, None]).astype(np.float32)


def _finest_bin_power_and_first_bin(low: F64, high: F64) -> tuple[I64, I64]:
    """Return the finest power of two at which all bins suffice, and the first bin."""
    size = np.maximum(np.abs(low), np.abs(high))
    coarse = np.where(size > 0, np.frexp(size)[1] - _DEPTH, _FINEST)
    span = np.frexp(np.maximum(high - low, np.ldexp(1.0, _FINEST)) / BINS)[1] - 1
    power = np.maximum(np.maximum(coarse, span), _FINEST).astype(np.int64)
    for _ in range(2):  # rounding outwards to whole bins may cost one more
        bins = np.floor(np.ldexp(high, -power)) - np.floor(np.ldexp(low, -power)) + 1
        power = np.where(bins > BINS, power + 1, power)
    return power, np.floor(np.ldexp(low, -power)).astype(np.int64)
