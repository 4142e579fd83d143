from __future__ import annotations

import numpy as np
import torch

from circuitz.disk.tensors_io import read_safetensors_in_place, safetensors_bytes
from circuitz.measurement.concept_effects import units_by_concept_to_measure
from circuitz.measurement.measure import measure
from circuitz.models.run.open_runtime import runtime
from circuitz.patching.from_cut import class_margins
from circuitz.z.bundle.measurements_io import decode_effects, encode_effects

SMALL = {"images": 15, "donors": 2, "pictures": False}


def test_effects_are_those_of_patching_by_hand(world) -> None:
    z = measure(world.z().annotate("colour:2", "snow"), world.concepts(), **SMALL)
    effects = z.measurements.effects
    found = effects.concepts
    assert found.names
    run = runtime(z)
    known = z.concept_set

    def acts(rows):
        return run.forward_to("colour", run.prepare(np.asarray(known.images[rows])))

    def margin(act):
        with torch.no_grad():
            return class_margins(run.resume("colour", act).float()).numpy()

    with torch.no_grad():
        source, donor = acts(found.absent), acts(found.present)
    whole = (margin(donor) - margin(source)) / effects.scale
    assert np.allclose(found.whole, whole, atol=1e-5)
    c = next(i for i, units in enumerate(found.left_out) if units == ("colour:2",))
    kept = donor.clone()
    kept[:, 2] = source[:, 2]
    rest = (margin(kept) - margin(source)) / effects.scale
    rows = found.of == c
    assert np.allclose(found.rest[rows], rest[rows], atol=1e-5)
    free = np.isin(found.of, [i for i, units in enumerate(found.left_out) if not units])
    assert np.array_equal(found.rest[free], found.whole[free])


def test_only_what_is_outside_or_named_is_asked(world) -> None:
    z = measure(world.z(), world.concepts(), **SMALL)
    units = z.measurements.effects.units
    plain = units_by_concept_to_measure(z, z.concept_set, units, None)
    assert "snow" in plain
    assert not any(plain.values())
    named = units_by_concept_to_measure(z.annotate("colour:1", "snow"), z.concept_set, units, None)
    assert named["snow"] == ("colour:1",)


def test_they_survive_a_bundle(world) -> None:
    effects = measure(world.z(), world.concepts(), **SMALL).measurements.effects
    again = decode_effects(memoryview(encode_effects(effects)), "effects")
    assert again.concepts.names == effects.concepts.names
    assert again.concepts.left_out == effects.concepts.left_out
    for name in ("of", "present", "absent", "split", "scene", "whole", "rest"):
        assert np.array_equal(getattr(again.concepts, name), getattr(effects.concepts, name))


def test_what_older_bundles_hold_besides_is_left_out(world) -> None:
    effects = measure(world.z(), world.concepts(), **SMALL).measurements.effects
    arrays, meta = read_safetensors_in_place(memoryview(encode_effects(effects)), "effects")
    arrays["concepts.unit"] = np.zeros((1, 2, 3), np.float32)
    again = decode_effects(memoryview(safetensors_bytes(arrays, meta)), "effects")
    assert np.array_equal(again.concepts.rest, effects.concepts.rest)


def test_a_concept_set_without_splits_is_split_first(world) -> None:
    from dataclasses import replace

    bare = replace(world.concepts(), split=None)
    z = measure(world.z(), bare, **SMALL)
    found = z.measurements.effects.concepts
    assert found is not None
    assert len(found.split)
    assert (found.split == z.concept_set.split[found.present]).all()
