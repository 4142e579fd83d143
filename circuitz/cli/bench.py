"""``circuitz bench``: side-by-side runs that anybody can repeat."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from circuitz.cli.shell import Json, app, out, progress_bars, say

if TYPE_CHECKING:
    from circuitz.bench.speed import RowTiming

bench = typer.Typer(help="Side-by-side runs that you can repeat.", no_args_is_help=True)
app.add_typer(bench, name="bench")


@bench.command("speed")
def compare_speed_with_peers(
    rows: Annotated[
        list[str] | None,
        typer.Option("--rows", metavar="NAME", help="Only this row; give it again for more."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Smaller jobs, three rounds: a first look.")
    ] = False,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Rounds a row, instead of the row's own.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Time circuitz beside the tools you would use otherwise, and see whether the numbers agree.

    Both sides run in this process, in turn, several rounds; medians and spread are shown.
    """
    from circuitz.bench.machine import describe_machine
    from circuitz.bench.row_registry import load_speed_rows as find_rows
    from circuitz.bench.speed import time_rows

    chosen = find_rows(rows or ())
    with progress_bars() as steps:
        found = time_rows(chosen, quick=quick, rounds=rounds, progress=steps)
    on = describe_machine()
    if as_json:
        print(json.dumps({"quick": quick, "machine": on, "rows": [r.to_json() for r in found]}))
        return
    _print_timing_table(found)
    say.print(
        f"{on['cores']} cores, {on['torch_threads']} torch threads, load {on['load_1_minute']}"
        + (" · quick: smaller jobs than the table's" if quick else ""),
        markup=False,
    )


def _print_timing_table(timings: list[RowTiming]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("row", "ours", "peer", "ratio", "CPU ratio", "difference", "target"):
        table.add_column(name, justify="left" if name in {"row", "target"} else "right")
    for r in timings:
        low, high = r.spread.get("ratio", [0.0, 0.0])
        table.add_row(
            r.name,
            _format_seconds(r.ours_s),
            _format_seconds(r.peer_s),
            "" if r.ratio is None else f"{r.ratio:,.3g}× ({low:,.3g}-{high:,.3g})",
            "" if r.cpu_ratio is None else f"{r.cpu_ratio:,.3g}×",
            "" if r.max_abs_diff is None else f"{r.max_abs_diff:.1e}",
            r.target,
        )
    out.print(table)
    for r in timings:
        told = [r.note, *(f"{k} {_format_number_or_text(v)}" for k, v in r.facts.items())]
        if r.peer:
            told.insert(0, f"beside {r.peer}")
        line = "; ".join(filter(None, told))
        if line:
            out.print(f"{r.name}: {line}", markup=False, highlight=False)


def _format_seconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def _format_number_or_text(value: float | int | str) -> str:
    return (
        f"{value:,.4g}"
        if isinstance(value, float)
        else f"{value:,}"
        if isinstance(value, int)
        else value
    )
