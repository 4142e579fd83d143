"""Whether surroundings drive a class.

For every concept that speaks against the subject (surroundings, artefacts) and that some unit of
the cut validly means, and for every class: the units meaning it take the values they have on
inputs of the class while the rest of the cut keeps those of other classes. *Flagged*: that alone
makes more than the margin of the class. *Supported*: equivalent to none.

A unit that validly means something of the subject as well cannot convict the surroundings: it
stays outside when the claim is flagged, and must be harmless too when the claim is supported.
"""

from __future__ import annotations

from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import Claim, to_findings
from circuitz.plausibility.joint import Joint
from circuitz.plausibility.rules.shared import more_images, too_small
from circuitz.z.finding import Finding, Remedy, Verdict

KIND = "implausible-driver"
VERSION = 1


def findings(case: Case) -> list[Finding]:
    """Judge every opposed concept on the cut against every class."""
    pairs = [
        (concept, k)
        for concept in case.concepts
        for k, target in enumerate(case.effects.targets)
        if case.support(concept, target).verdict == "opposes"
    ]
    claims = [_claim(case, concept, k, len(pairs)) for concept, k in pairs]
    return to_findings(case, KIND, VERSION, claims)


def _claim(case: Case, concept: str, k: int, family: int) -> Claim:
    target = case.effects.targets[k]
    settings = case.settings
    everyone = case.units_meaning(concept)
    both = tuple(unit for unit in everyone if unit in case.mixed)
    pure = tuple(unit for unit in everyone if unit not in case.mixed)
    units = pure or everyone
    joint = case.joint(units, k)
    p_flag = joint.p_beyond(settings.delta) if pure else 1.0
    p_support = joint.p_none(settings.delta)
    if both and pure:
        p_support = max(p_support, case.joint(everyone, k).p_none(settings.delta))
    decide = more_images(case, joint, settings.delta, family)
    if both:
        decide += (
            f" {prose.units(both)} also {'sees' if len(both) == 1 else 'see'} the "
            f"{case.z.subject or 'thing'} itself, so what {'it does' if len(both) == 1 else 'they do'} "
            "cannot be held against it; say which it is."
        )
    if not case.tells_apart(k):
        p_flag = p_support = float("nan")
        decide = too_small(case, k)
    support = case.support(concept, target)
    necessity = case.joints.joint(units, k, "necessity")
    return Claim(
        target=joint.effect.target,
        subject=concept,
        units=units,
        p_flag=p_flag,
        p_support=p_support,
        estimate=joint.effect.estimate,
        ci=(joint.effect.low, joint.effect.high),
        delta=settings.delta,
        power=joint.power(2 * settings.delta, settings.delta, settings.q),
        words=lambda verdict: _sentence(case, concept, target, joint, verdict),
        decide=decide,
        effects=(joint.effect, necessity.effect),
        chain=support.chain,
        pictures=case.pictures(units, target),
        remedies=(
            Remedy(
                "search",
                f"Take away the path from {concept} to {target}",
                {"concept": concept, "units": list(units), "target": joint.effect.target},
            ),
        ),
    )


def _sentence(case: Case, concept: str, target: str, joint: Joint, verdict: Verdict) -> str:
    effect = joint.effect
    who = f"Units that see ‘{concept}’ ({prose.units(effect.sources)})"
    if len(effect.sources) == 1:
        who = f"The unit that sees ‘{concept}’ ({effect.sources[0]})"
    verb = "carries" if len(effect.sources) == 1 else "carry"
    figures = f"{who} {verb} {prose.share(effect)} of what makes {target}"
    margin = prose.percent(case.settings.delta)
    if effect.method == "additive":
        figures += f" (from single units; ± {prose.percent(effect.gap)} for what that may miss)"
    if verdict == "supported":
        return f"{figures}, less than {margin}: as good as nothing."
    held = _held(case, effect.sources)
    if verdict == "inconclusive":
        return f"{figures}, {held}; that is neither shown to exceed {margin} nor to stay below."
    return f"{figures}, {held}; {_why(case, concept, target)}."


def _held(case: Case, units: tuple[str, ...]) -> str:
    """Name what was held: first what the subject has, by the words on it."""
    parts = [
        concept for concept in case.supporting if not set(case.units_meaning(concept)) & set(units)
    ]
    if not parts:
        return "with the rest of the cut held"
    return f"with {', '.join(parts[:3])} and everything else held"


def _why(case: Case, concept: str, target: str) -> str:
    subject = prose.article(case.z.subject) if case.z.subject else "anything"
    kind = case.lexicon.kind(concept)
    if kind == "surroundings":
        claim = f"{concept} is surroundings, and surroundings do not make {subject}"
    elif kind == "artefact":
        claim = f"{concept} is an artefact, and artefacts do not make {subject}"
    else:
        return f"{concept} is nothing that {subject} has"
    return f"{claim} {prose.article(target)}"
