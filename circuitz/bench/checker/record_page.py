"""The record as a page: figures between two marks, and below them a log of every run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from circuitz.bench.marked_page import put_between_marks, read_marked_page
from circuitz.disk.atomic import staged_file_replacement


def update_record_page(path: Path, figures: Mapping[str, Any], log: str) -> None:
    """Put figures between the marks of a page, and a line at its end.

    Raises
    ------
    BenchError
        If the page lacks the marks.
    """
    page = put_between_marks(read_marked_page(path), _markdown_lines_of_figures(figures))
    _write_atomically(path, f"{page.rstrip()}\n{log}\n")


def append_record_line(path: Path, log: str) -> None:
    """Put a line at the end of a page; its figures stay."""
    _write_atomically(path, f"{read_marked_page(path).rstrip()}\n{log}\n")


def format_log_row(when: str, command: str, code: str, outcome: str) -> str:
    """Return a row of the log."""
    return f"| {when} | `{command}` | {code} | {outcome} |"


def summarise_outcome(figures: Mapping[str, Any]) -> str:
    """Say in a line how a run went."""
    missed = [t for t in figures["targets"] if not t["met"]]
    fdr = figures["fdr"]["0.05"]["rate"]
    return (
        f"caught {format_rate(figures['caught_rate'])} of {figures['planted']}, "
        f"false alarms {format_rate(figures['false_alarm_rate'])} of {figures['decoys']}, "
        f"FDR {format_rate(fdr)}; {len(figures['targets']) - len(missed)} of {len(figures['targets'])} "
        "aims met"
    )


def format_rate(value: float | None) -> str:
    """Return a rate as it is printed: .953."""
    if value is None:
        return "-"
    text = f"{value:.3f}"
    return text.removeprefix("0") if value < 1 else text


def _write_atomically(path: Path, text: str) -> None:
    with staged_file_replacement(path, text.encode()):
        pass


def _markdown_lines_of_figures(figures: Mapping[str, Any]) -> Iterator[str]:
    yield from _markdown_family_table(figures)
    yield from _markdown_table_lines(
        "By kind",
        ("kind", "planted", "caught", "flagged", "of these false", "grey", "inconclusive", "claims"),
        [
            (
                name, row["planted"], format_rate(row["caught_rate"]), row["flagged"], row["false"],
                row["grey"], row["inconclusive"], row["findings"],
            )
            for name, row in figures["by_kind"].items()
        ],
    )  # fmt: skip
    yield from _markdown_table_lines(
        "By case",
        ("case", "", "networks", "caught", "with a false finding"),
        [
            (
                name,
                row["role"],
                row["networks"],
                format_rate(row["caught_rate"]),
                row["with_false_finding"],
            )
            for name, row in figures["by_case"].items()
        ],
    )
    yield from _markdown_table_lines(
        "Harder conditions",
        ("condition", "networks", "caught", "false alarms", "FDR", "inconclusive", "wrongly supported"),
        [
            (
                name, row["networks"], format_rate(row["caught_rate"]), format_rate(row["false_alarm_rate"]),
                format_rate(row["fdr"]), format_rate(row["inconclusive_rate"]), row["wrongly_supported"],
            )
            for name, row in figures["conditions"].items()
        ],
    )  # fmt: skip
    yield from _markdown_table_lines(
        "Nulls",
        ("kind", "nulls", "rejected at .05"),
        [
            (name, row["nulls"], format_rate(row["rate"]))
            for name, row in figures["null_rate"].items()
        ],
    )
    yield from _markdown_table_lines(
        "Edges: area under the ROC curve",
        ("family", "edges", "ours", "EAP", "EAP-IG"),
        [
            (name, kind, *(format_rate(found[m]) for m in ("ours", "eap", "eap_ig")))
            for name, kinds in figures["auroc_edges_by_family"].items()
            for kind, found in kinds.items()
        ],
    )
    nothing = figures["nothing"]
    yield (
        f"Networks that know nothing: {nothing['networks']}, of which {nothing['refused']} were "
        f"refused before any claim and {nothing['flagged_wrongly']} flagged wrongly. Overlap of "
        f"flags on resampled scenes (Jaccard): {format_rate(figures['flag_jaccard'])}."
    )
    yield ""
    yield from _markdown_table_lines(
        "Jobs that failed",
        ("job", "case", "family", "seed", "why"),
        [(f["kind"], f["name"], f["family"], f["seed"], f["why"]) for f in figures["failed"]],
    )
    yield from _markdown_table_lines(
        "Aims not met",
        ("figure", "of", "measured", "aim"),
        [
            (t["what"], t["where"], format_rate(t["value"]), t["aim"])
            for t in figures["targets"]
            if not t["met"]
        ],
    )
    yield from _markdown_table_lines(
        "Escaped",
        ("case", "family", "seed", "expected", "what was said instead"),
        [
            (
                e["name"], e["family"], e["seed"],
                f"{e['expected']['kinds'][0]} {e['expected']['target']}",
                "; ".join(e["found"])[:300] or "nothing",
            )
            for e in figures["escaped"]
        ],
    )  # fmt: skip


def _markdown_family_table(figures: Mapping[str, Any]) -> Iterator[str]:
    rows: list[tuple[object, ...]] = []
    for name, row in {"all": figures, **figures["by_family"]}.items():
        loose = [
            f"{format_rate(row['fdr'][q]['rate'])} [{format_rate(row['fdr'][q]['low'])}, {format_rate(row['fdr'][q]['high'])}]"
            for q in ("0.05", "0.10")
        ]
        rows.append(
            (
                name, row["networks"], row["planted"], format_rate(row["caught_rate"]), row["decoys"],
                format_rate(row["false_alarm_rate"]), *loose, format_rate(row["inconclusive_rate"]),
                row["wrongly_supported"], row["grey"],
            )
        )  # fmt: skip
    yield from _markdown_table_lines(
        "",
        ("family", "networks", "planted", "caught", "decoys", "false alarms", "FDR at .05",
         "FDR at .10", "inconclusive", "wrongly supported", "grey"),
        rows,
    )  # fmt: skip


def _markdown_table_lines(
    title: str, head: tuple[str, ...], rows: list[tuple[object, ...]]
) -> Iterator[str]:
    if title:
        yield f"### {title}"
        yield ""
    if not rows:
        yield "None."
        yield ""
        return
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        cells = (str(cell).replace("|", "/").replace("\n", " ") for cell in row)
        yield f"| {' | '.join(cells)} |"
    yield ""
