"""``circuitz bench people``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from circuitz.cli.bench import bench
from circuitz.cli.bench_checker import parse_seed_range
from circuitz.cli.shell import Json, out, progress_bars, say


@bench.command("people")
def run_people_figures(
    quick: Annotated[
        bool, typer.Option("--quick", help="A smaller pool and fewer answers: a first look.")
    ] = False,
    seeds: Annotated[
        str | None,
        typer.Option(metavar="A:B", help="Seeds A to B-1 of the dogs' lineages; 0:2 by default."),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            help="Where networks and z's are kept, so that a stopped run goes on; by default "
            "circuitz/people under $XDG_CACHE_HOME or ~/.cache."
        ),
    ] = None,
    attacks: Annotated[
        Path | None,
        typer.Option(
            "--attacks",
            help="Rows that circuitz bench attacks --json printed; without, attacks are not run.",
        ),
    ] = None,
    page: Annotated[
        Path | None, typer.Option("--page", help="Write the figures into this page.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Fit M_prior, M_L and M_L_test to simulated people, and score them on people and z's left out.

    Every figure is simulated. What was not measured is null, with a reason under not_measured.
    """
    from circuitz.bench.people.people_bench import run_people_bench
    from circuitz.bench.people.people_record import write_people_record
    from circuitz.bench.people.pool import default_cache

    chosen = None if seeds is None else parse_seed_range(seeds)
    with progress_bars() as steps:
        figures = run_people_bench(
            quick=quick,
            seeds=chosen,
            cache=cache or default_cache(),
            attack_rows=attacks,
            progress=steps,
        )
    if page is not None:
        command = "circuitz bench people" + " --quick" * quick
        command += "" if chosen is None else f" --seeds {chosen.start}:{chosen.stop}"
        write_people_record(page, figures, command)
    if as_json:
        print(json.dumps(figures, ensure_ascii=False))
        return
    _print_people_figures(figures)


def _print_people_figures(figures: dict[str, Any]) -> None:
    from rich.table import Table

    from circuitz.bench.people.people_record import figure_as_text

    table = Table(box=None, pad_edge=False)
    for head in ("figure (simulated)", "measured", "aim", ""):
        table.add_column(head, justify="right" if head == "measured" else "left")
    for aim in figures["aims"]:
        state = "met" if aim["met"] else "not measured" if aim["value"] is None else "missed"
        table.add_row(aim["what"], figure_as_text(aim["value"]), aim["aim"], state)
    out.print(table)
    for what, why in figures["not_measured"].items():
        out.print(f"not measured: {what}: {why}", markup=False, highlight=False)
    pool = figures["pool"]
    say.print(
        f"{pool['zs']} z's of {pool['networks']} networks; {figures['seconds']} s. All people are simulated.",
        markup=False, highlight=False,
    )  # fmt: skip
