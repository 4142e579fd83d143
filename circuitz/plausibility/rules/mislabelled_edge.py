"""Whether words on an edge fit what runs along it; ``edge_words`` has the test."""

from __future__ import annotations

from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import findings_from_claims
from circuitz.plausibility.rules.edge_words import (
    edge_annotations,
    edge_claim,
    written_for_other_weights,
)
from circuitz.z.finding import Finding

KIND = "mislabelled-edge"
VERSION = 1


def find_mislabelled_edge(case: Case) -> list[Finding]:
    """Judge words on edges that were written for these weights."""
    fresh = [
        annotation
        for annotation in edge_annotations(case)
        if not written_for_other_weights(case, annotation)
    ]
    claims = [edge_claim(case, annotation, len(fresh)) for annotation in fresh]
    return findings_from_claims(case, KIND, VERSION, claims)
