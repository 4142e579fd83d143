"""Write README's table of what the demo prints.

Runs ``circuitz demo`` in an empty folder on one thread, or takes the ``report.json`` of such a run::

    python docs/demo_table.py [report.json]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

README = Path(__file__).parents[1] / "README.md"
START, END = "<!-- demo-table -->\n", "<!-- /demo-table -->"
_ROWS = (
    ("as trained on D", "before"),
    ("z\\*, after the search", "after"),
    ("oracle: trained without the shortcut", "oracle"),
)
_COLUMNS = ("d_accuracy", "d_prime_accuracy", "d_prime_worst_group", "husky_off_snow")
_CONTROLS = (
    ("control: the same edits at random places", "random_regions"),
    ("control: no annotations", "no_annotations"),
)
_RATERS = (
    ("without a card", "rater_no_card"),
    ("with the card of the network as trained", "rater_unrepaired"),
    ("with z\\*'s card, words permuted", "rater_permuted"),
    ("with notes from 60 labelled images of D", "rater_notes"),
    ("with z\\*'s card", "rater_zstar"),
)


def run_demo(folder: Path) -> dict[str, Any]:
    """Run the demo, as README says, and return its figures."""
    command = [sys.executable, "-m", "circuitz", "demo", "--out", str(folder / "demo"), "--json"]
    alike = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=alike, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _share(value: float) -> str:
    """Write a share as README does: two digits, without a zero before the point."""
    return f"{value:.2f}".removeprefix("0")


def write_table(summary: dict[str, Any]) -> str:
    """Return both tables, from the figures of ``report.json``."""
    lines = ["| | D | D′ | D′ worst group | husky off snow |", "|---|---|---|---|---|"]
    for label, name in _ROWS:
        found = summary[name]
        lines.append(f"| {label} | {' | '.join(_share(found[c]) for c in _COLUMNS)} |")
    for label, name in _CONTROLS:
        lines.append(f"| {label} | | | {_share(summary['controls'][name])} | |")
    labels = summary["labels"]
    lines += ["", "| D′ labelled by a *simulated* rater | right |", "|---|---|"]
    lines += [f"| {label} | {_share(labels[name])} |" for label, name in _RATERS]
    both = ", ".join(_share(labels[f"m_l_test_{what}"]) for what in ("accuracy", "worst_group"))
    what = f"M_L_test, from {labels['judgements']} answers: accuracy, worst group"
    lines.append(f"| {what} | {both} |")
    return "\n".join(lines) + "\n"


def with_table(text: str, table: str) -> str:
    """Return README with its two tables, between the marks, replaced."""
    a, b = text.index(START), text.index(END)
    block = text[a:b]
    first = block.index("| | D |")
    last = block.rindex("|\n") + 2
    return text[:a] + block[:first] + table + block[last:] + text[b:]


def main() -> None:
    """Rewrite README's tables."""
    if len(sys.argv) > 1:
        summary = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    else:
        with tempfile.TemporaryDirectory() as folder:
            summary = run_demo(Path(folder))
    README.write_text(with_table(README.read_text("utf-8"), write_table(summary)), "utf-8")


if __name__ == "__main__":
    main()
