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
from circuitz.plausibility.effects.driving_effect import (
    DrivingEffect,
    classes_driven_by_presence,
    driving_effect,
)
from circuitz.plausibility.effects.joint_effect_bounds import Cell
from circuitz.plausibility.rules.decisions_and_remedies import (
    cut_or_train_remedies,
    describe_images_needed,
    explain_untestable_class,
)
from circuitz.z.finding import Verdict

#: The kinds of findings that say so.
KINDS = ("implausible-driver", "inhibitory-shortcut")


@dataclass(frozen=True, eq=False)
class OutsidePair:
    """One concept from outside against one class.

    Parameters
    ----------
    case, concept
        What is judged.
    all_units
        Units of the cut that validly mean the concept.
    driving
        What those of them do to the class that mean nothing of the subject (all, if there are
        none such).
    """

    case: Case
    concept: str
    all_units: tuple[str, ...]
    driving: DrivingEffect

    @cached_property
    def claims_inhibition(self) -> bool:
        """Whether the claim is about inhibition."""
        joint = self.case.joint_effects_on_select.joint_effect(
            self.driving.units, self.driving.k, excluded_classes=self.driving.excluded_classes
        )
        delta = self.case.settings.delta
        return self.driving.activity < -delta and joint.effect.estimate > delta / 2

    @property
    def target(self) -> str:
        """Name of the class."""
        return self.case.effects.targets[self.driving.k]

    @cached_property
    def mixed_units(self) -> tuple[str, ...]:
        """Units that validly mean something of the subject as well."""
        return tuple(unit for unit in self.all_units if unit in self.case.mixed_units)

    @cached_property
    def worst_source_cell(self) -> Cell | None:
        """Where the effect is largest: the sources of one class, in one of its surroundings."""
        work, case = self.driving, self.case
        return case.joint_effects.worst_source_cell(
            work.units, work.k, work.excluded_classes, case.surroundings_of_sources
        )

    def make_claim(self, family: int) -> Claim:
        """Return the claim, tested among ``family`` others."""
        case, did = self.case, self.driving
        joint, delta = did.joint, case.settings.delta
        pure = self.mixed_units != self.all_units
        clear = pure and abs(did.activity) > delta
        p_flag = did.p_beyond(delta) if clear else 1.0
        p_support = joint.p_within_margin(delta)
        if self.mixed_units and pure:
            wider = case.joint_effects.joint_effect(
                self.all_units, did.k, excluded_classes=did.excluded_classes
            )
            p_support = max(p_support, wider.p_within_margin(delta))
        if self.worst_source_cell is not None and self.worst_source_cell.p <= case.settings.q:
            p_support = 1.0  # as good as nothing on average is not as good as nothing
        if did.has_no_source_inputs_left or not case.network_separates_class(did.k):
            p_flag = p_support = float("nan")
        support = case.support_for_class(self.concept, self.target)
        necessity = case.joint_effects.joint_effect(did.units, did.k, "necessity")
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
            write_sentence=self._claim_sentence,
            decide=self._say_what_would_decide(family),
            effects=(joint.effect, necessity.effect),
            chain=support.chain,
            pictures=case.intervention_picture_hashes(did.units, self.target),
            remedies=cut_or_train_remedies(
                case, did.units, joint.effect.target, self.concept, self.concept
            ),
        )

    def _say_what_would_decide(self, family: int) -> str:
        case, did, target = self.case, self.driving, self.target
        if did.has_no_source_inputs_left:
            return (
                f"What these units do for {target} is the other side of what they do for "
                f"{self._list_excluded_classes()}; no further class is there to tell."
            )
        if not case.network_separates_class(did.k):
            return explain_untestable_class(case, did.k)
        decide = describe_images_needed(case, did.joint, case.settings.delta, family)
        if self.worst_source_cell is not None and self.worst_source_cell.p <= case.settings.q:
            decide = (
                f"On inputs of {self.worst_source_cell.source} it is beyond the margin, on average it is not "
                f"shown to be: look at {self.worst_source_cell.source} and {target} by themselves."
            )
        if did.joint.effect.estimate > case.settings.delta >= abs(did.activity):
            decide = (
                f"Switching these units on hardly moves {target}, so it is not {self.concept} in "
                "them that makes it; look at what else they see."
            )
            if did.excluded_classes:
                decide += f" Settle first what they do for {self._list_excluded_classes()}."
        if self.mixed_units:
            one = len(self.mixed_units) == 1
            decide += (
                f" {prose.abbreviate_units(self.mixed_units)} also {'sees' if one else 'see'} the "
                f"{case.z.subject or 'thing'} itself, so what {'it does' if one else 'they do'} "
                "cannot be held against it; say which it is."
            )
        return decide

    def _list_excluded_classes(self) -> str:
        return prose.list_in_prose(
            [self.case.effects.targets[j] for j in sorted(self.driving.excluded_classes)]
        )

    def _claim_sentence(self, verdict: Verdict) -> str:
        effect, margin = self.driving.joint.effect, prose.percent(self.case.settings.delta)
        one = len(effect.sources) == 1
        who = f"Units that see ‘{self.concept}’ ({prose.abbreviate_units(effect.sources)})"
        if one:
            who = f"The unit that sees ‘{self.concept}’ ({effect.sources[0]})"
        if self.claims_inhibition and verdict != "supported":
            figures = (
                f"{who} {'holds' if one else 'hold'} {self.target} back: "
                f"{'its' if one else 'their'} silence carries {prose.format_effect_with_interval(effect)} of what makes it"
            )
        else:
            verb = "carries" if one else "carry"
            figures = f"{who} {verb} {prose.format_effect_with_interval(effect)} of what makes {self.target}"
        if self.driving.excluded_classes:
            figures += f" (against inputs of classes other than {self._list_excluded_classes()})"
        if self.worst_source_cell is not None:
            most = prose.percent(self.worst_source_cell.estimate)
            cell = "cell" if self.case.surroundings_of_sources else "class"
            figures += f", at most {most} on inputs of one {cell} ({self.worst_source_cell.source})"
        if effect.method == "additive" and effect.gap >= 0.005:
            figures += f" (from single units; ± {prose.percent(effect.gap)} for what that may miss)"
        if verdict == "supported":
            return f"{figures}, less than {margin}: as good as nothing."
        held = self._describe_held_units()
        if verdict == "inconclusive":
            return f"{figures}, {held}; that is neither shown to exceed {margin} nor to stay below."
        return f"{figures}, {held}; {self._explain_opposition()}."

    def _describe_held_units(self) -> str:
        """Name what was held: first what the subject has, by the words on it."""
        case, units = self.case, set(self.driving.units)
        parts = [
            c for c in case.supporting_concepts if not set(case.units_validly_meaning(c)) & units
        ]
        if not parts:
            return "with the rest of the cut held"
        return f"with {', '.join(parts[:3])} and everything else held"

    def _explain_opposition(self) -> str:
        case, concept = self.case, self.concept
        subject = prose.noun_with_article(case.z.subject) if case.z.subject else "anything"
        kind = case.lexicon.kind(concept)
        does = "do not keep" if self.claims_inhibition else "do not make"
        what = f"{'from being' if self.claims_inhibition else ''} {prose.noun_with_article(self.target)}".strip()
        if kind == "surroundings":
            return f"{concept} is surroundings, and surroundings {does} {subject} {what}"
        if kind == "artefact":
            return f"{concept} is an artefact, and artefacts {does} {subject} {what}"
        return f"{concept} is nothing that {subject} has"


def cached_outside_pairs(case: Case) -> list[OutsidePair]:
    """Return every opposed concept on the cut with every class; two kinds divide them among them."""
    if "outside" not in case.rule_cache:
        case.rule_cache["outside"] = _find_outside_pairs(case)
    return case.rule_cache["outside"]


def _find_outside_pairs(case: Case) -> list[OutsidePair]:
    found: list[OutsidePair] = []
    for concept in case.valid_concepts:
        opposed = [
            k
            for k, target in enumerate(case.effects.targets)
            if case.support_for_class(concept, target).verdict == "opposes"
        ]
        if not opposed:
            continue
        everyone = case.units_validly_meaning(concept)
        made = classes_driven_by_presence(case, everyone)
        units = tuple(unit for unit in everyone if unit not in case.mixed_units) or everyone
        found += [
            OutsidePair(case, concept, everyone, driving_effect(case, units, k, made))
            for k in opposed
        ]
    return found
