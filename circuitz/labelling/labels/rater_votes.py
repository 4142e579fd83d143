"""What raters said of each picture, beside what the label model makes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from circuitz.cards.rater_answer import CANNOT_TELL, DISCARDED
from circuitz.store.in_force import by_time_given
from circuitz.store.judgement import Judgement

RaterOfKind = tuple[str, str]
"""Name and kind of a rater."""


def titles_of_raters(raters: Iterable[RaterOfKind]) -> dict[RaterOfKind, str]:
    """Return what raters are called: their names, with the kind where two kinds bear one name."""
    given = set(raters)
    bearers = Counter(name for name, _ in given)
    return {
        (name, kind): name if bearers[name] == 1 or kind == "person" else f"{name} ({kind})"
        for name, kind in given
    }


def remark_on_case_of_names(raters: Iterable[RaterOfKind]) -> list[str]:
    """Say which names differ in capitals only: perhaps one person, counted as several."""
    alike: dict[str, set[str]] = {}
    for name, kind in raters:
        if kind == "person":
            alike.setdefault(name.casefold(), set()).add(name)
    return [
        f"{' and '.join(sorted(names))} count as {_NUMBERS.get(len(names), len(names))}: if they "
        "are one person, agreement and progress are counted too high."
        for _, names in sorted(alike.items())
        if len(names) > 1
    ]


_NUMBERS = {2: "two", 3: "three"}


def newest_answer_by_rater_and_item(rows: Iterable[Judgement]) -> list[Judgement]:
    """Return one answer for each rater and picture, the newest, whatever packs asked for it.

    The order is that of the rows.
    """
    given = list(rows)
    newest = {(row.rater, row.rater_kind, row.items[0]): row.id for row in by_time_given(given)}
    counts = set(newest.values())
    return [row for row in given if row.id in counts]


def votes_by_item(rows: Iterable[Judgement]) -> dict[str, Counter[str]]:
    """Count by picture how often each class was said; who could not tell does not vote."""
    votes: dict[str, Counter[str]] = {}
    for row in rows:
        choice = str((row.answer or {}).get("choice", ""))
        if choice not in (CANNOT_TELL, DISCARDED):
            votes.setdefault(row.items[0], Counter())[choice] += 1
    return votes


def class_all_agree_on(votes: Mapping[str, int]) -> str:
    """Return the class that two raters or more said, and nobody another; empty where none is."""
    (said, n), *others = [*votes.items()] or [("", 0)]
    return said if n > 1 and not others else ""


def remark_on_label(label: str, votes: Mapping[str, int], learned: str, probability: float) -> str:
    """Say where raters and what was learned from all of them do not go together; else nothing.

    Parameters
    ----------
    label
        The label given.
    learned, probability
        The class that is likeliest by the label model, and how likely it finds it.
    """
    if not votes:
        return ""
    if label != learned:
        said = f"all {votes[label]} raters said {label}"
        return f"{said}; learned from all answers: {learned} ({probability:.2f})"
    if votes.get(label, 0) == max(votes.values()):
        return ""
    return "raters said " + ", ".join(
        f"{name} ({n})" for name, n in sorted(votes.items(), key=lambda v: (-v[1], v[0]))
    )
