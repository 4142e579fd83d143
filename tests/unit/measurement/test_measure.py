"""What measuring stores, what it keeps, and when it runs the network at all."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
import torch

import circuitz as cz
from circuitz.errors import InputsError, LayerError, MeasurementError
from circuitz.measurement import cut_effects
from circuitz.measurement import evidence_pictures as evidence
from circuitz.measurement.measure import measure
from circuitz.models.adapters.weight_arrays import weights_to_numpy
from circuitz.models.run.runtime import Runtime
from circuitz.responses.directions.directions import directions
from circuitz.responses.sweep_shards import Sweep
from circuitz.z.bundle.measurements_io import encode_effects, encode_layer

SMALL = {"images": 15}


@pytest.fixture
def runs(monkeypatch):
    """Count images that go through the network."""
    seen = []
    prepare = Runtime.prepare

    def counted(self, images):
        seen.append(len(images))
        return prepare(self, images)

    monkeypatch.setattr(Runtime, "prepare", counted)
    return seen


def test_everything_is_measured_and_can_be_stored(world):
    z = measure(world.z(), world.concepts(), **SMALL)
    found = z.measurements
    effects = found.effects
    n = 45
    assert effects.units == tuple(f"colour:{u}" for u in range(4))
    assert effects.targets == world.classes
    assert effects.sufficiency.shape == effects.necessity.shape == (n, 4, 3)
    assert effects.drive.shape == (4, 3)
    assert effects.span.shape == (4,)
    assert np.bincount(effects.split).tolist() == [15, 15, 15]
    assert (z.data.split[effects.source] == effects.split).all()
    assert found.layers["colour"].responses.shape == (60, 4)
    assert found.weights_hash == z.weights_hash
    assert found.concepts_hash == z.concepts_hash
    assert found.data_hash == z.data_hash
    assert z.stale == ()
    encode_effects(effects)
    encode_layer(found.layers["colour"])


def test_scene_numbers_go_along(world):
    scene = np.arange(72) // 2
    z = measure(world.z(data=world.data(scene=scene)), world.concepts(), **SMALL)
    effects = z.measurements.effects
    assert np.array_equal(effects.scene, scene[effects.source])


def test_words_alone_run_only_the_new_sets(world, runs):
    z = measure(world.z(), world.concepts(), **SMALL)
    first = z.measurements
    runs.clear()
    assert measure(z, **SMALL).measurements.effects is first.effects
    assert runs == [], "nothing changed, nothing runs"
    z = measure(z.annotate("colour:2", "snow").annotate("colour:0", "tail"), **SMALL)
    effects = z.measurements.effects
    pairs = effects.concepts
    images = len(set(pairs.present) | set(pairs.absent))
    assert sum(runs) == 45 + images, "only the source images, and pairs that differ in a concept"
    assert z.measurements.layers["colour"] is first.layers["colour"]
    assert effects.sufficiency is first.effects.sufficiency
    assert ("colour:0", "colour:2") in effects.groups
    assert effects.group_sufficiency.shape == (len(effects.groups), 45, 3)
    place = effects.groups.index(("colour:2",))
    assert np.allclose(
        effects.group_sufficiency[place], effects.sufficiency[:, 2], atol=1e-5, equal_nan=True
    )
    encode_effects(effects)
    runs.clear()
    again = measure(z.annotate("colour:2", "snow on the ground"), **SMALL)
    assert again.measurements.effects is effects
    assert runs == []


def test_incremental_equals_measuring_afresh(world):
    words = {"colour:2": "snow", "colour:0": "tail", "colour:1": "grass"}
    step = measure(world.z(), world.concepts(), **SMALL)
    fresh = world.z()
    for unit, text in words.items():
        step = measure(step.annotate(unit, text), **SMALL)
        fresh = fresh.annotate(unit, text)
    fresh = measure(fresh, world.concepts(), **SMALL)
    one, two = step.measurements.effects, fresh.measurements.effects
    assert np.array_equal(one.sufficiency, two.sufficiency, equal_nan=True)
    for group in two.groups:
        a = one.group_sufficiency[one.groups.index(group)]
        b = two.group_sufficiency[two.groups.index(group)]
        assert np.allclose(a, b, atol=1e-5, equal_nan=True)
    assert set(step.measurements.group_pictures) == set(fresh.measurements.group_pictures)


@pytest.mark.parametrize("change", ["weights", "seed", "images", "donors", "data", "concepts"])
def test_what_changed_is_measured_again(world, change):
    z = measure(world.z(), world.concepts(), **SMALL)
    old = z.measurements
    settings = dict(SMALL)
    if change == "weights":
        net = world.Wired()
        with torch.no_grad():
            net.head.weight.mul_(1.1)
        z = z.with_(weights=weights_to_numpy(net), live=net)
    elif change == "data":
        settings["data"] = world.data(seed=9)
    elif change == "concepts":
        settings["concept_set"] = world.concepts(seed=9)
    else:
        settings[change] = {"seed": 4, "images": 12, "donors": 1}[change]
    new = measure(z, **settings).measurements
    assert new.effects is not old.effects
    kept = new.layers["colour"] is old.layers["colour"]
    assert kept == (change not in ("weights", "concepts"))


def _edited(z, name):
    """Return z with some of one array of weights moved; all of the head's would move no margin."""
    live = copy.deepcopy(z.live)
    with torch.no_grad():
        live.get_parameter(name)[:1].add_(0.05)
    return z.with_(what="edit", weights=weights_to_numpy(live), live=live)


def _look_alike(one, two):
    for f in dataclasses.fields(one):
        a, b = getattr(one, f.name), getattr(two, f.name)
        if isinstance(a, np.ndarray):
            np.testing.assert_allclose(a, b, 1e-4, 1e-5, equal_nan=True, err_msg=f.name)
        else:
            assert a == b, f.name


@pytest.mark.parametrize(
    ("weights", "kept"),
    [
        ("head.weight", {"colour", "mixed"}),
        ("mixed.0.weight", {"colour"}),
        ("colour.0.bias", set()),
    ],
)
def test_after_an_edit_of_weights_only_what_lies_behind_it_is_measured(
    deep, monkeypatch, weights, kept
):
    swept = []
    shard = Sweep.shard
    monkeypatch.setattr(
        Sweep,
        "shard",
        lambda s, *a, **k: swept.extend(p.name for p in s.spaces) or shard(s, *a, **k),
    )
    edited = _edited(deep, weights)
    known, now = deep.measurements, measure(edited, pictures=False).measurements
    assert set(swept) == {"colour", "mixed"} - kept
    for name in kept:
        for part in ("responses", "exemplars", "exemplar_heat", "histogram", "neighbours"):
            assert getattr(now.layers[name], part) is getattr(known.layers[name], part)
    afresh = measure(edited.with_(measurements=None), pictures=False).measurements
    for name in ("colour", "mixed"):
        _look_alike(now.layers[name], afresh.layers[name])
    np.testing.assert_array_equal(now.effects.sufficiency, afresh.effects.sufficiency)
    assert not np.array_equal(now.effects.drive, known.effects.drive)
    assert now.weights_hash == edited.weights_hash


def test_visualisations_stay_while_their_units_are_what_they_were(deep):
    z = measure(deep, visualise=["colour", "mixed"], pictures=False)
    made = {name: one.visualisations for name, one in z.measurements.layers.items()}
    later = measure(_edited(z, "mixed.0.weight"), pictures=False).measurements.layers
    assert later["colour"].visualisations is made["colour"]
    assert later["mixed"].visualisations is None


def test_directions_over_a_layer_are_kept_with_it(deep):
    z = directions(deep, "colour", "pca", count=2)
    z = measure(z, pictures=False)
    later = measure(_edited(z, "head.weight"), pictures=False).measurements.layers
    assert later["colour@pca"].responses is z.measurements.layers["colour@pca"].responses
    again = measure(_edited(z, "colour.0.bias"), pictures=False).measurements.layers
    assert not np.array_equal(
        again["colour@pca"].responses, z.measurements.layers["colour@pca"].responses
    )


def test_another_preprocessing_of_the_same_weights_is_measured(deep):
    mean = dataclasses.replace(deep.preprocessing, mean=(0.2, 0.2, 0.2))
    now = measure(deep.with_(preprocessing=mean), pictures=False).measurements
    assert now.layers["colour"].responses is not deep.measurements.layers["colour"].responses
    assert now.effects is not deep.measurements.effects


def test_another_cut_of_the_same_network_has_effects_of_its_own(deep):
    now = measure(deep.with_(cut=("colour",)), pictures=False).measurements
    assert now.layers["colour"] is deep.measurements.layers["colour"]
    assert now.effects.units == tuple(f"colour:{u}" for u in range(4))


def test_what_a_live_module_says_of_itself_counts(deep):
    live = copy.deepcopy(deep.live)
    live.colour[1] = torch.nn.LeakyReLU(0.5)
    with torch.no_grad():
        live.head.weight.add_(0.05)
    other = deep.with_(weights=weights_to_numpy(live), live=live)
    now = measure(other, pictures=False).measurements.layers
    assert now["colour"].responses is not deep.measurements.layers["colour"].responses


def test_measurements_of_old_do_not_say_what_they_were_made_from(deep):
    old = {
        name: dataclasses.replace(one, values="") for name, one in deep.measurements.layers.items()
    }
    z = deep.with_(measurements=dataclasses.replace(deep.measurements, layers=old))
    assert measure(z, pictures=False).measurements.layers["colour"] is old["colour"]
    now = measure(_edited(z, "head.weight"), pictures=False).measurements.layers
    assert now["colour"].responses is not old["colour"].responses
    assert now["colour"].values == deep.measurements.layers["colour"].values


def test_sets_of_earlier_words_are_kept_but_not_for_ever(world, monkeypatch):
    monkeypatch.setattr(cut_effects, "_GROUPS_KEPT", 3)
    z = measure(world.z(), world.concepts(), **SMALL)
    for words in (("snow", "tail"), ("tail", "snow"), ("grass", "coat")):
        for unit, text in enumerate(words):
            z = z.annotate(f"colour:{unit}", text)
        z = measure(z, **SMALL)
        effects = z.measurements.effects
        assert len(effects.groups) <= 3
        assert ("colour:0", "colour:1") in effects.groups
        assert len(effects.group_necessity) == len(effects.groups)


def test_pictures_show_strong_sets_and_are_few(world):
    z = measure(world.z().annotate("colour:2", "snow"), world.concepts(), **SMALL)
    found = z.measurements
    assert "colour:2->husky" in found.group_pictures
    assert len(found.pictures) <= 24
    named = {h for hashes in found.group_pictures.values() for h in hashes}
    assert named == set(found.pictures)
    assert all(png.startswith(b"\x89PNG") for png in found.pictures.values())


def test_pictures_can_wait_and_are_drawn_once(world, monkeypatch):
    z = world.z().annotate("colour:2", "snow")
    z = measure(z, world.concepts(), pictures=False, **SMALL)
    assert z.measurements.pictures == {}
    later = measure(z, **SMALL)
    assert "colour:2->husky" in later.measurements.group_pictures
    assert later.measurements.effects is z.measurements.effects
    drawn = []
    plain = evidence.render_before_after
    monkeypatch.setattr(evidence, "render_before_after", lambda s: drawn.append(s) or plain(s))
    known = set(later.measurements.group_pictures)
    more = measure(later.annotate("colour:1", "grass"), **SMALL)
    new = set(more.measurements.group_pictures) - known
    assert len(drawn) == sum(len(more.measurements.group_pictures[key]) for key in new)
    for key in known & set(more.measurements.group_pictures):
        assert more.measurements.group_pictures[key] == later.measurements.group_pictures[key]
    bare = measure(more.retract("colour:1").retract("colour:2"), **SMALL)
    assert measure(bare.annotate("colour:3", "coat"), **SMALL).measurements.pictures == {}


def test_equal_seeds_give_equal_results(world):
    one, two = (measure(world.z(), world.concepts(), **SMALL).measurements for _ in range(2))
    for name in ("sufficiency", "necessity", "drive", "span", "scale"):
        a, b = getattr(one.effects, name), getattr(two.effects, name)
        assert np.array_equal(a, b, equal_nan=True)


def test_a_nonlinear_rest_is_measured_too(world):
    z = world.z(live=world.bent, weights=weights_to_numpy(world.bent))
    effects = measure(z, world.concepts(), images=9, donors=1).measurements.effects
    assert np.isfinite(effects.drive).all()
    assert np.nanmean(np.abs(effects.sufficiency[:, :3])) > 0.01


def test_without_d_responses_alone_are_measured(world):
    z = measure(world.z(data=None), world.concepts())
    assert z.measurements.effects is None
    assert z.measurements.layers["colour"].responses.shape == (60, 4)
    z = measure(z, data=world.data(), **SMALL)
    assert z.measurements.effects is not None


def test_visualisations_are_made_when_asked_and_kept(world):
    z = measure(world.z(), world.concepts(), visualise=True, **SMALL)
    made = z.measurements.layers["colour"].visualisations
    assert made.shape == (4, 8, 8, 3)
    z = measure(z, world.concepts(seed=8), **SMALL)
    assert z.measurements.layers["colour"].visualisations is made
    with pytest.raises(LayerError, match="conv9"):
        measure(z, visualise=["conv9"])


def test_progress_never_goes_back_and_ends(world):
    told = []
    z = measure(
        world.z(), world.concepts(), visualise=True, progress=lambda *a: told.append(a), **SMALL
    )
    done = [d for d, _ in told]
    assert done == sorted(set(done))
    assert told[-1] == (1000, 1000)
    told.clear()
    measure(z, progress=lambda *a: told.append(a), **SMALL)
    assert told == [(1000, 1000)]


@pytest.mark.parametrize("at", [1, 200, 400, 700])
def test_ctrl_c_leaves_z_and_network_alone(world, at):
    net = world.Wired().train()
    z = world.z(net)

    def stop(done, total):
        if done >= at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(z, world.concepts(), progress=stop, **SMALL)
    assert z.measurements is None
    assert all(m.training for m in net.modules())
    assert not any(m._forward_hooks for m in net.modules())
    assert measure(z, world.concepts(), **SMALL).measurements.effects is not None


def test_named_errors(world):
    with pytest.raises(InputsError, match="no concept set"):
        measure(world.z())
    with pytest.raises(InputsError, match="no labels"):
        measure(world.z(data=world.data(labels=None)), world.concepts())
    labels = world.data().labels
    with pytest.raises(MeasurementError, match="does not tell"):
        measure(world.z(data=world.data(labels=np.roll(labels, 24))), world.concepts())
    empty = dataclasses.replace(world.concepts(), images=world.concepts().images[:0])
    with pytest.raises(InputsError):
        measure(world.z(), empty)


def test_what_the_caller_passed_becomes_z_s(world):
    concepts, data = world.concepts(), world.data(seed=4)
    z = measure(world.z(data=None), concepts, data, **SMALL)
    assert z.concept_set is concepts
    assert z.data is data
    assert z.data_ref.n == len(data)
    assert z.hash == world.z(data=None).hash, "measuring changes no words and no weights"


def test_arrays_and_a_table_are_measured_as_the_set_that_is_made_of_them(world):
    given = world.concepts(240)
    table = {name: given.concepts[:, i] for i, name in enumerate(given.concept_names)}
    d = world.data()
    z = measure(world.z(data=None), (given.images, table), (d.images, d.labels), **SMALL)
    made = cz.concepts(given.images, table)
    again = measure(world.z(data=None), made, z.data, **SMALL)
    assert z.concept_set.concept_names == ("rust", "grass", "snow")
    assert z.concepts_hash == again.concepts_hash
    assert z.data.classes == world.classes
    np.testing.assert_array_equal(
        z.measurements.layers["colour"].responses, again.measurements.layers["colour"].responses
    )
    np.testing.assert_array_equal(z.measurements.effects.drive, again.measurements.effects.drive)
    assert cz.check(cz.propose(z)).decided


def test_sets_without_splits_are_split_before_anything_runs(world):
    given = dataclasses.replace(world.concepts(), split=None)
    d = dataclasses.replace(world.data(), split=None)
    z = measure(world.z(data=None), given, d, **SMALL)
    for found in (z.concept_set, z.data):
        assert set(found.split.tolist()) == {0, 1, 2}
    same = measure(world.z(data=None), given, d, **SMALL)
    assert (same.concepts_hash, same.data_hash) == (z.concepts_hash, z.data_hash)
    assert cz.check(cz.propose(z)).findings
