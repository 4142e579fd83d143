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
from circuitz.cli.shell import Json, out, progress_bars, say
from circuitz.errors import BenchError


@bench.command("checker")
def run_checker_bench(
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
    from circuitz.bench.checker.aims import compare_with_aims
    from circuitz.bench.checker.checker_job import benchmark_code_hash
    from circuitz.bench.checker.job_plan import (
        QUICK,
        RECORD,
        plan_benchmark_jobs,
        trunk_training_jobs,
    )
    from circuitz.bench.checker.record_page import (
        append_record_line,
        format_log_row,
        summarise_outcome,
        update_record_page,
    )
    from circuitz.bench.checker.run_jobs import run_benchmark_jobs
    from circuitz.bench.checker.score_results import score_benchmark

    chosen = parse_seed_range(seeds) if seeds is not None else QUICK if quick else RECORD
    planned = plan_benchmark_jobs(chosen)
    todo = [*trunk_training_jobs(planned), *planned]

    def log_line_for_ending(ending: str) -> str:
        command = f"circuitz bench checker --seeds {chosen.start}:{chosen.stop}"
        return format_log_row(
            f"{datetime.now(UTC):%Y-%m-%d %H:%M}", command, benchmark_code_hash(), ending
        )

    try:
        with progress_bars() as steps:
            results = run_benchmark_jobs(
                todo,
                folder,
                processes=processes,
                progress=lambda done, of: steps("jobs done", done, of),
            )
    except BaseException as stop:
        # A run that did not get to its end is on record too.
        if page is not None:
            append_record_line(page, log_line_for_ending(f"stopped: {type(stop).__name__}"))
        raise
    figures: dict[str, Any] = {
        "seeds": [chosen.start, chosen.stop],
        "quick": quick,
        "code": benchmark_code_hash(),
        **score_benchmark(results),
    }
    figures["targets"] = [target.to_json() for target in compare_with_aims(figures)]
    if page is not None:
        update_record_page(page, figures, log_line_for_ending(summarise_outcome(figures)))
    if as_json:
        print(json.dumps(figures, ensure_ascii=False))
        return
    _print_bench_figures(figures)
    say.print(f"Kept in {folder}.", markup=False, highlight=False)


def parse_seed_range(text: str) -> range:
    """Read ``A:B``.

    Raises
    ------
    BenchError
        If it is no range of seeds.
    """
    found = re.fullmatch(r"(\d{1,9}):(\d{1,9})", text.strip())
    if found is None or int(found[1]) >= int(found[2]):
        raise BenchError(f"{text!r} is no range of seeds.", "Write --seeds 0:10 for seeds 0 to 9.")
    return range(int(found[1]), int(found[2]))


def _print_bench_figures(figures: dict[str, Any]) -> None:
    from rich.table import Table

    from circuitz.bench.checker.record_page import format_rate

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
            format_rate(row["caught_rate"]),
            str(row["decoys"]),
            format_rate(row["false_alarm_rate"]),
            *(_format_rate_with_interval(row["fdr"][q], format_rate) for q in ("0.05", "0.10")),
            format_rate(row["inconclusive_rate"]),
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
        what = f"{missed['what']} ({missed['where']}): {format_rate(missed['value'])}, aim {missed['aim']}"
        out.print(f"not met: {what}", markup=False, highlight=False)


def _format_rate_with_interval(figure: dict[str, Any], rate: Callable[[float | None], str]) -> str:
    if figure["rate"] is None:
        return "-"
    return f"{rate(figure['rate'])} [{rate(figure['low'])}, {rate(figure['high'])}]"
