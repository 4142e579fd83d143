"""What is known of one place's units after some of the inputs: values that can be added up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.models.run.unit_space import UnitSpace
from circuitz.responses.exemplars import Exemplars
from circuitz.responses.histogram import Histogram

I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Array = npt.NDArray[Any]

LOWEST = 3
NEIGHBOURS = 6
SAMPLE = 512
# Beyond this many units a layer's table of who fires with whom would outgrow everything else.
MOST_CORRELATED = 4096


@dataclass(frozen=True, eq=False)
class RunningStatistics:
    """Sums, extremes and examples of ``u`` units over the inputs of one shard, or several.

    Parameters
    ----------
    count
        ``(1,)`` int64 inputs.
    total, square
        ``(u,)`` float64 sums of responses and of their squares.
    products
        ``(u, u)`` float64 sums of products of responses; ``(0, 0)`` for very wide layers.
    active
        ``(u,)`` int64 inputs with a peak above zero.
    counts, power, first, low, high
        The :class:`~circuitz.responses.histogram.Histogram` of peaks.
    lowest, lowest_index
        ``(u, 3)`` smallest peaks and their inputs, -1 where there are fewer.
    sample, sample_peak
        ``(s,)`` inputs chosen by lot, ascending, and their peaks ``(s, u)``.
    top, top_index, top_map
        What :class:`~circuitz.responses.exemplars.Exemplars` kept.
    """

    count: I64
    total: F64
    square: F64
    products: F64
    active: I64
    counts: I64
    power: I64
    first: I64
    low: F64
    high: F64
    lowest: F32
    lowest_index: I64
    sample: I64
    sample_peak: F32
    top: F32
    top_index: I64
    top_map: F32

    @classmethod
    def of_shard(
        cls, start: int, means: F32, peaks: F32, rank: F32, best: Exemplars
    ) -> RunningStatistics:
        """Tally one shard.

        Parameters
        ----------
        start
            Index of its first input.
        means, peaks
            ``(n, u)`` mean and largest value over positions, all finite.
        rank
            ``(n, u)`` one of the two: what the exemplars were ranked by.
        best
            Exemplars of the shard.
        """
        n, units = means.shape
        x = means.astype(np.float64)
        histogram = Histogram.of_values(peaks)
        index = np.arange(start, start + n)
        lowest = np.full((units, LOWEST), np.inf, np.float32)
        lowest_index = np.full((units, LOWEST), -1, np.int64)
        left = np.array(rank)
        for i in range(min(n, LOWEST)):
            row = left.argmin(0)
            lowest[:, i] = left[row, np.arange(units)]
            lowest_index[:, i] = index[row]
            left[row, np.arange(units)] = np.inf
        drawn = np.sort(np.argsort(hash_to_lot_numbers(index), kind="stable")[:SAMPLE])
        wide = units > MOST_CORRELATED
        return cls(
            count=np.array([n]),
            total=x.sum(0),
            square=(x**2).sum(0),
            products=np.zeros((0, 0)) if wide else x.T @ x,
            active=(peaks > 0).sum(0),
            counts=histogram.counts,
            power=histogram.power,
            first=histogram.first,
            low=histogram.low,
            high=histogram.high,
            lowest=lowest,
            lowest_index=lowest_index,
            sample=index[drawn],
            sample_peak=peaks[drawn],
            top=best.peak,
            top_index=best.index,
            top_map=best.map,
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], prefix: str) -> RunningStatistics:
        """Return what :meth:`to_arrays` gave."""
        return cls(**{f.name: np.array(arrays[prefix + f.name]) for f in fields(cls)})

    def to_arrays(self, prefix: str) -> dict[str, Array]:
        """Return all arrays by name."""
        return {prefix + f.name: getattr(self, f.name) for f in fields(self)}

    @property
    def histogram(self) -> Histogram:
        """The histogram of peaks."""
        return Histogram(self.counts, self.power, self.first, self.low, self.high)

    @property
    def standard_deviation(self) -> F64:
        """``(u,)`` standard deviation of responses over inputs."""
        n = float(self.count[0])
        return np.sqrt(np.maximum(self.square / n - (self.total / n) ** 2, 0.0))

    def exemplars(self, space: UnitSpace, scene: I64 | None) -> Exemplars:
        """Return the exemplars as they were kept."""
        best = Exemplars(len(self.total), space.shape, scene)
        best.peak, best.index, best.map = (
            self.top.copy(),
            self.top_index.copy(),
            self.top_map.copy(),
        )
        return best

    def plus_later(
        self, later: RunningStatistics, space: UnitSpace, scene: I64 | None
    ) -> RunningStatistics:
        """Return the tally of this one's inputs and of the later ones'."""
        best = self.exemplars(space, scene)
        best.merge_exemplars_of_later_inputs(later.top, later.top_index, later.top_map)
        histogram = self.histogram + later.histogram
        lowest = np.concatenate([self.lowest, later.lowest], 1)
        lowest_index = np.concatenate([self.lowest_index, later.lowest_index], 1)
        order = np.argsort(lowest, axis=1, kind="stable")[:, :LOWEST]
        sample = np.concatenate([self.sample, later.sample])
        drawn = np.sort(np.argsort(hash_to_lot_numbers(sample), kind="stable")[:SAMPLE])
        return replace(
            self,
            count=self.count + later.count,
            total=self.total + later.total,
            square=self.square + later.square,
            products=self.products + later.products,
            active=self.active + later.active,
            counts=histogram.counts,
            power=histogram.power,
            first=histogram.first,
            low=histogram.low,
            high=histogram.high,
            lowest=np.take_along_axis(lowest, order, 1),
            lowest_index=np.take_along_axis(lowest_index, order, 1),
            sample=sample[drawn],
            sample_peak=np.concatenate([self.sample_peak, later.sample_peak])[drawn],
            top=best.peak,
            top_index=best.index,
            top_map=best.map,
        )

    def inputs_from_lowest_to_highest(self) -> I64:
        """Return ``(u, 4, 3)`` inputs at which a unit is lowest, low, in the middle, and highest.

        Low and middle are those of the sample whose peaks lie nearest to one and two quarters of
        the way from the smallest peak to the largest; -1 where there are fewer inputs.
        """
        found = np.full((len(self.total), 4, LOWEST), -1, np.int64)
        found[:, 0] = self.lowest_index
        found[:, 3] = self.top_index[:, :LOWEST]
        for row, share in ((1, 0.25), (2, 0.5)):
            level = self.low + share * (self.high - self.low)
            order = np.argsort(np.abs(self.sample_peak - level), axis=0, kind="stable")[:LOWEST].T
            found[:, row, : order.shape[1]] = self.sample[order]
        found[self.high <= self.low, 1:3] = -1
        return found

    def correlations(self) -> F64:
        """Return ``(u, u)`` Pearson correlations of responses; 0 for a unit that never changes."""
        if not len(self.products):
            return np.zeros((0, 0))
        n = float(self.count[0])
        mean, deviation = self.total / n, self.standard_deviation
        # Rounding leaves a constant response with a deviation near 1e-8 of its size.
        alive = deviation > 1e-6 * np.abs(mean) + 1e-12
        scale = np.where(alive, 1 / np.where(alive, deviation, 1.0), 0.0)
        joint = (self.products / n - np.outer(mean, mean)) * np.outer(scale, scale)
        return np.clip(joint, -1, 1)

    def neighbours(self) -> tuple[I64, F32]:
        """Return the units that respond most alike, ``(u, 6)``, -1 where there are fewer.

        And how their responses correlate, ``(u, 6)``.
        """
        joint, alive = self.correlations(), self.standard_deviation > 0
        units = len(alive)
        index = np.full((units, NEIGHBOURS), -1, np.int64)
        value = np.zeros((units, NEIGHBOURS), np.float32)
        if not len(joint):
            return index, value
        joint = joint.copy()
        np.fill_diagonal(joint, -np.inf)
        joint[:, ~alive] = -np.inf
        joint[~alive] = -np.inf
        order = np.argsort(-joint, axis=1, kind="stable")[:, :NEIGHBOURS]
        best = np.take_along_axis(joint, order, 1)
        there = np.isfinite(best)
        index[:, : order.shape[1]] = np.where(there, order, -1)
        value[:, : order.shape[1]] = np.where(there, best, 0)
        return index, value


def hash_to_lot_numbers(index: I64) -> npt.NDArray[np.uint64]:
    """Return a lot for each input, the same whatever comes before and after (splitmix64)."""
    x = index.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
