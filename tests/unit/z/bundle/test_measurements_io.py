from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from circuitz.disk.tensors_io import safetensors_bytes
from circuitz.errors import BundleFormatError, MeasurementError
from circuitz.z.bundle.measurements_io import (
    decode_effects,
    decode_layer,
    encode_effects,
    encode_layer,
)
from circuitz.z.measurements import EffectMeasurements, LayerMeasurements, Measurements


@pytest.fixture
def layer(new_measurements: Callable[..., Measurements]) -> LayerMeasurements:
    return new_measurements().layers["conv2"]


@pytest.fixture
def effects(new_measurements: Callable[..., Measurements]) -> EffectMeasurements:
    return new_measurements().effects


def same(a: object, b: object) -> None:
    for name, one in vars(a).items():
        other = getattr(b, name)
        if isinstance(one, np.ndarray):
            assert (one.dtype, one.shape, one.tobytes()) == (
                other.dtype, other.shape, other.tobytes(),
            )  # fmt: skip
        else:
            assert one == other


def test_layers_round_trip_with_and_without_visualisations(layer: LayerMeasurements) -> None:
    made = replace(layer, visualisations=np.zeros((4, 8, 8, 3), np.uint8))
    for each in (layer, made):
        same(each, decode_layer(memoryview(encode_layer(each)), "x"))


def test_effects_round_trip_with_nan_and_with_no_groups(effects: EffectMeasurements) -> None:
    none = np.zeros((0, 0, 0), np.float32)
    alone = replace(effects, groups=(), group_sufficiency=none, group_necessity=none)
    for each in (effects, alone):
        same(each, decode_effects(memoryview(encode_effects(each)), "x"))
    assert np.isnan(effects.sufficiency).any()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("responses", np.zeros((12, 4))),
        ("peaks", np.zeros((12, 5), np.float32)),
        ("exemplars", np.zeros((3, 9), np.int64)),
        ("exemplar_boxes", np.zeros((4, 9, 5), np.int16)),
        ("histogram", np.zeros(4, np.int64)),
    ],
)
def test_layers_of_the_wrong_shape_are_not_written(
    layer: LayerMeasurements, field: str, value: np.ndarray
) -> None:
    with pytest.raises(MeasurementError, match=field):
        encode_layer(replace(layer, **{field: value}))


@pytest.mark.parametrize(
    "change",
    [
        {"units": ("conv2:0",)},
        {"targets": ("a",)},
        {"groups": ()},
        {"drive": np.zeros((4, 2), np.float32)},
        {"split": np.zeros(3, np.uint8)},
    ],
)
def test_effects_that_do_not_fit_are_not_written(
    effects: EffectMeasurements, change: dict[str, object]
) -> None:
    with pytest.raises(MeasurementError):
        encode_effects(replace(effects, **change))


def test_other_files_are_refused(layer: LayerMeasurements, effects: EffectMeasurements) -> None:
    for data in (
        encode_effects(effects),
        safetensors_bytes({}),
        safetensors_bytes({"a": np.zeros(2)}),
    ):
        with pytest.raises(BundleFormatError, match="x"):
            decode_layer(memoryview(data), "x")
    with pytest.raises(BundleFormatError, match="x"):
        decode_effects(memoryview(encode_layer(layer)), "x")


@pytest.mark.parametrize(
    "meta", ["null", "3", "{}", '{"units": 3}', '{"units": [1], "targets": [], "groups": []}']
)
def test_a_header_that_says_nothing_is_refused(effects: EffectMeasurements, meta: str) -> None:
    arrays = {k: v for k, v in vars(effects).items() if isinstance(v, np.ndarray)}
    data = safetensors_bytes(arrays, {"circuitz": meta})
    with pytest.raises(BundleFormatError):
        decode_effects(memoryview(data), "x")
