"""Figures show the estimates and intervals of what they draw, and z says when it was checked."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from circuitz.plausibility.check import check
from circuitz.z.effect import Effect
from circuitz.z.shown.summary import summary_line

TRUE = {0: "snow", 1: "snow", 3: "pointed ears", 5: "fluffy coat"}


def test_a_report_is_drawn_with_its_figures(plant) -> None:
    report = check(plant(words=TRUE, groups=[(0, 1)]))
    figure = report.plot()
    drawn = [f for f in report.findings if math.isfinite(f.estimate)][:24]
    marks = {}
    for trace in figure.data:
        for x, row, above, below in zip(
            trace.x, trace.y, trace.error_x.array, trace.error_x.arrayminus, strict=True
        ):
            marks[int(row.split(".")[0])] = (trace.name, x, x - below, x + above)
    assert len(marks) == len(drawn)
    for i, finding in enumerate(drawn, 1):
        verdict, x, low, high = marks[i]
        assert verdict.startswith(finding.verdict)
        assert x == finding.estimate
        for end, shown in zip(finding.ci, (low, high), strict=True):
            assert shown == pytest.approx(end) or not math.isfinite(end)


def test_words_never_become_markup(plant) -> None:
    report = check(plant(words={**TRUE, 0: "fluffy coat <script>alert(1)</script>"}))
    assert "<script>" not in "".join(t for d in report.plot().data for t in d.hovertext)
    finding = replace(report.findings[0], estimate=0.5, target="output:<b>husky</b>")
    for figure in (
        replace(report, findings=(finding,)).plot(),
        Effect(("conv:1",), finding.target, "necessity", estimate=0.4, low=0.3, high=0.6).plot(),
    ):
        assert "&lt;b&gt;husky" in figure.data[0].y[0]
        assert "<b>" not in str(figure.to_dict())


def test_an_effect_is_drawn_with_its_interval() -> None:
    figure = Effect(
        ("conv:1",), "output:husky", "necessity", estimate=0.4, low=0.3, high=0.6
    ).plot()
    (trace,) = figure.data
    assert trace.x == (0.4,)
    assert trace.error_x.array[0] == pytest.approx(0.2)
    assert trace.error_x.arrayminus[0] == pytest.approx(0.1)


def test_z_is_shown_as_checked_after_a_check_and_only_that_z(plant) -> None:
    z = plant(words=TRUE, groups=[(0, 1)])
    assert "not checked" in summary_line(z)
    report = check(z)
    assert f"{len(report.flagged)} flagged" in summary_line(z)
    assert f"{len(report.findings)} claims tested" in z._repr_html_()
    assert "not checked" in summary_line(z.annotate("conv4:2", "tail"))
