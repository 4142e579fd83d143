"""``circuitz bench checker``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from circuitz.cli.bench import bench
from circuitz.cli.shell import Json, out, progress, say
from circuitz.errors import BenchError


@bench.command()
def checker(
    seeds: Annotated[
        str | None,
        typer.Option(metavar="A:B", help="Seeds A to B-1; by default those of the record."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A few seeds, not those of the record: a first look.")
    ] = False,
    folder: Annotated[
        Path, typer.Option("--out", help="Where results are kept; a stopped run goes on there.")
    ] = Path("checker"),
    processes: Annotated[int, typer.Option(min=1, help="Networks at a time.")] = 2,
    page: Annotated[
        Path | None,
        typer.Option("--page", help="Write the figures into this page, and the run into its log."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Try the plausibility check on networks whose truth is known, many of them made to fool it.

    Networks are built and annotated (truthfully, or sabotaged), checked blind, and scored. Results
    are kept under --out: run it again to go on, or to see the figures once more.
    """
    from circuitz.bench.checker.aims import targets
    from circuitz.bench.checker.checker_job import code_hash
    from circuitz.bench.checker.job_plan import QUICK, RECORD, jobs, trunks
    from circuitz.bench.checker.record_page import append_log, log_line, outcome, write_page
    from circuitz.bench.checker.run_jobs import run
    from circuitz.bench.checker.score_results import score

    chosen = _seeds(seeds) if seeds is not None else QUICK if quick else RECORD
    planned = jobs(chosen)
    todo = [*trunks(planned), *planned]

    def row(how: str) -> str:
        command = f"circuitz bench checker --seeds {chosen.start}:{chosen.stop}"
        return log_line(f"{datetime.now(UTC):%Y-%m-%d %H:%M}", command, code_hash(), how)

    try:
        with progress() as steps:
            results = run(
                todo,
                folder,
                processes=processes,
                progress=lambda done, of: steps("jobs done", done, of),
            )
    except BaseException as stop:
        # A run that did not get to its end is on record too.
        if page is not None:
            append_log(page, row(f"stopped: {type(stop).__name__}"))
        raise
    figures: dict[str, Any] = {
        "seeds": [chosen.start, chosen.stop],
        "quick": quick,
        "code": code_hash(),
        **score(results),
    }
    figures["targets"] = [target.to_json() for target in targets(figures)]
    if page is not None:
        write_page(page, figures, row(outcome(figures)))
    if as_json:
        print(json.dumps(figures, ensure_ascii=False))
        return
    _show(figures)
    say.print(f"Kept in {folder}.", markup=False, highlight=False)


def _seeds(text: str) -> range:
    found = re.fullmatch(r"(\d{1,9}):(\d{1,9})", text.strip())
    if found is None or int(found[1]) >= int(found[2]):
        raise BenchError(f"{text!r} is no range of seeds.", "Write --seeds 0:10 for seeds 0 to 9.")
    return range(int(found[1]), int(found[2]))


def _show(figures: dict[str, Any]) -> None:
    from rich.table import Table

    from circuitz.bench.checker.record_page import rate

    table = Table(box=None, pad_edge=False)
    for name in ("", "networks", "planted", "caught", "decoys", "false alarms", "FDR at .05",
                 "FDR at .10", "inconclusive"):  # fmt: skip
        table.add_column(name, justify="left" if not name else "right")
    rows = {"all": figures, **figures["by_family"]}
    for name, row in rows.items():
        table.add_row(
            name,
            str(row["networks"]),
            str(row["planted"]),
            rate(row["caught_rate"]),
            str(row["decoys"]),
            rate(row["false_alarm_rate"]),
            *(_interval(row["fdr"][q], rate) for q in ("0.05", "0.10")),
            rate(row["inconclusive_rate"]),
        )
    out.print(table)
    for miss in figures["escaped"]:
        wanted = miss["expected"]
        what = f"{wanted['kinds'][0]} on {', '.join(wanted['units'])}"
        what += f" for {wanted['target']}" if wanted["target"] else ""
        where = f"{miss['name']} ({miss['family']}, seed {miss['seed']})"
        out.print(f"escaped: {where}: {what}", markup=False, highlight=False)
    for failed in figures["failed"]:
        what = f"{failed['kind']} {failed['name']} ({failed['family']}, seed {failed['seed']})"
        out.print(f"failed: {what}: {failed['why']}", markup=False, highlight=False)
    for missed in (t for t in figures["targets"] if not t["met"]):
        what = f"{missed['what']} ({missed['where']}): {rate(missed['value'])}, aim {missed['aim']}"
        out.print(f"not met: {what}", markup=False, highlight=False)


def _interval(found: dict[str, Any], rate: Callable[[float | None], str]) -> str:
    if found["rate"] is None:
        return "-"
    return f"{rate(found['rate'])} [{rate(found['low'])}, {rate(found['high'])}]"
