"""Claims about what lies outside the thing: surroundings and artefacts, against every class.

For every concept that speaks against the subject and that some unit of the cut validly means, and
for every class: the units meaning it take the values they have on inputs of the class while the
rest of the cut keeps those of other classes. *Flagged*: that alone makes more than the margin of
the class, and the units' activity itself (:mod:`circuitz.plausibility.effects.driving_effect`) moves it by more
than that. *Supported*: equivalent to none.

A claim is about *inhibition* where, on *select*, the units' activity moves the class down and
their silence makes more of it than half the margin; else it is about driving.

A unit that validly means something of the subject as well cannot convict the surroundings: it
stays outside when the claim is flagged, and must be harmless too when the claim is supported.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import Claim
from circuitz.plausibility.effects.driving_effect import Work, made_by, work
from circuitz.plausibility.effects.joint_effect import Cell
from circuitz.plausibility.rules.what_would_decide import cut_or_train, more_images, too_small
from circuitz.z.finding import Verdict

#: The kinds of findings that say so.
KINDS = ("implausible-driver", "inhibitory-shortcut")


@dataclass(frozen=True, eq=False)
class Outside:
    """One concept from outside against one class.

    Parameters
    ----------
    case, concept
        What is judged.
    everyone
        Units of the cut that validly mean the concept.
    work
        What those of them do to the class that mean nothing of the subject (all, if there are
        none such).
    """

    case: Case
    concept: str
    everyone: tuple[str, ...]
    work: Work

    @cached_property
    def inhibits(self) -> bool:
        """Whether the claim is about inhibition."""
        joint = self.case.chosen_on.joint(self.work.units, self.work.k, without=self.work.without)
        delta = self.case.settings.delta
        return self.work.activity < -delta and joint.effect.estimate > delta / 2

    @property
    def target(self) -> str:
        """Name of the class."""
        return self.case.effects.targets[self.work.k]

    @cached_property
    def both(self) -> tuple[str, ...]:
        """Units that validly mean something of the subject as well."""
        return tuple(unit for unit in self.everyone if unit in self.case.mixed)

    @cached_property
    def worst(self) -> Cell | None:
        """Where the effect is largest: the sources of one class, in one of its surroundings."""
        work, case = self.work, self.case
        return case.joints.worst_cell(work.units, work.k, work.without, case.surroundings)

    def claim(self, family: int) -> Claim:
        """Return the claim, tested among ``family`` others."""
        case, did = self.case, self.work
        joint, delta = did.joint, case.settings.delta
        pure = self.both != self.everyone
        clear = pure and abs(did.activity) > delta
        p_flag = did.p_beyond(delta) if clear else 1.0
        p_support = joint.p_none(delta)
        if self.both and pure:
            wider = case.joints.joint(self.everyone, did.k, without=did.without)
            p_support = max(p_support, wider.p_none(delta))
        if self.worst is not None and self.worst.p <= case.settings.q:
            p_support = 1.0  # as good as nothing on average is not as good as nothing
        if did.untold or not case.tells_apart(did.k):
            p_flag = p_support = float("nan")
        support = case.support(self.concept, self.target)
        necessity = case.joints.joint(did.units, did.k, "necessity")
        return Claim(
            target=joint.effect.target,
            subject=self.concept,
            units=did.units,
            p_flag=p_flag,
            p_support=p_support,
            estimate=joint.effect.estimate,
            ci=(joint.effect.low, joint.effect.high),
            delta=delta,
            power=joint.power(2 * delta, delta, case.settings.q),
            words=self._sentence,
            decide=self._decide(family),
            effects=(joint.effect, necessity.effect),
            chain=support.chain,
            pictures=case.pictures(did.units, self.target),
            remedies=cut_or_train(did.units, joint.effect.target, self.concept, self.concept),
        )

    def _decide(self, family: int) -> str:
        case, did, target = self.case, self.work, self.target
        if did.untold:
            return (
                f"What these units do for {target} is the other side of what they do for "
                f"{self._others()}; no further class is there to tell."
            )
        if not case.tells_apart(did.k):
            return too_small(case, did.k)
        decide = more_images(case, did.joint, case.settings.delta, family)
        if self.worst is not None and self.worst.p <= case.settings.q:
            decide = (
                f"On inputs of {self.worst.source} it is beyond the margin, on average it is not "
                f"shown to be: look at {self.worst.source} and {target} by themselves."
            )
        if did.joint.effect.estimate > case.settings.delta >= abs(did.activity):
            decide = (
                f"Switching these units on hardly moves {target}, so it is not {self.concept} in "
                "them that makes it; look at what else they see."
            )
            if did.without:
                decide += f" Settle first what they do for {self._others()}."
        if self.both:
            one = len(self.both) == 1
            decide += (
                f" {prose.units(self.both)} also {'sees' if one else 'see'} the "
                f"{case.z.subject or 'thing'} itself, so what {'it does' if one else 'they do'} "
                "cannot be held against it; say which it is."
            )
        return decide

    def _others(self) -> str:
        return prose.listed([self.case.effects.targets[j] for j in sorted(self.work.without)])

    def _sentence(self, verdict: Verdict) -> str:
        effect, margin = self.work.joint.effect, prose.percent(self.case.settings.delta)
        one = len(effect.sources) == 1
        who = f"Units that see ‘{self.concept}’ ({prose.units(effect.sources)})"
        if one:
            who = f"The unit that sees ‘{self.concept}’ ({effect.sources[0]})"
        if self.inhibits and verdict != "supported":
            figures = (
                f"{who} {'holds' if one else 'hold'} {self.target} back: "
                f"{'its' if one else 'their'} silence carries {prose.share(effect)} of what makes it"
            )
        else:
            verb = "carries" if one else "carry"
            figures = f"{who} {verb} {prose.share(effect)} of what makes {self.target}"
        if self.work.without:
            figures += f" (against inputs of classes other than {self._others()})"
        if self.worst is not None:
            most = prose.percent(self.worst.estimate)
            cell = "cell" if self.case.surroundings else "class"
            figures += f", at most {most} on inputs of one {cell} ({self.worst.source})"
        if effect.method == "additive" and effect.gap >= 0.005:
            figures += f" (from single units; ± {prose.percent(effect.gap)} for what that may miss)"
        if verdict == "supported":
            return f"{figures}, less than {margin}: as good as nothing."
        held = self._held()
        if verdict == "inconclusive":
            return f"{figures}, {held}; that is neither shown to exceed {margin} nor to stay below."
        return f"{figures}, {held}; {self._why()}."

    def _held(self) -> str:
        """Name what was held: first what the subject has, by the words on it."""
        case, units = self.case, set(self.work.units)
        parts = [c for c in case.supporting if not set(case.units_meaning(c)) & units]
        if not parts:
            return "with the rest of the cut held"
        return f"with {', '.join(parts[:3])} and everything else held"

    def _why(self) -> str:
        case, concept = self.case, self.concept
        subject = prose.article(case.z.subject) if case.z.subject else "anything"
        kind = case.lexicon.kind(concept)
        does = "do not keep" if self.inhibits else "do not make"
        what = f"{'from being' if self.inhibits else ''} {prose.article(self.target)}".strip()
        if kind == "surroundings":
            return f"{concept} is surroundings, and surroundings {does} {subject} {what}"
        if kind == "artefact":
            return f"{concept} is an artefact, and artefacts {does} {subject} {what}"
        return f"{concept} is nothing that {subject} has"


def outside_pairs(case: Case) -> list[Outside]:
    """Return every opposed concept on the cut with every class; two kinds divide them among them."""
    if "outside" not in case.kept:
        case.kept["outside"] = _pairs(case)
    return case.kept["outside"]


def _pairs(case: Case) -> list[Outside]:
    found: list[Outside] = []
    for concept in case.concepts:
        opposed = [
            k
            for k, target in enumerate(case.effects.targets)
            if case.support(concept, target).verdict == "opposes"
        ]
        if not opposed:
            continue
        everyone = case.units_meaning(concept)
        made = made_by(case, everyone)
        units = tuple(unit for unit in everyone if unit not in case.mixed) or everyone
        found += [Outside(case, concept, everyone, work(case, units, k, made)) for k in opposed]
    return found
