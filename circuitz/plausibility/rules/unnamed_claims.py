"""The claim that a concept reaches a class through units whose words do not name it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import MEASURE_AGAIN, Claim
from circuitz.plausibility.effects.unnamed_effect import Criterion, UnnamedEffect
from circuitz.plausibility.rules.decisions_and_remedies import IMPRACTICAL, cut_or_train_remedies
from circuitz.stats.clustered import confidence_interval, p_value_mean_above_bound
from circuitz.z.finding import Remedy, Verdict
from circuitz.z.unit import OUTPUT

_TESTS: tuple[Criterion, ...] = ("mean", "net", "lead")


def unnamed_claim(case: Case, effect: UnnamedEffect, *, leads: bool, family: int) -> Claim:
    """Return the claim, tested among ``family`` others.

    Parameters
    ----------
    leads
        Whether it says that units called by the concept do less, too.
    """
    needed = _TESTS if leads else _TESTS[:2]
    settings, target = case.settings, case.effects.targets[effect.k]
    low, high = effect.interval(settings.level)
    support = case.support_for_class(effect.concept, target)
    return Claim(
        target=f"{OUTPUT}:{target}",
        subject=effect.concept,
        units=effect.members,
        p_flag=max(effect.p_beyond(settings.delta), effect.p_exceeds_named() if leads else 0.0),
        p_support=effect.p_within_margin(settings.delta),
        estimate=float(effect.mean.mean),
        ci=(low, high),
        delta=settings.delta,
        power=effect.power_at_twice_margin(settings.delta, settings.q),
        write_sentence=lambda verdict: _unnamed_effect_sentence(
            case, effect, verdict, needed, family
        ),
        decide=_say_what_would_decide(case, effect, needed, family),
        chain=() if case.is_of_unknown_kind(effect.concept) else support.chain,
        pictures=case.intervention_picture_hashes(effect.members, target),
        remedies=_remedies_for_unnamed_effect(case, effect),
    )


def _remedies_for_unnamed_effect(case: Case, effect: UnnamedEffect) -> tuple[Remedy, ...]:
    """Return what can be done: what lies outside the thing goes, what belongs to it is said."""
    target = case.effects.targets[effect.k]
    change = cut_or_train_remedies(
        case, effect.members, f"{OUTPUT}:{target}", effect.concept, effect.concept
    )
    say = tuple(
        Remedy(
            "annotate",
            f"Say that {unit} sees ‘{effect.concept}’ too",
            {"unit": unit, "text": effect.concept, "concepts": [effect.concept]},
        )
        for unit in effect.members[:1]
    )
    if case.support_for_class(effect.concept, target).verdict == "opposes":
        return (*change, *say)
    *cut, train = change
    label = f"Train {target} to rest on units called ‘{effect.concept}’"
    return (*say, replace(train, label=label), *cut)


def _first_failing_test(
    case: Case, effect: UnnamedEffect, needed: Sequence[Criterion]
) -> Criterion | None:
    """Return the first of the tests that is not passed by itself; None where each is."""
    settings = case.settings
    tests = effect.means_and_bounds_by_criterion(settings.delta)
    return next(
        (t for t in needed if float(p_value_mean_above_bound(*tests[t])) > settings.q), None
    )


def _say_what_would_decide(
    case: Case, effect: UnnamedEffect, needed: Sequence[Criterion], family: int
) -> str:
    split, settings = case.settings.split, case.settings
    if effect.gap >= settings.delta:
        return f"{MEASURE_AGAIN}: words changed since, and exactly these units were not run."
    tests = effect.means_and_bounds_by_criterion(settings.delta)
    # The hardest of them, which the others wait for.
    test = max(needed, key=lambda t: float(p_value_mean_above_bound(*tests[t])))
    scenes = effect.scenes_needed(test, settings.delta, settings.q / max(family, 1))
    here = int(effect.mean.clusters)
    if not math.isfinite(scenes) or scenes > IMPRACTICAL * max(here, 1):
        return f"The estimate lies on the bound: no practical number of images on {split} decides."
    more = max(int(scenes) - here, 1)
    return f"About {prose.format_count_with_noun(more, 'more pair')} of images on {split}, with and without it."


def _unnamed_effect_sentence(
    case: Case, effect: UnnamedEffect, verdict: Verdict, needed: Sequence[Criterion], family: int
) -> str:
    settings, target = case.settings, case.effects.targets[effect.k]
    estimate, (low, high), sign = (
        float(effect.mean.mean),
        effect.interval(settings.level),
        effect.sign,
    )
    if estimate < 0:  # on the split judged it goes the other way
        estimate, low, high, sign = -estimate, -high, -low, -sign
    does = "raises" if sign > 0 else "lowers"
    who = prose.format_count_with_noun(len(effect.members), "unit")
    called = (
        f"besides those called so ({prose.abbreviate_units(effect.named)})"
        if effect.named
        else "none called so"
    )
    figures = (
        f"‘{effect.concept}’ {does} {target} by {prose.format_share_with_interval(estimate, low, high)} of what makes it "
        f"through {who} ({prose.abbreviate_units(effect.members)}), {called}"
    )
    margin = prose.percent(settings.delta)
    if verdict == "flagged":
        return f"{figures}."
    if verdict == "supported":
        return f"{figures}; that is less than {margin}: as good as nothing."
    test = _first_failing_test(case, effect, needed)
    if test == "net":
        bounds = confidence_interval(effect.net, settings.level)
        net = prose.format_share_with_interval(
            float(effect.net.mean), float(bounds[0]), float(bounds[1])
        )
        return f"{figures}; net of what happens to other classes, {net}, that is not shown to exceed {margin}."
    if test == "lead":
        return f"{figures}; that those called so do less is not shown."
    if test is None:
        return f"{figures}; among {prose.format_count_with_noun(family, 'such claim')} that is not beyond chance."
    return f"{figures}; that is neither shown to exceed {margin} nor to stay below."
