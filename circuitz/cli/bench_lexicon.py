"""``circuitz bench lexicon``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from circuitz.cli.bench import bench
from circuitz.cli.shell import Json, LexiconPath, out, say

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon

_SHARES = (0.0, 0.25, 0.5, 1.0)


@bench.command("lexicon")
def score_lexicon(
    pairs: Annotated[
        list[Path] | None,
        typer.Argument(
            help="CSV files: concept, subject, legitimate. The shipped ones by default."
        ),
    ] = None,
    lexicon: LexiconPath = None,
    drop: Annotated[
        bool,
        typer.Option("--drop", help="Once more without some or all words of the test worlds."),
    ] = False,
    z: Annotated[
        Path | None,
        typer.Option("--z", help="With --drop: what the check of this bundle says then."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the words that are dropped.")] = 0,
    as_json: Json = False,
) -> None:
    """Judge pairs of concept and class whose truth people told, and count who is accused wrongly.

    The shipped pairs were written by people who had not read the code; rules were corrected on all but
    the blind ones.
    """
    from circuitz.bench.prior.fewer_entries import without_world_entries
    from circuitz.lexicon.lexicon import Lexicon

    known = Lexicon.load(lexicon)
    shares = _SHARES if drop else (0.0,)
    rows = [
        {"dropped": share, **row}
        for share in shares
        for row in _score_sets(pairs or [], without_world_entries(known, share, seed))
    ]
    checks = (
        [_count_findings(z, without_world_entries(known, share, seed), share) for share in shares]
        if z is not None
        else []
    )
    if as_json:
        print(json.dumps({"seed": seed, "pairs": rows, "checks": checks}, ensure_ascii=False))
        return
    _print_scores(rows)
    for found in checks:
        line = ", ".join(f"{value} {name}" for name, value in found.items() if name != "dropped")
        out.print(f"{found['dropped']:.0%} dropped, check of {z}: {line}", markup=False)
    if drop:
        say.print(f"seed {seed}; the check reads what was measured: nothing is trained again")


def _score_sets(paths: list[Path], lexicon: Lexicon) -> list[dict[str, Any]]:
    from circuitz.bench.prior.score_pairs import (
        SHIPPED,
        read_pairs,
        read_shipped_pairs,
        score_pairs,
    )

    sets = (
        [(path.name, read_pairs(path)) for path in paths]
        if paths
        else [(name, read_shipped_pairs(name)) for name in SHIPPED]
    )
    return [score_pairs(name, some, lexicon).to_json() for name, some in sets]


def _count_findings(path: Path, lexicon: Lexicon, share: float) -> dict[str, Any]:
    """Count the verdicts of a check, and what it says of surroundings."""
    from circuitz.plausibility.check import check
    from circuitz.z.bundle.load_save import load

    report = check(load(path), lexicon=lexicon)
    verdicts = [f.verdict for f in report.findings]
    convicted = sorted(
        {f"{f.kind} {f.target.removeprefix('output:')}" for f in report.of("implausible-driver")
         if f.verdict == "flagged"}
    )  # fmt: skip
    return {
        "dropped": share,
        **{
            verdict: verdicts.count(verdict) for verdict in ("flagged", "supported", "inconclusive")
        },
        "convicted": "; ".join(convicted) or "none",
        "unknown kinds": sum(p.code == "unknown-kinds" for p in report.problems),
    }


def _print_scores(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    heads = ("dropped", "pairs", "wrongly accused", "rightly accused", "judged", "AUROC")
    for head in heads:
        table.add_column(head, justify="left" if head == "pairs" else "right")
    for row in rows:
        others = row["pairs"] - row["legitimate"]
        table.add_row(
            f"{row['dropped']:.0%}",
            str(row["name"]),
            f"{row['wrong_accusations']} of {row['legitimate']}",
            f"{row['right_accusations']} of {others}",
            f"{row['judged']:.1%}",
            f"{row['auroc']:.3f}",
        )
    out.print(table)
