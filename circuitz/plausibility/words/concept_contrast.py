"""How much a unit answers to one concept where another is not shown.

A concept set may show two concepts together more often than apart; then a unit that sees one of
them seems to see both. Images that show one without the other tell. The *answer* to a concept is
the unit's mean response to images that show it, less that to images that show neither, a
difference of two means, clustered by scene. No torch.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from circuitz.plausibility.words.match_tables import MatchTable
from circuitz.stats.clustered import ClusteredMean, clustered_mean
from circuitz.stats.unit_concept_match import MINIMUM_IMAGES

F64 = npt.NDArray[np.float64]


def unit_responses_in_table(table: MatchTable, unit: int) -> F64:
    """Return a unit's responses to the images of a table, ``(n,)``."""
    return table.measured[table.rows, unit].astype(np.float64)


def compare_concept_answers(
    table: MatchTable,
    response: F64,
    first: int,
    second: int,
    named: Collection[int],
    share: float,
    *,
    alone: bool = True,
) -> tuple[ClusteredMean, float] | None:
    """Compare the answer to a concept, where another is not shown, with that to the other.

    Parameters
    ----------
    response
        ``(n,)`` of the table's images.
    first, second
        Columns.
    named
        Columns none of which may be shown where the second is, the first among them.
    share
        Of the first answer, what the second is held against.
    alone
        Whether the first answer is read where the second is not shown either.

    Returns
    -------
    The second answer less that share of the first, and the first; ``None`` where fewer than eight
    images show one without the other, or neither.
    """
    labels = table.labels
    without = (labels[:, sorted(named)] == 0).all(1)
    neither = without & (labels[:, second] == 0)
    one = labels[:, first] == 1
    if alone:
        one &= labels[:, second] == 0
    other = without & (labels[:, second] == 1)
    if min(neither.sum(), one.sum(), other.sum()) < MINIMUM_IMAGES:
        return None
    weights = {"neither": share - 1.0, "one": -share, "other": 1.0}
    groups = {"neither": neither, "one": one, "other": other}
    estimate, values = 0.0, np.zeros(len(response))
    for name, rows in groups.items():
        mean = response[rows].mean()
        estimate += weights[name] * mean
        values[rows] += weights[name] * (response[rows] - mean) * len(response) / rows.sum()
    # The mean of score plus influence is the estimate; its spread is that of the estimate.
    return (
        clustered_mean(values + estimate, table.scene),
        float(response[one].mean() - response[neither].mean()),
    )
