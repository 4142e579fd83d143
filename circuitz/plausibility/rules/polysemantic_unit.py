"""Units that see a second thing their words do not name.

For words that hold, on units of the cut: among images without anything they name, does the unit
still tell a second concept, and respond to it in earnest? The second is the one the unit answers
most to on *select*, among those that do not coincide with the named ones and are of another sort (a
unit that sees coats of two colours sees coats). Its *answer* is the
unit's mean response to images that show it, less that to images that show neither, in units of the
same difference for the best named concept (two differences of means, clustered by scene).

*Flagged*: the answer exceeds the match bar, and the second passes its match among those images.
*Supported*: the answer is below the bar.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.plausibility.check_settings import COINCIDE
from circuitz.plausibility.claim import Claim, to_findings
from circuitz.plausibility.words.concept_contrast import answer, response_of
from circuitz.plausibility.words.match_tables import Table
from circuitz.plausibility.words.word_fit import Word
from circuitz.stats.clustered import (
    ClusteredMean,
    interval,
    p_greater,
    p_less,
    power,
)
from circuitz.stats.match import match_table
from circuitz.z.finding import Finding, Remedy, Verdict

F64 = npt.NDArray[np.float64]
KIND = "polysemantic-unit"
VERSION = 1


@dataclass(frozen=True, eq=False)
class Second:
    """A second concept of a unit.

    Parameters
    ----------
    word, column
        The words, and the column of the second concept.
    excess
        Its answer less the bar times the best named concept's, as a clustered mean.
    own
        The best named concept's answer.
    p_match
        P-value of its correlation among images without the named ones; 1 where it does not reach
        the bar there.
    """

    word: Word
    column: int
    excess: ClusteredMean
    own: float
    p_match: float


def findings(case: Case) -> list[Finding]:
    """Judge every annotation that holds."""
    seconds = [second for word in case.words if (second := _remembered(case, word)) is not None]
    return to_findings(case, KIND, VERSION, [_claim(case, second) for second in seconds])


def _remembered(case: Case, word: Word) -> Second | None:
    """Return the second concept of a unit; worked out once as long as nothing about it changes."""
    if not (word.passed and word.own and case.on_cut(word.said.units)) or word.tied:
        return None
    place = case.places[word.said.target]
    own = tuple(score.column for score in word.own if score.means in word.passed)
    named, bar = word.said.concepts, case.settings.match_bar
    key = (KIND, place.column, own, named, case.columns, frozenset(case.ties), bar)
    select, found = place.judged.kept.get(key, (None, None))
    if select is not place.select:
        found = _second(case, word)
        place.judged.kept[key] = (place.select, found)
    return None if found is None else replace(found, word=word)


def _second(case: Case, word: Word) -> Second | None:
    place = case.places[word.said.target]
    barred = _named(case, word)
    own = next(score.column for score in word.own if score.means in word.passed)
    bar = case.settings.match_bar
    table, unit = place.select, place.column
    response = response_of(table, unit)
    near = np.flatnonzero(np.abs(table.coincidence[own]) >= COINCIDE)
    none = barred.union(_sort(case, barred), map(int, near), case.ties)
    candidates = [
        j for j in range(len(case.columns.names)) if j not in none and not table.reasons[j]
    ]
    best, most = None, bar
    for j in candidates:
        found = answer(table, response, own, j, barred, 0.0)
        if found is not None and found[1] > 0 and found[0].mean / found[1] > most:
            best, most = j, found[0].mean / found[1]
    if best is None or _match(table, response, best, barred, bar) > 1 - 1e-9:
        return None
    judged = place.judged
    response = response_of(judged, unit)
    found = answer(judged, response, own, best, barred, bar)
    if found is None or found[1] <= 0:
        return None
    return Second(word, best, *found, _match(judged, response, best, barred, bar))


def _named(case: Case, word: Word) -> frozenset[int]:
    """Columns of what the words name, with their kin."""
    taken = {column for _, some in word.said.concepts for column in some}
    return frozenset(taken.union(*(case.columns.kin[i] for i in taken)))


def _sort(case: Case, named: frozenset[int]) -> frozenset[int]:
    """Columns of the same sort as named ones."""
    return frozenset(j for i in named for j in case.columns.sort[i])


def _match(table: Table, response: F64, second: int, named: frozenset[int], bar: float) -> float:
    """Return the p-value of the second's match where nothing named is shown; 1 below the bar."""
    rows = (table.labels[:, sorted(named)] == 0).all(1)
    labels = table.labels[rows][:, [second]]
    match = match_table(response[rows, None], labels, scene=table.scene[rows])
    if match.reasons[0] or not (match.nauprc[0, 0] >= bar and match.pearson[0, 0] >= bar):
        return 1.0
    return float(match.p[0, 0])


def _claim(case: Case, second: Second) -> Claim:
    settings, mean, word = case.settings, second.excess, second.word
    low, high = interval(mean, settings.level)
    bar, name = settings.match_bar, case.columns.names[second.column]
    unit = word.said.target
    both = [*word.passed, name]
    return Claim(
        target="",
        subject=unit,
        units=word.said.units,
        p_flag=max(float(p_greater(mean, 0.0)), second.p_match),
        p_support=float(p_less(mean, 0.0)),
        estimate=bar + mean.mean / second.own,
        ci=(bar + low / second.own, bar + high / second.own),
        delta=bar,
        power=float(power(mean, bar * second.own, 0.0, settings.q)),
        words=lambda verdict: _sentence(case, second, verdict),
        decide=(
            f"More labelled images on {settings.split} that show ‘{name}’ without "
            f"{prose.quoted(word.passed)}, and the reverse."
        ),
        remedies=(
            Remedy(
                "annotate",
                f"Call {unit} {prose.quoted(both)}",
                {"unit": unit, "text": " and ".join(both), "concepts": both},
            ),
        ),
    )


def _sentence(case: Case, second: Second, verdict: Verdict) -> str:
    unit, name = second.word.said.target, case.columns.names[second.column]
    low, high = interval(second.excess, case.settings.level)
    bar, own = case.settings.match_bar, second.own
    answer = prose.interval(bar + second.excess.mean / own, bar + low / own, bar + high / own)
    called = prose.quoted(second.word.passed)
    figures = (
        f"{unit} sees {called}, as its words say; where there is none of that, it answers to "
        f"‘{name}’ with {answer} of that response"
    )
    if verdict == "flagged":
        return f"{figures}: it sees ‘{name}’ as well."
    if verdict == "supported":
        return f"{figures}, less than {prose.percent(bar)}."
    return f"{figures}; whether that is more than {prose.percent(bar)} is not settled."
