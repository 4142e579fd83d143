"""What a search found."""

from __future__ import annotations

from dataclasses import dataclass

from circuitz.plausibility.report import Report
from circuitz.posterior.objective import PosteriorTerms
from circuitz.z.model import AnnotatedModel


@dataclass(frozen=True, eq=False)
class SearchResult:
    """What a search found.

    Parameters
    ----------
    z
        The best z by posterior, of those with the fewest implausible drivers flagged; of several
        that are as good but for noise, the last.
    report
        Its check on *test*.
    scores
        One for every z visited, the start first.
    best
        Index of ``z`` among them.
    last
        The z visited last, which a control is judged by.
    """

    z: AnnotatedModel
    report: Report
    scores: tuple[PosteriorTerms, ...]
    best: int
    last: AnnotatedModel
