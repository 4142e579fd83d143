"""Prior v0: how plausible a z is, from the findings of a check.

    log M_prior(z) = − [ w_driver      · Σ over flagged drivers from outside  (|e| − δ)₊
                       + w_support     · Σ over flagged missing supports     (1 − e / δ)₊
                       + w_word        · number of flagged words
                       + w_unexplained · Σ over classes  unexplained share, cut to 0 … 1 ]

with e the finding's estimated effect, δ its margin and the unexplained share all in shares of a
class's whole effect. It is 0 for a z with nothing against it and everything explained, and falls
without bound; the scale is arbitrary, which is why the posterior carries a λ. Only *flagged*
counts: what is inconclusive is not held against a model. A waiver lets a finding stand for export;
it does not make it plausible, so it counts here all the same.

Silence must not pay. Taking the words off a driver ends its finding and moves its share, which is
at least what the finding cost, into the unexplained of the same class: so both are summed in one
currency, over classes, and w_driver may not exceed w_unexplained. Vague words do not help either:
words that fail their match explain nothing, and wrong ones cost besides.

Unexplained effects are counted once, by the share, not again by their finding.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Protocol

from circuitz.errors import CheckError
from circuitz.z.finding import Finding


class HasFindingsAndShares(Protocol):
    """What the prior reads of a report."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Findings."""
        ...

    @property
    def unexplained(self) -> Mapping[str, tuple[float, float, float]]:
        """Unexplained share by class: estimate, low, high."""
        ...


@dataclass(frozen=True)
class PriorWeights:
    """How much each kind of implausibility weighs.

    Parameters
    ----------
    driver
        A class that is driven by surroundings alone.
    support
        A class that nothing of the thing itself supports.
    word
        A mislabelled unit.
    unexplained
        A class of which nothing is explained.
    """

    driver: float = 1.0
    support: float = 0.5
    word: float = 0.1
    unexplained: float = 1.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not (math.isfinite(value) and value >= 0):
                raise CheckError(f"The weight of {name} is {value}.", "Give a number from 0 up.")
        if self.driver > self.unexplained:
            raise CheckError(
                f"A driver weighs {self.driver}, the unexplained {self.unexplained}: a model could "
                "gain by not saying what its units see.",
                "Let the unexplained weigh as much or more.",
            )


@dataclass(frozen=True)
class Prior:
    """The value and where it comes from.

    Parameters
    ----------
    value
        Log-prior, in (−∞, 0]; the sum of the terms.
    drivers, supports, words, unexplained
        The four terms, each ≤ 0.
    worst
        Ids of the flagged findings that cost something, the dearest first, with what they cost.
    """

    value: float
    drivers: float
    supports: float
    words: float
    unexplained: float
    worst: tuple[tuple[str, float], ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the breakdown as JSON values."""
        return {
            "value": self.value, "drivers": self.drivers, "supports": self.supports,
            "words": self.words, "unexplained": self.unexplained,
            "worst": [list(pair) for pair in self.worst],
        }  # fmt: skip


def log_prior(report: HasFindingsAndShares, weights: PriorWeights | None = None) -> Prior:
    """Log-prior of a z from its report (see the module for the formula).

    Parameters
    ----------
    report
        A check of z, on any split; findings whose estimate is not finite count as at the margin.
    weights
        What each kind costs.
    """
    w = weights or PriorWeights()
    # What holds a class back from outside is the same shortcut as what drives it.
    terms = {
        "implausible-driver": ("drivers", lambda f: w.driver * _excess_over_margin(f)),
        "inhibitory-shortcut": ("drivers", lambda f: w.driver * _excess_over_margin(f)),
        "missing-support": ("supports", lambda f: w.support * _support_shortfall(f)),
        "mislabelled-unit": ("words", lambda _: w.word),
    }
    costs: dict[str, list[float]] = {"drivers": [], "supports": [], "words": []}
    dear: list[tuple[str, float]] = []
    for finding in report.findings:
        if finding.verdict == "flagged" and finding.kind in terms:
            part, term = terms[finding.kind]
            cost = float(term(finding))
            costs[part].append(cost)
            if cost > 0:
                dear.append((finding.id, cost))
    parts = [-math.fsum(some) for some in costs.values()]
    parts.append(
        -w.unexplained * _sum_clipped_shares(share for share, _, _ in report.unexplained.values())
    )
    # -0.0 reads oddly on a screen.
    drivers, supports, words, unexplained = (part + 0.0 for part in parts)
    return Prior(
        value=math.fsum(parts) + 0.0,
        drivers=drivers,
        supports=supports,
        words=words,
        unexplained=unexplained,
        worst=tuple(sorted(dear, key=lambda pair: (-pair[1], pair[0]))),
    )


def _excess_over_margin(finding: Finding) -> float:
    """By how much the effect is beyond the margin, either way."""
    size = abs(finding.estimate)
    return max(size - finding.delta, 0.0) if math.isfinite(size) else 0.0


def _support_shortfall(finding: Finding) -> float:
    """How much of the margin the support falls short of: 1 at none, 2 at most."""
    if not math.isfinite(finding.estimate):
        return 1.0
    return min(max(1.0 - finding.estimate / finding.delta, 0.0), 2.0)


def _sum_clipped_shares(shares: Iterable[float]) -> float:
    """Sum of shares, each cut to 0 … 1; one that is not known counts as all."""
    known = [min(max(s, 0.0), 1.0) if math.isfinite(s) else 1.0 for s in shares]
    # No class at all was judged: nothing is explained.
    return math.fsum(known) if known else 1.0
