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
    weights, pixels
        How many of them train the network for some steps: on pictures of D as they are, and with
        one concept edited in them.
    steps, rate
        Most steps and largest learning rate of a training; each draws its own below them.
    flip
        Whether training mirrors half of the images; not where left and right mean something.
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
    weights: int = 6
    pixels: int = 6
    steps: int = 300
    rate: float = 5e-3
    flip: bool = True
    words: bool = True
    lam: float = 1.0
    eta: float | None = None
    inputs: int = 240
    heat: float = 1.0
    minutes: float | None = None
    images: int = 240
    seed: int = 0

    def __post_init__(self) -> None:
        small = min(self.proposals, self.inputs, self.images, self.steps) < 1
        small = small or min(self.silences, self.weights, self.pixels) < 0 or self.rate <= 0
        if small or self.lam < 0 or (self.eta or 0) < 0 or self.heat < 0:
            raise SearchError(
                "A search needs one proposal, input and image or more, and no number below 0.",
                "Give positive numbers.",
            )
        if self.silences + self.weights + self.pixels > self.proposals:
            raise SearchError(
                f"{self.silences} of {self.proposals} proposals cannot silence units, "
                f"{self.weights} train weights and {self.pixels} edit pixels.",
                "Give fewer of these, or more proposals.",
            )

    @classmethod
    def quick(cls, **changes: Any) -> ChainSettings:
        """Return settings for a look: 20 proposals, two of which train the network."""
        few = cls(
            proposals=20, silences=2, weights=1, pixels=1, steps=150, inputs=120, images=90
        )  # fmt: skip
        return replace(few, **changes)

    @classmethod
    def words_only(cls, **changes: Any) -> ChainSettings:
        """Return settings of the control: words change, and the network stays as it is."""
        return replace(cls(silences=0, weights=0, pixels=0), **changes)

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return asdict(self)
