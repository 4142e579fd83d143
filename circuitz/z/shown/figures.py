"""Findings and effects as figures: the estimate, its interval, and the margin within which it is nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from circuitz.z.shown.plotly_import import import_plotly, plain_for_plotly

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from circuitz.z.effect import Effect
    from circuitz.z.finding import Finding

#: Colour and shape by verdict: told apart without colour, too.
VERDICTS = {
    "flagged": ("#a8331f", "diamond"),
    "inconclusive": ("#8a6d1f", "circle-open"),
    "supported": ("#0b6b80", "circle"),
}
_LONGEST = 72


def figure_of_findings(findings: Sequence[Finding], delta: float, most: int = 24) -> go.Figure:
    """Draw findings worst first, one row each: what was estimated, its interval, and ±δ.

    Parameters
    ----------
    findings
        In the order of a report. Those without an estimate are left out.
    delta
        The margin within which an effect counts as none; shaded.
    most
        Rows at most.

    Raises
    ------
    GraphError
        If plotly is not installed.
    """
    plotly = import_plotly()
    drawn = [f for f in findings if math.isfinite(f.estimate)][:most]
    rows = [f"{i + 1}. {_row_label(f)}" for i, f in enumerate(drawn)]
    traces: list[Any] = []
    for verdict, (colour, symbol) in VERDICTS.items():
        chosen = [(row, f) for row, f in zip(rows, drawn, strict=True) if f.verdict == verdict]
        if chosen:
            name = f"{verdict} ({len(chosen)})"
            marks = [(row, f.estimate, *f.ci, f.sentence) for row, f in chosen]
            traces.append(_interval_trace(plotly, name, colour, symbol, marks))
    left_out = len(findings) - len(drawn)
    title = f"{len(drawn)} findings" + (f", {left_out} more in report.frame" if left_out else "")
    return _figure(plotly, traces, title, delta, rows)


def figure_of_effect(effect: Effect) -> go.Figure:
    """Draw one effect with its interval and the margin within which it would count as none.

    Raises
    ------
    GraphError
        If plotly is not installed.
    """
    plotly = import_plotly()
    units = ", ".join(effect.sources[:4]) + (" …" if len(effect.sources) > 4 else "")
    row = plain_for_plotly(f"{units} → {effect.target}")
    told = f"{effect.how}, {effect.n} inputs of {effect.clusters} scenes, {effect.method}"
    marks = [(row, effect.estimate, effect.low, effect.high, told)]
    trace = _interval_trace(plotly, effect.how, "#0b6b80", "circle", marks)
    return _figure(plotly, [trace], told, effect.delta, [row])


def _row_label(finding: Finding) -> str:
    target = finding.target.removeprefix("output:")
    units = ", ".join(finding.units[:2]) + (" …" if len(finding.units) > 2 else "")
    label = " · ".join(part for part in (finding.kind, units, target) if part)
    shown = label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…"
    return plain_for_plotly(shown)


def _interval_trace(
    plotly: Any,
    name: str,
    colour: str,
    symbol: str,
    marks: Sequence[tuple[str, float, float, float, str]],
) -> Any:
    """One verdict's marks, each (row, estimate, low, high, what it says); endless ends are not drawn."""
    ends = [
        (max(high - value, 0.0) if math.isfinite(high) else 0.0,
         max(value - low, 0.0) if math.isfinite(low) else 0.0)
        for _, value, low, high, _ in marks
    ]  # fmt: skip
    return plotly.Scatter(
        x=[mark[1] for mark in marks],
        y=[mark[0] for mark in marks],
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [above for above, _ in ends],
            "arrayminus": [below for _, below in ends],
        },
        mode="markers",
        marker={"color": colour, "symbol": symbol, "size": 10},
        name=name,
        hovertext=[_wrap(mark[4]) for mark in marks],
        hoverinfo="text",
    )


def _figure(
    plotly: Any, traces: list[Any], title: str, delta: float, rows: Sequence[str]
) -> go.Figure:
    figure = plotly.Figure(traces)
    figure.add_vrect(x0=-delta, x1=delta, fillcolor="#9aa3a8", opacity=0.18, line_width=0)
    figure.update_layout(
        title={"text": title},
        xaxis={"title": {"text": "estimate (shares of the class's effect, or match)"},
               "tickformat": ".0%", "zeroline": True},
        yaxis={"autorange": "reversed", "categoryorder": "array", "categoryarray": list(rows),
               "automargin": True},
        height=160 + 26 * max(len(rows), 1),
        template="plotly_white",
        legend={"orientation": "h", "y": -0.25},
    )  # fmt: skip
    return figure


def _wrap(text: str, width: int = 70) -> str:
    """Break a sentence into lines of a label."""
    lines: list[str] = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(map(plain_for_plotly, lines))
