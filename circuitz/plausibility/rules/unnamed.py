"""The claim that a concept reaches a class through units whose words do not name it."""

from __future__ import annotations

import math
from dataclasses import replace

from circuitz.plausibility import prose
from circuitz.plausibility.carried import Carried
from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import Claim
from circuitz.plausibility.rules.shared import IMPRACTICAL, cut_or_train
from circuitz.z.finding import Remedy, Verdict
from circuitz.z.unit import OUTPUT


def unnamed_claim(case: Case, one: Carried, *, p_flag: float, family: int) -> Claim:
    """Return the claim, tested among ``family`` others."""
    settings, target = case.settings, case.effects.targets[one.k]
    low, high = one.interval(settings.level)
    return Claim(
        target=f"{OUTPUT}:{target}",
        subject=one.concept,
        units=one.members,
        p_flag=p_flag,
        p_support=one.p_none(settings.delta),
        estimate=float(one.mean.mean),
        ci=(low, high),
        delta=settings.delta,
        power=one.power(settings.delta, settings.q),
        words=lambda verdict: _sentence(case, one, verdict),
        decide=_decide(case, one, family),
        chain=case.support(one.concept, target).chain,
        pictures=case.pictures(one.members, target),
        remedies=_remedies(case, one),
    )


def _remedies(case: Case, one: Carried) -> tuple[Remedy, ...]:
    """Return what can be done: what lies outside the thing goes, what belongs to it is said."""
    target = case.effects.targets[one.k]
    change = cut_or_train(one.members, f"{OUTPUT}:{target}", one.concept, one.concept)
    say = tuple(
        Remedy(
            "annotate",
            f"Say that {unit} sees ‘{one.concept}’ too",
            {"unit": unit, "text": one.concept, "concepts": [one.concept]},
        )
        for unit in one.members[:1]
    )
    if case.support(one.concept, target).verdict == "opposes":
        return (*change, *say)
    cut, train = change
    label = f"Train {target} to rest on units called ‘{one.concept}’"
    return (*say, replace(train, label=label), cut)


def _decide(case: Case, one: Carried, family: int) -> str:
    split, settings = case.settings.split, case.settings
    if one.gap >= settings.delta:
        return (
            "Measure again (cz.measure): words changed since, and exactly these units were not run."
        )
    needed = one.needed(settings.delta, settings.q / max(family, 1))
    here = int(one.mean.clusters)
    if not math.isfinite(needed) or needed > IMPRACTICAL * max(here, 1):
        return f"The estimate lies on the bound: no practical number of images on {split} decides."
    more = max(int(needed) - here, 1)
    return f"About {prose.plural(more, 'more pair')} of images on {split}, with and without it."


def _sentence(case: Case, one: Carried, verdict: Verdict) -> str:
    settings, target = case.settings, case.effects.targets[one.k]
    share = prose.interval(float(one.mean.mean), *one.interval(settings.level))
    does = "raises" if one.sign > 0 else "lowers"
    who = prose.plural(len(one.members), "unit")
    called = (
        f"besides those called so ({prose.units(one.named)})" if one.named else "none called so"
    )
    figures = (
        f"‘{one.concept}’ {does} {target} by {share} of what makes it through {who} "
        f"({prose.units(one.members)}), {called}"
    )
    margin = prose.percent(settings.delta)
    if verdict == "flagged":
        return f"{figures}."
    if verdict == "supported":
        return f"{figures}; that is less than {margin}: as good as nothing."
    return f"{figures}; that is neither shown to exceed {margin} nor to stay below."
