"""What an export raises where findings stand against z."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitz.errors import CircuitzError

if TYPE_CHECKING:
    from circuitz.z.finding import Finding
    from circuitz.z.model import AnnotatedModel


class ExportRefusedError(CircuitzError, RuntimeError):
    """Findings stand against the model and nobody waived them.

    Parameters
    ----------
    findings
        The findings that stand against it.
    z
        The model with this reading of *audit* on record; save it, so that the reading counts.
    """

    code = "export-refused"

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        findings: tuple[Finding, ...] = (),
        z: AnnotatedModel | None = None,
    ) -> None:
        super().__init__(message, hint)
        self.findings = findings
        self.z = z
