"""The posterior of a z: λ · log M_prior(z) + Σ over D of log M_L(y | x, z)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from circuitz.cards.make_card import card
from circuitz.measurement.cut_responses import cut_responses
from circuitz.patching.source_rows import rows_of_select_split
from circuitz.plausibility.report import Report
from circuitz.posterior.likelihood import log_likelihood
from circuitz.posterior.prior import log_prior
from circuitz.z.inputs import InputSet
from circuitz.z.model import AnnotatedModel

# λ is stored as a share of the number of inputs in D: at 1, a prior lower by one is worth one nat
# an input. Comparisons of plausibility fix the prior only up to a scale, so it is swept.
LAMBDA = 1.0
# Priors, an input, that differ by less than this differ by what other source images would change.
_ALIKE = 0.02
SWEEP = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


@dataclass(frozen=True)
class PosteriorTerms:
    """The terms of one z's posterior.

    Parameters
    ----------
    prior
        log M_prior, 0 at most.
    likelihood
        Sum over D's *select* inputs of log M_L, in nats.
    n
        Those inputs.
    accuracy
        Share of them a rater who holds the card would label right.
    flagged
        Findings that stand against the z.
    network
        Share of them the network itself labels right.
    """

    prior: float
    likelihood: float
    n: int
    accuracy: float
    flagged: int
    network: float = 1.0

    def posterior(self, lam: float = LAMBDA) -> float:
        """Return λ · n · prior + likelihood."""
        return lam * self.n * self.prior + self.likelihood

    def to_json(self) -> dict[str, float]:
        """Return the terms by name."""
        return asdict(self)


def compute_posterior_terms(z: AnnotatedModel, report: Report, data: InputSet) -> PosteriorTerms:
    """Score a measured z.

    Parameters
    ----------
    z
        Measured and annotated model.
    report
        Its check on *test*.
    data
        D with labels.
    """
    assert data.labels is not None
    assert z.measurements is not None
    assert z.measurements.effects is not None
    rows = rows_of_select_split(data)
    read = cut_responses(z, data, rows)
    labels = data.labels[rows]
    found = log_likelihood(
        card(z, report).counted, read.responses, read.units, labels, z.measurements.effects
    )
    return PosteriorTerms(
        prior=log_prior(report).value,
        likelihood=found.total,
        n=len(rows),
        accuracy=found.accuracy,
        flagged=len(report.flagged),
        network=float((read.logits.argmax(1) == labels).mean()),
    )


def choose_z_star_index(
    scores: Sequence[PosteriorTerms], drivers: Sequence[int], lam: float = LAMBDA
) -> int:
    """Return the index of the z that is z*.

    A z that rests on a flagged driver cannot be exported: by the posterior alone, a black box
    would lose to a shortcut that has a name. So the best is looked for among those with the fewest;
    of several that are no worse than noise, it is the one trained longest.

    Parameters
    ----------
    scores
        Of the z's visited, in order.
    drivers
        How many implausible drivers are flagged in each.
    lam
        λ.
    """
    value = {
        i: score.posterior(lam) for i, score in enumerate(scores) if drivers[i] == min(drivers)
    }
    noise = lam * _ALIKE * scores[0].n
    return max(i for i in value if value[i] >= max(value.values()) - noise)


def chosen_index_by_lambda(
    scores: list[PosteriorTerms], lams: tuple[float, ...] = SWEEP
) -> dict[str, int]:
    """Return, for every λ, the index of the z that would have been chosen."""
    return {
        f"{lam:g}": int(np.argmax([s.posterior(lam) for s in scores])) for lam in lams if scores
    }
