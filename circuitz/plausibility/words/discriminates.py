"""A word and what may hide behind it: another concept, or the absence of one.

Both are told by images that show the word without the other (see ``contrast``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from circuitz.plausibility.check_settings import COINCIDE, Settings
from circuitz.plausibility.words.concept_contrast import answer, response_of
from circuitz.stats.clustered import p_greater, p_less

if TYPE_CHECKING:
    from circuitz.plausibility.words.match_scores import Place
    from circuitz.plausibility.words.parsed_annotation import Columns


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


def p_apart(place: Place, own: int, rival: int, settings: Settings) -> tuple[float, float]:
    """P-values for and against "answers to its word, where the rival is not shown, in earnest".

    In earnest: by a match bar's share of what it answers to the rival. Without images that show the
    word without the rival nothing speaks against it, or for it.

    Returns
    -------
    P-value whose smallness speaks against the word, and one whose smallness speaks for it.
    """
    return _answers(place, own, rival, settings.match_bar)


def absence(place: Place, own: int, columns: Columns, settings: Settings) -> Absence | None:
    """Look for a concept whose absence the unit answers to rather than to its word.

    The candidate is the concept that its response on *select* falls with most, by a match bar or
    more, and more than it rises with the word.
    """
    seen = np.nan_to_num(place.select.scores(place.column).pearson, nan=0.0)
    barred = {own, *columns.kin[own]}
    low = min((j for j in range(len(seen)) if j not in barred), key=lambda j: seen[j], default=None)
    if low is None or seen[low] > -settings.match_bar or -seen[low] <= seen[own]:
        return None
    judged = place.judged
    if judged.coincidence[own, low] <= -COINCIDE:
        return None  # the word is the absence
    scores = judged.scores(place.column)
    pearson, p = float(scores.pearson[low]), float(scores.p[low])
    if not (np.isfinite(pearson) and np.isfinite(p)) or pearson > -settings.match_bar:
        return None
    against, _ = _answers(place, own, low, -settings.match_bar)
    return Absence(columns.names[low], pearson, max(1 - p, against))


def _answers(place: Place, own: int, other: int, share: float) -> tuple[float, float]:
    """P-values below and above a share of the answer to the other; worked out once a table."""
    table, unit = place.judged, place.column
    key = ("apart", unit, own, other, share)
    if key not in table.kept:
        found = answer(table, response_of(table, unit), other, own, (other,), share, alone=False)
        if found is None or found[1] * share <= 0:
            table.kept[key] = (1.0, 0.0)
        else:
            table.kept[key] = (float(p_less(found[0])), float(p_greater(found[0])))
    return table.kept[key]
