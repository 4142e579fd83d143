"""``circuitz bench gauge``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from circuitz.cli.bench import bench
from circuitz.cli.shell import Json, out, progress_bars


@bench.command("gauge")
def count_questions_of_gauge(
    world: Annotated[str, typer.Option(help="dogs or birds.")] = "dogs",
    seeds: Annotated[str, typer.Option(help="A:B, seeds A to B−1; two networks each.")] = "0:5",
    as_json: Json = False,
) -> None:
    """Count how often the range gauge asks: of clean networks, and of one that learned a mark.

    On clean networks, under new pictures, a ground the concept set lacks and the other world's
    pictures, each question is a false alarm. On the marked ones it should ask about the class
    that bears the mark.
    """
    from circuitz.bench.gauge_rates import gauge_rates
    from circuitz.errors import BenchError

    first, _, last = seeds.partition(":")
    if not (first.isdecimal() and last.isdecimal() and int(first) < int(last)):
        raise BenchError(f"{seeds!r} names no seeds.", "Write A:B, for instance 0:5.")
    with progress_bars() as steps:
        rates = gauge_rates(
            world, range(int(first), int(last)), lambda done, n: steps("networks", done, n)
        )
    if as_json:
        rows = [asdict(rate) for rate in rates]
        print(json.dumps({"world": world, "seeds": seeds, "rates": rows}, ensure_ascii=False))
        return
    for rate in rates:
        out.print(f"{rate.shift}: asked about {rate.asked_share}", markup=False, highlight=False)
