"""Decisions to let findings stand: given, changed, taken back, and never erased.

Rows are kept oldest first. A later row about a finding replaces the one before it; one that is
*withdrawn* takes the decision back, and the finding stands against the model again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from circuitz.disk.safe_text import strip_and_check_name, strip_and_check_text
from circuitz.errors import AnnotationError
from circuitz.z.edits.history import utc_timestamp
from circuitz.z.finding import Waiver

FINDING = "finding:"
"""What the target of a waiver begins with in a history."""


def waivers_in_force(rows: Iterable[Waiver]) -> dict[str, Waiver]:
    """Return the decision in force by finding; those taken back are not among them."""
    last = {row.finding: row for row in rows}
    return {finding: row for finding, row in last.items() if not row.withdrawn}


def new_waiver(rows: Sequence[Waiver], finding: str, *, author: str, reason: str) -> Waiver:
    """Make the row that lets a finding stand, or changes why it may.

    Raises
    ------
    AnnotationError
        If the finding, the author or the reason is missing, too long or holds control
        characters, or the very same decision is in force already.
    """
    finding = _bare_finding_id(finding)
    if not author.strip() or not reason.strip():
        raise AnnotationError(
            "A waiver needs an author and a reason.", "Both are shown wherever z goes."
        )
    row = Waiver(
        finding,
        strip_and_check_name(author),
        strip_and_check_text(reason, what="reason"),
        utc_timestamp(),
    )
    before = waivers_in_force(rows).get(finding)
    if before is not None and (before.author, before.reason) == (row.author, row.reason):
        raise AnnotationError(
            f"{before.author} lets this finding stand already, for this very reason.",
            "Nothing was written.",
        )
    return row


def new_withdrawal(
    rows: Sequence[Waiver], finding: str, *, author: str, reason: str = ""
) -> Waiver:
    """Make the row that takes a waiver back.

    Raises
    ------
    AnnotationError
        If no waiver of this finding is in force, or the author is missing.
    """
    finding = _bare_finding_id(finding)
    if finding not in waivers_in_force(rows):
        raise AnnotationError(
            f"No waiver of {finding!r} is in force.", "z.waivers lists all that were given."
        )
    if not author.strip():
        raise AnnotationError(
            "Taking a waiver back needs an author.", "It is shown wherever z goes."
        )
    why = strip_and_check_text(reason, what="reason") if reason.strip() else ""
    return Waiver(finding, strip_and_check_name(author), why, utc_timestamp(), withdrawn=True)


def _bare_finding_id(finding: str) -> str:
    ident = finding.strip().removeprefix(FINDING)
    if not ident:
        raise AnnotationError("No finding was named.", "circuitz waive Z lists the ids.")
    return strip_and_check_text(ident, what="id of a finding")


def waiver_history_rows(rows: Sequence[Waiver], target: str | None = None) -> list[tuple[Any, ...]]:
    """Return what happened to waivers, as rows of ``history.history_table``, oldest first."""
    in_force = set(map(id, waivers_in_force(rows).values()))
    seen: set[str] = set()
    found: list[tuple[Any, ...]] = []
    for row in rows:
        place = f"{FINDING}{row.finding}"
        what = "unwaived" if row.withdrawn else "rewaived" if row.finding in seen else "waived"
        seen = seen - {row.finding} if row.withdrawn else seen | {row.finding}
        if target is None or target == place:
            said = (row.time, row.author, "person", what, place, row.reason, (), float("nan"))
            found.append((*said, id(row) in in_force, "", "", ""))
    return found


def merged_waivers(
    mine: Sequence[Waiver], theirs: Sequence[Waiver]
) -> tuple[tuple[Waiver, ...], list[tuple[str, Waiver, Waiver]]]:
    """Take over decisions that the other has and this one has not, in the order of their times.

    Returns
    -------
    The rows, and the findings that one side lets stand and the other does not, though both have
    decided since: with the last row here and there. Those stay as they are here.
    """
    new = [row for row in theirs if row not in mine]
    here, there = ({row.finding: row for row in rows} for rows in (mine, theirs))
    decided_here = {row.finding for row in mine if row not in theirs}
    clashing = {
        row.finding
        for row in new
        if row.finding in decided_here
        and here[row.finding].withdrawn != there[row.finding].withdrawn
    }
    taken = [row for row in new if row.finding not in clashing]
    rows = sorted((*mine, *taken), key=lambda row: row.time) if taken else mine
    return tuple(rows), [(name, here[name], there[name]) for name in sorted(clashing)]
