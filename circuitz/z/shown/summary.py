"""z in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitz.disk.safe_text import escape_control_characters
from circuitz.z.assumed_preprocessing import preprocessing_is_assumed
from circuitz.z.edits.waivers import waivers_in_force
from circuitz.z.finding import Finding
from circuitz.z.shown.latest_check import findings_to_show

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

UNEXPLAINED = "unexplained-effect"


def unwaived_findings(z: AnnotatedModel) -> list[Finding]:
    """List findings that stand against z: flagged, and waived by nobody."""
    waived = waivers_in_force(z.waivers)
    return [
        finding
        for finding in findings_to_show(z)
        if finding.verdict == "flagged" and finding.waiver is None and finding.id not in waived
    ]


def finding_with_most_unexplained(z: AnnotatedModel) -> Finding | None:
    """Find the class whose effect is explained least, when that was checked."""
    shares = [finding for finding in findings_to_show(z) if finding.kind == UNEXPLAINED]
    return max(shares, key=lambda finding: finding.estimate, default=None)


def unexplained_text(z: AnnotatedModel) -> str:
    """Say how much of the worst class is unexplained, with its interval."""
    worst = finding_with_most_unexplained(z)
    if worst is None:
        return "unexplained share not checked"
    low, high = worst.ci
    target = worst.target.removeprefix("output:")
    return f"unexplained up to {worst.estimate:.0%} [{low:.0%}, {high:.0%}] ({target})"


def accuracy_text(z: AnnotatedModel) -> str:
    """Say how often the network is right on D, and whether that is any better than chance."""
    accuracy = z.accuracy
    if accuracy is None:
        return "accuracy on D not known"
    chance = "" if accuracy.beats_chance else ", no better than chance"
    return f"accuracy on D {accuracy}{chance}"


def count_with_noun(n: int, singular: str, plural: str = "") -> str:
    """Write number and noun: ``1 unit``, ``2 units``."""
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"


def summary_line(z: AnnotatedModel) -> str:
    """Return the line that ``repr`` shows."""
    sizes = {layer.name: layer.size for layer in z.layers}
    cut = ", ".join(f"{name} ({sizes[name]})" for name in z.cut) or "not chosen"
    parts = [
        count_with_noun(len(z.classes), "class", "classes"),
        count_with_noun(len(z.layers), "layer"),
        count_with_noun(sum(sizes.values()), "unit"),
        f"cut {cut}",
        accuracy_text(z),
        f"{len(z.effective())} annotated",
        f"{len(unwaived_findings(z))} flagged" if findings_to_show(z) else "not checked",
        unexplained_text(z),
    ]
    if preprocessing_is_assumed(z):
        parts.append("preprocessing assumed")
    if z.stale:
        parts.append(f"measurements stale ({', '.join(z.stale)} changed)")
    if z.findings_stale:
        parts.append(f"findings stale ({', '.join(z.findings_stale)} changed)")
    if not z.builder:
        parts.append("session only (no registered builder)")
    return escape_control_characters(f"AnnotatedModel {z.name}: {', '.join(parts)}")
