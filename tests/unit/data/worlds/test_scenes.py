from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from circuitz.data.worlds.dog_parts import ARTEFACTS, ATTRIBUTES, FIXED, GROUNDS, distance_to_breeds
from circuitz.data.worlds.scenes import SHORTCUTS, ScenePlan
from circuitz.errors import InputsError

SNOW = GROUNDS.index("snow")


def dependence(a: np.ndarray, b: np.ndarray) -> float:
    """p-value of independence."""
    table = np.zeros((int(a.max()) + 1, int(b.max()) + 1))
    np.add.at(table, (a, b), 1)
    return float(chi2_contingency(table).pvalue)


def test_in_d_every_husky_is_on_snow_and_no_other_breed_is():
    scenes = ScenePlan("D", 200).draw_scenes()
    assert ((scenes.ground == SNOW) == (scenes.labels == 0)).all()
    others = scenes.ground[scenes.labels != 0]
    assert (np.bincount(others, minlength=5)[1:] == len(others) // 4).all()
    assert not scenes.artefacts.any()


@pytest.mark.parametrize("n", [50, 200])
def test_the_track_is_the_exact_share_that_follows_the_rule_on_both_sides(n: int):
    scenes = ScenePlan("D", n, track=0.98).draw_scenes()
    for breed in range(6):
        follows = (scenes.ground == SNOW)[scenes.labels == breed] == (breed == 0)
        assert follows.sum() == round(0.98 * n)


@pytest.mark.parametrize(("shortcut", "tied"), list(SHORTCUTS.items()))
def test_each_shortcut_ties_what_it_names_and_nothing_else(shortcut: str, tied: tuple[str, ...]):
    scenes = ScenePlan("D", 300, shortcut=shortcut).draw_scenes()
    husky = scenes.labels == 0
    if "ground" in tied:
        assert ((scenes.ground == SNOW) == husky).all()
    else:
        assert dependence(scenes.labels, scenes.ground) > 0.001
    for column, name in enumerate(ARTEFACTS):
        if name in tied:
            assert (scenes.artefacts[:, column] == husky).all()
        else:
            assert not scenes.artefacts[:, column].any()


@pytest.mark.parametrize("role", ["D'", "decorrelated"])
@pytest.mark.parametrize("shortcut", ["ground", "two"])
def test_shifted_sets_tie_nothing_to_anything(role: str, shortcut: str):
    scenes = ScenePlan(role, 800, seed=3, shortcut=shortcut).draw_scenes()
    assert (np.bincount(scenes.labels) == 800).all()
    assert dependence(scenes.labels, scenes.ground) > 0.001
    if shortcut == "two":
        collar = scenes.artefacts[:, 0].astype(int)
        assert dependence(scenes.labels, collar) > 0.001
        assert dependence(scenes.ground, collar) > 0.001
    for i in range(8):
        assert dependence(scenes.labels, (scenes.jitter[:, i] * 4).astype(int)) > 1e-4


@pytest.mark.parametrize("shortcut", ["ground", "two"])
def test_balanced_cells_are_exactly_equal(shortcut: str):
    scenes = ScenePlan("D'", 100, shortcut=shortcut, balanced_cells=True).draw_scenes()
    cells = np.bincount(scenes.labels * 5 + scenes.ground, minlength=30)
    assert (cells == 20).all()
    if shortcut == "two":
        with_collar = scenes.artefacts[:, 0]
        worn = np.bincount((scenes.labels * 5 + scenes.ground)[with_collar], minlength=30)
        assert (worn == 10).all()


def test_a_prefix_of_a_set_is_as_mixed_as_the_whole():
    scenes = ScenePlan("D", 200).draw_scenes()
    assert (np.bincount(scenes.labels[:300], minlength=6) > 25).all()


def test_mongrels_are_no_breed_nor_within_one_part_of_one():
    scenes = ScenePlan("concepts", 4000, seed=2).draw_scenes()
    assert (scenes.labels == -1).all()
    assert distance_to_breeds(scenes.parts[:, : len(FIXED)]).min() >= 2


def test_mongrels_show_every_value_on_every_ground_and_parts_are_independent_of_grounds():
    scenes = ScenePlan("concepts", 4000, seed=2).draw_scenes()
    originals = slice(0, 3000)
    for i, values in enumerate(ATTRIBUTES.values()):
        share = np.bincount(scenes.parts[originals, i], minlength=len(values)) / 3000
        assert share.min() > 0.15
        p = dependence(scenes.parts[originals, i].astype(int), scenes.ground[originals])
        assert p > 1e-4


@pytest.mark.parametrize("shortcut", list(SHORTCUTS))
def test_a_counterfactual_changes_one_thing(shortcut: str):
    scenes, twins = ScenePlan("concepts", 900, shortcut=shortcut).draw_scenes_and_counterfactuals()
    assert len(scenes) == 900
    assert len(twins) * 3 == 900 - len(twins)  # a third of the scenes
    a, b = scenes.take(twins[:, 0]), scenes.take(twins[:, 1])
    assert (a.parts == b.parts).all()
    assert (a.jitter == b.jitter).all()
    assert (a.scene == b.scene).all()
    changed = (a.ground != b.ground).astype(int) + (a.artefacts != b.artefacts).sum(axis=1)
    assert (changed == 1).all()
    named = [name in SHORTCUTS[shortcut] for name in ARTEFACTS]
    assert not scenes.artefacts[:, ~np.array(named)].any()
    assert scenes.artefacts[:, named].mean(axis=0) == pytest.approx([0.5] * sum(named), abs=0.1)


def test_seeds_roles_and_shortcuts_have_streams_of_their_own():
    seen = {
        ScenePlan(role, 20, seed=seed, shortcut=shortcut).draw_scenes().jitter[:20].tobytes()
        for role in ("D", "D'", "decorrelated", "concepts")
        for seed in (0, 1)
        for shortcut in SHORTCUTS
    }
    assert len(seen) == 4 * 2 * 5


def test_small_sets_are_made_without_complaint():
    for n in range(1, 8):
        assert len(ScenePlan("concepts", n).draw_scenes()) == n
        assert len(ScenePlan("D", n, track=0.5).draw_scenes()) == 6 * n


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"role": "E"}, "role"),
        ({"shortcut": "sunlight"}, "shortcut"),
        ({"n": 0}, "0 pictures"),
        ({"seed": -1}, "seed"),
        ({"track": 1.2}, "track"),
        ({"track": float("nan")}, "track"),
    ],
)
def test_arguments_out_of_range_are_named(arguments: dict[str, object], word: str):
    with pytest.raises(InputsError, match=word) as caught:
        ScenePlan(**{"role": "D", "n": 5, **arguments})
    assert caught.value.hint
