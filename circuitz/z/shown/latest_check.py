"""Which z's were checked in this session, for what is printed of them; findings are kept by no one else."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from circuitz.z.finding import Finding

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

_FINDINGS: WeakKeyDictionary[AnnotatedModel, tuple[Finding, ...]] = WeakKeyDictionary()


def remember_check(z: AnnotatedModel, findings: tuple[Finding, ...]) -> None:
    """Note that this very z was checked; an edited one is another and was not."""
    _FINDINGS[z] = findings


def findings_to_show(z: AnnotatedModel) -> tuple[Finding, ...]:
    """Return the findings that z carries, or else those of its latest check in this session."""
    return z.findings or _FINDINGS.get(z, ())
