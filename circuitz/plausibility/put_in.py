"""Whether a unit answers when the concept its words name is put into an image.

Labels go along with much else; a counterfactual differs in the concept alone. Where a concept set
has pairs of images, one with a concept and one without and nothing else changed, a unit that sees
the concept must tell the two apart. No torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circuitz.effects.statistics import ClusteredMean, clustered_mean, interval, p_less
from circuitz.plausibility.settings import Settings
from circuitz.plausibility.tables import Table

F64 = npt.NDArray[np.float64]
#: Fewer scenes with a pair say too little to overrule labels.
MINIMUM_SCENES = 8


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

    It does when the change is shown, at level q, to be below a match bar's share of what goes along
    with the label. Without pairs in eight scenes nothing speaks against it, or for it.
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
    scene = table.scene[shows]
    if len(np.unique(scene)) < MINIMUM_SCENES:
        return None
    x = table.measured
    within = x[table.rows[shows]].astype(np.float64) - x[table.rows[lacks]]
    label = table.labels[:, column]
    means = [
        x[table.rows[label == value]].mean(0, dtype=np.float64) if (label == value).any() else 0.0
        for value in (1, 0)
    ]
    return clustered_mean(within, scene), np.asarray(means[0] - means[1])
