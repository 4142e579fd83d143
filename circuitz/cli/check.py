"""``circuitz check``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from circuitz.cli.shell import Json, LexiconPath, Z, app, out, save_audit_reading_or_warn, say
from circuitz.errors import CircuitzError


@app.command()
def check(
    z: Z,
    split: Annotated[str, typer.Option(help="Images the verdicts rest on.")] = "test",
    delta: Annotated[float, typer.Option(help="Effects below this share count as none.")] = 0.10,
    q: Annotated[float, typer.Option(help="False discovery rate within a kind.")] = 0.05,
    lexicon: LexiconPath = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Exit 1 when something is flagged (and not waived), when nothing could be decided, "
            "or when what was measured is stale.",
        ),
    ] = False,
    untrained: Annotated[
        bool,
        typer.Option(
            "--untrained",
            help="Check a network that is right on D no more often than chance all the same.",
        ),
    ] = False,
    everywhere: Annotated[
        bool,
        typer.Option(
            "--everywhere",
            help="Words count only if people were asked about them on D and D′, and they hold "
            "there (circuitz words).",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Do words and wiring agree? Judges what was measured; no network is run."""
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.plausibility.audit_reads import with_audit_reads_logged
    from circuitz.plausibility.check import check as run_check
    from circuitz.z.bundle.load_save import load
    from circuitz.z.word_match import POPULATIONS

    try:
        model = load(z)
        report = run_check(
            model, split=split, delta=delta, q=q, lexicon=Lexicon.load(lexicon),
            untrained=untrained, populations=POPULATIONS if everywhere else POPULATIONS[:1],
        )  # fmt: skip
    except CircuitzError as error:
        # Who reads standard output gets an answer there too; the rest is told as ever.
        if as_json:
            record_of = {"code": error.code, "message": error.message, "hint": error.hint}
            print(json.dumps({"error": record_of}, ensure_ascii=False))
        raise
    if report.reads:
        save_audit_reading_or_warn(with_audit_reads_logged(model, report, why="circuitz check"), z)
    if as_json:
        print(report.to_json())
    else:
        out.print(repr(model.with_(findings=report.findings)), markup=False, highlight=False)
        out.print(repr(report), markup=False, highlight=False)
    against = report.against() if strict else ""
    if against:
        say.print(f"--strict: {against}.", markup=False, highlight=False)
    raise typer.Exit(1 if against else 0)
