"""``circuitz check``."""

from __future__ import annotations

from typing import Annotated

import typer

from circuitz.cli.shell import Json, LexiconPath, Z, app, out, record


@app.command()
def check(
    z: Z,
    split: Annotated[str, typer.Option(help="Images the verdicts rest on.")] = "test",
    delta: Annotated[float, typer.Option(help="Effects below this share count as none.")] = 0.10,
    q: Annotated[float, typer.Option(help="False discovery rate within a kind.")] = 0.05,
    lexicon: LexiconPath = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 when something is flagged.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Do words and wiring agree? Judges what was measured; no network is run."""
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.plausibility.check import check as run_check
    from circuitz.plausibility.reads import log_reads
    from circuitz.z.bundle import load

    model = load(z)
    report = run_check(model, split=split, delta=delta, q=q, lexicon=Lexicon.load(lexicon))
    if report.reads:
        record(log_reads(model, report, why="circuitz check"), z)
    if as_json:
        print(report.to_json())
    else:
        out.print(repr(model.with_(findings=report.items)), markup=False, highlight=False)
        out.print(repr(report), markup=False, highlight=False)
    raise typer.Exit(report.exit_code() if strict else 0)
