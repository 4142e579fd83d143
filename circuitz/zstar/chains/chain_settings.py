"""How a search by J goes: proposals, kernels, heat, budgets."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from circuitz.errors import SearchError


@dataclass(frozen=True)
class ChainSettings:
    """How to search when M_prior and M_L are fitted.

    Parameters
    ----------
    proposals
        Proposals of a chain.
    silences
        How many of them silence units or open them again; each measures the network anew.
    words
        Whether words may change.
    lam
        λ of J = λ s + η Σ log M_L.
    eta
        η; by default fixed before the run from reference z's
        (:func:`circuitz.posterior.joint_score.likelihood_weight`).
    inputs
        Inputs of D that log M_L is summed over, drawn from its *test* rows.
    heat
        Temperature of the first proposal, in nats; it falls to a twentieth over two thirds of the
        proposals, and is 0 from there on.
    minutes
        Most minutes; none by default.
    images
        Source images a split when effects are measured.
    seed
        Of everything random.
    """

    proposals: int = 200
    silences: int = 20
    words: bool = True
    lam: float = 1.0
    eta: float | None = None
    inputs: int = 240
    heat: float = 1.0
    minutes: float | None = None
    images: int = 240
    seed: int = 0

    def __post_init__(self) -> None:
        small = min(self.proposals, self.inputs, self.images) < 1 or self.silences < 0
        if small or self.lam < 0 or (self.eta or 0) < 0 or self.heat < 0:
            raise SearchError(
                "A search needs one proposal, input and image or more, and no number below 0.",
                "Give positive numbers.",
            )
        if self.silences > self.proposals:
            raise SearchError(
                f"{self.silences} of {self.proposals} proposals cannot silence units.",
                "Give fewer silences, or more proposals.",
            )

    @classmethod
    def quick(cls, **changes: Any) -> ChainSettings:
        """Return settings for a look: 20 proposals."""
        return replace(cls(proposals=20, silences=2, inputs=120, images=90), **changes)

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return asdict(self)
