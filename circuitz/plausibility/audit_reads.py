"""Every look at *audit* is counted: what is decided there must not have been tuned on it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from circuitz.plausibility.report import Report

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

NOTE = "audit_reads"


def audit_reads(z: AnnotatedModel) -> tuple[dict[str, Any], ...]:
    """Every look at *audit* that was logged, oldest first."""
    found = z.notes.get(NOTE, [])
    return tuple(dict(read) for read in found) if isinstance(found, list) else ()


def with_audit_reads_logged(
    z: AnnotatedModel, report: Report, *, author: str = "", why: str = ""
) -> AnnotatedModel:
    """Return z with the report's looks at *audit* on record.

    Parameters
    ----------
    report
        A check of z; one that did not read *audit* changes nothing.
    author, why
        Who looked and for what, for instance ``export``.
    """
    if not report.reads:
        return z
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    new = [
        {"time": time, "author": author, "why": why, "z": z.hash, **read} for read in report.reads
    ]
    return z.with_(what="audit read", notes={**z.notes, NOTE: [*audit_reads(z), *new]})
