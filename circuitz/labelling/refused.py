"""What an export raises where z does not meet what it demands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitz.errors import CircuitzError

if TYPE_CHECKING:
    from circuitz.labelling.gates.gate import Gate
    from circuitz.z.finding import Finding
    from circuitz.z.model import AnnotatedModel


class ExportRefusedError(CircuitzError, RuntimeError):
    """The model does not meet what an export demands, and nobody let it pass.

    Parameters
    ----------
    findings
        The findings that stand against it.
    z
        The model with this reading of *audit* on record; save it, so that the reading counts.
    gates
        Every demand, with what came of it.
    """

    code = "export-refused"

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        findings: tuple[Finding, ...] = (),
        z: AnnotatedModel | None = None,
        gates: tuple[Gate, ...] = (),
    ) -> None:
        super().__init__(message, hint)
        self.findings = findings
        self.z = z
        self.gates = gates
