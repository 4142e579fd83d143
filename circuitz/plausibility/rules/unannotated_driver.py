"""Units nobody has said a word about that make a class.

Candidates are units of the cut that no annotation in force covers (words that counterfactuals
overrule, :mod:`circuitz.plausibility.words.counterfactual_test`, cover nothing) and that, on *select*, make more than the margin of a class, by being active or by being silent. *Flagged*: so they do on the split
judged. *Supported*: equivalent to none there.
"""

from __future__ import annotations

import numpy as np

from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import Claim, findings_from_claims
from circuitz.plausibility.effects.driving_effect import (
    DrivingEffect,
    classes_driven_by_presence,
    driving_effect,
)
from circuitz.plausibility.rules.decisions_and_remedies import (
    best_matching_concept,
    cut_or_train_remedies,
    describe_images_needed,
    explain_untestable_class,
)
from circuitz.z.finding import Finding, Remedy, Verdict

KIND = "unannotated-driver"
VERSION = 1


def find_unannotated_driver(case: Case) -> list[Finding]:
    """Judge every unit without words against every class it seems to drive."""
    found = _find_driving_units_without_words(case)
    return findings_from_claims(
        case, KIND, VERSION, [_unannotated_driver_claim(case, did, len(found)) for did in found]
    )


def _find_driving_units_without_words(case: Case) -> list[DrivingEffect]:
    delta, size = (
        case.settings.delta,
        case.joint_effects_on_select.mean_single_unit_effects["sufficiency"],
    )
    covered = {
        unit
        for word in case.word_verdicts
        if word.passed or not word.insertion_failures
        for unit in word.parsed.units
    }
    moves = np.abs(case.effects.drive) > delta
    found: list[DrivingEffect] = []
    for i in np.flatnonzero(((size > delta) & moves).any(1)):
        units = (case.effects.units[int(i)],)
        if units[0] in covered:
            continue
        made = classes_driven_by_presence(case, units)
        for k in np.flatnonzero((size[i] > delta) & moves[i]):
            chosen = case.joint_effects_on_select.joint_effect(
                units, int(k), excluded_classes=made - {int(k)}
            )
            if chosen.effect.n and chosen.effect.estimate > delta:
                did = driving_effect(case, units, int(k), made)
                if abs(did.activity) > delta:
                    found.append(did)
    return found


def _unannotated_driver_claim(case: Case, driving: DrivingEffect, family: int) -> Claim:
    settings, joint = case.settings, driving.joint
    (unit,), target = driving.units, case.effects.targets[driving.k]
    p_flag, p_support = driving.p_beyond(settings.delta), joint.p_within_margin(settings.delta)
    decide = describe_images_needed(case, joint, settings.delta, family)
    if not case.network_separates_class(driving.k):
        p_flag = p_support = float("nan")
        decide = explain_untestable_class(case, driving.k)
    worded = any(unit in said.units for said in case.parsed_annotations)
    # What its words said and pairs overruled is not proposed again.
    best = "" if worded else best_matching_concept(case, unit)
    arguments: dict[str, object] = {"unit": unit}
    label = f"Say what {unit} sees"
    if best:
        arguments |= {"text": best, "concepts": [best]}
        label = f"Say what {unit} sees (it matches ‘{best}’ best)"
    return Claim(
        target=joint.effect.target,
        subject=unit,
        units=driving.units,
        p_flag=p_flag,
        p_support=p_support,
        estimate=joint.effect.estimate,
        ci=(joint.effect.low, joint.effect.high),
        delta=settings.delta,
        power=joint.power(2 * settings.delta, settings.delta, settings.q),
        write_sentence=lambda verdict: _unannotated_driver_sentence(
            case, driving, best, verdict, worded=worded
        ),
        decide=decide,
        effects=(joint.effect,),
        pictures=case.intervention_picture_hashes(driving.units, target),
        remedies=(
            Remedy("annotate", label, arguments),
            *cut_or_train_remedies(case, driving.units, joint.effect.target, unit),
        ),
    )


def _unannotated_driver_sentence(
    case: Case, driving: DrivingEffect, best: str, verdict: Verdict, *, worded: bool
) -> str:
    (unit,), target = driving.units, case.effects.targets[driving.k]
    by = "carries" if driving.activity > 0 else "carries, by its silence,"
    which = "whose words do not hold" if worded else "which has no words"
    figures = f"{unit}, {which}, {by} {prose.format_effect_with_interval(driving.joint.effect)} of what makes {target}"
    margin = prose.percent(case.settings.delta)
    if verdict == "supported":
        return f"{figures}, less than {margin}: as good as nothing."
    seen = f"; it matches ‘{best}’ best" if best else "; it matches no labelled concept"
    if worded:
        seen = ""
    if verdict == "flagged":
        return f"{figures}{seen}."
    return f"{figures}{seen}; that is neither shown to exceed {margin} nor to stay below."
