from __future__ import annotations

import numpy as np
import pytest

from circuitz.plausibility.check_settings import CheckSettings
from circuitz.plausibility.effects.joint_effect import UNKNOWN_GAP, JointEffects

ALL = [tuple(range(7))]


def joints(z, split: str = "test") -> JointEffects:
    return JointEffects(z.measurements.effects, CheckSettings(split))


def units(*indices: int) -> tuple[str, ...]:
    return tuple(f"conv4:{i}" for i in indices)


@pytest.mark.parametrize("how", ["sufficiency", "necessity"])
def test_a_set_that_was_run_is_exact_whatever_its_order(plant, how) -> None:
    z = plant(groups=[(0, 1, 3)], interaction=0.3)
    found = joints(z).joint_effect(units(3, 0, 1), 0, how)
    effects = z.measurements.effects
    stored = effects.group_sufficiency if how == "sufficiency" else effects.group_necessity
    assert found.effect.method == "exact"
    assert found.effect.gap == 0
    assert found.effect.estimate == pytest.approx(np.nanmean(stored[0][effects.split == 1, 0]))
    assert found.effect.sources == units(0, 1, 3)
    assert found.effect.n == (120 if how == "sufficiency" else 40)


def test_without_interaction_the_sum_is_the_joint_effect_and_the_gap_is_none(plant) -> None:
    exact = joints(plant(groups=[(0, 1), *ALL])).joint_effect(units(0, 1), 0).effect
    added = joints(plant(groups=ALL)).joint_effect(units(0, 1), 0).effect
    assert added.method == "additive"
    assert added.gap == pytest.approx(0, abs=1e-5)
    assert added.estimate == pytest.approx(exact.estimate, abs=1e-5)
    assert added.low == pytest.approx(exact.low, abs=1e-4)


def test_with_interaction_the_gap_covers_what_the_sum_misses(plant) -> None:
    exact = (
        joints(plant(groups=[(0, 1), *ALL], interaction=0.4)).joint_effect(units(0, 1), 0).effect
    )
    added = joints(plant(groups=ALL, interaction=0.4)).joint_effect(units(0, 1), 0).effect
    assert added.method == "additive"
    assert added.gap > 0.1
    assert abs(added.estimate - exact.estimate) <= added.gap + 0.02
    assert added.low <= exact.estimate <= added.high
    assert added.p >= exact.p


def test_after_an_edit_the_nearest_set_is_corrected_not_summed_anew(plant) -> None:
    both = plant(groups=[(0, 1, 3, 6), (0, 1, 3)], interaction=0.4)
    one = plant(groups=[(0, 1, 3, 6)], interaction=0.4)
    exact = joints(both).joint_effect(units(0, 1, 3), 0).effect
    near = joints(one).joint_effect(units(0, 1, 3), 0).effect
    assert near.method == "additive"
    # Unit 6 is small, so little is left to be missed.
    assert near.gap < 0.1
    assert abs(near.estimate - exact.estimate) <= near.gap + 0.01


def test_single_units_and_the_empty_set_are_exact(plant) -> None:
    found = joints(plant())
    assert found.joint_effect(units(0), 0).effect.method == "exact"
    none = found.joint_effect((), 0)
    assert (none.effect.estimate, none.effect.low, none.effect.high) == (0, 0, 0)
    assert none.p_within_margin(0.1) == 0
    assert found.joint_effect(("conv9:1",), 0).effect.sources == ()


def test_where_no_set_was_run_nothing_is_concluded_from_a_sum(plant) -> None:
    found = joints(plant()).joint_effect(units(0, 1), 0)
    assert found.effect.gap == UNKNOWN_GAP
    assert found.p_beyond(0.1) > 0.5
    assert found.p_within_margin(0.1) == 1


def test_sources_of_chosen_classes_are_left_out(plant) -> None:
    z = plant(groups=[(0, 1)])
    found = joints(z).joint_effect(units(0, 1), 1, excluded_classes=frozenset({0}))
    assert found.effect.n == 80
    assert "but husky" in found.effect.baseline
    assert (
        joints(z).joint_effect(units(0, 1), 1, excluded_classes=frozenset({0, 2, 3})).effect.n == 0
    )


def test_every_effect_says_what_it_rests_on(plant) -> None:
    effect = joints(plant(), "audit").joint_effect(units(2), 1).effect
    assert effect.split == "audit"
    assert effect.target == "output:beagle"
    assert (effect.n, effect.clusters) == (120, 120)
    assert effect.value == "as on inputs of beagle"
