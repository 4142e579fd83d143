"""Whether anything of the thing itself makes a class.

For every class: all units of the cut that validly mean a part or attribute of the subject and do not
speak against the class when they are active (parts of rivals do, and their silence seems to make it),
taken together. *Flagged*: their joint effect stays below the margin, or it does with the units that
see the same and take it back. *Supported*: it is beyond the margin, either way. A model nobody has
annotated cannot be accused: *inconclusive*.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from circuitz.effects.groups import not_against
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
    units = _for_class(case, (unit for c in concepts for unit in case.units_meaning(c)), k)
    joint = case.joint(units, k)
    p_flag, p_support = joint.p_below(settings.delta), joint.p_beyond(settings.delta)
    back = _taking_back(case, joint, concepts, k)
    shown = case.joint(case.on_cut([*units, *back]), k) if back else joint
    if back:
        # One or the other, so twice the smaller (Bonferroni).
        p_flag = min(1.0, 2 * min(p_flag, shown.p_below(settings.delta)))
        p_support = max(p_support, shown.p_beyond(settings.delta))
    decide = more_images(case, shown, settings.delta, len(case.effects.targets))
    doubtful = [
        u for c, some in case.open_meaning.items() for u in some if _supports(case, c, target)
    ]
    maybe = _for_class(case, [*units, *doubtful], k)
    if len(maybe) > len(units):
        most = case.joint(case.on_cut([*maybe, *back]), k)
        p_flag = max(p_flag, most.p_below(settings.delta))
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
        target=shown.effect.target,
        subject="subject",
        units=shown.effect.sources,
        p_flag=p_flag,
        p_support=p_support,
        estimate=shown.effect.estimate,
        ci=(shown.effect.low, shown.effect.high),
        delta=settings.delta,
        power=shown.power(2 * settings.delta, settings.delta, settings.q) if units else 0.0,
        words=lambda verdict: _sentence(case, concepts, target, (joint, shown), verdict),
        decide=decide,
        effects=(joint.effect, *([shown.effect] if back else [])) if units else (),
        chain=tuple(chain),
        pictures=case.pictures(units, target) if units else (),
        remedies=(
            Remedy(
                "search",
                f"Make {target} rest on {_thing(case)} itself",
                {"concepts": list(concepts), "target": shown.effect.target},
            ),
        ),
    )


def _for_class(case: Case, units: Iterable[str], k: int) -> tuple[str, ...]:
    """Those that do not speak against the class; all where each of them does."""
    some = case.on_cut(units)
    return not_against(case.effects, some, k) or some


def _taking_back(case: Case, joint: Joint, concepts: list[str], k: int) -> tuple[str, ...]:
    """Units of the cut that see what these see, as read on *select*, and speak against the class.

    Words may stand on one of two units that do the same and cancel.
    """
    effects, single = case.effects, case.chosen_on.mean_single["sufficiency"][:, k]
    own = {case.joints.position[unit] for unit in joint.effect.sources}
    against = [int(i) for i in np.flatnonzero(single < 0) if int(i) not in own]
    gained = case.chosen_on.joint(joint.effect.sources, k).effect.estimate
    if not own or gained + float(single[against].sum()) > case.settings.delta:
        return ()  # all of them together could not take it back
    meant = {c for c in concepts if own & {case.joints.position[u] for u in case.units_meaning(c)}}
    columns = sorted(
        {i for said in case.said for c, some in said.concepts if c in meant for i in some}
    )
    bar = case.settings.match_bar
    found: list[str] = []
    for i in against:
        layer, _, index = effects.units[i].rpartition(":")
        if layer not in case.measured.layers:
            continue
        scores = case.select_table(layer).scores(int(index))
        nauprc, pearson = scores.nauprc[columns], scores.pearson[columns]
        if bool(((nauprc >= bar) & (pearson >= bar)).any()):
            found.append(effects.units[i])
    return tuple(found)


def _supports(case: Case, concept: str, target: str) -> bool:
    return case.support(concept, target).verdict == "supports"


def _thing(case: Case) -> str:
    return f"the {case.z.subject}" if case.z.subject else "the thing"


def _sentence(
    case: Case, concepts: list[str], target: str, joints: tuple[Joint, Joint], verdict: Verdict
) -> str:
    thing, margin = _thing(case), prose.percent(case.settings.delta)
    named, both = (one.effect for one in joints)
    if not named.sources:
        return (
            f"No unit of the cut is annotated with a part or attribute of {thing} that passes its "
            f"match, so whether {thing} itself makes {target} cannot be said."
        )
    listed = prose.listed(concepts[:3] if len(concepts) <= 3 else [*concepts[:3], "more"])
    figures = (
        f"Units that see {thing} itself ({listed}; {prose.plural(len(named.sources), 'unit')}) "
        f"carry {prose.share(named)} of what makes {target}"
    )
    if both != named:
        back = [unit for unit in both.sources if unit not in named.sources]
        figures += (
            f", and {prose.units(back)}, which see the same, take it back: together they carry "
            f"{prose.share(both)}"
        )
    if verdict == "flagged":
        return f"{figures}, less than {margin}: nothing of {thing} that is annotated counts for it."
    if verdict == "supported":
        return f"{figures}, more than {margin}."
    return f"{figures}; that is neither shown to exceed {margin} nor to stay below."
