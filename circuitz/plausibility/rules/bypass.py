"""Whether what a concept does flows around the units that are called by it.

Words name a path: these units see it. Candidates are concepts that, on *select*, do more unnamed
than named. Where the concept does more to a class through all other
units of the cut than through these, and more than the margin, the named path is not the one that
counts (:mod:`circuitz.plausibility.effects.unnamed_effect`). *Supported*: what flows around is equivalent to none.

What lies outside the thing and flows around through several units is a ``split-shortcut``.
"""

from __future__ import annotations

from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import to_findings
from circuitz.plausibility.effects.unnamed_effect import Carried, carried
from circuitz.plausibility.rules.unnamed_claims import unnamed_claim
from circuitz.z.finding import Finding

KIND = "bypass"
VERSION = 1


def findings(case: Case) -> list[Finding]:
    """Judge every concept that units are validly called by."""
    found = [one for one in carried(case) if one.named and one.ahead and not _split(case, one)]
    claims = [unnamed_claim(case, one, leads=True, family=len(found)) for one in found]
    return to_findings(case, KIND, VERSION, claims)


def _split(case: Case, one: Carried) -> bool:
    target = case.effects.targets[one.k]
    return len(one.members) > 1 and case.support(one.concept, target).verdict == "opposes"
