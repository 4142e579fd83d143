"""Whether anything of the thing itself makes a class.

For every class: all units of the cut that validly mean a part or attribute of the subject, taken
together. *Flagged*: their joint effect is equivalent to none. *Supported*: it is beyond the
margin. A model nobody has annotated cannot be accused: *inconclusive*.
"""

from __future__ import annotations

from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import Claim, to_findings
from circuitz.plausibility.joint import Joint
from circuitz.plausibility.rules.shared import more_images, more_labels, too_small
from circuitz.z.finding import Finding, Remedy, Verdict

KIND = "missing-support"
VERSION = 1


def findings(case: Case) -> list[Finding]:
    """Judge every class."""
    claims = [_claim(case, k) for k in range(len(case.effects.targets))]
    return to_findings(case, KIND, VERSION, claims)


def _claim(case: Case, k: int) -> Claim:
    target, settings = case.effects.targets[k], case.settings
    concepts = [c for c in case.concepts if _supports(case, c, target)]
    units = case.on_cut(unit for c in concepts for unit in case.units_meaning(c))
    joint = case.joint(units, k)
    p_flag, p_support = joint.p_none(settings.delta), joint.p_beyond(settings.delta)
    decide = more_images(case, joint, settings.delta, len(case.effects.targets))
    doubtful = [
        u for c, some in case.open_meaning.items() for u in some if _supports(case, c, target)
    ]
    maybe = case.on_cut([*units, *doubtful])
    if len(maybe) > len(units):
        p_flag = max(p_flag, case.joint(maybe, k).p_none(settings.delta))
        if not p_flag <= settings.q:
            decide = more_labels(case)
    if not units:
        p_flag = p_support = float("nan")
        if not maybe:
            decide = f"Annotate units that see parts or attributes of {_thing(case)}."
    elif not case.tells_apart(k):
        p_flag = p_support = float("nan")
        decide = too_small(case, k)
    chain = dict.fromkeys(line for c in concepts for line in case.support(c, target).chain)
    return Claim(
        target=joint.effect.target,
        subject="subject",
        units=units,
        p_flag=p_flag,
        p_support=p_support,
        estimate=joint.effect.estimate,
        ci=(joint.effect.low, joint.effect.high),
        delta=settings.delta,
        power=joint.power(2 * settings.delta, settings.delta, settings.q) if units else 0.0,
        words=lambda verdict: _sentence(case, concepts, target, joint, verdict),
        decide=decide,
        effects=(joint.effect,) if units else (),
        chain=tuple(chain),
        pictures=case.pictures(units, target) if units else (),
        remedies=(
            Remedy(
                "search",
                f"Make {target} rest on {_thing(case)} itself",
                {"concepts": list(concepts), "target": joint.effect.target},
            ),
        ),
    )


def _supports(case: Case, concept: str, target: str) -> bool:
    return case.support(concept, target).verdict == "supports"


def _thing(case: Case) -> str:
    return f"the {case.z.subject}" if case.z.subject else "the thing"


def _sentence(case: Case, concepts: list[str], target: str, joint: Joint, verdict: Verdict) -> str:
    thing, margin = _thing(case), prose.percent(case.settings.delta)
    if not joint.effect.sources:
        return (
            f"No unit of the cut is annotated with a part or attribute of {thing} that passes its "
            f"match, so whether {thing} itself makes {target} cannot be said."
        )
    named = prose.listed(concepts[:3] if len(concepts) <= 3 else [*concepts[:3], "more"])
    figures = (
        f"Units that see {thing} itself ({named}; {prose.plural(len(joint.effect.sources), 'unit')}) "
        f"carry {prose.share(joint.effect)} of what makes {target}"
    )
    if verdict == "flagged":
        return f"{figures}, less than {margin}: nothing of {thing} that is annotated counts for it."
    if verdict == "supported":
        return f"{figures}, more than {margin}."
    return f"{figures}; that is neither shown to exceed {margin} nor to stay below."
