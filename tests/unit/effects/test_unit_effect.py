from __future__ import annotations

import numpy as np
import pytest

from circuitz.effects.unit_effect import effect
from circuitz.errors import InputsError, UnitError
from circuitz.measurement.measure import measure
from circuitz.stats.clustered import clustered_mean, confidence_interval

FEW = {"images": 15}


@pytest.mark.parametrize("how", ["sufficiency", "necessity"])
def test_it_equals_what_measure_stored(world, how):
    z = measure(world.z().annotate("colour:2", "snow"), world.concepts(), images=15)
    stored = z.measurements.effects
    for k, name in enumerate(world.classes):
        for s, split in enumerate(("select", "test", "audit")):
            one = effect(z, "colour:2", f"output:{name}", intervention=how, split=split, **FEW)
            rows = stored.split == s
            values = getattr(stored, how)[rows, 2, k]
            mean = clustered_mean(values, stored.scene[rows])
            assert one.estimate == pytest.approx(mean.mean, abs=1e-5)
            assert (one.low, one.high) == pytest.approx(confidence_interval(mean), abs=1e-5)
            assert one.n == mean.n


def test_what_it_says_about_itself(world):
    z = world.z()
    found = effect(z, ["colour:2", "colour:0"], "husky", intervention="resample", seed=3, **FEW)
    assert found.sources == ("colour:0", "colour:2")
    assert found.target == "output:husky"
    assert found.how == "sufficiency"
    assert found.intervention == "resample"
    assert found.method == "exact"
    assert found.value == "as on inputs of husky"
    assert found.baseline == "inputs of other classes"
    assert (found.split, found.seed, found.delta, found.level) == ("test", 3, 0.1, 0.95)
    assert found.weights_hash == z.weights_hash
    assert found.inputs_hash == z.data_hash
    assert found.low < found.estimate < found.high
    assert 0 <= found.p <= 1


def test_the_whole_cut_is_one_and_a_dead_unit_nothing(world):
    z = world.z()
    every = [f"colour:{u}" for u in range(4)]
    assert effect(z, every, "husky", **FEW).estimate == pytest.approx(1, abs=0.15)
    dead = effect(z, "colour:3", "husky", **FEW)
    assert dead.estimate == 0
    assert dead.p == 1


def test_groups_and_where(world):
    z = world.z()
    pair = effect(z, ["colour:1", "colour:2"], "husky", **FEW)
    group = effect(z, "group:colour:1,colour:2", "output:husky", **FEW)
    assert group == pair
    corgi = effect(z, "colour:2", "husky", subset="corgi", **FEW)
    mask = z.data.labels == 1
    assert effect(z, "colour:2", "husky", subset=mask, **FEW) == corgi
    assert effect(z, "colour:2", "husky", subset=np.flatnonzero(mask), **FEW) == corgi
    both = effect(z, "colour:2", "husky", subset=["corgi", "poodle"], **FEW)
    assert both == effect(z, "colour:2", "husky", **FEW)
    assert corgi.n == 5


def test_images_of_one_scene_are_one_cluster(world):
    z = world.z(data=world.data(scene=np.arange(72) // 6))
    found = effect(z, "colour:2", "husky", **FEW)
    assert found.clusters < found.n


@pytest.mark.parametrize(
    ("units", "target", "error", "said"),
    [
        ("colour:4", "husky", UnitError, "colour:0 to colour:3"),
        ("color:1", "husky", UnitError, "colour"),
        ("output:husky", "husky", UnitError, "one layer"),
        ([], "husky", UnitError, "nothing"),
        ("edge:colour:1->colour:2", "husky", UnitError, "one layer"),
        (["colour:1", "husky"], "husky", UnitError, "is a class"),
        ("colour:1", "output:cat", UnitError, "poodle"),
        ("colour@nmf:1", "husky", UnitError, "colour"),
    ],
)
def test_units_and_classes_that_are_not_there(world, units, target, error, said):
    with pytest.raises(error, match=said):
        effect(world.z(), units, target, **FEW)


@pytest.mark.parametrize(
    "wrong",
    [
        {"intervention": "magic"},
        {"split": "train"},
        {"subset": np.zeros(3, bool)},
        {"subset": np.array([10_000])},
        {"subset": np.zeros(72, bool)},
        {"subset": 0.5},
        {"subset": "husky"},
    ],
)
def test_questions_that_cannot_be_answered(world, wrong):
    with pytest.raises(InputsError):
        effect(world.z(), "colour:2", "husky", **{**FEW, **wrong})


def test_without_d(world):
    with pytest.raises(InputsError, match="not at hand"):
        effect(world.z(data=None), "colour:2", "husky")
