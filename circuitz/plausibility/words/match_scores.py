"""How well units match the concepts their words name, and the strongest other one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circuitz.plausibility.check_settings import Settings
from circuitz.plausibility.words.match_tables import Table
from circuitz.plausibility.words.parsed_annotation import Columns, Said
from circuitz.stats.clustered import ClusteredMean, clustered_mean, interval

F64 = npt.NDArray[np.float64]
# Level; unit, concept, and the concept whose score is taken off, if any.
_Asked = tuple[float, tuple[int, ...]]


@dataclass(frozen=True)
class Score:
    """Match of a unit with one concept on the split judged.

    Parameters
    ----------
    concept
        What the words say.
    means, column
        Concept of the column it was judged by, and the column: the same concept, or one below
        it (*pointed ears* for *ears*). It is this one that the annotation counts as.
    nauprc, low, high
        Normalised average precision and its interval.
    pearson, p
        Correlation, and the p-value of "not positive".
    mean
        The score as a clustered mean.
    """

    concept: str
    means: str
    column: int
    nauprc: float
    low: float
    high: float
    pearson: float
    p: float
    mean: ClusteredMean


@dataclass(frozen=True, eq=False)
class Place:
    """Where a target's responses lie: tables on *select* and on the split, and its column."""

    select: Table
    judged: Table
    column: int


@dataclass(frozen=True)
class Draft:
    """An annotation before it is scored: named concepts with their columns, and the rival's."""

    said: Said
    place: Place
    own: tuple[tuple[str, int], ...]
    rival: int | None


def score_all(
    drafts: Sequence[Draft], columns: Columns, settings: Settings
) -> list[tuple[tuple[Score, ...], Score | None, ClusteredMean | None]]:
    """Score all drafts; the per-image values of one table go through one clustered mean."""
    asked: dict[int, tuple[Table, list[_Asked]]] = {}

    def add(table: Table, *what: int) -> _Asked:
        wanted = (settings.level, what)
        if wanted not in table.kept:
            asked.setdefault(id(table), (table, []))[1].append(wanted)
        return wanted

    booked: list[tuple[list[_Asked], _Asked | None, _Asked | None]] = []
    for draft in drafts:
        table, unit = draft.place.judged, draft.place.column
        own = [add(table, unit, column) for _, column in draft.own]
        rival = lead = None
        if draft.rival is not None:
            rival = lead = add(table, unit, draft.rival)
            if draft.own:
                lead = add(table, unit, draft.rival, draft.own[0][1])
        booked.append((own, rival, lead))
    for table, wanted in asked.values():
        values = np.stack([_values(table, *what) for _, what in wanted], 1)
        found_means = _columns_of(clustered_mean(values, table.scene), settings.level)
        table.kept.update(zip(wanted, found_means, strict=True))

    def score(draft: Draft, concept: str, column: int, at: _Asked) -> Score:
        mean, low, high = draft.place.judged.kept[at]
        match = draft.place.judged.scores(draft.place.column)
        pearson, p = float(match.pearson[column]), float(match.p[column])
        return Score(
            concept=concept,
            means=columns.names[column],
            column=column,
            nauprc=float(match.nauprc[column]),
            low=low,
            high=high,
            pearson=0.0 if math.isnan(pearson) else pearson,
            p=1.0 if math.isnan(p) else p,
            mean=mean,
        )

    found: list[tuple[tuple[Score, ...], Score | None, ClusteredMean | None]] = []
    for draft, (own, rival, lead) in zip(drafts, booked, strict=True):
        mine = tuple(
            score(draft, concept, column, at)
            for (concept, column), at in zip(draft.own, own, strict=True)
        )
        other = None
        if rival is not None and draft.rival is not None:
            other = score(draft, columns.names[draft.rival], draft.rival, rival)
        found.append((mine, other, draft.place.judged.kept[lead][0] if lead else None))
    return found


def _values(table: Table, unit: int, concept: int, less: int | None = None) -> F64:
    """Per-image values of a unit's score, or of how far it exceeds that with another concept."""
    values = table.values(unit, concept)
    return values if less is None else values - table.values(unit, less)


def _columns_of(mean: ClusteredMean, level: float) -> list[tuple[ClusteredMean, float, float]]:
    low, high = interval(mean, level)
    each = zip(mean.mean, mean.se, mean.df, mean.n, mean.clusters, low, high, strict=True)
    return [
        (ClusteredMean(float(m), float(se), int(df), int(n), int(g)), float(lo), float(hi))
        for m, se, df, n, g, lo, hi in each
    ]


def reaches(score: Score, settings: Settings) -> bool:
    """Whether both scores reach the bar (significance is judged apart)."""
    return score.nauprc >= settings.match_bar and score.pearson >= settings.match_bar
