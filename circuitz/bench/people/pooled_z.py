"""A z of the pool as what is kept of it: its card, what its cues do on inputs, and its truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.cards.card import Card

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class NetworkTruth:
    """How good a network is. For evaluation alone: nobody who answers or learns sees it.

    Parameters
    ----------
    d
        Accuracy on held-out D.
    d_prime
        Accuracy on D′.
    worst
        Of its worst group, which ``group`` names.
    """

    d: float
    d_prime: float
    worst: float
    group: str


@dataclass(frozen=True, eq=False)
class NetworkReadings:
    """What a network does on some pictures of D and on D′.

    Parameters
    ----------
    units
        Units of the cut, the order of axis ``u``.
    rows_d, rows_shifted
        Which pictures of the lineage's D and D′.
    responses_d, responses_shifted
        ``(n, u)`` mean responses.
    logits_shifted
        ``(n, k)``.
    """

    units: tuple[str, ...]
    rows_d: I64
    rows_shifted: I64
    responses_d: F32
    responses_shifted: F32
    logits_shifted: F32

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return it as arrays by name."""
        return {
            "units": np.array(self.units),
            "rows_d": self.rows_d,
            "rows_shifted": self.rows_shifted,
            "responses_d": self.responses_d,
            "responses_shifted": self.responses_shifted,
            "logits_shifted": self.logits_shifted,
        }

    @classmethod
    def from_arrays(cls, arrays: Any) -> NetworkReadings:
        """Read it back."""
        return cls(
            units=tuple(str(u) for u in arrays["units"]),
            rows_d=arrays["rows_d"],
            rows_shifted=arrays["rows_shifted"],
            responses_d=arrays["responses_d"],
            responses_shifted=arrays["responses_shifted"],
            logits_shifted=arrays["logits_shifted"],
        )


@dataclass(frozen=True, eq=False)
class PooledZ:
    """One z of the pool.

    Parameters
    ----------
    lineage, world, shortcut, network, words
        Where it comes from: the lineage's name, how the network was made, what words it has.
    card
        Its card as people see it.
    levels_d, levels_shifted
        ``(n, c)`` activity of the card's cues on the pictures read
        (:func:`circuitz.cards.cue_levels.cue_levels`).
    readings, truth
        Of its network.
    counts
        What tests of its words came to, by verdict, and how many answers they took.
    """

    lineage: str
    world: str
    shortcut: str
    network: str
    words: str
    card: Card
    levels_d: F32
    levels_shifted: F32
    readings: NetworkReadings
    truth: NetworkTruth
    counts: dict[str, int]

    @property
    def name(self) -> str:
        """For instance ``dogs-collar-0/repaired/permuted``."""
        return f"{self.lineage}/{self.network}/{self.words}"
