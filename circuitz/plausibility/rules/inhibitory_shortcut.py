"""Whether surroundings hold a class back: their silence makes it.

Grass that suppresses *husky* is the same shortcut as snow that raises it. The test is that of
:mod:`circuitz.plausibility.rules.outside_claims`; claims are those where, on *select*, the units' activity
moves the class down.
"""

from __future__ import annotations

from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import findings_from_claims
from circuitz.plausibility.rules.outside_claims import cached_outside_pairs
from circuitz.z.finding import Finding

KIND = "inhibitory-shortcut"
VERSION = 1


def find_inhibitory_shortcut(case: Case) -> list[Finding]:
    """Judge every opposed concept against every class it seems to hold back."""
    held = [pair for pair in cached_outside_pairs(case) if pair.claims_inhibition]
    return findings_from_claims(case, KIND, VERSION, [pair.make_claim(len(held)) for pair in held])
