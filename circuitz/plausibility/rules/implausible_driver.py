"""Whether surroundings drive a class.

For every concept that speaks against the subject (surroundings, artefacts) and that some unit of
the cut validly means, and for every class: the units meaning it take the values they have on
inputs of the class while the rest of the cut keeps those of other classes. *Flagged*: that alone
makes more than the margin of the class. *Supported*: equivalent to none.

What drives one class away from the rest works, by its absence, for every other class when the
source is an input of the first: take the snow off a husky, and it looks more like a beagle. That
says nothing new about beagles. So for each concept the classes it makes by its *presence* are
found on *select* (effect beyond the margin, and the units' activity speaks for the class), and
inputs of those classes are no sources for the claims about the others. Where a concept makes every
class (a mechanism rather than a cue), no source would be left; then all are kept, and the effect must
exceed the margin by what the absence of the others accounts for: margins sum to zero, so taking away
what makes class *j* raises every other by its share of that, one part in *K* - 1.

Units that see snow see a little else too, and that little may make a difference. So a claim is
flagged only where the units' activity itself, switched on over the concept set with the rest of
the cut held, moves the class by more than the margin, up (made by presence) or down (made by
absence). What one class's margin gains all others lose in equal shares, for margins sum to zero;
so it must move the class by that much, and the same way, also after the share implied by the
classes the concept makes is taken out.

Where the concept set shows the classes themselves and a concept goes together with one of them,
the claim is *inconclusive*, whatever the units do.

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
from circuitz.z.unit import OUTPUT

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
    made = {concept: _made(case, concept) for concept, _ in pairs}
    claims = [
        _claim(case, concept, k, without=made[concept] - {k}, family=len(pairs))
        for concept, k in pairs
    ]
    return to_findings(case, KIND, VERSION, [*claims, *_tied(case)])


def _tied(case: Case) -> list[Claim]:
    """Claims nobody can test here: concept and class go together in the images themselves."""
    claims: list[Claim] = []
    for column, classes in case.ties.items():
        concept = case.columns.names[column]
        for target in classes:
            support = case.support(concept, target)
            if support.verdict != "opposes":
                continue
            sentence = (
                f"Whether ‘{concept}’ drives {target} cannot be told: in the images units were "
                f"measured on, the two go together, and a unit that tells {target} responds to both."
            )
            claims.append(
                Claim(
                    target=f"{OUTPUT}:{target}",
                    subject=concept,
                    units=(),
                    p_flag=float("nan"),
                    p_support=float("nan"),
                    estimate=float("nan"),
                    ci=(float("nan"), float("nan")),
                    delta=case.settings.delta,
                    power=0.0,
                    words=lambda _, text=sentence: text,
                    decide=(
                        f"A concept set: images of other things than the classes, with and without "
                        f"{concept}; or images of {target} without {concept}, and of others with it."
                    ),
                    chain=support.chain,
                )
            )
    return claims


def _made(case: Case, concept: str) -> frozenset[int]:
    """Classes the concept makes by its presence, as seen on *select*."""
    units = case.units_meaning(concept)
    position = case.joints.position
    activity = case.effects.drive[[position[unit] for unit in units]].sum(0)
    return frozenset(
        k
        for k in range(len(case.effects.targets))
        if activity[k] > 0
        and case.tells_apart(k)
        and case.chosen_on.joint(units, k).effect.estimate > case.settings.delta
    )


def _speaks(case: Case, units: tuple[str, ...], k: int, made: frozenset[int]) -> float:
    """How far switching the units on moves class ``k`` of itself, up or down; 0 when unclear."""
    effects, position = case.effects, case.joints.position
    activity = effects.drive[[position[unit] for unit in units]].sum(0) * effects.scale
    implied = -sum(float(activity[j]) for j in made) / max(len(effects.targets) - 1, 1)
    raw = float(activity[k]) / float(effects.scale[k])
    net = raw - implied / float(effects.scale[k])
    return max(min(raw, net), min(-raw, -net), 0.0)


def _absence(case: Case, units: tuple[str, ...], k: int, made: frozenset[int]) -> float:
    """Share of class ``k``'s effect that taking away what makes the others explains, on *select*."""
    scale = case.effects.scale
    gained = [case.chosen_on.joint(units, j).effect.estimate * float(scale[j]) for j in made]
    return sum(gained) / len(gained) / (len(case.effects.targets) - 1) / float(scale[k])


def _claim(case: Case, concept: str, k: int, *, without: frozenset[int], family: int) -> Claim:
    target = case.effects.targets[k]
    settings = case.settings
    everyone = case.units_meaning(concept)
    both = tuple(unit for unit in everyone if unit in case.mixed)
    pure = tuple(unit for unit in everyone if unit not in case.mixed)
    units = pure or everyone
    spoken = _speaks(case, units, k, without)
    others_count = len(case.effects.targets) - 1
    absent = 0.0
    if 1 < others_count == len(without):
        absent = _absence(case, units, k, without)
        without = frozenset[int]()
    joint = case.joints.joint(units, k, without=without)
    clear = pure and spoken > settings.delta
    p_flag = joint.p_beyond(settings.delta + absent) if clear else 1.0
    p_support = joint.p_none(settings.delta)
    if both and pure:
        p_support = max(
            p_support, case.joints.joint(everyone, k, without=without).p_none(settings.delta)
        )
    decide = more_images(case, joint, settings.delta, family)
    if joint.effect.estimate > settings.delta and spoken <= settings.delta:
        decide = (
            f"Switching these units on hardly moves {target}, so it is not {concept} in them that "
            "makes it; look at what else they see."
        )
        if without:
            others = prose.listed([case.effects.targets[j] for j in sorted(without)])
            decide += f" Settle first what they do for {others}."
    if both:
        decide += (
            f" {prose.units(both)} also {'sees' if len(both) == 1 else 'see'} the "
            f"{case.z.subject or 'thing'} itself, so what {'it does' if len(both) == 1 else 'they do'} "
            "cannot be held against it; say which it is."
        )
    if not joint.effect.n:
        p_flag = p_support = float("nan")
        others = prose.listed([case.effects.targets[j] for j in sorted(without)])
        decide = (
            f"What these units do for {target} is the other side of what they do for {others}; no "
            "further class is there to tell."
        )
    elif not case.tells_apart(k):
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
        words=lambda verdict: _sentence(case, concept, target, joint, without, verdict),
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


def _sentence(
    case: Case,
    concept: str,
    target: str,
    joint: Joint,
    without: frozenset[int],
    verdict: Verdict,
) -> str:
    effect = joint.effect
    who = f"Units that see ‘{concept}’ ({prose.units(effect.sources)})"
    if len(effect.sources) == 1:
        who = f"The unit that sees ‘{concept}’ ({effect.sources[0]})"
    verb = "carries" if len(effect.sources) == 1 else "carry"
    figures = f"{who} {verb} {prose.share(effect)} of what makes {target}"
    margin = prose.percent(case.settings.delta)
    if without:
        others = prose.listed([case.effects.targets[j] for j in sorted(without)])
        figures += f" (against inputs of classes other than {others})"
    if effect.method == "additive" and effect.gap >= 0.005:
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
