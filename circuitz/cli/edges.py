"""``circuitz edges``."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from circuitz.cli.shell import Json, Seed, Z, app, out, progress_bars

if TYPE_CHECKING:
    import pandas as pd

    from circuitz.effects.edge.edges import EdgeTable

_MOST = 20
_FEW = 5


@app.command()
def edges(
    z: Z,
    source: Annotated[
        str, typer.Option("--from", help="The earlier layer, or a basis over it: conv3@nmf.")
    ],
    target: Annotated[str, typer.Option("--to", help="The later layer, or a basis over it.")],
    toward: Annotated[str, typer.Option("--class", help="The class that inputs turn into.")],
    unit: Annotated[
        list[int] | None, typer.Option(help="Number of a unit of --to; again for more; else all.")
    ] = None,
    images: Annotated[int, typer.Option(help="Source images, evenly over classes.", min=2)] = 120,
    both: Annotated[
        bool,
        typer.Option("--both", help="Exchange each unit as the first and as the last: shares sum."),
    ] = False,
    split: Annotated[str, typer.Option(help="Images it is measured on.")] = "test",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Which units or directions of one layer drive which of a later one, run exactly.

    In shares of what the target does when the whole earlier layer takes values from inputs of
    the class. What a basis leaves of its layer has a row of its own, NAME:rest.
    """
    from circuitz.effects.edge.edges import edges as measure
    from circuitz.z.bundle.load_save import load

    model = load(z)
    with progress_bars() as bars:
        found = measure(
            model, source, target, toward, units=unit, images=images, both=both, split=split,
            seed=seed, progress=lambda done, n: bars("exchange units", done, n),
        )  # fmt: skip
    if as_json:
        told = {
            "edges": _rows_with_nan_as_null(found.frame),
            "sums": _rows_with_nan_as_null(found.sums.reset_index()),
        }
        about = {"held": found.held, "images": found.images, "tried": found.tried}
        print(json.dumps(told | about))
        return
    _print_edges(found)


def _rows_with_nan_as_null(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows in which what cannot be told is null, which JSON has."""
    rows: list[dict[str, Any]] = frame.to_dict("records")
    for row in rows:
        row |= {k: None for k, v in row.items() if isinstance(v, float) and math.isnan(v)}
    return rows


def _print_edges(table: EdgeTable) -> None:
    from circuitz.effects.edge.edges import REST

    tried, every = table.tried
    rows: list[dict[str, Any]] = table.frame.to_dict("records")  # strongest first
    edges = [row for row in rows if row["found"]]
    rests = [row for row in rows if row["source"].endswith(f":{REST}") and not row["found"]]
    kept = [*edges, *(row for row in rests if row["direct"] > 0 or row["direct"] < 0)]
    lines = [f"{len(edges)} edges on {table.images} images" + (":" if kept else ".")]
    if all(math.isnan(row["total"]) for row in rows):
        lines = [f"No edge can be told on {table.images} images."]
    lines += [_format_edge_line(row) for row in kept[:_MOST]]
    if len(kept) > _MOST:
        lines.append(f"  and {len(kept) - _MOST} more: --json")
    if not edges and table.held:
        whole = sorted(
            (r for r in rows if r["total"] > 0 or r["total"] < 0), key=_strongest_total_first_key
        )
        if whole:
            lines.append(f"Strongest through {', '.join(table.held)}:")
        lines += [f"  {r['total']:+5.0%}  {r['source']} → {r['target']}" for r in whole[:_FEW]]
    why = table.frame[table.frame["reason"] != ""]
    for reason, some in why.groupby("reason", sort=False):
        names = list(dict.fromkeys(some["target"]))
        more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
        lines.append(f"{', '.join(names[:_FEW])}{more}: {reason}.")
    if tried < every:
        lines.append(f"{tried} of {every} source units were run, those that gradients point to.")
    for line in lines:
        out.print(line, markup=False, highlight=False)


def _format_edge_line(row: dict[str, Any]) -> str:
    whole = "" if math.isnan(row["total"]) else f", in all {row['total']:+.0%}"
    return (
        f"  {row['direct']:+5.0%}  {row['source']} → {row['target']}  "
        f"[{row['low']:+.0%}, {row['high']:+.0%}]{whole}"
    )


def _strongest_total_first_key(row: dict[str, Any]) -> float:
    return -abs(row["total"])


__all__ = ["edges"]
