"""One demand of an export, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from circuitz.z.finding import Waiver

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

GateId = Literal[
    "findings",
    "words-on-d",
    "words-on-shifted",
    "words-tell-classes",
    "accuracy-floor",
    "accuracy-loss",
    "effects-again",
]
GateState = Literal["passed", "refused", "signed", "not measured"]
#: Every gate, in the order they are told.
GATE_IDS: tuple[GateId, ...] = (
    "findings",
    "words-on-d",
    "words-on-shifted",
    "words-tell-classes",
    "accuracy-floor",
    "accuracy-loss",
    "effects-again",
)
#: Gates that a named person may open by signing; findings are waived one by one.
SIGNABLE: tuple[GateId, ...] = (
    "words-on-d",
    "words-on-shifted",
    "words-tell-classes",
    "accuracy-floor",
    "accuracy-loss",
)
#: Where an exported z's notes keep them.
NOTE = "export_gates"
Figure = float | int | str | bool | None


@dataclass(frozen=True)
class Gate:
    """One demand of an export.

    Parameters
    ----------
    id
        Which one.
    state
        ``refused`` stops the export; ``signed`` would have, had nobody signed; ``not measured``
        says that the demand could not be tried, and stops nothing.
    sentence
        What was found, in words.
    figures
        The numbers it rests on.
    remedy
        What can be done; empty where nothing need be.
    signature
        Who signed it, and why.
    """

    id: GateId
    state: GateState
    sentence: str
    figures: Mapping[str, Figure] = field(default_factory=dict[str, Figure])
    remedy: str = ""
    signature: Waiver | None = None

    @property
    def stops_export(self) -> bool:
        """Whether the export is refused because of it."""
        return self.state == "refused"

    def to_json(self) -> dict[str, Any]:
        """Return the gate as JSON values."""
        return {**asdict(self), "figures": dict(self.figures)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Gate:
        """Read a gate back; of a signature, too."""
        signed = record.get("signature")
        fields: dict[str, Any] = {
            **record,
            "signature": None if signed is None else Waiver(**signed),
        }
        return cls(**fields)


def signed_where_refused(gates: Iterable[Gate], signatures: Mapping[str, Waiver]) -> list[Gate]:
    """Return gates with those opened that were refused, may be signed, and were."""
    return [
        replace(gate, state="signed", signature=signatures[gate.id])
        if gate.stops_export and gate.id in SIGNABLE and gate.id in signatures
        else gate
        for gate in gates
    ]


def export_gates(z: AnnotatedModel) -> tuple[Gate, ...]:
    """Return what came of the gates when z was exported; none of a z that was not, or of old."""
    return tuple(Gate.from_json(record) for record in z.notes.get(NOTE, ()))
