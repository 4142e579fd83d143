"""How much of a class is not recovered by the annotated units.

For every class: one less the joint effect of all units of the cut whose words pass their match.
*Flagged*: significantly above the bound. *Supported*: significantly below. The share itself is
shown wherever plausibility is shown, whatever the verdict.
"""

from __future__ import annotations

from itertools import islice

from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import Claim, to_findings
from circuitz.plausibility.effects.joint_effect import Joint
from circuitz.plausibility.rules.what_would_decide import (
    best_match,
    more_images,
    more_labels,
    too_small,
)
from circuitz.z.finding import Finding, Remedy, Verdict

KIND = "unexplained-effect"
VERSION = 1
_SUGGESTED = 3


def findings(case: Case) -> list[Finding]:
    """Judge every class."""
    units = explained_units(case)
    maybe = case.on_cut([*units, *(u for some in case.open_meaning.values() for u in some)])
    claims = [_claim(case, k, units, maybe) for k in range(len(case.effects.targets))]
    return to_findings(case, KIND, VERSION, claims)


def explained_units(case: Case) -> tuple[str, ...]:
    """Units of the cut that are validly annotated with anything."""
    return case.on_cut(unit for word in case.words if word.passed for unit in word.said.units)


def _claim(case: Case, k: int, units: tuple[str, ...], maybe: tuple[str, ...]) -> Claim:
    target, settings = case.effects.targets[k], case.settings
    bound = settings.unexplained_bound
    joint = case.joint(units, k)
    effect = joint.effect
    # With nothing annotated, nothing is recovered: true by definition, not by a test.
    p_flag = joint.p_below(1 - bound) if units else 0.0
    if len(maybe) > len(units):
        p_flag = max(p_flag, case.joint(maybe, k).p_below(1 - bound))
    p_support = joint.p_beyond(1 - bound) if units else 1.0
    decide = more_images(case, joint, 1 - bound, len(case.effects.targets))
    if len(maybe) > len(units) and not p_flag <= settings.q:
        decide = more_labels(case)
    if not units and not case.columns.names:
        # Nothing could pass a match: that nothing did accuses nobody.
        p_flag = p_support = float("nan")
        decide = "Concept labels: circuitz concepts ask Z WORD…"
    if not case.tells_apart(k):
        p_flag = p_support = float("nan")
        decide = too_small(case, k)
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
        words=lambda verdict: _sentence(case, target, joint, verdict),
        decide=decide,
        effects=(effect,) if units else (),
        remedies=_suggestions(case, k, units),
    )


def _sentence(case: Case, target: str, joint: Joint, verdict: Verdict) -> str:
    effect, bound = joint.effect, prose.percent(case.settings.unexplained_bound)
    if not effect.sources:
        tied = list(dict.fromkeys(case.columns.names[column] for column in case.ties))
        why = (
            f" ({prose.quoted(tied)} and classes go together in the images units were measured on, "
            "so such words cannot be checked)"
            if tied
            else ""
        )
        return (
            f"Nothing of what makes {target} is explained: no unit of the cut is annotated with "
            f"words that pass their match{why}."
        )
    share = prose.interval(1 - effect.estimate, 1 - effect.high, 1 - effect.low)
    count = prose.plural(len(effect.sources), "annotated unit")
    figures = f"{share} of what makes {target} is not recovered by the {count} whose words hold"
    if verdict == "flagged":
        return f"{figures}, more than the {bound} that may stay unexplained."
    if verdict == "supported":
        return f"{figures}, less than the {bound} that may stay unexplained."
    return f"{figures}; whether that is more than {bound} is not settled."


def _suggestions(case: Case, k: int, units: tuple[str, ...]) -> tuple[Remedy, ...]:
    """Units without valid words that do most for the class, each with its best match."""
    size = case.joints.mean_single["sufficiency"][:, k]
    known = set(units)
    strongest = case.joints.strongest[k]
    others = (int(i) for i in strongest if case.effects.units[i] not in known and size[i] > 0)
    remedies: list[Remedy] = []
    for i in islice(others, _SUGGESTED):
        unit = case.effects.units[i]
        does = f"{prose.percent(float(size[i]))} of {case.effects.targets[k]}"
        arguments: dict[str, object] = {"unit": unit}
        label = f"Say what {unit} sees ({does})"
        best = best_match(case, unit)
        if best:
            arguments |= {"text": best, "concepts": [best]}
            label = f"Say what {unit} sees ({does}; it matches ‘{best}’ best)"
        remedies.append(Remedy("annotate", label, arguments))
    return tuple(remedies)
