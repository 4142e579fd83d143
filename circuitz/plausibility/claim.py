"""From the p-values of all claims of one kind to findings."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from circuitz.plausibility.case import Case
from circuitz.stats.multiple_testing import benjamini_hochberg_q_values
from circuitz.z.effect import Effect
from circuitz.z.finding import Finding, Remedy, Verdict

#: What ``decide`` begins with where a set of units has to be run first.
MEASURE_AGAIN = "Measure again (cz.measure)"


@lru_cache(maxsize=20_000)
def finding_id(kind: str, target: str, subject: str) -> str:
    """Id of a claim: the same for the same kind, target and subject, whatever the numbers."""
    return hashlib.sha256(f"{kind}|{target}|{subject}".encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Claim:
    """One claim before it is known how many were tested with it.

    Parameters
    ----------
    target, subject
        Class it is about (``output:husky`` or empty), and the concept or unit.
    units
        Units it is about.
    p_flag, p_support
        P-values of the tests whose success means *flagged* and *supported*; NaN where the claim
        could not be tested and does not count in the family.
    estimate, ci, delta, power
        The tested quantity, its interval, the bound it is held to, and the power.
    write_sentence
        From the verdict to the sentence.
    decide
        What would decide it, shown when inconclusive.
    effects, chain, pictures, remedies
        As in a finding.
    """

    target: str
    subject: str
    units: tuple[str, ...]
    p_flag: float
    p_support: float
    estimate: float
    ci: tuple[float, float]
    delta: float
    power: float
    write_sentence: Callable[[Verdict], str]
    decide: str = ""
    effects: tuple[Effect, ...] = ()
    chain: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    remedies: tuple[Remedy, ...] = field(default_factory=tuple)


def findings_from_claims(
    case: Case, kind: str, version: int, claims: Sequence[Claim]
) -> list[Finding]:
    """Give every claim its verdict.

    Both tests of a kind are adjusted by Benjamini-Hochberg over all claims of the kind tested. A
    finding's p and q are those of the test its verdict rests on: of support where it is
    supported, of the flag otherwise.
    """
    q_flag = benjamini_hochberg_q_values([claim.p_flag for claim in claims])
    q_support = benjamini_hochberg_q_values([claim.p_support for claim in claims])
    verdicts: list[tuple[Verdict, float, float]] = []
    for claim, against, for_ in zip(claims, q_flag, q_support, strict=True):
        if against <= case.settings.q:
            verdicts.append(("flagged", claim.p_flag, float(against)))
        elif for_ <= case.settings.q:
            verdicts.append(("supported", claim.p_support, float(for_)))
        else:
            verdicts.append(("inconclusive", claim.p_flag, float(against)))
    return [
        finding_from_claim(
            case, kind, version, claim, verdict=verdict, size=count_tested_claims(claims)
        )
        for claim, verdict in zip(claims, verdicts, strict=True)
    ]


def count_tested_claims(claims: Sequence[Claim]) -> int:
    """How many claims were tested together."""
    return sum(not math.isnan(claim.p_flag) for claim in claims)


def finding_from_claim(
    case: Case,
    kind: str,
    version: int,
    claim: Claim,
    *,
    verdict: tuple[Verdict, float, float],
    size: int,
) -> Finding:
    """Write a claim down with its verdict, p and q."""
    ident = finding_id(kind, claim.target, claim.subject)
    # A waiver may be kept under the name that an earlier version had for the same concept.
    before = case.concept_columns.reader.name_before(claim.subject)
    what, p, q = verdict
    remedies = (
        *claim.remedies,
        Remedy("ask", "Ask a person", {"finding": ident}),
        Remedy("waive", "Let it stand, with a reason", {"finding": ident}),
    )
    return Finding(
        id=ident,
        kind=kind,
        version=version,
        units=claim.units,
        target=claim.target,
        verdict=what,
        sentence=claim.write_sentence(what),
        estimate=claim.estimate,
        ci=claim.ci,
        delta=claim.delta,
        p=1.0 if math.isnan(p) else p,
        q=1.0 if math.isnan(q) else q,
        family=size,
        power=claim.power,
        effects=claim.effects,
        chain=claim.chain,
        pictures=claim.pictures,
        remedies=remedies if what == "flagged" else remedies[:-1],
        decide=claim.decide if what == "inconclusive" else "",
        hashes=case.verdict_input_hashes,
        waiver=case.waivers.get(ident) or case.waivers.get(finding_id(kind, claim.target, before)),
    )
