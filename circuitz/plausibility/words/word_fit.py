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

The lead of the rival is a mean of paired per-image values (see ``features.match``), clustered by
scene. A text that names a class, such as *husky detector*, cannot be matched, for no image of
the concept set shows a class; it is flagged when the unit matches surroundings strongly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from circuitz.plausibility import prose
from circuitz.plausibility.check_settings import COINCIDE, Settings
from circuitz.plausibility.words.counterfactual_test import Unmoved, unmoved
from circuitz.plausibility.words.discriminates import Absence, absence, p_apart
from circuitz.plausibility.words.match_scores import Draft, Place, Score, reaches, score_all
from circuitz.plausibility.words.match_tables import Table
from circuitz.plausibility.words.parsed_annotation import Columns, Said
from circuitz.plausibility.words.rival_margin import Lead, test_leads
from circuitz.stats.clustered import (
    benjamini_hochberg,
    p_less,
)
from circuitz.z.finding import Verdict

Basis = Literal["concepts", "class", "unknown", "unlabelled", "unusable", "unmeasured", "blind"]
_TESTED = ("concepts", "class")
_KEPT = 20_000  # tested words remembered for one layer


@dataclass(frozen=True)
class Word:
    """Verdict on one annotation.

    Parameters
    ----------
    said
        The annotation.
    basis
        What it could be judged by; ``concepts`` is the normal case, ``blind`` a test with raters
        where no concept is labelled (:mod:`circuitz.plausibility.words.blind_tests`).
    own
        Scores of the named concepts, best on *select* first.
    rival
        Score of the strongest other concept on *select*; ``None`` when there is no other.
    lead
        Rival less best own score; for a class word the rival's score itself.
    p_flag, q_flag, p_support, q_support
        See the module.
    verdict, passed
        Verdict, and the concepts the annotation counts as (none when it is flagged).
    reason
        Why it is inconclusive; of a blind test, what came out.
    coincides
        Concept that cannot be told from a named one here; empty when none.
    tied
        Concept and class that cannot be told apart here; empty when there are none.
    absent
        Concept whose absence the unit seems to see, where that speaks most against the words.
    unmoved
        Named concepts whose putting in hardly moves the unit, though their labels match.
    kept
        What others worked out from the words and their scores, which do not change while the
        annotation stands; verdicts may, with what else is annotated.
    """

    said: Said
    basis: Basis
    own: tuple[Score, ...] = ()
    rival: Score | None = None
    lead: Lead | None = None
    p_flag: float = float("nan")
    q_flag: float = float("nan")
    p_support: float = float("nan")
    q_support: float = float("nan")
    verdict: Verdict = "inconclusive"
    passed: tuple[str, ...] = ()
    reason: str = ""
    coincides: str = ""
    tied: tuple[str, str] | tuple[()] = ()
    absent: Absence | None = None
    unmoved: tuple[Unmoved, ...] = ()
    kept: dict[Any, Any] = field(default_factory=dict[Any, Any], compare=False, repr=False)


def judge(
    read: Sequence[Said],
    places: Mapping[str, Place],
    columns: Columns,
    opposed: frozenset[str],
    settings: Settings,
    ties: Mapping[int, tuple[str, ...]] | None = None,
) -> tuple[Word, ...]:
    """Judge every annotation; what was said before is not tested again.

    Parameters
    ----------
    places
        Where each target was measured; a target that is absent was not.
    opposed
        Concepts that speak against the subject (surroundings, artefacts).
    ties
        Columns that go together with classes in the concept set, and those classes.
    """
    about = (columns, opposed, settings, tuple((ties or {}).items()))
    tables = {(place.select, place.judged) for place in places.values()}
    known: dict[tuple[Table, Table], dict[tuple[Said, int], Word]] = {
        (select, judged): judged.kept.setdefault(("words", select, about), {})
        for select, judged in tables
    }
    tested: dict[str, Word] = {}
    drafts: list[Draft] = []
    for said in read:
        place = places.get(said.target)
        if place is None:
            tested[said.target] = Word(said, "unmeasured", reason="its responses were not measured")
            continue
        found = known[place.select, place.judged].get((said, place.column))
        found = found or _draft(said, place, columns)
        if isinstance(found, Draft):
            drafts.append(found)
        else:
            tested[said.target] = found
    words = _test_all(drafts, columns, opposed, settings, ties or {})
    for draft, word in zip(drafts, words, strict=True):
        place, said = draft.place, draft.said
        mine = known[place.select, place.judged]
        if len(mine) >= _KEPT:
            mine.clear()
        mine[said, place.column] = tested[said.target] = word
    return _decide([tested[said.target] for said in read], settings)


def _unlabelled(said: Said) -> Word:
    if said.missing:
        names = ", ".join(f"‘{name}’" for name in said.missing)
        return Word(said, "unlabelled", reason=f"the concept set does not label {names}")
    return Word(said, "unknown", reason="the lexicon knows no concept in these words")


def best_column(place: Place, candidates: Sequence[int] | range) -> int | None:
    """Return the column that a target matches best on *select*, of those that can be judged."""
    scores = place.select.scores(place.column).nauprc
    usable = [
        i
        for i in candidates
        if np.isfinite(scores[i]) and not place.select.reasons[i] and not place.judged.reasons[i]
    ]
    return max(usable, key=lambda i: scores[i], default=None)


def _draft(said: Said, place: Place, columns: Columns) -> Draft | Word:
    if not said.concepts:
        if not said.classes:
            return _unlabelled(said)
        return Draft(said, place, (), best_column(place, range(len(columns.names))))
    own: list[tuple[str, int]] = []
    for concept, stand_ins in said.concepts:
        best = best_column(place, stand_ins)
        if best is None:
            i = stand_ins[0]
            why = place.judged.reasons[i] or place.select.reasons[i]
            why = why or "the unit's responses are not finite"
            return Word(said, "unusable", reason=f"‘{concept}’ cannot be judged: {why}")
        own.append((concept, best))
    scores = place.select.scores(place.column).nauprc
    own.sort(key=lambda pair: -scores[pair[1]])
    taken = {i for _, some in said.concepts for i in some}
    barred = taken.union(*(columns.kin[i] for i in taken))
    rival = best_column(place, [i for i in range(len(columns.names)) if i not in barred])
    return Draft(said, place, tuple(own), rival)


def _test_all(
    drafts: Sequence[Draft],
    columns: Columns,
    opposed: frozenset[str],
    settings: Settings,
    ties: Mapping[int, tuple[str, ...]],
) -> list[Word]:
    scores = score_all(drafts, columns, settings)
    leads = test_leads(
        [lead for _, _, lead in scores], [bool(own) for own, _, _ in scores], settings
    )
    return [
        _untied(
            _test(draft, own, rival, lead, columns=columns, opposed=opposed, settings=settings),
            ties,
        )
        for draft, (own, rival, _), lead in zip(drafts, scores, leads, strict=True)
    ]


def _decide(words: Sequence[Word], settings: Settings) -> tuple[Word, ...]:
    """Give tested words their verdicts, Benjamini-Hochberg over all of them."""
    q_flag = benjamini_hochberg([word.p_flag for word in words])
    q_support = benjamini_hochberg([word.p_support for word in words])
    passes = _passing(words, settings)
    decided: list[Word] = []
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
                passed=() if verdict == "flagged" or word.tied else counts,
                reason=_why(word, counts, settings) if verdict == "inconclusive" else "",
            )
        )
    return tuple(decided)


def _untied(word: Word, ties: Mapping[int, tuple[str, ...]]) -> Word:
    """Leave words undecided that rest on a concept which a class gives away."""
    rival = (word.rival,) if word.rival is not None and word.p_flag < 1 else ()
    for score in (*word.own, *rival):
        if score.column in ties:
            classes = " or ".join(ties[score.column]) or "its absence"
            nan = float("nan")
            return replace(word, p_flag=nan, p_support=nan, tied=(score.means, classes))
    return word


def _test(
    draft: Draft,
    own: tuple[Score, ...],
    rival: Score | None,
    lead: Lead | None,
    *,
    columns: Columns,
    opposed: frozenset[str],
    settings: Settings,
) -> Word:
    table, unit = draft.place.judged, draft.place.column
    strong = (
        rival is not None
        and reaches(rival, settings)
        and unmoved(table, unit, rival.column, rival.means, settings) is None
    )
    beaten = 1.0
    if not own:
        if strong and rival is not None and lead is not None and rival.concept in opposed:
            beaten = max(rival.p, lead.p_above)
        return Word(draft.said, "class", own, rival, lead, beaten, p_support=1.0)
    holds = max(score.p if reaches(score, settings) else 1.0 for score in own)
    if rival is not None and lead is not None:
        holds = max(holds, lead.p_below)
        if strong:
            less, more = p_apart(draft.place, own[0].column, rival.column, settings)
            # It leads, or is what the unit answers to where only one of them is shown.
            beaten = max(rival.p, min(1.0, 2 * min(lead.p_above, less)))
            holds = max(holds, more)
    absent = None
    if not any(reaches(score, settings) for score in own):
        absent = absence(draft.place, own[0].column, columns, settings)
    if absent is not None:
        beaten = min(1.0, 2 * min(beaten, absent.p))
    still = [
        unmoved(table, unit, score.column, score.means, settings)
        for score in own
        if reaches(score, settings)
    ]
    mine = {score.column for score in own}
    near = [
        columns.names[j]
        for score in own
        for j in np.flatnonzero(table.coincidence[score.column] >= COINCIDE)
        if int(j) not in mine and int(j) not in columns.kin[score.column]
    ]
    return Word(
        draft.said,
        "concepts",
        own,
        rival,
        lead,
        p_flag=beaten,
        p_support=1.0 if any(still) else holds,
        unmoved=tuple(one for one in still if one is not None),
        coincides=near[0] if near else "",
        absent=absent if absent is not None and 2 * absent.p <= beaten else None,
    )


def _passing(words: Sequence[Word], settings: Settings) -> list[tuple[str, ...]]:
    """Named concepts whose match passes, Benjamini-Hochberg over all named ones."""
    pairs = [(i, score) for i, word in enumerate(words) for score in word.own]
    q = benjamini_hochberg([score.p for _, score in pairs])
    passed: list[tuple[str, ...]] = [()] * len(words)
    for (i, score), value in zip(pairs, q, strict=True):
        still = any(one.means == score.means for one in words[i].unmoved)
        if value <= settings.q and reaches(score, settings) and not still:
            passed[i] = (*passed[i], score.means)
    return passed


def _why(word: Word, passed: tuple[str, ...], settings: Settings) -> str:
    if word.tied:
        concept, classes = word.tied
        return f"‘{concept}’ and {classes} go together in the images it was measured on"
    if word.basis == "class":
        return "the concept set shows no classes, so a class cannot be matched"
    if word.coincides:
        return f"‘{word.own[0].concept}’ and ‘{word.coincides}’ coincide in the labels"
    if word.unmoved:
        one = word.unmoved[0]
        return (
            f"it goes along with ‘{one.means}’, but putting that into an image moves it by "
            f"{prose.interval(one.share, one.low, one.high)} of that ({one.pairs} pairs)"
        )
    failing = [score for score in word.own if score.means not in passed]
    if failing and not passed and word.rival is not None and not reaches(word.rival, settings):
        return f"neither ‘{failing[0].concept}’ nor any other labelled concept matches"
    if failing:
        return f"‘{failing[0].concept}’ does not pass its match"
    return "too few images to tell it from its rival"


def undecided(word: Word, settings: Settings, columns: Columns) -> tuple[str, ...]:
    """Return the concepts of some words that have neither passed their match nor failed it."""
    if word.verdict == "flagged" or word.tied:
        return ()
    if word.basis == "unusable":
        return tuple(columns.names[i] for _, some in word.said.concepts for i in some)
    overruled = {one.means for one in word.unmoved}
    return tuple(
        score.means
        for score in word.own
        if score.means not in word.passed
        and score.means not in overruled
        and float(p_less(score.mean, settings.match_bar)) > settings.q
    )
