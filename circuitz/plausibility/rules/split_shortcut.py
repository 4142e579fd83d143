"""Whether something outside the thing drives a class through many units, none of them so called.

A context may be split over units that are each too weak to notice, or that pass for something
else. So the joint subspace is tested: what the concept does through all units of the cut that do
not validly mean it (:mod:`circuitz.plausibility.effects.unnamed_effect`). *Flagged*: more than the margin, through
two units or more. *Supported*: equivalent to none.
"""

from __future__ import annotations

from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import findings_from_claims
from circuitz.plausibility.effects.unnamed_effect import cached_unnamed_effects
from circuitz.plausibility.rules.unnamed_claims import unnamed_claim
from circuitz.z.finding import Finding

KIND = "split-shortcut"
VERSION = 1


def find_split_shortcut(case: Case) -> list[Finding]:
    """Judge every opposed concept against every class it seems to reach unnamed."""
    found = [
        one
        for one in cached_unnamed_effects(case)
        if len(one.members) > 1
        and case.support_for_class(one.concept, case.effects.targets[one.k]).verdict == "opposes"
    ]
    claims = [unnamed_claim(case, one, leads=False, family=len(found)) for one in found]
    return findings_from_claims(case, KIND, VERSION, claims)
