"""The story that travels with an exported z: what it knows, what was checked, what was let stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitz.card.card import Card
from circuitz.card.field_guide import plain
from circuitz.plausibility.audit_reads import audit_reads
from circuitz.plausibility.prose import interval, percent
from circuitz.plausibility.report import Report

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

# What stands above it was written by people and is kept; what stands below is made anew.
MARK = "<!-- from here on written by circuitz export -->"


def write_story(z: AnnotatedModel, report: Report, card: Card) -> str:
    """Write the story of an exported z in Markdown.

    Parameters
    ----------
    z
        The model, its waivers and reads of *audit* on record.
    report
        The check on *audit* that decided.
    card
        What raters will hold.
    """
    own = z.story.partition(MARK)[0].rstrip()
    parts = [
        *([own] if own else [f"# {plain(z.name)}"]),
        MARK,
        card.to_text().replace("# How", "## How", 1).rstrip(),
        _checked(z, report),
    ]
    if report.waived:
        parts.append(_waived(report))
    open_ = [f for f in report.items if f.verdict == "inconclusive"]
    if open_:
        lines = [f"- {plain(f.sentence)} {plain(f.decide)}".rstrip() for f in open_[:20]]
        more = f"\n- and {len(open_) - 20} more" if len(open_) > 20 else ""
        parts.append("## Not settled\n\n" + "\n".join(lines) + more)
    return "\n\n".join(parts) + "\n"


def _checked(z: AnnotatedModel, report: Report) -> str:
    reads = len(audit_reads(z))
    supported = sum(f.verdict == "supported" for f in report.items)
    shares = ", ".join(
        f"{plain(name)} {interval(*share)}" for name, share in report.unexplained.items()
    )
    times = "once" if reads == 1 else f"{reads} times"
    return (
        "## What was checked\n\n"
        f"Decided on images kept aside for it, which were read {times}. Margin "
        f"{percent(float(report.settings['delta']))} of a class's whole effect, "
        f"q ≤ {report.settings['q']}. Of {len(report.items)} claims {supported} are supported, "
        f"{len(report.waived)} flagged and waived, "
        f"{sum(f.verdict == 'inconclusive' for f in report.items)} not settled.\n\n"
        f"Not explained by annotated units: {shares or 'not known'}."
    )


def _waived(report: Report) -> str:
    lines = [
        f"- {plain(f.sentence)} Waived by {plain(f.waiver.author)}: {plain(f.waiver.reason)}"
        for f in report.waived
        if f.waiver is not None
    ]
    return "## What was let stand\n\n" + "\n".join(lines)
