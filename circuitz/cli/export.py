"""``circuitz export``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from circuitz.cli.shell import (
    Json,
    LexiconPath,
    Z,
    app,
    out,
    save_audit_reading_or_warn,
    say,
    say_remark,
)
from circuitz.labelling.gates.gate import Gate, export_gates
from circuitz.labelling.refused import ExportRefusedError


@app.command()
def export(
    z: Z,
    path: Annotated[Path, typer.Option("--out", help="Bundle to write z* to.")],
    shifted: Annotated[
        Path | None,
        typer.Option(
            "--shifted", help="D′, unlabelled: words must hold there, too.", metavar="DIR"
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            "--start",
            help="The z that z was searched from; found by itself where it lies beside z.",
        ),
    ] = None,
    data_path: Annotated[
        Path | None, typer.Option("--data", help="D, when it is not where z says.")
    ] = None,
    waive: Annotated[
        list[str] | None,
        typer.Option("--waive", help="Id of a finding to let stand; give --author and --reason."),
    ] = None,
    sign: Annotated[
        list[str] | None,
        typer.Option(
            "--sign",
            metavar="GATE",
            help="Gate to open all the same: words-on-d, words-on-shifted, words-tell-classes, accuracy-floor or "
            "accuracy-loss; give --author and --reason.",
        ),
    ] = None,
    author: Annotated[str, typer.Option(help="Who exports, lets findings stand and signs.")] = "",
    reason: Annotated[str, typer.Option(help="Why what is waived or signed may be.")] = "",
    lexicon: LexiconPath = None,
    as_json: Json = False,
) -> None:
    """Write z* for others to label with, decided on fresh images and pictures."""
    from circuitz.labelling.export import export as run_export
    from circuitz.labelling.export import waive as waiver
    from circuitz.labelling.gates.starting_z import find_start_beside
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.bundle.inputs_io import read_inputs
    from circuitz.z.bundle.load_save import load

    model = load(z)
    if data_path is not None:
        model = model.with_(data=read_inputs(data_path))
    begun = load(start) if start is not None else find_start_beside(model, z)
    if start is None and begun is not None and not as_json:
        say_remark(
            f"Held against {begun.name}, which lies beside it and which it was searched from."
        )
    decided = [*(waive or []), *(sign or [])]
    waivers = [waiver(one, author=author, reason=reason) for one in decided]
    try:
        made = run_export(
            model,
            path,
            shifted=shifted,
            start=begun,
            lexicon=Lexicon.load(lexicon),
            waivers=waivers,
            author=author,
        )
    except ExportRefusedError as refused:
        # The look at the audit split counts, whatever it led to.
        if refused.z is not None:
            save_audit_reading_or_warn(refused.z, z)
        if not as_json or not refused.gates:
            raise
        _print_json({"out": None, "refused": refused.message.strip()}, refused.gates)
        raise typer.Exit(1) from refused
    save_audit_reading_or_warn(
        model.with_(notes={**model.notes, "audit_reads": made.notes["audit_reads"]}), z
    )
    gates = export_gates(made)
    if as_json:
        _print_json({"out": str(path), "hash": made.hash, "findings": len(made.findings)}, gates)
        return
    for gate in gates:
        if gate.state != "passed":
            say.print(f"{gate.state}: {gate.sentence}", markup=False, highlight=False)
    out.print(f"Written to {path}: {made!r}", markup=False, highlight=False)


def _print_json(record: dict[str, Any], gates: tuple[Gate, ...]) -> None:
    print(json.dumps({**record, "gates": [gate.to_json() for gate in gates]}))
