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

from circuitz.effects.statistics import ClusteredMean, clustered_mean, interval, p_less
from circuitz.features.match import MINIMUM_IMAGES
from circuitz.plausibility.settings import Settings
from circuitz.plausibility.tables import Table

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
#: Fewer scenes with a pair say too little to overrule labels.
MINIMUM_SCENES = 20


@dataclass(frozen=True)
class Unmoved:
    """A concept whose putting in hardly moves a unit that its labels go along with.

    Parameters
    ----------
    means
        Concept of the column it was judged by.
    share, low, high
        Change within pairs as a share of the difference between all images that show it and that
        do not, and its interval.
    pairs
        How many.
    """

    means: str
    share: float
    low: float
    high: float
    pairs: int


def unmoved(table: Table, unit: int, column: int, means: str, settings: Settings) -> Unmoved | None:
    """Return what speaks against a word, or None.

    It does when the change is shown, at level q for each concept, to be below a match bar's share of
    what goes along with the label. Changes of a unit that fires seldom are skewed, and a few of them
    vary too little: the standard error is taken no smaller than that of as many images that show
    the concept. Without pairs in twenty scenes nothing speaks against the word, or for it.
    """
    wanted = ("put in", column)
    if wanted not in table.kept:
        table.kept[wanted] = _changes(table, column)
    found: tuple[ClusteredMean, F64] | None = table.kept[wanted]
    if found is None:
        return None
    of_all, along = found[0], float(found[1][unit])
    if not along > 0:
        return None  # its match fails anyhow
    mean, se = float(of_all.mean[unit]) / along, float(of_all.se[unit]) / along
    counts = (int(of_all.df[unit]), int(of_all.n[unit]), int(of_all.clusters[unit]))
    change = ClusteredMean(mean, se, *counts)
    if float(p_less(change, settings.match_bar)) > settings.q:
        return None
    low, high = interval(change, settings.level)
    return Unmoved(means, change.mean, float(low), float(high), change.n)


def _changes(table: Table, column: int) -> tuple[ClusteredMean, F64] | None:
    """Return every unit's change within pairs, and how its mean differs with the label."""
    shows, lacks = table.pairs[table.pairs[:, 2] == column, :2].T
    scene = _apart(table.scene[shows], table.scene[lacks])
    clusters = len(np.unique(scene))
    with_it, without = (_images(table, column, shown, shows, lacks) for shown in (1, 0))
    if clusters < MINIMUM_SCENES or not (len(with_it) and len(without)):
        return None
    x = table.measured
    change = clustered_mean(x[table.rows[shows]].astype(np.float64) - x[table.rows[lacks]], scene)
    seen = x[with_it].astype(np.float64)
    least = seen.std(0) / np.sqrt(clusters)
    return replace(change, se=np.maximum(change.se, least)), seen.mean(0) - x[without].mean(0)


def _images(table: Table, column: int, shown: int, *pairs: I64) -> I64:
    """Return rows labelled so: of other images than the pairs', where there are enough."""
    labelled = np.flatnonzero(table.labels[:, column] == shown)
    others = np.setdiff1d(labelled, np.concatenate(pairs))
    return table.rows[others if len(others) >= MINIMUM_IMAGES else labelled]


def _apart(one: I64, other: I64) -> I64:
    """Return the cluster of each pair: pairs that share a scene, or one that shares it, are one."""
    scenes, place = np.unique(np.r_[one, other], return_inverse=True)
    ends = place[: len(one)], place[len(one) :]
    linked = coo_array((np.ones(len(one)), ends), shape=(len(scenes), len(scenes)))
    return connected_components(linked, directed=False)[1][ends[0]]
