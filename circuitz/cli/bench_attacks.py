"""``circuitz bench attacks``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from circuitz.cli.bench import bench
from circuitz.cli.bench_checker import parse_seed_range
from circuitz.cli.shell import Json, out, progress_bars, say

if TYPE_CHECKING:
    from circuitz.bench.attacks.attack_row import AttackRow


@bench.command("attacks")
def run_attack_bench(
    seeds: Annotated[
        str, typer.Option(metavar="A:B", help="Seeds A to B-1 of data, training and people.")
    ] = "0:1",
    names: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="NAME", help="Only this attack; give it again for more."),
    ] = None,
    twins: Annotated[
        list[str] | None,
        typer.Option(
            "--twin", metavar="TWIN", help="Only this benign twin, 'attack' for the attack itself."
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where finished rows are kept, so that a stopped run goes on; by default "
            "circuitz/attacks under $XDG_CACHE_HOME or ~/.cache.",
        ),
    ] = None,
    page: Annotated[
        Path | None, typer.Option("--page", help="Write the figures into this page.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Try to have z* exported where it is wrong, and see that what is benign is let through.

    Each attack is run from training to export, with simulated people who look at pictures, and so is
    each of its benign twins under the same settings. Nobody waives or signs anything. A finished row is
    kept at once: stop whenever you like, and the same command goes on.
    """
    from circuitz.bench.attacks.attack_case import AttackSizes
    from circuitz.bench.attacks.attack_page import write_attack_page
    from circuitz.bench.attacks.attack_table import ATTACKS, attack_cells, attack_rows
    from circuitz.bench.attacks.cell_cache import AttackCellCache, default_attack_cache

    wanted = None if twins is None else ["" if t == "attack" else t for t in twins]
    cells = attack_cells(parse_seed_range(seeds), names=names or tuple(ATTACKS), twins=wanted)
    sizes = AttackSizes()
    kept = AttackCellCache(cache or default_attack_cache(), sizes)
    done = sum(kept.read(c.name, c.twin, c.seed) is not None for c in cells)
    say.print(
        say_estimate(len(cells), done, kept.seconds_a_cell(), kept.folder),
        markup=False, highlight=False,
    )  # fmt: skip
    rows: list[AttackRow] = []
    try:
        with progress_bars(quiet=as_json) as steps:
            for row in attack_rows(cells, sizes=sizes, cache=kept, progress=_one_bar(steps)):
                rows.append(row)
                if as_json:
                    print(json.dumps(row.to_json()), flush=True)
    finally:
        if not as_json and rows:
            _print_rows(rows)
        if page is not None and rows:
            write_attack_page(page, rows, f"circuitz bench attacks --seeds {seeds}", kept.code)
        say.print(say_counts(rows, len(cells)), markup=False, highlight=False)


def _one_bar(steps: Callable[[str, int, int], None]) -> Callable[[str, int, int], None]:
    return lambda _what, done, total: steps("attacks", done, total)


def say_estimate(cells: int, done: int, seconds: float, folder: Path) -> str:
    """Say how long a run will take, before it is begun."""
    left = (cells - done) * seconds / 60
    there = f"{done} of {cells} rows are in {folder} already" if done else f"{cells} rows"
    if done == cells:
        return f"{there}."
    return f"{there}; about {max(left, 1):.0f} minutes on one core. Finished rows go to {folder}."


def say_counts(rows: list[AttackRow], cells: int) -> str:
    """Say how many attacks were exported wrongly, and how many benign twins were exported."""
    attacks, twins = [r for r in rows if not r.twin], [r for r in rows if r.twin]
    wrong = sum(r.exported and r.wrong for r in rows)
    let_through = sum(r.exported for r in twins)
    stopped = f" Stopped after {len(rows)} of {cells} rows." if len(rows) < cells else ""
    return (
        f"Exported and wrong: {wrong} of {len(rows)}. Attacks exported: "
        f"{sum(r.exported for r in attacks)} of {len(attacks)}; benign twins exported: {let_through} of "
        f"{len(twins)}. People are simulated.{stopped}"
    )


def _print_rows(rows: list[AttackRow]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for head in (
        "attack",
        "benign twin",
        "seed",
        "exported",
        "worst of D′",
        "oracle",
        "refused by",
    ):
        table.add_column(head, justify="left" if head in ("attack", "refused by") else "right")
    for row in rows:
        table.add_row(
            row.name, row.twin, str(row.seed), "yes" if row.exported else "no",
            f"{row.dprime_worst:.2f}", f"{row.oracle_worst:.2f}", row.reason,
        )  # fmt: skip
    out.print(table)
