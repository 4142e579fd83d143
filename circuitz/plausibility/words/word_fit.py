"""Whether the words on a unit fit what it responds to.

Every annotation is judged on one split. Rivals were chosen on *select*: the concept, other than
those named, whose labels the unit's response ranks best. Verdicts:

- *flagged*: the rival passes its own match and either beats the best of the named concepts by more
  than the margin, or is what the unit answers to: to the named one, where the rival is not shown,
  with less than a match bar's share of that (:mod:`circuitz.plausibility.words.discriminates`). So also where
  no word reaches the bar and it is the *absence* of a concept that the unit answers to. p is
  the larger of the match's and twice the smaller of the other two.
- *supported*: every named concept passes its match and the rival does not beat the best of them
  by the margin, both significantly; and putting a named concept into an image, where the concept
  set has such pairs, is not shown to leave the unit as it was (:mod:`circuitz.plausibility.words.counterfactual_test`).
- *inconclusive* otherwise; so also where a named concept and another one coincide in the labels,
  where a concept (a named one, or the rival) goes together with a class of z in a concept set that
  shows z's classes (such words count as none),
  where a word is not labelled, and where neither the words nor any rival match: an annotation
  that fails its match counts as none, and what the unit does is then unexplained.

The lead of the rival is a mean of paired per-image values (see :mod:`circuitz.stats.unit_concept_match`), clustered by
scene. A text that names a class, such as *husky detector*, cannot be matched, for no image of
the concept set shows a class; it is flagged when the unit matches surroundings strongly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from circuitz.plausibility import prose
from circuitz.plausibility.check_settings import COINCIDE, CheckSettings
from circuitz.plausibility.words.counterfactual_test import find_insertion_failure
from circuitz.plausibility.words.discriminates import (
    find_absence_cue,
    p_values_without_rival,
)
from circuitz.plausibility.words.match_tables import MatchTable
from circuitz.plausibility.words.parsed_annotation import ConceptColumns, ParsedAnnotation
from circuitz.plausibility.words.rival_margin import RivalMargin, compute_rival_margins
from circuitz.plausibility.words.word_scores import (
    MatchScore,
    ScoringDraft,
    UnitTables,
    both_scores_reach_bar,
    score_own_rival_and_lead,
)
from circuitz.plausibility.words.word_verdict import WordVerdict
from circuitz.stats.clustered import p_value_mean_below_bound
from circuitz.stats.multiple_testing import benjamini_hochberg_q_values
from circuitz.z.finding import Verdict

_TESTED = ("concepts", "class")
_KEPT = 20_000  # tested words remembered for one layer


def judge_words(
    annotations: Sequence[ParsedAnnotation],
    tables_by_target: Mapping[str, UnitTables],
    columns: ConceptColumns,
    opposed: frozenset[str],
    settings: CheckSettings,
    confounded: Mapping[int, tuple[str, ...]] | None = None,
) -> tuple[WordVerdict, ...]:
    """Judge every annotation; what was said before is not tested again.

    Parameters
    ----------
    tables_by_target
        Where each target was measured; a target that is absent was not.
    opposed
        Concepts that speak against the subject (surroundings, artefacts).
    confounded
        Columns that go together with classes in the concept set, and those classes.
    """
    about = (columns, opposed, settings, tuple((confounded or {}).items()))
    tables = {(place.select, place.judged) for place in tables_by_target.values()}
    known: dict[tuple[MatchTable, MatchTable], dict[tuple[ParsedAnnotation, int], WordVerdict]] = {
        (select, judged): judged.cache.setdefault(("words", select, about), {})
        for select, judged in tables
    }
    tested: dict[str, WordVerdict] = {}
    drafts: list[ScoringDraft] = []
    for said in annotations:
        place = tables_by_target.get(said.target)
        if place is None:
            tested[said.target] = WordVerdict(
                said, "unmeasured", reason="its responses were not measured"
            )
            continue
        found = known[place.select, place.judged].get((said, place.column))
        found = found or _scoring_draft_or_verdict(said, place, columns)
        if isinstance(found, ScoringDraft):
            drafts.append(found)
        else:
            tested[said.target] = found
    words = _test_words_of_drafts(drafts, columns, opposed, settings, confounded or {})
    for draft, word in zip(drafts, words, strict=True):
        place, said = draft.unit_tables, draft.parsed
        mine = known[place.select, place.judged]
        if len(mine) >= _KEPT:
            mine.clear()
        mine[said, place.column] = tested[said.target] = word
    return _assign_word_verdicts([tested[said.target] for said in annotations], settings)


def _verdict_without_concepts(parsed: ParsedAnnotation) -> WordVerdict:
    if parsed.ambiguous:
        reason = "; ".join(map(str, parsed.ambiguous))
        return WordVerdict(parsed, "ambiguous", reason=reason)
    if parsed.missing:
        names = ", ".join(f"‘{name}’" for name in parsed.missing)
        return WordVerdict(parsed, "unlabelled", reason=f"the concept set does not label {names}")
    return WordVerdict(parsed, "unknown", reason="the lexicon knows no concept in these words")


def best_matching_usable_column(
    unit_tables: UnitTables, candidates: Sequence[int] | range
) -> int | None:
    """Return the column that a target matches best on *select*, of those that can be judged."""
    scores = unit_tables.select.unit_scores(unit_tables.column).nauprc
    usable = [
        i
        for i in candidates
        if np.isfinite(scores[i])
        and not unit_tables.select.unusable_reasons[i]
        and not unit_tables.judged.unusable_reasons[i]
    ]
    return max(usable, key=lambda i: scores[i], default=None)


def _scoring_draft_or_verdict(
    parsed: ParsedAnnotation, unit_tables: UnitTables, columns: ConceptColumns
) -> ScoringDraft | WordVerdict:
    if not parsed.concepts:
        if not parsed.classes:
            return _verdict_without_concepts(parsed)
        return ScoringDraft(
            parsed,
            unit_tables,
            (),
            best_matching_usable_column(unit_tables, range(len(columns.names))),
        )
    own: list[tuple[str, int]] = []
    for concept, stand_ins in parsed.concepts:
        best = best_matching_usable_column(unit_tables, stand_ins)
        if best is None:
            i = stand_ins[0]
            why = unit_tables.judged.unusable_reasons[i] or unit_tables.select.unusable_reasons[i]
            why = why or "the unit's responses are not finite"
            return WordVerdict(parsed, "unusable", reason=f"‘{concept}’ cannot be judged: {why}")
        own.append((concept, best))
    scores = unit_tables.select.unit_scores(unit_tables.column).nauprc
    own.sort(key=lambda pair: -scores[pair[1]])
    taken = {i for _, some in parsed.concepts for i in some}
    barred = taken.union(*(columns.kin[i] for i in taken))
    rival = best_matching_usable_column(
        unit_tables, [i for i in range(len(columns.names)) if i not in barred]
    )
    return ScoringDraft(parsed, unit_tables, tuple(own), rival)


def _test_words_of_drafts(
    drafts: Sequence[ScoringDraft],
    columns: ConceptColumns,
    opposed: frozenset[str],
    settings: CheckSettings,
    confounded: Mapping[int, tuple[str, ...]],
) -> list[WordVerdict]:
    scores = score_own_rival_and_lead(drafts, columns, settings)
    leads = compute_rival_margins(
        [lead for _, _, lead in scores], [bool(own) for own, _, _ in scores], settings
    )
    return [
        _withhold_confounded(
            _test_words_of_draft(
                draft, own, rival, lead, columns=columns, opposed=opposed, settings=settings
            ),
            confounded,
        )
        for draft, (own, rival, _), lead in zip(drafts, scores, leads, strict=True)
    ]


def _assign_word_verdicts(
    words: Sequence[WordVerdict], settings: CheckSettings
) -> tuple[WordVerdict, ...]:
    """Give tested words their verdicts, Benjamini-Hochberg over all of them."""
    q_flag = benjamini_hochberg_q_values([word.p_flag for word in words])
    q_support = benjamini_hochberg_q_values([word.p_support for word in words])
    passes = _passing_concepts_by_word(words, settings)
    decided: list[WordVerdict] = []
    for word, flag, support, counts in zip(words, q_flag, q_support, passes, strict=True):
        if word.basis not in _TESTED:
            decided.append(word)
            continue
        verdict: Verdict = "inconclusive"
        if flag <= settings.q:
            verdict = "flagged"
        elif support <= settings.q and not word.coincides:
            verdict = "supported"
        decided.append(
            replace(
                word,
                q_flag=float(flag),
                q_support=float(support),
                verdict=verdict,
                passed=() if verdict == "flagged" or word.confounded else counts,
                reason=_explain_inconclusive_word(word, counts, settings)
                if verdict == "inconclusive"
                else "",
            )
        )
    return tuple(decided)


def _withhold_confounded(
    word: WordVerdict, confounded: Mapping[int, tuple[str, ...]]
) -> WordVerdict:
    """Leave words undecided that rest on a concept which a class gives away."""
    rival = (word.rival,) if word.rival is not None and word.p_flag < 1 else ()
    for score in (*word.own, *rival):
        if score.column in confounded:
            classes = " or ".join(confounded[score.column]) or "its absence"
            nan = float("nan")
            return replace(
                word, p_flag=nan, p_support=nan, confounded=(score.column_concept, classes)
            )
    return word


def _test_words_of_draft(
    draft: ScoringDraft,
    own: tuple[MatchScore, ...],
    rival: MatchScore | None,
    rival_margin: RivalMargin | None,
    *,
    columns: ConceptColumns,
    opposed: frozenset[str],
    settings: CheckSettings,
) -> WordVerdict:
    table, unit = draft.unit_tables.judged, draft.unit_tables.column
    strong = (
        rival is not None
        and both_scores_reach_bar(rival, settings)
        and find_insertion_failure(table, unit, rival.column, rival.column_concept, settings)
        is None
    )
    beaten = 1.0
    if not own:
        if strong and rival is not None and rival_margin is not None and rival.concept in opposed:
            beaten = max(rival.p, rival_margin.p_above)
        return WordVerdict(draft.parsed, "class", own, rival, rival_margin, beaten, p_support=1.0)
    holds = max(score.p if both_scores_reach_bar(score, settings) else 1.0 for score in own)
    if rival is not None and rival_margin is not None:
        holds = max(holds, rival_margin.p_below)
        if strong:
            less, more = p_values_without_rival(
                draft.unit_tables, own[0].column, rival.column, settings
            )
            # It leads, or is what the unit answers to where only one of them is shown.
            beaten = max(rival.p, min(1.0, 2 * min(rival_margin.p_above, less)))
            holds = max(holds, more)
    absent = None
    if not any(both_scores_reach_bar(score, settings) for score in own):
        absent = find_absence_cue(draft.unit_tables, own[0].column, columns, settings)
    if absent is not None:
        beaten = min(1.0, 2 * min(beaten, absent.p))
    still = [
        find_insertion_failure(table, unit, score.column, score.column_concept, settings)
        for score in own
        if both_scores_reach_bar(score, settings)
    ]
    mine = {score.column for score in own}
    near = [
        columns.names[j]
        for score in own
        for j in np.flatnonzero(table.label_correlations[score.column] >= COINCIDE)
        if int(j) not in mine and int(j) not in columns.kin[score.column]
    ]
    return WordVerdict(
        draft.parsed,
        "concepts",
        own,
        rival,
        rival_margin,
        p_flag=beaten,
        p_support=1.0 if any(still) else holds,
        insertion_failures=tuple(one for one in still if one is not None),
        coincides=near[0] if near else "",
        absent=absent if absent is not None and 2 * absent.p <= beaten else None,
    )


def _passing_concepts_by_word(
    words: Sequence[WordVerdict], settings: CheckSettings
) -> list[tuple[str, ...]]:
    """Named concepts whose match passes, Benjamini-Hochberg over all named ones."""
    pairs = [(i, score) for i, word in enumerate(words) for score in word.own]
    q = benjamini_hochberg_q_values([score.p for _, score in pairs])
    passed: list[tuple[str, ...]] = [()] * len(words)
    for (i, score), value in zip(pairs, q, strict=True):
        still = any(
            one.column_concept == score.column_concept for one in words[i].insertion_failures
        )
        if value <= settings.q and both_scores_reach_bar(score, settings) and not still:
            passed[i] = (*passed[i], score.column_concept)
    return passed


def _explain_inconclusive_word(
    word: WordVerdict, passed: tuple[str, ...], settings: CheckSettings
) -> str:
    if word.confounded:
        concept, classes = word.confounded
        return f"‘{concept}’ and {classes} go together in the images it was measured on"
    if word.basis == "class":
        return "the concept set shows no classes, so a class cannot be matched"
    if word.coincides:
        return f"‘{word.own[0].concept}’ and ‘{word.coincides}’ coincide in the labels"
    if word.insertion_failures:
        one = word.insertion_failures[0]
        return (
            f"it goes along with ‘{one.column_concept}’, but putting that into an image moves it by "
            f"{prose.format_share_with_interval(one.share, one.low, one.high)} of that ({one.pairs} pairs)"
        )
    failing = [score for score in word.own if score.column_concept not in passed]
    if (
        failing
        and not passed
        and word.rival is not None
        and not both_scores_reach_bar(word.rival, settings)
    ):
        return f"neither ‘{failing[0].concept}’ nor any other labelled concept matches"
    if failing:
        return f"‘{failing[0].concept}’ does not pass its match"
    return "too few images to tell it from its rival"


def undecided_concepts(
    word: WordVerdict, settings: CheckSettings, columns: ConceptColumns
) -> tuple[str, ...]:
    """Return the concepts of some words that have neither passed their match nor failed it."""
    if word.verdict == "flagged" or word.confounded:
        return ()
    if word.basis == "unusable":
        return tuple(columns.names[i] for _, some in word.parsed.concepts for i in some)
    overruled = {one.column_concept for one in word.insertion_failures}
    # What was to be tested elsewhere and was not counts as none, and so leaves nothing open.
    overruled |= {one.concept for one in word.uncounted}
    return tuple(
        score.column_concept
        for score in word.own
        if score.column_concept not in word.passed
        and score.column_concept not in overruled
        and float(p_value_mean_below_bound(score.mean, settings.match_bar)) > settings.q
    )
