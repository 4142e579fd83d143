"""Match tables of one split, kept by content so that an edit of words costs no new ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.stats.unit_concept_match import (
    Match,
    match_units_with_concepts,
    nauprc_values_per_image,
)
from circuitz.z.measurements import F32

F64 = npt.NDArray[np.float64]
_KEPT = 24


@dataclass(frozen=True, eq=False)
class UnitScores:
    """One unit against every concept, see :class:`circuitz.stats.unit_concept_match.Match`.

    Parameters
    ----------
    nauprc, pearson, p
        ``(c,)`` each.
    flat
        Whether the unit responds the same to every image.
    """

    nauprc: F64
    pearson: F64
    p: F64
    flat: bool


@dataclass(frozen=True, eq=False)
class MatchTable:
    """Responses and concept labels on the rows of one split, and what follows from them.

    Parameters
    ----------
    measured
        ``(m, u)`` responses to all images.
    rows
        ``(n,)`` indices of the split's images.
    labels
        ``(n, c)`` concept labels of the split's images.
    scene
        ``(n,)`` scene of each.
    pairs
        ``(m, 3)`` of the split's images one that shows a concept, one that differs in that alone,
        and the concept's column.
    cache
        What others worked out from this table, by a key of their own: as long as it lives, its
        contents do not change, so nor does that.
    """

    measured: F32
    rows: npt.NDArray[np.int64]
    labels: F32
    scene: npt.NDArray[np.int64]
    pairs: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 3), np.int64))
    _values: dict[tuple[int, int], F64] = field(default_factory=dict)
    _scores: dict[int, UnitScores] = field(default_factory=dict[int, UnitScores])
    cache: dict[Any, Any] = field(default_factory=dict[Any, Any])

    @cached_property
    def responses_on_split(self) -> F32:
        """``(n, u)`` of the split's images."""
        return np.ascontiguousarray(self.measured[self.rows], dtype=np.float32)

    @cached_property
    def match_all_units(self) -> Match:
        """Every unit against every concept."""
        return match_units_with_concepts(self.responses_on_split, self.labels, scene=self.scene)

    @cached_property
    def unusable_reasons(self) -> tuple[str, ...]:
        """Why a concept cannot be used; empty for one that can."""
        return match_units_with_concepts(np.zeros((len(self.rows), 0)), self.labels).reasons

    def match_and_cache_units(self, units: Iterable[int]) -> None:
        """Match some units at once: words stand on few of many."""
        wanted = [unit for unit in dict.fromkeys(units) if unit not in self._scores]
        if not wanted:
            return
        some = self.measured[np.ix_(self.rows, np.array(wanted))]
        found = match_units_with_concepts(some, self.labels, scene=self.scene)
        flat = np.isfinite(some).all(0) & (some == some[:1]).all(0)
        rows = zip(found.nauprc, found.pearson, found.p, flat.tolist(), strict=True)
        self._scores.update((u, UnitScores(*row)) for u, row in zip(wanted, rows, strict=True))

    def unit_scores(self, unit: int) -> UnitScores:
        """Return one unit against every concept."""
        if unit not in self._scores:
            self.match_and_cache_units((unit,))
        return self._scores[unit]

    def nauprc_values_by_image(self, unit: int, concept: int) -> F64:
        """Per-image values whose mean is the normalised average precision (see ``match``)."""
        key = (unit, concept)
        if key not in self._values:
            response = self.measured[self.rows, unit]
            self._values[key] = nauprc_values_per_image(response, self.labels[:, concept])
        return self._values[key]

    @cached_property
    def label_correlations(self) -> F64:
        """``(c, c)`` correlation of concept labels over images where both are known."""
        known = ~np.isnan(self.labels)
        k = known.astype(np.float64)
        y = np.where(known, self.labels, 0.0).astype(np.float64)
        n = k.T @ k
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = y.T @ k / n
            cross = y.T @ y / n - mean * mean.T
            spread = np.sqrt(np.maximum(mean - mean**2, 0.0))
            phi = cross / (spread * spread.T)
        return np.where(np.isfinite(phi), phi, 0.0)


class MatchTableCache:
    """A small store of tables, the least recently used dropped first. Safe between threads."""

    def __init__(self, capacity: int = _KEPT) -> None:
        self._capacity = capacity
        self._tables: list[MatchTable] = []
        self._lock = Lock()

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._tables.clear()

    def get_or_make_table(
        self,
        responses: F32,
        labels: F32,
        scene: npt.NDArray[np.int64],
        rows: npt.NDArray[np.bool_],
        pairs: npt.NDArray[np.int64] | None = None,
    ) -> MatchTable:
        """Table of the rows, made anew only for contents not seen lately."""
        at = np.flatnonzero(rows)
        labels = np.ascontiguousarray(labels[rows], dtype=np.float32)
        scene = np.ascontiguousarray(scene[rows], dtype=np.int64)
        there = np.zeros((0, 3), np.int64) if pairs is None else pairs[rows[pairs[:, :2]].all(1)]
        place = np.cumsum(rows) - 1
        there = np.ascontiguousarray(np.c_[place[there[:, :2]], there[:, 2]], dtype=np.int64)
        # What can change is copied; what lies in a bundle cannot, and its place tells it apart.
        if _readonly_memory_key(responses):
            table = MatchTable(responses, at, labels, scene, there)
        else:
            copied = np.ascontiguousarray(responses[rows], dtype=np.float32)
            table = MatchTable(copied, np.arange(len(at)), labels, scene, there)
        with self._lock:
            found = next(
                (one for one in reversed(self._tables) if _have_same_contents(one, table)), table
            )
            if found in self._tables:
                self._tables.remove(found)
            self._tables = [*self._tables, found][-self._capacity :]
            return found


def _have_same_contents(one: MatchTable, other: MatchTable) -> bool:
    """Whether two tables have the same contents, bit for bit."""
    return (
        _readonly_memory_key(one.measured) == _readonly_memory_key(other.measured)
        and _have_same_bytes(one.rows, other.rows)
        and _have_same_bytes(one.scene, other.scene)
        and _have_same_bytes(one.pairs, other.pairs)
        and _have_same_bytes(one.labels, other.labels)
        and (
            bool(_readonly_memory_key(one.measured))
            or _have_same_bytes(one.measured, other.measured)
        )
    )


def _have_same_bytes(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> bool:
    if one.shape != other.shape or one[:1].tobytes() != other[:1].tobytes():
        return False  # most differ in their first row already
    return np.array_equal(one.view(np.uint8), other.view(np.uint8))


def _readonly_memory_key(array: npt.NDArray[Any]) -> tuple[object, ...]:
    """Return what identifies an array that nobody can change; empty for any other.

    The table keeps the array, so that nothing else comes to lie in its place.
    """
    base: Any = array
    while isinstance(base, np.ndarray):
        if base.flags.writeable:
            return ()
        base = base.base
    if not (isinstance(base, memoryview) and base.readonly):
        return ()
    return (array.ctypes.data, array.shape, array.strides, array.dtype.str)


TABLES = MatchTableCache()
