"""Whether what a concept does flows around the units that are called by it.

Words name a path: these units see it. Candidates are concepts that, on *select*, do more unnamed
than named. Where the concept does more to a class through all other
units of the cut than through these, and more than the margin, the named path is not the one that
counts (:mod:`circuitz.plausibility.effects.unnamed_effect`). *Supported*: what flows around is equivalent to none.

What lies outside the thing and flows around through several units is a ``split-shortcut``.
"""

from __future__ import annotations

from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import findings_from_claims
from circuitz.plausibility.effects.unnamed_effect import UnnamedEffect, cached_unnamed_effects
from circuitz.plausibility.rules.unnamed_claims import unnamed_claim
from circuitz.z.finding import Finding

KIND = "bypass"
VERSION = 1


def find_bypass(case: Case) -> list[Finding]:
    """Judge every concept that units are validly called by."""
    found = [
        one
        for one in cached_unnamed_effects(case)
        if one.named and one.ahead_on_select and not _is_split_shortcut(case, one)
    ]
    claims = [unnamed_claim(case, one, leads=True, family=len(found)) for one in found]
    return findings_from_claims(case, KIND, VERSION, claims)


def _is_split_shortcut(case: Case, effect: UnnamedEffect) -> bool:
    target = case.effects.targets[effect.k]
    return (
        len(effect.members) > 1
        and case.support_for_class(effect.concept, target).verdict == "opposes"
    )
