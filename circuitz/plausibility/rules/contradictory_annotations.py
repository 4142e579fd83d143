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
from circuitz.plausibility.claim import Claim, to_findings
from circuitz.plausibility.words.word_fit import Word
from circuitz.z.finding import Finding, Remedy
from circuitz.z.unit import OUTPUT

KIND = "contradictory-annotations"
VERSION = 1
NAN = float("nan")
_Called = dict[str, list[tuple[Word, int]]]


def findings(case: Case) -> list[Finding]:
    """Judge every concept that stands on several units."""
    called = _called(case)
    claims = [*_responses(case, called), *_work(case, called)]
    return to_findings(case, KIND, VERSION, claims)


def _called(case: Case) -> _Called:
    """Words by the concept they name, each with the column it is judged by."""
    found: _Called = {}
    for word in case.words:
        for score in word.own:
            if not word.tied:
                found.setdefault(score.concept, []).append((word, score.column))
    return {concept: words for concept, words in found.items() if len(words) > 1}


def _responses(case: Case, by_concept: _Called) -> Iterator[Claim]:
    bar = case.settings.match_bar
    for concept, called in by_concept.items():
        rising = [
            (word, column) for word, column in called if case.columns.names[column] in word.passed
        ]
        if not rising:
            continue
        falling = [pair for pair in called if _pearson(case, *pair, judged=False)[0] <= -bar]
        if not falling:
            continue
        best, at = max(rising, key=lambda pair: _pearson(case, *pair, judged=False)[0])
        for word, column in falling:
            if word is best:
                continue
            up, p_up = _pearson(case, best, at)
            down, p_rising = _pearson(case, word, column)
            p_down = 1 - p_rising if down <= -bar else 1.0
            one, two = best.said.target, word.said.target
            yield _claim(
                case,
                concept,
                "",
                (best, word),
                p=max(p_up if up >= bar else 1.0, p_down),
                estimate=up - down,
                sentence=(
                    f"{one} and {two} are both called ‘{concept}’; where it is shown, {one} rises "
                    f"(correlation {_two(up)}) and {two} falls ({_two(down)})."
                ),
            )


def _pearson(case: Case, word: Word, column: int, *, judged: bool = True) -> tuple[float, float]:
    place = case.places[word.said.target]
    scores = (place.judged if judged else place.select).scores(place.column)
    r, p = float(scores.pearson[column]), float(scores.p[column])
    return (r, p) if math.isfinite(r) and math.isfinite(p) else (0.0, 1.0)


def _work(case: Case, by_concept: _Called) -> Iterator[Claim]:
    delta, effects = case.settings.delta, case.effects
    single = case.chosen_on.mean_single["sufficiency"]
    for concept, called in by_concept.items():
        units = {
            unit: word
            for word, column in called
            if case.columns.names[column] in word.passed
            for unit in case.on_cut(word.said.units)
        }
        rows = np.array([case.joints.position[unit] for unit in units], np.int64)
        if len(rows) < 2:
            continue
        names = list(units)
        for k, target in enumerate(effects.targets):
            if not case.tells_apart(k):
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
            up, down = case.joint((one,), k), case.joint((two,), k)
            yield _claim(
                case,
                concept,
                f"{OUTPUT}:{target}",
                (units[one], units[two]),
                p=max(up.p_beyond(delta), down.p_below(-delta)),
                estimate=up.effect.estimate - down.effect.estimate,
                sentence=(
                    f"{one} and {two} both see ‘{concept}’; {one} raises {target} "
                    f"({prose.share(up.effect)}) and {two} lowers it ({prose.share(down.effect)})."
                ),
            )


def _claim(
    case: Case,
    concept: str,
    target: str,
    words: tuple[Word, Word],
    *,
    p: float,
    estimate: float,
    sentence: str,
) -> Claim:
    units = tuple(dict.fromkeys(unit for word in words for unit in word.said.units))
    return Claim(
        target=target,
        subject=f"{concept}|{'+'.join(sorted(word.said.target for word in words))}",
        units=units,
        p_flag=p,
        p_support=NAN,
        estimate=estimate,
        ci=(NAN, NAN),
        delta=case.settings.delta,
        power=0.0,
        words=lambda _: sentence,
        decide=f"Look at the exemplars of {prose.units(units)}: which of them shows ‘{concept}’?",
        remedies=tuple(
            Remedy(
                "retract",
                f"Take the words on {word.said.target} back",
                {"unit": word.said.target},
            )
            for word in reversed(words)
        ),
    )


def _two(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
