"""``circuitz bench stranger``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from circuitz.cli.bench import bench
from circuitz.cli.bench_checker import parse_seed_range
from circuitz.cli.shell import Json, out, progress_bars

if TYPE_CHECKING:
    from circuitz.bench.stranger.run_stranger import StrangerRow


@bench.command("stranger")
def repair_from_image_labels_alone(
    shortcuts: Annotated[
        list[str] | None,
        typer.Option(
            "--shortcut", metavar="NAME", help="ground, collar or tag; give it again for more."
        ),
    ] = None,
    seeds: Annotated[
        str, typer.Option(metavar="A:B", help="Seeds A to B-1 of data, training and search.")
    ] = "0:1",
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer pictures: to see that it runs.")
    ] = False,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Keep pictures and bundles in this folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Repair a network that a stranger brings: folders, image labels, no masks and no pairs.

    A second dog world, drawn by other code than the first, is written as a user would bring it:
    class folders, and a concept set with eight or nine columns, among which snow and grass but none
    of the other grounds. Then new, check, search and evaluate run from these files alone.
    """
    import tempfile

    from circuitz.bench.stranger.run_stranger import QUICK_SIZES, run_stranger

    rows: list[StrangerRow] = []
    jobs = [(s, n) for s in shortcuts or ["ground"] for n in parse_seed_range(seeds)]
    with progress_bars(quiet=as_json) as steps, tempfile.TemporaryDirectory() as scratch:
        for i, (shortcut, seed) in enumerate(jobs):
            place = (folder or Path(scratch)) / f"{shortcut}-{seed}"
            row = run_stranger(
                place, shortcut=shortcut, seed=seed, sizes=QUICK_SIZES if quick else None,
                progress=lambda what, i=i: steps(what, i, len(jobs)),
            )  # fmt: skip
            rows.append(row)
            if as_json:
                print(json.dumps(row.to_json(), ensure_ascii=False), flush=True)
    if not as_json:
        _print_stranger_rows(rows)


def _print_stranger_rows(rows: list[StrangerRow]) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("shortcut", "seed", "start", "z*", "oracle", "share", "search"):
        table.add_column(name, justify="left" if name == "shortcut" else "right")
    for r in rows:
        table.add_row(
            r.shortcut, str(r.seed), f"{r.start_worst:.2f}", f"{r.worst:.2f}",
            f"{r.oracle_worst:.2f}", f"{r.share_of_oracle:.2f}", f"{r.seconds:.0f} s",
        )  # fmt: skip
    out.print("Accuracy of the worst breed × cell of D′; share: z* of the oracle.")
    out.print(table)
