"""Comparisons and hypotheses as tables."""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.table import Table

from circuitz.cli.shell import out


def print_judged_summary(summary: dict[str, Any]) -> None:
    """Print what comparisons or hypotheses come to."""
    table = Table(box=None, pad_edge=False)
    for name in ("rater", "answers", "cannot tell", "seconds", "gold right", "with themselves"):
        table.add_column(name, justify="left" if name == "rater" else "right")
    for name, facts in summary["raters"].items():
        kind = (
            ""
            if facts["kind"] == "person" or f"({facts['kind']})" in name
            else f" ({facts['kind']})"
        )
        table.add_row(
            escape(f"{name}{kind}"), str(facts["answers"]), str(facts["cannot_tell"]),
            "–" if facts["seconds"] is None else f"{facts['seconds']:g}",
            share_cell(facts["gold"]), share_cell(facts["with_themselves"]),
        )  # fmt: skip
    out.print(table)
    if summary["kind"] == "compare":
        said = ", ".join(f"{outcome} {n}" for outcome, n in summary["outcomes"].items())
        _print(f"{summary['pairs']} pairs of {summary['cards']} cards: {said}.")
        _print(f"Raters who said the same of a pair: {share_cell(summary['agreement'])}.")
    else:
        for target, phrases in summary["targets"].items():
            words = ", ".join(f"{phrase} ({n})" for phrase, n in phrases.items()) or "nothing said"
            _print(f"{target}: {words}")
    if summary["left_out"]:
        _print(f"{summary['left_out']} answers could not be read; see below.")
    for remark in summary["remarks"]:
        _print(remark)


def _print(text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def share_cell(figure: dict[str, Any] | None) -> str:
    """Return a share with its interval and n, or a dash."""
    if figure is None:
        return "–"
    low, high = (round(100 * figure[k]) for k in ("low", "high"))
    return f"{figure['estimate']:.0%} ({low} to {high}, n = {figure['n']})"
