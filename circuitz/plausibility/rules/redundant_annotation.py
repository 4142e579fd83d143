"""Words that explain nothing: the unit is dead, or does nothing for any class.

A part or attribute of the subject that is written on a unit reads as support for some class. It is
none where the unit never responds, or where nothing follows from it. Candidates are words on units
of the cut whose response does not vary, or whose words hold, name what belongs to the subject, and
that on *select* are equivalent to none, in sufficiency and necessity, for every class, within a
hundredth of the margin: dead to what follows, and not just weak. *Flagged*: so they are on the split judged.

Words on surroundings that do nothing are good news, told by ``implausible-driver``.
"""

from __future__ import annotations

from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import Claim, findings_from_claims
from circuitz.plausibility.effects.joint_effect import IDLE, JointEffects
from circuitz.plausibility.effects.joint_effect_bounds import JointEffect
from circuitz.plausibility.words.word_verdict import WordVerdict
from circuitz.z.effect import SufficiencyOrNecessity
from circuitz.z.finding import Finding, Remedy

KIND = "redundant-annotation"
VERSION = 1
_INTERVENTIONS: tuple[SufficiencyOrNecessity, SufficiencyOrNecessity] = ("sufficiency", "necessity")


def find_redundant_annotation(case: Case) -> list[Finding]:
    """Judge words on units of the cut that seem to do nothing."""
    claims: list[Claim] = []
    for word in case.word_verdicts:
        units = case.units_on_cut(word.parsed.units)
        if not units or not word.parsed.concepts:
            continue
        if _has_constant_response(case, word):
            claims.append(_idle_words_claim(case, word, units, None))
        elif word.passed and all(_concept_supports_subject(case, name) for name in word.passed):
            bound = IDLE * case.settings.delta
            if _seems_idle(case, units, bound):
                claims.append(_idle_words_claim(case, word, units, bound))
    return findings_from_claims(case, KIND, VERSION, claims)


def _seems_idle(case: Case, units: tuple[str, ...], bound: float) -> bool:
    if len(units) == 1:
        return bool(
            case.joint_effects_on_select.p_idle_by_unit[
                case.joint_effects.position_by_unit[units[0]]
            ]
            <= case.settings.q
        )
    return (
        _largest_p_within_margin(case.joint_effects_on_select, units, bound)[0] <= case.settings.q
    )


def _has_constant_response(case: Case, word: WordVerdict) -> bool:
    place = case.unit_tables_by_target.get(word.parsed.target)
    if place is None:
        return False
    return place.judged.unit_scores(place.column).flat


def _concept_supports_subject(case: Case, name: str) -> bool:
    return name in case.supporting_concepts


def _largest_p_within_margin(
    joints: JointEffects, units: tuple[str, ...], bound: float
) -> tuple[float, JointEffect | None]:
    """Return the largest p-value of "does something", and the joint effect it comes from."""
    worst, at = -1.0, None
    for k in range(len(joints.measured.targets)):
        for how in _INTERVENTIONS:
            joint = joints.joint_effect(units, k, how)
            p = joint.p_within_margin(bound)
            if p > worst:
                worst, at = p, joint
    return worst, at


def _idle_words_claim(
    case: Case, word: WordVerdict, units: tuple[str, ...], bound: float | None
) -> Claim:
    settings, unit = case.settings, word.parsed.target
    text = f"‘{word.parsed.text}’"
    if bound is None:
        p, joint = 0.0, None
        sentence = (
            f"{unit} is called {text}, but its response is the same on every image of "
            f"{settings.split}: it sees nothing."
        )
    else:
        p, joint = _largest_p_within_margin(case.joint_effects, units, bound)
        sentence = (
            f"{unit} sees what its words say ({prose.list_quoted_names(word.passed)}), but nothing follows: "
            f"it does less than a hundredth of the margin for every class, whether it is added or taken away."
        )
    effect = None if joint is None else joint.effect
    return Claim(
        target="",
        subject=unit,
        units=word.parsed.units,
        p_flag=p,
        p_support=float("nan") if bound is None else _p_beyond_margin_for_any_class(case, units),
        estimate=0.0 if effect is None else effect.estimate,
        ci=(0.0, 0.0) if effect is None else (effect.low, effect.high),
        delta=IDLE * settings.delta,
        power=1.0 if joint is None else joint.power(2 * settings.delta, settings.delta, settings.q),
        write_sentence=lambda _: sentence,
        decide=f"More source images on {settings.split}.",
        effects=() if effect is None else (effect,),
        remedies=(Remedy("retract", f"Take the words on {unit} back", {"unit": unit}),),
    )


def _p_beyond_margin_for_any_class(case: Case, units: tuple[str, ...]) -> float:
    """P-value of "does nothing beyond the margin for any class", by Bonferroni over classes."""
    joints, classes = case.joint_effects, range(len(case.effects.targets))
    least = min(joints.joint_effect(units, k).p_beyond(case.settings.delta) for k in classes)
    return min(1.0, least * len(classes))
