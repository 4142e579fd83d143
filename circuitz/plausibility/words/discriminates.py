"""A word and what may hide behind it: another concept, or the absence of one.

Both are told by images that show the word without the other (see ``contrast``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from circuitz.plausibility.check_settings import COINCIDE, CheckSettings
from circuitz.plausibility.words.concept_contrast import (
    compare_concept_answers,
    unit_responses_in_table,
)
from circuitz.stats.clustered import p_value_mean_above_bound, p_value_mean_below_bound

if TYPE_CHECKING:
    from circuitz.plausibility.words.parsed_annotation import ConceptColumns
    from circuitz.plausibility.words.word_scores import UnitTables


@dataclass(frozen=True)
class Absence:
    """A concept where whose absence a unit responds.

    Parameters
    ----------
    concept, pearson
        The concept, and the correlation of response and label; negative.
    p
        P-value of "the correlation is not negative, or the unit answers to its word in earnest".
    """

    concept: str
    pearson: float
    p: float


def p_values_without_rival(
    unit_tables: UnitTables, own: int, rival: int, settings: CheckSettings
) -> tuple[float, float]:
    """P-values for and against "answers to its word, where the rival is not shown, in earnest".

    In earnest: by a match bar's share of what it answers to the rival. Without images that show the
    word without the rival nothing speaks against it, or for it.

    Returns
    -------
    P-value whose smallness speaks against the word, and one whose smallness speaks for it.
    """
    return _p_below_and_above_share(unit_tables, own, rival, settings.match_bar)


def find_absence_cue(
    unit_tables: UnitTables, own: int, columns: ConceptColumns, settings: CheckSettings
) -> Absence | None:
    """Look for a concept whose absence the unit answers to rather than to its word.

    The candidate is the concept that its response on *select* falls with most, by a match bar or
    more, and more than it rises with the word.
    """
    seen = np.nan_to_num(unit_tables.select.unit_scores(unit_tables.column).pearson, nan=0.0)
    barred = {own, *columns.kin[own]}
    low = min((j for j in range(len(seen)) if j not in barred), key=lambda j: seen[j], default=None)
    if low is None or seen[low] > -settings.match_bar or -seen[low] <= seen[own]:
        return None
    judged = unit_tables.judged
    if judged.label_correlations[own, low] <= -COINCIDE:
        return None  # the word is the absence
    scores = judged.unit_scores(unit_tables.column)
    pearson, p = float(scores.pearson[low]), float(scores.p[low])
    if not (np.isfinite(pearson) and np.isfinite(p)) or pearson > -settings.match_bar:
        return None
    against, _ = _p_below_and_above_share(unit_tables, own, low, -settings.match_bar)
    return Absence(columns.names[low], pearson, max(1 - p, against))


def _p_below_and_above_share(
    unit_tables: UnitTables, own: int, other: int, share: float
) -> tuple[float, float]:
    """P-values below and above a share of the answer to the other; worked out once a table."""
    table, unit = unit_tables.judged, unit_tables.column
    key = ("apart", unit, own, other, share)
    if key not in table.cache:
        found = compare_concept_answers(
            table, unit_responses_in_table(table, unit), other, own, (other,), share, alone=False
        )
        if found is None or found[1] * share <= 0:
            table.cache[key] = (1.0, 0.0)
        else:
            table.cache[key] = (
                float(p_value_mean_below_bound(found[0])),
                float(p_value_mean_above_bound(found[0])),
            )
    return table.cache[key]
