"""Nothing may be flagged on *audit* but what a named person lets stand."""

from __future__ import annotations

from circuitz.labelling.gates.gate import Gate
from circuitz.plausibility.report import Report


def findings_gate(report: Report) -> Gate:
    """Return whether findings stand against z.

    Parameters
    ----------
    report
        The check on *audit*, with the words alone that hold.
    """
    standing = report.flagged
    figures = {
        "flagged": len(standing),
        "waived": len(report.waived),
        "claims": len(report.findings),
    }
    if not standing:
        said = f"Nothing stands against this model on {report.split}"
        if report.waived:
            said += f" but {len(report.waived)} that were let stand"
        return Gate("findings", "passed", f"{said}.", figures)
    listed = "\n".join(f"  {f.id} {f.kind}: {f.sentence}" for f in standing)
    count = "1 finding stands" if len(standing) == 1 else f"{len(standing)} findings stand"
    return Gate(
        "findings",
        "refused",
        f"{count} against this model on {report.split}:\n{listed}",
        figures,
        "Repair it (circuitz search), or waive each with an author and a reason.",
    )
