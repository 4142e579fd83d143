"""What a check found, worst first, with the unexplained share of every class."""

from __future__ import annotations

import difflib
import html
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from circuitz.deprecation import warn_renamed
from circuitz.disk.safe_text import escape_control_characters
from circuitz.errors import CheckError
from circuitz.plausibility import prose
from circuitz.plausibility.problems import Problem
from circuitz.plausibility.rules.kinds import RULES
from circuitz.plausibility.tested_populations import (
    populations_by_unit,
    say_populations_of_units,
    say_where_words_were_tested,
)
from circuitz.z.data_accuracy import DataAccuracy
from circuitz.z.finding import Finding
from circuitz.z.shown.figures import figure_of_findings
from circuitz.z.word_match import MatchedWord
from circuitz.z.word_tests import WordTest

if TYPE_CHECKING:
    import plotly.graph_objects as go

COLUMNS = (
    "verdict",
    "kind",
    "target",
    "units",
    "sentence",
    "estimate",
    "low",
    "high",
    "delta",
    "p",
    "q",
    "family",
    "power",
    "waived",
    "tested_on",
    "decide",
    "id",
)
_SHOWN = 60
_DOUBTS_SHOWN = 3
_STYLE = "text-align:left;vertical-align:top;white-space:normal;padding:.25em .6em"


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """Findings on one z, with everything they rest on.

    Parameters
    ----------
    findings
        Findings, worst first: flagged, flagged but waived, inconclusive, supported; within
        these by kind, then by size.
    unexplained
        By class: estimate and interval of the share not recovered by validly annotated units.
    split, settings, hashes
        What it rests on; ``hashes`` by name.
    seconds
        Time the check took.
    stale
        What changed since the measurements were made (weights, concepts, data); the findings
        then speak of what was measured, not of what is there now.
    reads
        One record for each split read that must be counted (*audit*); see ``audit_reads.log_reads``.
    problems
        What is wrong with what was given, by name: no concept labels, a concept with two
        positives, words nobody knows (see ``problems``).
    accuracy
        How often the network is right on D; None where that is not known.
    match_words
        Gives ``words`` when they are first asked for.
    word_tests
        People's answers about words on D and D′ that the verdicts go by.
    """

    findings: tuple[Finding, ...]
    unexplained: Mapping[str, tuple[float, float, float]]
    split: str
    settings: Mapping[str, str | float]
    hashes: Mapping[str, str]
    seconds: float = 0.0
    stale: tuple[str, ...] = ()
    reads: tuple[Mapping[str, str], ...] = field(default_factory=tuple)
    problems: tuple[Problem, ...] = ()
    accuracy: DataAccuracy | None = None
    match_words: Callable[[], tuple[MatchedWord, ...]] = tuple
    word_tests: tuple[WordTest, ...] = ()

    @cached_property
    def words(self) -> tuple[MatchedWord, ...]:
        """Every concept that every annotation names, with its match on the concept set."""
        return self.match_words()

    @property
    def decided(self) -> bool:
        """Whether anything was decided at all: a report of doubts is no clean bill."""
        return any(f.verdict != "inconclusive" for f in self.findings)

    @property
    def flagged(self) -> tuple[Finding, ...]:
        """Findings that stand against the model: flagged and not waived."""
        return tuple(f for f in self.findings if f.verdict == "flagged" and f.waiver is None)

    @property
    def waived(self) -> tuple[Finding, ...]:
        """Flagged findings that somebody let stand."""
        return tuple(f for f in self.findings if f.verdict == "flagged" and f.waiver is not None)

    @property
    def items(self) -> tuple[Finding, ...]:
        """The old name of ``findings``."""
        warn_renamed("Report.items", "Report.findings")
        return self.findings

    @property
    def frame(self) -> pd.DataFrame:
        """All findings as a table, worst first.

        Columns: those fields of a finding that tell what was tested and what came out; its
        interval as ``low`` and ``high``; ``waived``, whether somebody let it stand; and
        ``tested_on``, where the words of its units were tested.
        """
        tested = populations_by_unit(self.words, self.word_tests)
        rows = [
            {
                **{name: getattr(f, name) for name in COLUMNS if hasattr(f, name)},
                "low": f.ci[0],
                "high": f.ci[1],
                "waived": f.waiver is not None,
                "tested_on": say_populations_of_units(f.units, tested),
            }
            for f in self.findings
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def of(self, kind: str, target: str = "") -> tuple[Finding, ...]:
        """Select findings of one kind, about one class (``husky`` or ``output:husky``) when given.

        Raises
        ------
        CheckError
            If there is no such kind, or nothing was tested about such a class.
        """
        _require_near_name("kind of finding", kind, RULES)
        targets = {f.target.removeprefix("output:") for f in self.findings if f.target}
        targets |= {*self.unexplained}
        if target and targets:
            _require_near_name("class", target.removeprefix("output:"), targets)
        return tuple(
            f
            for f in self.findings
            if f.kind == kind and target in ("", f.target, f.target.removeprefix("output:"))
        )

    def plot(self, most: int = 24) -> go.Figure:
        """Return a plotly figure: findings worst first, each with its interval and the margin δ.

        Raises
        ------
        GraphError
            If plotly is not installed.
        """
        return figure_of_findings(self.findings, float(self.settings["delta"]), most)

    def exit_code(self, strict: bool = False) -> int:
        """0 when nothing stands against the model, else 1; strictly, inconclusive counts too."""
        doubt = strict and any(f.verdict == "inconclusive" for f in self.findings)
        return 1 if self.flagged or doubt or (strict and self.stale) else 0

    def against(self) -> str:
        """Why a model must not pass unseen, in words; empty when nothing speaks against it.

        Something is flagged and not waived; or what was measured is not what is there now; or
        nothing at all could be decided, and silence is no support.
        """
        if self.flagged:
            return f"{prose.format_count_with_noun(len(self.flagged), 'finding')} flagged"
        if self.stale:
            return f"{prose.list_in_prose(self.stale)} changed since it was measured"
        return "" if self.decided else "nothing could be decided"

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values; numbers that are not finite become ``None``."""
        return _to_json_values(
            {
                "split": self.split,
                "counts": self._counts_by_verdict(),
                "stale": self.stale,
                "accuracy": None if self.accuracy is None else asdict(self.accuracy),
                "problems": [asdict(problem) for problem in self.problems],
                "unexplained": {
                    name: {"estimate": estimate, "ci": (low, high)}
                    for name, (estimate, low, high) in self.unexplained.items()
                },
                "findings": [{**asdict(f), "hashes": dict(f.hashes)} for f in self.findings],
                "settings": dict(self.settings),
                "hashes": dict(self.hashes),
                "reads": [dict(read) for read in self.reads],
                **({"word_tests": [asdict(t) for t in self.word_tests]} if self.word_tests else {}),
                "seconds": round(self.seconds, 4),
            }
        )

    def to_json(self, indent: int | None = None) -> str:
        """:meth:`to_dict` as JSON text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent, allow_nan=False)

    def _counts_by_verdict(self) -> dict[str, int]:
        verdicts = Counter(f.verdict for f in self.findings)
        return {
            "flagged": len(self.flagged),
            "waived": len(self.waived),
            "inconclusive": verdicts["inconclusive"],
            "supported": verdicts["supported"],
        }

    def _summary_line(self) -> str:
        counts = ", ".join(f"{n} {name}" for name, n in self._counts_by_verdict().items())
        margin = prose.percent(float(self.settings["delta"]))
        text = f"{counts} on {self.split} (margin {margin}, q ≤ {self.settings['q']})"
        if self.stale:
            text += (
                f". Stale: {prose.list_in_prose(self.stale)} changed since measured; measure again"
            )
        return text

    def _accuracy_line(self) -> str:
        return f"accuracy on D: {self.accuracy or 'not known'}"

    def _unexplained_shares_line(self) -> str:
        shares = [
            f"{name} {prose.format_share_with_interval(*found)}"
            for name, found in self.unexplained.items()
        ]
        return f"unexplained: {'; '.join(shares) or 'not known'}"

    def _words_line(self) -> str:
        return say_where_words_were_tested(self.words, self.word_tests)

    def __repr__(self) -> str:
        lines = [f"Report: {self._summary_line()}", f"  {self._accuracy_line()}"]
        for problem in self.problems:
            lines += [f"  {problem.code}: {problem.message}", f"    {problem.hint}"]
        flagged = [f for f in self.findings if f.verdict == "flagged"]
        for f in flagged[:_SHOWN]:
            waived = f" [waived by {f.waiver.author}: {f.waiver.reason}]" if f.waiver else ""
            lines.append(f"  {f.kind}: {f.sentence} (q = {f.q:.2g} of {f.family}){waived}")
            lines += [f"    {line}" for line in f.chain]
        if len(flagged) > _SHOWN:
            lines.append(f"  and {len(flagged) - _SHOWN} more; see .frame")
        lines += self._inconclusive_lines()
        lines.append(f"  {self._unexplained_shares_line()}")
        if self.words:
            lines.append(f"  {self._words_line()}")
        return escape_control_characters("\n".join(lines))

    def _inconclusive_lines(self) -> list[str]:
        """Tell what could not be decided, most frequent reason first, and what would decide it."""
        groups: dict[tuple[str, str], list[Finding]] = {}
        for f in self.findings:
            if f.verdict == "inconclusive":
                groups.setdefault((f.kind, f.decide), []).append(f)
        if not groups:
            return []
        shown = sorted(groups.items(), key=lambda group: -len(group[1]))[:_DOUBTS_SHOWN]
        rest = sum(map(len, groups.values())) - sum(len(some) for _, some in shown)
        lines = ["  not decided:"]
        for (kind, decide), some in shown:
            more = f" (and {len(some) - 1} more like it)" if len(some) > 1 else ""
            lines.append(f"    {kind}: {some[0].sentence}{more}")
            if decide:
                lines.append(f"      what would decide: {decide}")
        if rest:
            lines.append(f"    and {rest} others; see .frame")
        return lines

    def _repr_html_(self) -> str:
        def html_table_cell(text: object, tag: str = "td") -> str:
            return f'<{tag} style="{_STYLE}">{html.escape(str(text))}</{tag}>'

        head = "".join(
            html_table_cell(name, "th") for name in ("verdict", "kind", "finding", "q", "id")
        )
        rows: list[str] = []
        for f in self.findings[:_SHOWN]:
            verdict = f.verdict
            if f.waiver is not None:
                verdict += f" (waived by {f.waiver.author}: {f.waiver.reason})"
            said = f"{f.sentence} {f.decide}".strip()
            figures = (verdict, f.kind, said, f"{f.q:.2g} of {f.family}", f.id)
            rows.append(f"<tr>{''.join(html_table_cell(value) for value in figures)}</tr>")
        problems = "".join(
            f"<p><b>{html.escape(p.code)}</b>: {html.escape(f'{p.message} {p.hint}')}</p>"
            for p in self.problems
        )
        words = f"<p>{html.escape(self._words_line())}</p>" if self.words else ""
        more = len(self.findings) - _SHOWN
        tail = f"<p>and {more} more; see <code>.frame</code></p>" if more > 0 else ""
        return (
            f"<div><p><b>Plausibility</b>: {html.escape(self._summary_line())}</p>"
            f"<p>{html.escape(self._accuracy_line())}</p>"
            f"{problems}<p>{html.escape(self._unexplained_shares_line())}</p>"
            f"{words}"
            f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>{tail}</div>"
        )


def _require_near_name(what: str, name: str, names: Iterable[str]) -> None:
    """Refuse a name that is not there, and say which are alike."""
    there = sorted(names)
    if name in there:
        return
    near = difflib.get_close_matches(name, there, 3, 0.5) or there
    raise CheckError(
        f"There is no {what} {name!r} in this report.", f"Meant perhaps: {', '.join(near)}."
    )


def _to_json_values(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _to_json_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_json_values(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
