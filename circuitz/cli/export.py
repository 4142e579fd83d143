"""``circuitz export``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from circuitz.cli.shell import Json, LexiconPath, Z, app, out, save_audit_reading_or_warn
from circuitz.labelling.refused import ExportRefusedError


@app.command()
def export(
    z: Z,
    path: Annotated[Path, typer.Option("--out", help="Bundle to write z* to.")],
    waive: Annotated[
        list[str] | None,
        typer.Option("--waive", help="Id of a finding to let stand; give --author and --reason."),
    ] = None,
    author: Annotated[str, typer.Option(help="Who exports, and lets findings stand.")] = "",
    reason: Annotated[str, typer.Option(help="Why the waived findings may stand.")] = "",
    lexicon: LexiconPath = None,
    as_json: Json = False,
) -> None:
    """Write z* for others to label with, decided on the audit split."""
    from circuitz.labelling.export import export as run_export
    from circuitz.labelling.export import waive as waiver
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.bundle.load_save import load

    model = load(z)
    waivers = [waiver(finding, author=author, reason=reason) for finding in waive or []]
    try:
        made = run_export(
            model, path, lexicon=Lexicon.load(lexicon), waivers=waivers, author=author
        )
    except ExportRefusedError as refused:
        # The look at the audit split counts, whatever it led to.
        if refused.z is not None:
            save_audit_reading_or_warn(refused.z, z)
        raise
    save_audit_reading_or_warn(
        model.with_(notes={**model.notes, "audit_reads": made.notes["audit_reads"]}), z
    )
    if as_json:
        print(json.dumps({"out": str(path), "hash": made.hash, "findings": len(made.findings)}))
    else:
        out.print(f"Written to {path}: {made!r}", markup=False, highlight=False)
