"""Whether anything of the thing itself makes a class.

For every class: all units of the cut that validly mean a part or attribute of the subject, taken
together. *Flagged*: their joint effect is equivalent to none; or those of them that speak for the
class seem to make it, and do not together with units that see the same and take it back.
*Supported*: it is beyond the margin, either way. A model nobody has annotated cannot be accused:
*inconclusive*; nor one whose words nobody knows to be parts or not.
"""

from __future__ import annotations

import numpy as np

from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import Claim, findings_from_claims
from circuitz.plausibility.effects.joint_effect_bounds import JointEffect
from circuitz.plausibility.rules.decisions_and_remedies import (
    describe_images_needed,
    describe_labels_needed,
    explain_untestable_class,
)
from circuitz.plausibility.unit_groups import units_raising_class
from circuitz.z.finding import Finding, Remedy, Verdict

KIND = "missing-support"
VERSION = 1


def find_missing_support(case: Case) -> list[Finding]:
    """Judge every class."""
    claims = [_class_support_claim(case, k) for k in range(len(case.effects.targets))]
    return findings_from_claims(case, KIND, VERSION, claims)


def _class_support_claim(case: Case, k: int) -> Claim:
    target, settings = case.effects.targets[k], case.settings
    concepts = [c for c in case.valid_concepts if _concept_supports_class(case, c, target)]
    units = case.units_on_cut(unit for c in concepts for unit in case.units_validly_meaning(c))
    joint = case.joint_sufficiency(units, k)
    # Parts of rivals are missing where this class is shown, and their silence seems to make it.
    own = case.joint_sufficiency(units_raising_class(case.effects, units, k), k)
    back = _cancelling_units(case, own, concepts, k)
    both = (
        case.joint_sufficiency(case.units_on_cut([*own.effect.sources, *back]), k)
        if back
        else joint
    )
    p_flag, p_support = _p_no_support(case, units, back, k), joint.p_beyond(settings.delta)
    if back:
        joint, p_support = own, max(p_support, both.p_beyond(settings.delta))
    decide = describe_images_needed(case, both, settings.delta, len(case.effects.targets))
    doubtful = [
        u
        for c, some in case.units_by_undecided_concept.items()
        for u in some
        if _concept_supports_class(case, c, target)
    ]
    # What nobody knows to be a part may be one: the doubt is the model's.
    unknown = [c for c in case.valid_concepts if case.is_of_unknown_kind(c)]
    strange = [u for c in unknown for u in case.units_validly_meaning(c)]
    maybe = case.units_on_cut([*units, *doubtful, *strange])
    if len(maybe) > len(units):
        p_flag = max(p_flag, _p_no_support(case, maybe, back, k))
        if not p_flag <= settings.q:
            decide = describe_labels_needed(case) if doubtful else decide
            decide = prose.advise_saying_kind(unknown, case.z.subject) if unknown else decide
    if not units:
        p_flag = p_support = float("nan")
        if not maybe:
            decide = (
                f"Annotate units that see parts or attributes of {_subject_with_article(case)}."
            )
    elif not case.network_separates_class(k):
        p_flag = p_support = float("nan")
        decide = explain_untestable_class(case, k)
    chain = dict.fromkeys(
        line for c in concepts for line in case.support_for_class(c, target).chain
    )
    return Claim(
        target=both.effect.target,
        subject="subject",
        units=both.effect.sources,
        p_flag=p_flag,
        p_support=p_support,
        estimate=both.effect.estimate,
        ci=(both.effect.low, both.effect.high),
        delta=settings.delta,
        power=both.power(2 * settings.delta, settings.delta, settings.q) if units else 0.0,
        write_sentence=lambda verdict: _class_support_sentence(
            case, concepts, target, (joint, both), verdict
        ),
        decide=decide,
        effects=(joint.effect, *([both.effect] if back else [])) if units else (),
        chain=tuple(chain),
        pictures=case.intervention_picture_hashes(units, target) if units else (),
        remedies=(
            Remedy(
                "search",
                f"Make {target} rest on {_subject_with_article(case)} itself",
                {"concepts": list(concepts), "target": both.effect.target},
            ),
        ),
    )


def _p_no_support(case: Case, units: tuple[str, ...], cancelling: tuple[str, ...], k: int) -> float:
    """P-value of "some of it counts"; with units that take it back, of either way it may."""
    delta = case.settings.delta
    p_none = case.joint_sufficiency(units, k).p_within_margin(delta)
    if not cancelling:
        return p_none
    own = units_raising_class(case.effects, units, k)
    both = case.joint_sufficiency(case.units_on_cut([*own, *cancelling]), k)
    cancelled = max(case.joint_sufficiency(own, k).p_beyond(delta), both.p_below(delta))
    return min(1.0, 2 * min(p_none, cancelled))  # Bonferroni


def _cancelling_units(
    case: Case, joint: JointEffect, concepts: list[str], k: int
) -> tuple[str, ...]:
    """Units of the cut that see what these see, as read on *select*, and speak against the class.

    Words may stand on one of two units that do the same and cancel.
    """
    effects, single = (
        case.effects,
        case.joint_effects_on_select.mean_single_unit_effects["sufficiency"][:, k],
    )
    own = {case.joint_effects.position_by_unit[unit] for unit in joint.effect.sources}
    against = [int(i) for i in np.flatnonzero(single < 0) if int(i) not in own]
    gained = case.joint_effects_on_select.joint_effect(joint.effect.sources, k).effect.estimate
    if not own or gained + float(single[against].sum()) > case.settings.delta:
        return ()  # all of them together could not take it back
    meant = {
        c
        for c in concepts
        if own & {case.joint_effects.position_by_unit[u] for u in case.units_validly_meaning(c)}
    }
    columns = sorted(
        {
            i
            for said in case.parsed_annotations
            for c, some in said.concepts
            if c in meant
            for i in some
        }
    )
    bar = case.settings.match_bar
    found: list[str] = []
    for i in against:
        layer, _, index = effects.units[i].rpartition(":")
        if layer not in case.measured.layers:
            continue
        scores = case.select_match_table(layer).unit_scores(int(index))
        nauprc, pearson = scores.nauprc[columns], scores.pearson[columns]
        if bool(((nauprc >= bar) & (pearson >= bar)).any()):
            found.append(effects.units[i])
    return tuple(found)


def _concept_supports_class(case: Case, concept: str, target: str) -> bool:
    return case.support_for_class(concept, target).verdict == "supports"


def _subject_with_article(case: Case) -> str:
    return f"the {case.z.subject}" if case.z.subject else "the thing"


def _class_support_sentence(
    case: Case,
    concepts: list[str],
    target: str,
    joints: tuple[JointEffect, JointEffect],
    verdict: Verdict,
) -> str:
    thing, margin = _subject_with_article(case), prose.percent(case.settings.delta)
    named, both = (one.effect for one in joints)
    if not named.sources:
        return (
            f"No unit of the cut is annotated with a part or attribute of {thing} that passes its "
            f"match, so whether {thing} itself makes {target} cannot be said."
        )
    listed = prose.list_in_prose(concepts[:3] if len(concepts) <= 3 else [*concepts[:3], "more"])
    figures = (
        f"Units that see {thing} itself ({listed}; {prose.format_count_with_noun(len(named.sources), 'unit')}) "
        f"carry {prose.format_effect_with_interval(named)} of what makes {target}"
    )
    if both != named:
        back = [unit for unit in both.sources if unit not in named.sources]
        figures += (
            f", and {prose.abbreviate_units(back)}, which see the same, take it back: together they carry "
            f"{prose.format_effect_with_interval(both)}"
        )
    if verdict == "flagged":
        return f"{figures}, less than {margin}: nothing of {thing} that is annotated counts for it."
    if verdict == "supported":
        return f"{figures}, more than {margin}."
    return f"{figures}; that is neither shown to exceed {margin} nor to stay below."
