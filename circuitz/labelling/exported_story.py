"""The story that travels with an exported z: what it knows, what was checked, what was let stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from circuitz.cards.card import Card
from circuitz.cards.field_guide import escape_markdown
from circuitz.labelling.gates.gate import Gate
from circuitz.plausibility.audit_reads import audit_reads
from circuitz.plausibility.prose import format_share_with_interval, percent
from circuitz.plausibility.report import Report

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

# What stands above it was written by people and is kept; what stands below is made anew.
MARK = "<!-- from here on written by circuitz export -->"


def exported_story_markdown(
    z: AnnotatedModel, report: Report, card: Card, gates: Sequence[Gate] = ()
) -> str:
    """Write the story of an exported z in Markdown.

    Parameters
    ----------
    z
        The model, its waivers and reads of *audit* on record.
    report
        The check on *audit* that decided.
    card
        What raters will hold.
    gates
        What the export demanded, and what came of it.
    """
    own = z.story.partition(MARK)[0].rstrip()
    parts = [
        *([own] if own else [f"# {escape_markdown(z.name)}"]),
        MARK,
        card.to_text().replace("# How", "## How", 1).rstrip(),
        _section_on_what_was_checked(z, report),
    ]
    if gates:
        parts.append(_section_on_gates(gates))
    if report.waived:
        parts.append(_section_on_waived_findings(report))
    open_ = [f for f in report.findings if f.verdict == "inconclusive"]
    if open_:
        lines = [
            f"- {escape_markdown(f.sentence)} {escape_markdown(f.decide)}".rstrip()
            for f in open_[:20]
        ]
        more = f"\n- and {len(open_) - 20} more" if len(open_) > 20 else ""
        parts.append("## Not settled\n\n" + "\n".join(lines) + more)
    return "\n\n".join(parts) + "\n"


def _section_on_what_was_checked(z: AnnotatedModel, report: Report) -> str:
    reads = len(audit_reads(z))
    supported = sum(f.verdict == "supported" for f in report.findings)
    shares = ", ".join(
        f"{escape_markdown(name)} {format_share_with_interval(*share)}"
        for name, share in report.unexplained.items()
    )
    times = "once" if reads == 1 else f"{reads} times"
    return (
        "## What was checked\n\n"
        f"Decided on images kept aside for it, which were read {times}. Margin "
        f"{percent(float(report.settings['delta']))} of a class's whole effect, "
        f"q ≤ {report.settings['q']}. Of {len(report.findings)} claims {supported} are supported, "
        f"{len(report.waived)} flagged and waived, "
        f"{sum(f.verdict == 'inconclusive' for f in report.findings)} not settled.\n\n"
        f"Not explained by annotated units: {shares or 'not known'}."
    )


def _section_on_gates(gates: Sequence[Gate]) -> str:
    lines: list[str] = []
    for gate in gates:
        line = f"- **{gate.state}** ({gate.id}): {escape_markdown(gate.sentence)}"
        if gate.signature is not None:
            who, why = gate.signature.author, gate.signature.reason
            line += f" Signed by {escape_markdown(who)}: {escape_markdown(why)}"
        lines.append(line)
    return "## What the export demanded\n\n" + "\n".join(lines)


def _section_on_waived_findings(report: Report) -> str:
    lines = [
        f"- {escape_markdown(f.sentence)} Waived by {escape_markdown(f.waiver.author)}: {escape_markdown(f.waiver.reason)}"
        for f in report.waived
        if f.waiver is not None
    ]
    return "## What was let stand\n\n" + "\n".join(lines)
