"""How much of a class is not recovered by the annotated units.

For every class: one less the joint effect of all units of the cut whose words pass their match.
*Flagged*: significantly above the bound. *Supported*: significantly below. The share itself is
shown wherever plausibility is shown, whatever the verdict.
"""

from __future__ import annotations

from itertools import islice

from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import Claim, findings_from_claims
from circuitz.plausibility.effects.joint_effect_bounds import JointEffect
from circuitz.plausibility.rules.decisions_and_remedies import (
    best_matching_concept,
    describe_images_needed,
    describe_labels_needed,
    explain_untestable_class,
)
from circuitz.z.finding import Finding, Remedy, Verdict

KIND = "unexplained-effect"
VERSION = 1
_SUGGESTED = 3


def find_unexplained_effect(case: Case) -> list[Finding]:
    """Judge every class."""
    units = validly_annotated_units(case)
    maybe = case.units_on_cut(
        [*units, *(u for some in case.units_by_undecided_concept.values() for u in some)]
    )
    claims = [
        _unexplained_share_claim(case, k, units, maybe) for k in range(len(case.effects.targets))
    ]
    return findings_from_claims(case, KIND, VERSION, claims)


def validly_annotated_units(case: Case) -> tuple[str, ...]:
    """Units of the cut that are validly annotated with anything."""
    return case.units_on_cut(
        unit for word in case.word_verdicts if word.passed for unit in word.parsed.units
    )


def _unexplained_share_claim(
    case: Case, k: int, units: tuple[str, ...], maybe: tuple[str, ...]
) -> Claim:
    target, settings = case.effects.targets[k], case.settings
    bound = settings.unexplained_bound
    joint = case.joint_sufficiency(units, k)
    effect = joint.effect
    # With nothing annotated, nothing is recovered: true by definition, not by a test.
    p_flag = joint.p_below(1 - bound) if units else 0.0
    if len(maybe) > len(units):
        p_flag = max(p_flag, case.joint_sufficiency(maybe, k).p_below(1 - bound))
    p_support = joint.p_beyond(1 - bound) if units else 1.0
    decide = describe_images_needed(case, joint, 1 - bound, len(case.effects.targets))
    if len(maybe) > len(units) and not p_flag <= settings.q:
        decide = describe_labels_needed(case)
    if not units and not case.concept_columns.names:
        # Nothing could pass a match: that nothing did accuses nobody.
        p_flag = p_support = float("nan")
        decide = "Concept labels: circuitz concepts ask Z WORD…"
    if not case.network_separates_class(k):
        p_flag = p_support = float("nan")
        decide = explain_untestable_class(case, k)
    margin = 2 * settings.delta
    return Claim(
        target=effect.target,
        subject="share",
        units=units,
        p_flag=p_flag,
        p_support=p_support,
        estimate=1 - effect.estimate,
        ci=(1 - effect.high, 1 - effect.low),
        delta=bound,
        # By symmetry: finding the recovered share this far below its bound, or above.
        power=joint.power(1 - bound + margin, 1 - bound, settings.q) if units else 1.0,
        write_sentence=lambda verdict: _unexplained_share_sentence(case, target, joint, verdict),
        decide=decide,
        effects=(effect,) if units else (),
        remedies=_suggest_annotating_strongest_units(case, k, units),
    )


def _unexplained_share_sentence(
    case: Case, target: str, joint: JointEffect, verdict: Verdict
) -> str:
    effect, bound = joint.effect, prose.percent(case.settings.unexplained_bound)
    if not effect.sources:
        tied = list(
            dict.fromkeys(
                case.concept_columns.names[column] for column in case.classes_by_confounded_column
            )
        )
        why = (
            f" ({prose.list_quoted_names(tied)} and classes go together in the images units were measured on, "
            "so such words cannot be checked)"
            if tied
            else ""
        )
        return (
            f"Nothing of what makes {target} is explained: no unit of the cut is annotated with "
            f"words that pass their match{why}."
        )
    share = prose.format_share_with_interval(1 - effect.estimate, 1 - effect.high, 1 - effect.low)
    count = prose.format_count_with_noun(len(effect.sources), "annotated unit")
    figures = f"{share} of what makes {target} is not recovered by the {count} whose words hold"
    if verdict == "flagged":
        return f"{figures}, more than the {bound} that may stay unexplained."
    if verdict == "supported":
        return f"{figures}, less than the {bound} that may stay unexplained."
    return f"{figures}; whether that is more than {bound} is not settled."


def _suggest_annotating_strongest_units(
    case: Case, k: int, units: tuple[str, ...]
) -> tuple[Remedy, ...]:
    """Units without valid words that do most for the class, each with its best match."""
    size = case.joint_effects.mean_single_unit_effects["sufficiency"][:, k]
    known = set(units)
    strongest = case.joint_effects.units_by_sufficiency_per_class[k]
    others = (int(i) for i in strongest if case.effects.units[i] not in known and size[i] > 0)
    remedies: list[Remedy] = []
    for i in islice(others, _SUGGESTED):
        unit = case.effects.units[i]
        does = f"{prose.percent(float(size[i]))} of {case.effects.targets[k]}"
        arguments: dict[str, object] = {"unit": unit}
        label = f"Say what {unit} sees ({does})"
        best = best_matching_concept(case, unit)
        if best:
            arguments |= {"text": best, "concepts": [best]}
            label = f"Say what {unit} sees ({does}; it matches ‘{best}’ best)"
        remedies.append(Remedy("annotate", label, arguments))
    return tuple(remedies)
