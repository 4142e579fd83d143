"""Units nobody has said a word about that make a class.

Candidates are units of the cut that no annotation in force covers (words that counterfactuals
overrule, :mod:`circuitz.plausibility.words.counterfactual_test`, cover nothing) and that, on *select*, make more than the margin of a class, by being active or by being silent. *Flagged*: so they do on the split
judged. *Supported*: equivalent to none there.
"""

from __future__ import annotations

import numpy as np

from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import Claim, to_findings
from circuitz.plausibility.effects.driving_effect import Work, made_by, work
from circuitz.plausibility.rules.what_would_decide import (
    best_match,
    cut_or_train,
    more_images,
    too_small,
)
from circuitz.z.finding import Finding, Remedy, Verdict

KIND = "unannotated-driver"
VERSION = 1


def findings(case: Case) -> list[Finding]:
    """Judge every unit without words against every class it seems to drive."""
    found = _candidates(case)
    return to_findings(case, KIND, VERSION, [_claim(case, did, len(found)) for did in found])


def _candidates(case: Case) -> list[Work]:
    delta, size = case.settings.delta, case.chosen_on.mean_single["sufficiency"]
    covered = {
        unit for word in case.words if word.passed or not word.unmoved for unit in word.said.units
    }
    moves = np.abs(case.effects.drive) > delta
    found: list[Work] = []
    for i in np.flatnonzero(((size > delta) & moves).any(1)):
        units = (case.effects.units[int(i)],)
        if units[0] in covered:
            continue
        made = made_by(case, units)
        for k in np.flatnonzero((size[i] > delta) & moves[i]):
            chosen = case.chosen_on.joint(units, int(k), without=made - {int(k)})
            if chosen.effect.n and chosen.effect.estimate > delta:
                did = work(case, units, int(k), made)
                if abs(did.activity) > delta:
                    found.append(did)
    return found


def _claim(case: Case, did: Work, family: int) -> Claim:
    settings, joint = case.settings, did.joint
    (unit,), target = did.units, case.effects.targets[did.k]
    p_flag, p_support = did.p_beyond(settings.delta), joint.p_none(settings.delta)
    decide = more_images(case, joint, settings.delta, family)
    if not case.tells_apart(did.k):
        p_flag = p_support = float("nan")
        decide = too_small(case, did.k)
    worded = any(unit in said.units for said in case.said)
    # What its words said and pairs overruled is not proposed again.
    best = "" if worded else best_match(case, unit)
    arguments: dict[str, object] = {"unit": unit}
    label = f"Say what {unit} sees"
    if best:
        arguments |= {"text": best, "concepts": [best]}
        label = f"Say what {unit} sees (it matches ‘{best}’ best)"
    return Claim(
        target=joint.effect.target,
        subject=unit,
        units=did.units,
        p_flag=p_flag,
        p_support=p_support,
        estimate=joint.effect.estimate,
        ci=(joint.effect.low, joint.effect.high),
        delta=settings.delta,
        power=joint.power(2 * settings.delta, settings.delta, settings.q),
        words=lambda verdict: _sentence(case, did, best, verdict, worded=worded),
        decide=decide,
        effects=(joint.effect,),
        pictures=case.pictures(did.units, target),
        remedies=(
            Remedy("annotate", label, arguments),
            *cut_or_train(did.units, joint.effect.target, unit),
        ),
    )


def _sentence(case: Case, did: Work, best: str, verdict: Verdict, *, worded: bool) -> str:
    (unit,), target = did.units, case.effects.targets[did.k]
    by = "carries" if did.activity > 0 else "carries, by its silence,"
    which = "whose words do not hold" if worded else "which has no words"
    figures = f"{unit}, {which}, {by} {prose.share(did.joint.effect)} of what makes {target}"
    margin = prose.percent(case.settings.delta)
    if verdict == "supported":
        return f"{figures}, less than {margin}: as good as nothing."
    seen = f"; it matches ‘{best}’ best" if best else "; it matches no labelled concept"
    if worded:
        seen = ""
    if verdict == "flagged":
        return f"{figures}{seen}."
    return f"{figures}{seen}; that is neither shown to exceed {margin} nor to stay below."
