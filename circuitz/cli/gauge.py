"""``circuitz gauge``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from circuitz.cli.shell import Json, Seed, Z, app, out, progress_bars
from circuitz.disk.safe_text import escape_control_characters

if TYPE_CHECKING:
    from circuitz.z.range_record import RangeRecord


@app.command()
def gauge(
    z: Z,
    shifted: Annotated[
        Path | None, typer.Option(help="D′: pictures without labels, in the folder and below it.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="D, when it is not where the bundle says.")
    ] = None,
    per_class: Annotated[int, typer.Option(help="Most inputs a class.", min=1)] = 300,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Ask whether units do on D or D′ what they do on no image of the concept set.

    By class, of its inputs: the share on which the units that drive it lie outside the range they
    have on the concept set, weighted by drive. On D inputs are of the classes they are labelled
    with, on D′ of those the network predicts. The records are kept in Z, with pictures where
    somebody should look; circuitz check then puts the question. It convicts nobody, and where
    it does not ask, nothing is certified.
    """
    from circuitz.measurement.gauge import gauge as run_gauge
    from circuitz.z.bundle.inputs_io import read_inputs
    from circuitz.z.bundle.load_save import load
    from circuitz.z.range_record import range_records

    model = load(z)
    given = None if data is None else read_inputs(data)
    with progress_bars() as steps:
        found = run_gauge(
            model, given, shifted, images=per_class, seed=seed,
            progress=lambda done, n: steps("gauge", done, n),
        )  # fmt: skip
        found.save(z)
    records = range_records(found)
    if as_json:
        print(
            json.dumps({"out": str(z), "ranges": [asdict(r) for r in records]}, ensure_ascii=False)
        )
        return
    for record in records:
        text = escape_control_characters(_record_as_text(record))
        out.print(text, markup=False, highlight=False, soft_wrap=True)
    asking = sum(record.asks for record in records)
    out.print(
        f"{asking} to look at: circuitz check {z}" if asking else
        "Nothing to look at. That certifies nothing: a cue may keep within the range.",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip


def _record_as_text(record: RangeRecord) -> str:
    from circuitz.z.word_match import POPULATION_NAMES

    head = f"{POPULATION_NAMES[record.population]} {record.target}: "
    if record.gauge is None:
        return f"{head}untested, {record.reason}"
    beside = ", ".join(
        f"{what} {value:.0%}"
        for what, value in (
            ("units without words", record.silent),
            ("other classes", record.others),
        )
        if value is not None
    )
    unit = record.units[0][0]
    return (
        f"{head}{record.gauge:.0%} outside ({beside or 'nothing to compare'}); {unit} on {record.count} "
        f"of {record.inputs}, at most {record.by_chance} by chance{'  LOOK' if record.asks else ''}"
    )
