"""One label on units that behave in opposite ways.

Two things count as opposite. *Responses*: a unit that is called by a concept falls where the
concept is shown, while another one called the same rises. *Work*: two units whose words hold for
one concept move the same class beyond the margin, one up and the other down, both when switched on
and when resampled from inputs of the class. Candidates are chosen on *select*; *flagged* when both
halves hold on the split judged (an intersection-union test).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import Claim, findings_from_claims
from circuitz.plausibility.words.word_verdict import WordVerdict
from circuitz.z.finding import Finding, Remedy
from circuitz.z.unit import OUTPUT

KIND = "contradictory-annotations"
VERSION = 1
NAN = float("nan")
_WordsByConcept = dict[str, list[tuple[WordVerdict, int]]]


def find_contradictory_annotations(case: Case) -> list[Finding]:
    """Judge every concept that stands on several units."""
    called = _words_by_shared_concept(case)
    claims = [*_opposite_response_claims(case, called), *_opposite_effect_claims(case, called)]
    return findings_from_claims(case, KIND, VERSION, claims)


def _words_by_shared_concept(case: Case) -> _WordsByConcept:
    """Words by the concept they name, each with the column it is judged by."""
    found: _WordsByConcept = {}
    for word in case.word_verdicts:
        for score in word.own:
            if not word.confounded:
                found.setdefault(score.concept, []).append((word, score.column))
    return {concept: words for concept, words in found.items() if len(words) > 1}


def _opposite_response_claims(case: Case, by_concept: _WordsByConcept) -> Iterator[Claim]:
    bar = case.settings.match_bar
    for concept, called in by_concept.items():
        rising = [
            (word, column)
            for word, column in called
            if case.concept_columns.names[column] in word.passed
        ]
        if not rising:
            continue
        falling = [
            pair
            for pair in called
            if _label_correlation_and_p(case, *pair, judged=False)[0] <= -bar
        ]
        if not falling:
            continue
        best, at = max(
            rising, key=lambda pair: _label_correlation_and_p(case, *pair, judged=False)[0]
        )
        for word, column in falling:
            if word is best:
                continue
            up, p_up = _label_correlation_and_p(case, best, at)
            down, p_rising = _label_correlation_and_p(case, word, column)
            p_down = 1 - p_rising if down <= -bar else 1.0
            one, two = best.parsed.target, word.parsed.target
            yield _contradiction_claim(
                case,
                concept,
                "",
                (best, word),
                p=max(p_up if up >= bar else 1.0, p_down),
                estimate=up - down,
                sentence=(
                    f"{one} and {two} are both called ‘{concept}’; where it is shown, {one} rises "
                    f"(correlation {_format_two_decimals(up)}) and {two} falls ({_format_two_decimals(down)})."
                ),
            )


def _label_correlation_and_p(
    case: Case, word: WordVerdict, column: int, *, judged: bool = True
) -> tuple[float, float]:
    place = case.unit_tables_by_target[word.parsed.target]
    scores = (place.judged if judged else place.select).unit_scores(place.column)
    r, p = float(scores.pearson[column]), float(scores.p[column])
    return (r, p) if math.isfinite(r) and math.isfinite(p) else (0.0, 1.0)


def _opposite_effect_claims(case: Case, by_concept: _WordsByConcept) -> Iterator[Claim]:
    delta, effects = case.settings.delta, case.effects
    single = case.joint_effects_on_select.mean_single_unit_effects["sufficiency"]
    for concept, called in by_concept.items():
        units = {
            unit: word
            for word, column in called
            if case.concept_columns.names[column] in word.passed
            for unit in case.units_on_cut(word.parsed.units)
        }
        rows = np.array([case.joint_effects.position_by_unit[unit] for unit in units], np.int64)
        if len(rows) < 2:
            continue
        names = list(units)
        for k, target in enumerate(effects.targets):
            if not case.network_separates_class(k):
                continue
            signed = np.sign(effects.drive[rows, k]) * np.minimum(
                np.abs(effects.drive[rows, k]), np.abs(single[rows, k])
            )
            agree = np.sign(effects.drive[rows, k]) == np.sign(single[rows, k])
            signed = np.where(agree, signed, 0.0)
            high, low = int(signed.argmax()), int(signed.argmin())
            if not (signed[high] > delta and signed[low] < -delta):
                continue
            one, two = names[high], names[low]
            up, down = case.joint_sufficiency((one,), k), case.joint_sufficiency((two,), k)
            yield _contradiction_claim(
                case,
                concept,
                f"{OUTPUT}:{target}",
                (units[one], units[two]),
                p=max(up.p_beyond(delta), down.p_below(-delta)),
                estimate=up.effect.estimate - down.effect.estimate,
                sentence=(
                    f"{one} and {two} both see ‘{concept}’; {one} raises {target} "
                    f"({prose.format_effect_with_interval(up.effect)}) and {two} lowers it ({prose.format_effect_with_interval(down.effect)})."
                ),
            )


def _contradiction_claim(
    case: Case,
    concept: str,
    target: str,
    words: tuple[WordVerdict, WordVerdict],
    *,
    p: float,
    estimate: float,
    sentence: str,
) -> Claim:
    units = tuple(dict.fromkeys(unit for word in words for unit in word.parsed.units))
    return Claim(
        target=target,
        subject=f"{concept}|{'+'.join(sorted(word.parsed.target for word in words))}",
        units=units,
        p_flag=p,
        p_support=NAN,
        estimate=estimate,
        ci=(NAN, NAN),
        delta=case.settings.delta,
        power=0.0,
        write_sentence=lambda _: sentence,
        decide=f"Look at the exemplars of {prose.abbreviate_units(units)}: which of them shows ‘{concept}’?",
        remedies=tuple(
            Remedy(
                "retract",
                f"Take the words on {word.parsed.target} back",
                {"unit": word.parsed.target},
            )
            for word in reversed(words)
        ),
    )


def _format_two_decimals(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
