"""What came of one attack, or of its benign twin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class AttackRow:
    """What came of one attack, or of its benign twin.

    Parameters
    ----------
    name, twin, seed
        Which; ``twin`` is empty where it is the attack.
    exported, reason
        Whether the export wrote it, and what refused it.
    dprime_worst, oracle_worst, start_worst
        Accuracy of the worst class × cell of D′: of z*, of a network trained on data in which
        nothing is tied to a class, and of the network before the search.
    wrong
        Whether z* lies more than :data:`circuitz.bench.attacks.run_attack.WRONG_BELOW_ORACLE`
        below that oracle.
    answers
        Answers of simulated people that were used.
    areas
        How well a class's words tell it on fresh pictures of D′, as the gate of export reads it.
    seconds
        What it took.
    """

    name: str
    twin: str
    seed: int
    exported: bool
    reason: str
    dprime_worst: float
    oracle_worst: float
    start_worst: float
    wrong: bool
    answers: int
    areas: Mapping[str, float] = field(default_factory=dict[str, float])
    seconds: float = 0.0

    @property
    def as_it_should(self) -> bool:
        """Whether an attack was not exported wrongly, and a benign twin was exported and right."""
        if self.twin:
            return self.exported and not self.wrong
        return not (self.exported and self.wrong)

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        return {**asdict(self), "areas": dict(self.areas), "simulated": True}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> AttackRow:
        """Read a row back."""
        return cls(**{f.name: record[f.name] for f in fields(cls) if f.name in record})
