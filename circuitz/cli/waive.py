"""``circuitz waive``: letting findings stand, and taking that back."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from circuitz.cli.shell import Json, LexiconPath, Z, app, out
from circuitz.disk.safe_text import escape_control_characters
from circuitz.errors import CheckError, MeasurementError

if TYPE_CHECKING:
    from circuitz.widgets.studio.editing_session import EditingSession
    from circuitz.z.finding import Finding


@app.command("waive")
def waive_finding(
    z: Z,
    finding: Annotated[
        str, typer.Argument(help="Id of the finding; without one, list what was decided.")
    ] = "",
    author: Annotated[str, typer.Option(help="Who decides.")] = "",
    reason: Annotated[
        str, typer.Option(help="Why it may stand; with --undo, why no longer, if you like.")
    ] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take the waiver back.")] = False,
    lexicon: LexiconPath = None,
    as_json: Json = False,
) -> None:
    """Let a finding stand, change why, or take that back (--undo); every decision stays on record."""
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.widgets.studio.editing_session import EditingSession

    words = None if lexicon is None else Lexicon.load(lexicon)
    desk = EditingSession(z, author=author, lexicon=words)
    if finding:
        done = desk.unwaive if undo else desk.waive
        said = done(finding, author, reason)
        if not as_json:
            out.print(said)
            return
    elif undo or author or reason:
        raise typer.BadParameter("Name the finding; circuitz waive Z lists the ids.")
    _print_decisions(desk, as_json=as_json)


def _print_decisions(desk: EditingSession, *, as_json: bool) -> None:
    """Print what stands against z, and every decision, the latest last."""
    from circuitz.z.edits.waivers import waivers_in_force

    standing = waivers_in_force(desk.z.waivers).values()
    flagged = _flagged_findings(desk)
    if as_json:
        decided = [{**asdict(row), "in_force": row in standing} for row in desk.z.waivers]
        waiting = [{"id": f.id, "kind": f.kind, "sentence": f.sentence} for f in flagged]
        print(json.dumps({"flagged": waiting, "decided": decided}, ensure_ascii=False))
        return
    for one in flagged:
        out.print(
            f"{one.id} {one.kind}: {one.sentence}", markup=False, highlight=False, soft_wrap=True
        )
    if not desk.z.waivers:
        out.print(f"Nothing was waived{'' if flagged else ', and nothing is flagged'}.")
        return
    table = Table("finding", "time", "who", "what", "why", title="What was decided")
    for row in desk.z.waivers:
        what = "taken back" if row.withdrawn else "waived" if row in standing else "replaced"
        cells = (row.finding, row.time[:16].replace("T", " "), row.author, what, row.reason)
        table.add_row(*(Text(escape_control_characters(cell)) for cell in cells))
    out.print(table)


def _flagged_findings(desk: EditingSession) -> tuple[Finding, ...]:
    """Return what is flagged and not waived; nothing where z cannot be checked."""
    try:
        return desk.report().flagged
    except (MeasurementError, CheckError):
        return ()
