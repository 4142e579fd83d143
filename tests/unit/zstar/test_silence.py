"""A path that is cut: nothing flows through it, the rest is what it was, words on it are gone."""

from __future__ import annotations

import numpy as np
import pytest

import circuitz as cz
from circuitz.errors import InputsError, LayerError, SilenceError, UnitError
from circuitz.models.run.layer_specs import flatten_unit_maps
from circuitz.models.run.open_runtime import runtime
from circuitz.z.unit import Unit
from circuitz.zstar.search import search
from circuitz.zstar.search_settings import SearchSettings
from circuitz.zstar.silence import AUTHOR, silence, units_to_silence


@pytest.fixture(scope="module")
def flagged(caught):
    return next(f for f in cz.check(caught).flagged if f.kind == "implausible-driver")


@pytest.fixture(scope="module")
def cut(caught, flagged):
    return cz.silence(caught, flagged.id)


@pytest.fixture(scope="module")
def again(cut):
    return cz.measure(cut, images=90)


def test_the_units_of_the_finding_put_out_their_mean_and_the_others_what_they_did(
    caught, cut, flagged
):
    spec = next(s for s in caught.layers if s.name == caught.cut[0])
    units = [Unit.parse(name).index for name in flagged.units]
    others = [u for u in range(spec.size) if u not in units]
    images = caught.data.images[:40]

    def read(z):
        run = runtime(z)
        return flatten_unit_maps(
            spec, run.run(run.prepare(images), [spec.name])[0][spec.name]
        ).numpy()

    before, after = read(caught), read(cut)
    level = caught.measurements.layers[spec.name].responses[:, units].mean(0)
    np.testing.assert_allclose(
        after[:, units], np.broadcast_to(level[:, None], after[:, units].shape), atol=1e-4
    )
    np.testing.assert_allclose(after[:, others], before[:, others], atol=1e-5)
    assert cut.lineage[-1]["what"].startswith(f"silence {flagged.units[0]}")
    assert cut.parent == caught.hash


def test_nothing_flows_through_them_any_more_and_the_finding_is_gone(again, flagged):
    effects = again.measurements.effects
    rows = [effects.unit_index[name] for name in flagged.units]
    for found in (effects.sufficiency, effects.necessity):
        assert np.nanmax(np.abs(found[:, rows])) < 1e-4
    assert np.abs(effects.drive[rows]).max() < 1e-4
    assert flagged.id not in {f.id for f in cz.check(again).flagged}


def test_only_what_the_edit_reaches_is_measured_again(caught, again):
    assert again.measurements.layers["conv2"].responses is (
        caught.measurements.layers["conv2"].responses
    )
    assert not again.stale


def test_words_on_them_are_taken_back_and_undo_brings_each_again(caught, cut, flagged):
    said = caught.effective()
    assert set(flagged.units) <= set(said)
    assert set(cut.effective()) == set(said) - set(flagged.units)
    undone = cut
    for _ in flagged.units:
        undone = undone.undo()
    assert undone.effective() == said
    assert set(cut.history()["author"][-len(flagged.units) :]) == {AUTHOR}


def test_groups_lose_their_words_when_all_are_silent_and_edges_when_one_end_is(caught):
    z = caught
    for target in (
        "group:conv3:0,conv3:1",
        "group:conv3:0,conv3:2",
        "edge:conv2:3->conv3:1",
        "edge:conv2:3->conv3:2",
    ):
        z = z.annotate(target, "snow")
    left = set(silence(z, ["conv3:0", "conv3:1"]).effective())
    assert {"group:conv3:0,conv3:2", "edge:conv2:3->conv3:2"} <= left
    assert not {"group:conv3:0,conv3:1", "edge:conv2:3->conv3:1"} & left


def test_units_are_named_by_finding_id_start_of_it_unit_or_group(caught, flagged):
    expected = tuple(sorted(flagged.units, key=Unit.parse))
    for what in (flagged, flagged.id, flagged.id[:9], list(flagged.units)):
        assert units_to_silence(caught, what) == expected
    assert units_to_silence(caught, Unit("conv3", "4")) == ("conv3:4",)
    assert units_to_silence(caught, "group:conv3:10,conv3:9") == ("conv3:9", "conv3:10")
    kept = caught.with_(findings=(flagged,), measurements=None)
    assert units_to_silence(kept, flagged.id) == expected


@pytest.mark.parametrize(
    ("what", "error", "says"),
    [
        ("ffffffffffff", SilenceError, "No finding has the id"),
        ("", SilenceError, "No finding has the id ''"),
        ([], SilenceError, "No units are named"),
        ("conv3:400", UnitError, "conv3:0 to conv3:23"),
        ("conv9:1", UnitError, "no layer"),
        ("output:husky", UnitError, "is a class"),
        ("conv3@two:1", UnitError, "direction of a basis"),
        ("edge:conv2:1->conv3:1", UnitError, "is an edge"),
        (["conv2:1", "conv3:1"], LayerError, "conv2 and conv3"),
        (["conv3:1", "snow"], UnitError, "not a unit id"),
    ],
)
def test_what_cannot_be_silenced_is_refused_by_name(caught, what, error, says):
    z = caught.with_(bases={"conv3@two": np.eye(24, dtype=np.float32)[:2]})
    with pytest.raises(error, match=says):
        cz.silence(z, what)


def test_a_finding_without_units_and_one_of_several_ids_are_refused(caught, flagged):
    from dataclasses import replace

    bare = caught.with_(measurements=None, findings=(replace(flagged, units=()),))
    with pytest.raises(SilenceError, match="names no units"):
        cz.silence(bare, flagged.id)
    twins = (replace(flagged, id="abc1"), replace(flagged, id="abc2"))
    with pytest.raises(SilenceError, match="2 findings") as refused:
        cz.silence(caught.with_(measurements=None, findings=twins), "abc")
    assert "abc1 and abc2" in refused.value.hint


def test_what_is_silent_already_is_not_silenced_again(again, cut, flagged):
    for z in (again, cut):
        with pytest.raises(SilenceError, match="the same on every input already"):
            cz.silence(z, list(flagged.units))


def test_without_measurements_the_mean_is_over_d_and_progress_is_told(caught):
    bare = caught.with_(measurements=None, concept_set=None, concepts_ref=None)
    steps = []
    made = cz.silence(bare, "conv3:4", progress=lambda done, n: steps.append((done, n)))
    assert steps[-1] == (len(caught.data), len(caught.data))
    assert steps == sorted(steps)
    run, spec = runtime(made), next(s for s in made.layers if s.name == "conv3")
    act = run.run(run.prepare(made.data.images[:5]), ["conv3"])[0]["conv3"]
    mean = np.concatenate(
        [
            flatten_unit_maps(spec, a["conv3"])[:, 4].mean(1)
            for _, a, _ in runtime(bare).read(bare.data.images, ["conv3"])
        ]
    ).mean()
    np.testing.assert_allclose(act[:, 4], float(mean), atol=1e-4)
    with pytest.raises(InputsError, match="no inputs"):
        cz.silence(bare.with_(data=None, data_ref=None), "conv3:4")


def test_a_live_module_stays_what_it_was_and_the_new_z_has_its_own(caught):
    import torch

    net = runtime(caught).module
    alive = caught.with_(live=net)
    made = cz.silence(alive, "conv3:4")
    assert made.live is not net
    assert runtime(made).module is made.live
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, torch.from_numpy(np.array(caught.weights[name])))


def test_a_search_goes_on_from_what_was_cut(again):
    found = search(again, settings=SearchSettings(rounds=1, epochs=1, steps=20, images=60))
    assert len(found.scores) == 2
