"""What words on an edge claim: that a unit makes a class, or holds it back.

Held against what the unit does to the class by being active
(:mod:`circuitz.plausibility.effects.driving_effect`). *Supported*: beyond the margin the way the words say.
*Flagged*: shown to stay below it, or to be beyond it the other way. Edges between units are not
among what is measured with a z; they stay inconclusive.
"""

from __future__ import annotations

import re

from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import Claim
from circuitz.plausibility.effects.driving_effect import (
    DrivingEffect,
    classes_driven_by_presence,
    driving_effect,
)
from circuitz.plausibility.rules.decisions_and_remedies import (
    describe_images_needed,
    explain_untestable_class,
)
from circuitz.z.annotation import Annotation
from circuitz.z.finding import Remedy, Verdict
from circuitz.z.targets import EDGE, target_units
from circuitz.z.unit import OUTPUT

_AGAINST = re.compile(
    r"\b(lower|suppress|inhibit|hold[s]? back|against|reduc|prevent|weaken|oppos)", re.I
)
NAN = float("nan")


def edge_annotations(case: Case) -> list[Annotation]:
    """Annotations in force on edges."""
    return [a for target, a in case.z.effective().items() if target.startswith(EDGE)]


def written_for_other_weights(case: Case, annotation: Annotation) -> bool:
    """Whether words were written while looking at other weights than those measured."""
    written = annotation.weights_hash
    return bool(written and case.measured.weights_hash and written != case.measured.weights_hash)


def edge_claim(case: Case, annotation: Annotation, family: int) -> Claim:
    """Return the claim that words on one edge make."""
    start, end = target_units(annotation.target)
    target = end.removeprefix(f"{OUTPUT}:")
    remedies = (
        Remedy(
            "retract", f"Take the words on {annotation.target} back", {"unit": annotation.target}
        ),
    )
    said = f"The words ‘{annotation.text}’ stand on the edge from {start} to {end}"
    if target not in case.effects.targets or start not in case.joint_effects.position_by_unit:
        return Claim(
            target=annotation.target,
            subject=annotation.target,
            units=(start, end),
            p_flag=NAN,
            p_support=NAN,
            estimate=NAN,
            ci=(NAN, NAN),
            delta=case.settings.delta,
            power=0.0,
            write_sentence=lambda _: f"{said}, which was not measured.",
            decide="cz.edges measures what one unit does to another; a check does not run it.",
            remedies=remedies,
        )
    k, settings = case.effects.targets.index(target), case.settings
    did = driving_effect(case, (start,), k, classes_driven_by_presence(case, (start,)))
    joint, wanted = did.joint, -1 if _AGAINST.search(annotation.text) else 1
    moves = did.activity * wanted
    p_support = did.p_beyond(settings.delta) if moves > settings.delta else 1.0
    turned = did.p_beyond(settings.delta) if moves < -settings.delta else 1.0
    # Too little or turned round: one or the other, so twice the smaller (Bonferroni).
    p_flag = min(1.0, 2 * min(joint.p_below(settings.delta), turned))
    decide = describe_images_needed(case, joint, settings.delta, family)
    if did.has_no_source_inputs_left or not case.network_separates_class(k):
        p_flag = p_support = NAN
        decide = (
            "No further class is there to tell."
            if did.has_no_source_inputs_left
            else explain_untestable_class(case, k)
        )
    return Claim(
        target=joint.effect.target,
        subject=annotation.target,
        units=(start,),
        p_flag=p_flag,
        p_support=p_support,
        estimate=joint.effect.estimate,
        ci=(joint.effect.low, joint.effect.high),
        delta=settings.delta,
        power=joint.power(2 * settings.delta, settings.delta, settings.q),
        write_sentence=lambda verdict: _edge_claim_sentence(case, said, did, target, verdict),
        decide=decide,
        effects=(joint.effect,),
        pictures=case.intervention_picture_hashes((start,), target),
        remedies=remedies,
    )


def _edge_claim_sentence(
    case: Case, opening: str, driving: DrivingEffect, target: str, verdict: Verdict
) -> str:
    by = "by its silence, " if driving.activity < 0 else ""
    figures = f"{opening}; {by}the unit carries {prose.format_effect_with_interval(driving.joint.effect)} of what makes {target}"
    if verdict == "flagged":
        return f"{figures}, which is not what they say."
    if verdict == "supported":
        return f"{figures}, as they say."
    margin = prose.percent(case.settings.delta)
    return f"{figures}; that is neither shown to exceed {margin} nor to stay below."
