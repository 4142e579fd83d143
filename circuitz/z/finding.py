"""One claim about words and wiring, tested."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from circuitz.z.effect import Effect

Verdict = Literal["flagged", "supported", "inconclusive"]


@dataclass(frozen=True)
class Waiver:
    """Somebody's decision to let a flagged finding stand, or to do so no longer.

    Parameters
    ----------
    finding
        Id of the finding.
    author, reason, time
        Who decided, why, and when (ISO 8601, UTC).
    withdrawn
        True when this takes back the decision before it.
    """

    finding: str
    author: str
    reason: str
    time: str
    withdrawn: bool = False


@dataclass(frozen=True)
class Remedy:
    """Something that can be done about a finding, from the screen or from code."""

    action: str
    label: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """One claim tested: *flagged*, *supported* or *inconclusive*.

    Parameters
    ----------
    id
        Stable: a hash of kind, target and subject (the concept or the unit), so that the same
        claim keeps its id when the numbers change.
    kind, version
        Which check, and which version of it.
    units, target
        The set of units, and the class they drive (empty where the claim is about a unit alone).
    verdict
        See ``DESIGN``: beyond the margin at q ≤ .05, equivalent to none, or neither.
    sentence
        The claim in words, with its figures.
    estimate, ci
        The tested quantity and its interval.
    delta, p, q, family, power
        Margin, p-value, Benjamini-Hochberg q-value, number of claims tested together, and the
        probability of flagging an effect of twice the margin.
    effects
        The effects it rests on.
    chain
        The prior knowledge used, one step a line.
    pictures
        Content hashes of PNG evidence, before and after the intervention.
    remedies
        What can be done, best first.
    decide
        For *inconclusive*: what would decide it.
    hashes
        Names and hashes of everything the verdict was made from.
    waiver
        Set when somebody let it stand.
    """

    id: str
    kind: str
    version: int
    units: tuple[str, ...]
    target: str
    verdict: Verdict
    sentence: str
    estimate: float = 0.0
    ci: tuple[float, float] = (0.0, 0.0)
    delta: float = 0.1
    p: float = 1.0
    q: float = 1.0
    family: int = 1
    power: float = 0.0
    effects: tuple[Effect, ...] = ()
    chain: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    decide: str = ""
    hashes: tuple[tuple[str, str], ...] = ()
    waiver: Waiver | None = None
