"""The claim that a concept reaches a class through units whose words do not name it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import Claim
from circuitz.plausibility.effects.unnamed_effect import Carried, Test
from circuitz.plausibility.rules.what_would_decide import IMPRACTICAL, cut_or_train
from circuitz.stats.clustered import interval, p_greater
from circuitz.z.finding import Remedy, Verdict
from circuitz.z.unit import OUTPUT

_TESTS: tuple[Test, ...] = ("mean", "net", "lead")


def unnamed_claim(case: Case, one: Carried, *, leads: bool, family: int) -> Claim:
    """Return the claim, tested among ``family`` others.

    Parameters
    ----------
    leads
        Whether it says that units called by the concept do less, too.
    """
    needed = _TESTS if leads else _TESTS[:2]
    settings, target = case.settings, case.effects.targets[one.k]
    low, high = one.interval(settings.level)
    return Claim(
        target=f"{OUTPUT}:{target}",
        subject=one.concept,
        units=one.members,
        p_flag=max(one.p_beyond(settings.delta), one.p_leads() if leads else 0.0),
        p_support=one.p_none(settings.delta),
        estimate=float(one.mean.mean),
        ci=(low, high),
        delta=settings.delta,
        power=one.power(settings.delta, settings.q),
        words=lambda verdict: _sentence(case, one, verdict, needed, family),
        decide=_decide(case, one, needed, family),
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


def _unsettled(case: Case, one: Carried, needed: Sequence[Test]) -> Test | None:
    """Return the first of the tests that is not passed by itself; None where each is."""
    settings = case.settings
    tests = one.tests(settings.delta)
    return next((t for t in needed if float(p_greater(*tests[t])) > settings.q), None)


def _decide(case: Case, one: Carried, needed: Sequence[Test], family: int) -> str:
    split, settings = case.settings.split, case.settings
    if one.gap >= settings.delta:
        return (
            "Measure again (cz.measure): words changed since, and exactly these units were not run."
        )
    tests = one.tests(settings.delta)
    # The hardest of them, which the others wait for.
    test = max(needed, key=lambda t: float(p_greater(*tests[t])))
    scenes = one.needed(test, settings.delta, settings.q / max(family, 1))
    here = int(one.mean.clusters)
    if not math.isfinite(scenes) or scenes > IMPRACTICAL * max(here, 1):
        return f"The estimate lies on the bound: no practical number of images on {split} decides."
    more = max(int(scenes) - here, 1)
    return f"About {prose.plural(more, 'more pair')} of images on {split}, with and without it."


def _sentence(
    case: Case, one: Carried, verdict: Verdict, needed: Sequence[Test], family: int
) -> str:
    settings, target = case.settings, case.effects.targets[one.k]
    estimate, (low, high), sign = float(one.mean.mean), one.interval(settings.level), one.sign
    if estimate < 0:  # on the split judged it goes the other way
        estimate, low, high, sign = -estimate, -high, -low, -sign
    does = "raises" if sign > 0 else "lowers"
    who = prose.plural(len(one.members), "unit")
    called = (
        f"besides those called so ({prose.units(one.named)})" if one.named else "none called so"
    )
    figures = (
        f"‘{one.concept}’ {does} {target} by {prose.interval(estimate, low, high)} of what makes it "
        f"through {who} ({prose.units(one.members)}), {called}"
    )
    margin = prose.percent(settings.delta)
    if verdict == "flagged":
        return f"{figures}."
    if verdict == "supported":
        return f"{figures}; that is less than {margin}: as good as nothing."
    test = _unsettled(case, one, needed)
    if test == "net":
        bounds = interval(one.net, settings.level)
        net = prose.interval(float(one.net.mean), float(bounds[0]), float(bounds[1]))
        return f"{figures}; net of what happens to other classes, {net}, that is not shown to exceed {margin}."
    if test == "lead":
        return f"{figures}; that those called so do less is not shown."
    if test is None:
        return f"{figures}; among {prose.plural(family, 'such claim')} that is not beyond chance."
    return f"{figures}; that is neither shown to exceed {margin} nor to stay below."
