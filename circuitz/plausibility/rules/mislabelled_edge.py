"""Whether words on an edge fit what runs along it; ``edge_words`` has the test."""

from __future__ import annotations

from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import to_findings
from circuitz.plausibility.rules.edge_words import edge_claim, edge_words, is_stale
from circuitz.z.finding import Finding

KIND = "mislabelled-edge"
VERSION = 1


def findings(case: Case) -> list[Finding]:
    """Judge words on edges that were written for these weights."""
    fresh = [annotation for annotation in edge_words(case) if not is_stale(case, annotation)]
    claims = [edge_claim(case, annotation, len(fresh)) for annotation in fresh]
    return to_findings(case, KIND, VERSION, claims)
