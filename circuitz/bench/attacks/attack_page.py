"""Rows of the benchmark of attacks as a page: what was exported, what refused it, and by how much."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from circuitz.bench.attacks.attack_row import AttackRow
from circuitz.bench.marked_page import write_marked_page
from circuitz.z.class_evidence import LEAST_AREA

#: Bars that the areas of classes are tried at.
BARS = (0.55, 0.60, 0.65, 0.70, 0.75, 0.80, 0.85, 0.90)


def write_attack_page(path: Path, rows: Sequence[AttackRow], command: str, code: str) -> None:
    """Put figures between the marks of a page; what stands around them stays.

    Raises
    ------
    BenchError
        If the page is not there or lacks the marks.
    """
    write_marked_page(path, _lines(rows, command, code))


def _lines(rows: Sequence[AttackRow], command: str, code: str) -> Iterator[str]:
    seeds = sorted({row.seed for row in rows})
    yield f"`{command}`, code {code}; {len(rows)} rows, seeds {seeds[0]} to {seeds[-1]}. All people are *simulated*."
    yield ""
    yield from _line_of_outcomes(rows)
    yield from _table(
        (
            "attack",
            "benign twin",
            "seeds",
            "exported",
            "exported and wrong",
            "worst of D′",
            "oracle",
        ),
        (_row_of_case(part) for part in _by_case(rows)),
    )
    yield "Worst of D′ and oracle: median over seeds [lowest, highest] of the worst class × cell."
    yield ""
    refused = [row for row in rows if not row.exported]
    if refused:
        yield "### What refused"
        yield ""
        yield from _table(
            ("attack", "benign twin", "seed", "right", "worst of D′", "start's", "refused by"),
            (
                (r.name, r.twin, str(r.seed), "no" if r.wrong else "**yes**", _two(r.dprime_worst),
                 _two(r.start_worst), r.reason)
                for r in sorted(refused, key=lambda r: (r.name, r.twin, r.seed))
            ),
        )  # fmt: skip
        yield "*Right*: within .05 of the oracle; such a z\\* would have done no harm."
        yield ""
    yield from _bar_lines(rows)


def _line_of_outcomes(rows: Sequence[AttackRow]) -> Iterator[str]:
    attacks, twins = [r for r in rows if not r.twin], [r for r in rows if r.twin]
    yield (
        f"Exported and wrong: **{sum(r.exported and r.wrong for r in rows)}** of {len(rows)}. Attacks exported: "
        f"{sum(r.exported for r in attacks)} of {len(attacks)}; benign twins exported: "
        f"**{sum(r.exported for r in twins)}** of {len(twins)}."
    )
    yield ""


def _by_case(rows: Sequence[AttackRow]) -> Iterator[list[AttackRow]]:
    for case in dict.fromkeys((row.name, row.twin) for row in rows):
        yield [row for row in rows if (row.name, row.twin) == case]


def _row_of_case(rows: Sequence[AttackRow]) -> tuple[str, ...]:
    return (
        rows[0].name, rows[0].twin, str(len(rows)), str(sum(r.exported for r in rows)),
        str(sum(r.exported and r.wrong for r in rows)),
        _median_and_range([r.dprime_worst for r in rows]),
        _median_and_range([r.oracle_worst for r in rows]),
    )  # fmt: skip


def _bar_lines(rows: Sequence[AttackRow]) -> Iterator[str]:
    """Tell the least area of every row that no other gate refused, against several bars."""
    gate = "words-tell-classes"
    told = [r for r in rows if r.areas and (r.exported or set(r.reason.split("; ")) == {gate})]
    if not told:
        return
    least = [(min(r.areas.values()), r.wrong) for r in told]
    yield "### Where the bar of `words-tell-classes` lies"
    yield ""
    yield (
        f"Least area of any class, of {len(told)} z\\*'s that no other gate refuses. The bar is {LEAST_AREA:.2f}; "
        "it was set before these figures and not moved by them."
    )
    yield ""
    yield from _table(
        ("bar", "wrong z\\*'s let through", "right z\\*'s refused"),
        (
            (_two(bar), str(sum(a >= bar and wrong for a, wrong in least)),
             str(sum(a < bar and not wrong for a, wrong in least)))
            for bar in BARS
        ),
    )  # fmt: skip
    right = [a for a, wrong in least if not wrong]
    wrong = [a for a, wrong in least if wrong]
    if right and wrong:
        yield f"Right z\\*'s have {_median_and_range(right)}, wrong ones {_median_and_range(wrong)}."
        yield ""


def _median_and_range(values: Sequence[float]) -> str:
    ranked = sorted(values)
    middle = ranked[(len(ranked) - 1) // 2]
    return (
        _two(middle)
        if len(ranked) == 1
        else f"{_two(middle)} [{_two(ranked[0])}, {_two(ranked[-1])}]"
    )


def _two(value: float) -> str:
    return f"{value:.2f}".removeprefix("0") if value < 1 else f"{value:.2f}"


def _table(heads: Sequence[str], rows: Iterator[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""
