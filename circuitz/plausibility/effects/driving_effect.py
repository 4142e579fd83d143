"""What units do to a class by being active, apart from what their silence does for others.

What drives one class away from the rest works, by its absence, for every other class when the
source is an input of the first: take the snow off a husky, and it looks more like a beagle. That
says nothing new about beagles. So the classes that some units make by their *presence* are found
on *select* (effect beyond the margin, and the units' activity speaks for the class), and inputs of
those classes are no sources for claims about the others. Where the units make every class (a
mechanism rather than a cue), no source would be left; then all are kept, and the effect must
exceed the margin by what the absence of the others accounts for: margins sum to zero, so taking
away what makes class *j* raises every other by its share of that, one part in *K* - 1.

Units that see snow see a little else too, and that little may make a difference. So units count as
doing something only where their activity itself, switched on over the concept set with the rest of
the cut held, moves the class, up or down. What one class's margin gains all others lose in equal
shares; so it must move the class the same way also after the share implied by the classes the
units make is taken out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuitz.plausibility.case import Case
from circuitz.plausibility.effects.joint_effect_bounds import JointEffect


@dataclass(frozen=True, eq=False)
class DrivingEffect:
    """What some units do to one class.

    Parameters
    ----------
    units, k
        Units of the cut, and index of the class.
    joint
        Their joint sufficiency, on the split judged.
    excluded_classes
        Classes whose inputs were left out as sources.
    absence_share
        Share that the absence of what makes other classes accounts for; 0 where it was left out.
    activity
        How far switching the units on moves the class of itself, in shares: positive up,
        negative down, 0 where it does not clearly do either. Read on *select*.
    """

    units: tuple[str, ...]
    k: int
    joint: JointEffect
    excluded_classes: frozenset[int]
    absence_share: float
    activity: float

    def p_beyond(self, bound: float) -> float:
        """One-sided p-value of "makes at most ``bound`` of the class by itself"."""
        return self.joint.p_beyond(bound + self.absence_share)

    @property
    def has_no_source_inputs_left(self) -> bool:
        """Whether no source is left to tell it from the other side of what the units make."""
        return not self.joint.effect.n


def classes_driven_by_presence(case: Case, units: tuple[str, ...]) -> frozenset[int]:
    """Return the classes units make by their presence, as seen on *select*."""
    activity = _summed_activity_effects(case, units)
    return frozenset(
        k
        for k in range(len(case.effects.targets))
        if activity[k] > 0
        and case.network_separates_class(k)
        and case.joint_effects_on_select.joint_effect(units, k).effect.estimate
        > case.settings.delta
    )


def driving_effect(
    case: Case, units: tuple[str, ...], k: int, driven: frozenset[int]
) -> DrivingEffect:
    """Say what units do to class ``k``.

    Parameters
    ----------
    driven
        Classes they, or what they mean, make by presence (:func:`classes_driven_by_presence`).
    """
    without = driven - {k}
    activity = _net_activity_effect(case, units, k, without)
    absent = 0.0
    if 1 < len(case.effects.targets) - 1 == len(without):
        absent = _share_due_to_absence(case, units, k, without)
        without = frozenset[int]()
    joint = case.joint_effects.joint_effect(units, k, excluded_classes=without)
    return DrivingEffect(units, k, joint, without, absent, activity)


def _summed_activity_effects(case: Case, units: tuple[str, ...]) -> np.ndarray:
    position = case.joint_effects.position_by_unit
    return case.effects.drive[[position[unit] for unit in units]].sum(0)


def _net_activity_effect(
    case: Case, units: tuple[str, ...], k: int, others: frozenset[int]
) -> float:
    effects = case.effects
    activity = _summed_activity_effects(case, units) * effects.scale
    implied = -sum(float(activity[j]) for j in others) / max(len(effects.targets) - 1, 1)
    raw = float(activity[k]) / float(effects.scale[k])
    net = raw - implied / float(effects.scale[k])
    return max(min(raw, net), 0.0) + min(max(raw, net), 0.0)


def _share_due_to_absence(
    case: Case, units: tuple[str, ...], k: int, driven: frozenset[int]
) -> float:
    scale = case.effects.scale
    gained = [
        case.joint_effects_on_select.joint_effect(units, j).effect.estimate * float(scale[j])
        for j in driven
    ]
    return sum(gained) / len(gained) / (len(case.effects.targets) - 1) / float(scale[k])
