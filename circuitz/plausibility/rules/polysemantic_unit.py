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
from circuitz.plausibility.claim import Claim, findings_from_claims
from circuitz.plausibility.words.concept_contrast import (
    compare_concept_answers,
    unit_responses_in_table,
)
from circuitz.plausibility.words.match_tables import MatchTable
from circuitz.plausibility.words.word_verdict import WordVerdict
from circuitz.stats.clustered import (
    ClusteredMean,
    confidence_interval,
    p_value_mean_above_bound,
    p_value_mean_below_bound,
    power,
)
from circuitz.stats.unit_concept_match import match_units_with_concepts
from circuitz.z.finding import Finding, Remedy, Verdict

F64 = npt.NDArray[np.float64]
KIND = "polysemantic-unit"
VERSION = 1


@dataclass(frozen=True, eq=False)
class SecondConcept:
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

    word: WordVerdict
    column: int
    excess: ClusteredMean
    own: float
    p_match: float


def find_polysemantic_unit(case: Case) -> list[Finding]:
    """Judge every annotation that holds."""
    seconds = [
        second
        for word in case.word_verdicts
        if (second := _cached_second_concept(case, word)) is not None
    ]
    return findings_from_claims(
        case, KIND, VERSION, [_second_concept_claim(case, second) for second in seconds]
    )


def _cached_second_concept(case: Case, word: WordVerdict) -> SecondConcept | None:
    """Return the second concept of a unit; worked out once as long as nothing about it changes."""
    if not (word.passed and word.own and case.units_on_cut(word.parsed.units)) or word.confounded:
        return None
    place = case.unit_tables_by_target[word.parsed.target]
    own = tuple(score.column for score in word.own if score.column_concept in word.passed)
    named, bar = word.parsed.concepts, case.settings.match_bar
    key = (
        KIND,
        place.column,
        own,
        named,
        case.concept_columns,
        frozenset(case.classes_by_confounded_column),
        bar,
    )
    select, found = place.judged.cache.get(key, (None, None))
    if select is not place.select:
        found = _find_second_concept(case, word)
        place.judged.cache[key] = (place.select, found)
    return None if found is None else replace(found, word=word)


def _find_second_concept(case: Case, word: WordVerdict) -> SecondConcept | None:
    place = case.unit_tables_by_target[word.parsed.target]
    barred = _named_and_kin_columns(case, word)
    own = next(score.column for score in word.own if score.column_concept in word.passed)
    bar = case.settings.match_bar
    table, unit = place.select, place.column
    response = unit_responses_in_table(table, unit)
    near = np.flatnonzero(np.abs(table.label_correlations[own]) >= COINCIDE)
    none = barred.union(
        _columns_of_same_sort(case, barred), map(int, near), case.classes_by_confounded_column
    )
    candidates = [
        j
        for j in range(len(case.concept_columns.names))
        if j not in none and not table.unusable_reasons[j]
    ]
    best, most = None, bar
    for j in candidates:
        found = compare_concept_answers(table, response, own, j, barred, 0.0)
        if found is not None and found[1] > 0 and found[0].mean / found[1] > most:
            best, most = j, found[0].mean / found[1]
    if best is None or _p_value_of_second_match(table, response, best, barred, bar) > 1 - 1e-9:
        return None
    judged = place.judged
    response = unit_responses_in_table(judged, unit)
    found = compare_concept_answers(judged, response, own, best, barred, bar)
    if found is None or found[1] <= 0:
        return None
    return SecondConcept(
        word, best, *found, _p_value_of_second_match(judged, response, best, barred, bar)
    )


def _named_and_kin_columns(case: Case, word: WordVerdict) -> frozenset[int]:
    """Columns of what the words name, with their kin."""
    taken = {column for _, some in word.parsed.concepts for column in some}
    return frozenset(taken.union(*(case.concept_columns.kin[i] for i in taken)))


def _columns_of_same_sort(case: Case, named: frozenset[int]) -> frozenset[int]:
    """Columns of the same sort as named ones."""
    return frozenset(j for i in named for j in case.concept_columns.sort[i])


def _p_value_of_second_match(
    table: MatchTable, response: F64, second: int, named: frozenset[int], bar: float
) -> float:
    """Return the p-value of the second's match where nothing named is shown; 1 below the bar."""
    rows = (table.labels[:, sorted(named)] == 0).all(1)
    labels = table.labels[rows][:, [second]]
    match = match_units_with_concepts(response[rows, None], labels, scene=table.scene[rows])
    if match.reasons[0] or not (match.nauprc[0, 0] >= bar and match.pearson[0, 0] >= bar):
        return 1.0
    return float(match.p[0, 0])


def _second_concept_claim(case: Case, second: SecondConcept) -> Claim:
    settings, mean, word = case.settings, second.excess, second.word
    low, high = confidence_interval(mean, settings.level)
    bar, name = settings.match_bar, case.concept_columns.names[second.column]
    unit = word.parsed.target
    both = [*word.passed, name]
    return Claim(
        target="",
        subject=unit,
        units=word.parsed.units,
        p_flag=max(float(p_value_mean_above_bound(mean, 0.0)), second.p_match),
        p_support=float(p_value_mean_below_bound(mean, 0.0)),
        estimate=bar + mean.mean / second.own,
        ci=(bar + low / second.own, bar + high / second.own),
        delta=bar,
        power=float(power(mean, bar * second.own, 0.0, settings.q)),
        write_sentence=lambda verdict: _second_concept_sentence(case, second, verdict),
        decide=(
            f"More labelled images on {settings.split} that show ‘{name}’ without "
            f"{prose.list_quoted_names(word.passed)}, and the reverse."
        ),
        remedies=(
            Remedy(
                "annotate",
                f"Call {unit} {prose.list_quoted_names(both)}",
                {"unit": unit, "text": " and ".join(both), "concepts": both},
            ),
        ),
    )


def _second_concept_sentence(case: Case, second: SecondConcept, verdict: Verdict) -> str:
    unit, name = second.word.parsed.target, case.concept_columns.names[second.column]
    low, high = confidence_interval(second.excess, case.settings.level)
    bar, own = case.settings.match_bar, second.own
    answer = prose.format_share_with_interval(
        bar + second.excess.mean / own, bar + low / own, bar + high / own
    )
    called = prose.list_quoted_names(second.word.passed)
    figures = (
        f"{unit} sees {called}, as its words say; where there is none of that, it answers to "
        f"‘{name}’ with {answer} of that response"
    )
    if verdict == "flagged":
        return f"{figures}: it sees ‘{name}’ as well."
    if verdict == "supported":
        return f"{figures}, less than {prose.percent(bar)}."
    return f"{figures}; whether that is more than {prose.percent(bar)} is not settled."
