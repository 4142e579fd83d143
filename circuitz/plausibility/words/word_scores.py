"""How well units match the concepts their words name, and the strongest other one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circuitz.plausibility.check_settings import CheckSettings
from circuitz.plausibility.words.match_tables import MatchTable
from circuitz.plausibility.words.parsed_annotation import ConceptColumns, ParsedAnnotation
from circuitz.stats.clustered import ClusteredMean, clustered_mean, confidence_interval

F64 = npt.NDArray[np.float64]
# Level; unit, concept, and the concept whose score is taken off, if any.
_ValuesKey = tuple[float, tuple[int, ...]]


@dataclass(frozen=True)
class MatchScore:
    """Match of a unit with one concept on the split judged.

    Parameters
    ----------
    concept
        What the words say.
    column_concept, column
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
    column_concept: str
    column: int
    nauprc: float
    low: float
    high: float
    pearson: float
    p: float
    mean: ClusteredMean


@dataclass(frozen=True, eq=False)
class UnitTables:
    """Where a target's responses lie: tables on *select* and on the split, and its column."""

    select: MatchTable
    judged: MatchTable
    column: int


@dataclass(frozen=True)
class ScoringDraft:
    """An annotation before it is scored: named concepts with their columns, and the rival's."""

    parsed: ParsedAnnotation
    unit_tables: UnitTables
    own: tuple[tuple[str, int], ...]
    rival: int | None


def score_own_rival_and_lead(
    drafts: Sequence[ScoringDraft], columns: ConceptColumns, settings: CheckSettings
) -> list[tuple[tuple[MatchScore, ...], MatchScore | None, ClusteredMean | None]]:
    """Score all drafts; the per-image values of one table go through one clustered mean."""
    asked: dict[int, tuple[MatchTable, list[_ValuesKey]]] = {}

    def request_uncached_values(table: MatchTable, *unit_and_columns: int) -> _ValuesKey:
        wanted = (settings.level, unit_and_columns)
        if wanted not in table.cache:
            asked.setdefault(id(table), (table, []))[1].append(wanted)
        return wanted

    booked: list[tuple[list[_ValuesKey], _ValuesKey | None, _ValuesKey | None]] = []
    for draft in drafts:
        table, unit = draft.unit_tables.judged, draft.unit_tables.column
        own = [request_uncached_values(table, unit, column) for _, column in draft.own]
        rival = lead = None
        if draft.rival is not None:
            rival = lead = request_uncached_values(table, unit, draft.rival)
            if draft.own:
                lead = request_uncached_values(table, unit, draft.rival, draft.own[0][1])
        booked.append((own, rival, lead))
    for table, wanted in asked.values():
        values = np.stack([_score_or_lead_values_by_image(table, *what) for _, what in wanted], 1)
        found_means = _mean_and_interval_of_each_column(
            clustered_mean(values, table.scene), settings.level
        )
        table.cache.update(zip(wanted, found_means, strict=True))

    def match_score_from_cache(
        draft: ScoringDraft, concept: str, column: int, at: _ValuesKey
    ) -> MatchScore:
        mean, low, high = draft.unit_tables.judged.cache[at]
        match = draft.unit_tables.judged.unit_scores(draft.unit_tables.column)
        pearson, p = float(match.pearson[column]), float(match.p[column])
        return MatchScore(
            concept=concept,
            column_concept=columns.names[column],
            column=column,
            nauprc=float(match.nauprc[column]),
            low=low,
            high=high,
            pearson=0.0 if math.isnan(pearson) else pearson,
            p=1.0 if math.isnan(p) else p,
            mean=mean,
        )

    found: list[tuple[tuple[MatchScore, ...], MatchScore | None, ClusteredMean | None]] = []
    for draft, (own, rival, lead) in zip(drafts, booked, strict=True):
        mine = tuple(
            match_score_from_cache(draft, concept, column, at)
            for (concept, column), at in zip(draft.own, own, strict=True)
        )
        other = None
        if rival is not None and draft.rival is not None:
            other = match_score_from_cache(draft, columns.names[draft.rival], draft.rival, rival)
        found.append((mine, other, draft.unit_tables.judged.cache[lead][0] if lead else None))
    return found


def _score_or_lead_values_by_image(
    table: MatchTable, unit: int, concept: int, less: int | None = None
) -> F64:
    """Per-image values of a unit's score, or of how far it exceeds that with another concept."""
    values = table.nauprc_values_by_image(unit, concept)
    return values if less is None else values - table.nauprc_values_by_image(unit, less)


def _mean_and_interval_of_each_column(
    mean: ClusteredMean, level: float
) -> list[tuple[ClusteredMean, float, float]]:
    low, high = confidence_interval(mean, level)
    each = zip(mean.mean, mean.se, mean.df, mean.n, mean.clusters, low, high, strict=True)
    return [
        (ClusteredMean(float(m), float(se), int(df), int(n), int(g)), float(lo), float(hi))
        for m, se, df, n, g, lo, hi in each
    ]


def both_scores_reach_bar(score: MatchScore, settings: CheckSettings) -> bool:
    """Whether both scores reach the bar (significance is judged apart)."""
    return score.nauprc >= settings.match_bar and score.pearson >= settings.match_bar
