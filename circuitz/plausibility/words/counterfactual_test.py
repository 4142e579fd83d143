"""Whether a unit answers when the concept its words name is put into an image.

Labels go along with much else; a counterfactual differs in the concept alone, and in what takes its
place (grass for snow). Where a concept set has pairs of images, one with a concept and one without and
nothing else changed, a unit that sees the concept must tell the two apart. No torch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from circuitz.plausibility.check_settings import CheckSettings
from circuitz.plausibility.words.match_tables import MatchTable
from circuitz.stats.clustered import (
    ClusteredMean,
    clustered_mean,
    confidence_interval,
    p_value_mean_below_bound,
)
from circuitz.stats.unit_concept_match import MINIMUM_IMAGES

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
#: Fewer scenes with a pair say too little to overrule labels.
MINIMUM_SCENES = 20


@dataclass(frozen=True)
class InsertionFailure:
    """A concept whose putting in hardly moves a unit that its labels go along with.

    Parameters
    ----------
    column_concept
        Concept of the column it was judged by.
    share, low, high
        Change within pairs as a share of the difference between all images that show it and that
        do not, and its interval.
    pairs
        How many.
    """

    column_concept: str
    share: float
    low: float
    high: float
    pairs: int


def find_insertion_failure(
    table: MatchTable, unit: int, column: int, column_concept: str, settings: CheckSettings
) -> InsertionFailure | None:
    """Return what speaks against a word, or None.

    It does when the change is shown, at level q for each concept, to be below a match bar's share of
    what goes along with the label. Changes of a unit that fires seldom are skewed, and a few of them
    vary too little: the standard error is taken no smaller than that of as many images that show
    the concept. Without pairs in twenty scenes nothing speaks against the word, or for it.
    """
    wanted = ("put in", column)
    if wanted not in table.cache:
        table.cache[wanted] = _CounterfactualPairs.from_column(table, column)
    pairs: _CounterfactualPairs | None = table.cache[wanted]
    change = None if pairs is None else pairs.relative_change(table.measured[:, unit])
    if change is None or float(p_value_mean_below_bound(change, settings.match_bar)) > settings.q:
        return None
    low, high = confidence_interval(change, settings.level)
    return InsertionFailure(column_concept, change.mean, float(low), float(high), change.n)


@dataclass(frozen=True, eq=False)
class _CounterfactualPairs:
    """Rows of a concept's pairs, and of images that show it and that do not.

    Parameters
    ----------
    shows, lacks, cluster
        ``(m,)`` each.
    with_it, without
        Rows of other images.
    """

    shows: I64
    lacks: I64
    cluster: I64
    with_it: I64
    without: I64

    @classmethod
    def from_column(cls, table: MatchTable, column: int) -> _CounterfactualPairs | None:
        """Return the pairs of a column; None where there are too few."""
        shows, lacks = table.pairs[table.pairs[:, 2] == column, :2].T
        cluster = _cluster_pairs_by_scene(table.scene[shows], table.scene[lacks])
        with_it, without = (
            _rows_labelled_outside_pairs(table, column, shown, shows, lacks) for shown in (1, 0)
        )
        if len(np.unique(cluster)) < MINIMUM_SCENES or not (len(with_it) and len(without)):
            return None
        return cls(table.rows[shows], table.rows[lacks], cluster, with_it, without)

    def relative_change(self, response: F32) -> ClusteredMean | None:
        """Return the change within pairs as a share of what goes along with the label."""
        x = response.astype(np.float64)
        seen = x[self.with_it]
        along = float(seen.mean() - x[self.without].mean())
        if not along > 0:
            return None  # its match fails anyhow
        found = clustered_mean((x[self.shows] - x[self.lacks]) / along, self.cluster)
        least = float(seen.std()) / along / max(float(found.clusters), 1.0) ** 0.5
        return replace(found, se=max(found.se, least))


def _rows_labelled_outside_pairs(table: MatchTable, column: int, shown: int, *pairs: I64) -> I64:
    """Return rows labelled so: of other images than the pairs', where there are enough."""
    labelled = np.flatnonzero(table.labels[:, column] == shown)
    others = np.setdiff1d(labelled, np.concatenate(pairs))
    return table.rows[others if len(others) >= MINIMUM_IMAGES else labelled]


def _cluster_pairs_by_scene(one: I64, other: I64) -> I64:
    """Return the cluster of each pair: pairs that share a scene, or one that shares it, are one."""
    scenes, place = np.unique(np.r_[one, other], return_inverse=True)
    ends = place[: len(one)], place[len(one) :]
    linked = coo_array((np.ones(len(one)), ends), shape=(len(scenes), len(scenes)))
    return connected_components(linked, directed=False)[1][ends[0]]
