from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from circuitz.errors import (
    BundleError,
    BundleSchemaError,
    BundleTamperedError,
    BundleTruncatedError,
    InputsError,
)
from circuitz.z.bundle.inputs_io import (
    ARRAYS,
    byte_size_of_inputs,
    folder_of_inputs,
    input_set_fingerprint,
    read_inputs,
    write_inputs,
)
from circuitz.z.inputs import InputSet


@pytest.fixture
def inputs(new_inputs: Callable[..., InputSet]) -> InputSet:
    return new_inputs(
        role="D", labels=np.arange(12, dtype=np.int64) % 3, classes=("husky", "poodle", "beagle")
    )


def same(a: InputSet, b: InputSet) -> None:
    for name in vars(a):
        one, other = getattr(a, name), getattr(b, name)
        if isinstance(one, np.ndarray):
            assert (one.dtype, one.shape) == (other.dtype, other.shape)
            assert one.tobytes() == other.tobytes()
        else:
            assert one == other


def test_a_round_trip_is_exact_and_memory_mapped(inputs: InputSet, tmp_path: Path) -> None:
    path = write_inputs(tmp_path / "D", inputs)
    again = read_inputs(path)
    same(inputs, again)
    assert not again.images.flags.writeable
    assert input_set_fingerprint(again) == input_set_fingerprint(inputs)
    assert folder_of_inputs(again) == folder_of_inputs(inputs) == path
    # What meta.json says and what the arrays say is one thing.
    assert input_set_fingerprint(replace(again)) == input_set_fingerprint(inputs)


def test_a_set_of_images_alone_round_trips(tmp_path: Path) -> None:
    bare = InputSet(np.zeros((0, 4, 4, 1), np.uint8), role="D'")
    same(bare, read_inputs(write_inputs(tmp_path / "x", bare)))


def test_without_verifying_nothing_is_read_but_sizes_are(inputs: InputSet, tmp_path: Path) -> None:
    path = write_inputs(tmp_path / "D", inputs)
    file = path / "images.npy"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    changed = read_inputs(path, verify=False)
    assert input_set_fingerprint(changed) != input_set_fingerprint(inputs)
    with pytest.raises(BundleTamperedError, match="images"):
        read_inputs(path)
    file.write_bytes(data[:-1])
    with pytest.raises(BundleTruncatedError, match="images"):
        read_inputs(path, verify=False)


def test_the_fingerprint_follows_everything_but_the_recipe(inputs: InputSet) -> None:
    seen = {input_set_fingerprint(inputs)}
    assert input_set_fingerprint(replace(inputs, recipe={})) in seen
    for name in ARRAYS:
        array = getattr(inputs, name).copy()
        array.reshape(-1).view(np.uint8)[-1] ^= 1
        seen.add(input_set_fingerprint(replace(inputs, **{name: array})))
    for name in ("classes", "concept_names", "mask_names"):
        seen.add(input_set_fingerprint(replace(inputs, **{name: (*getattr(inputs, name), "more")})))
    seen.add(input_set_fingerprint(replace(inputs, role="D'")))
    seen.add(input_set_fingerprint(replace(inputs, masks=None)))
    assert len(seen) == 1 + len(ARRAYS) + 3 + 2


def test_the_fingerprint_ignores_layout_in_memory(inputs: InputSet) -> None:
    fortran = replace(inputs, images=np.asfortranarray(inputs.images))
    assert input_set_fingerprint(fortran) == input_set_fingerprint(inputs)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("images", np.zeros((3, 4, 4), np.uint8), "Images"),
        ("images", np.zeros((3, 4, 4, 3), np.float32), "Images"),
        ("images", [[1]], "Images"),
        ("labels", np.zeros(12, np.int32), "Labels"),
        ("labels", np.zeros(11, np.int64), "Labels"),
        ("labels", np.full(12, 3, np.int64), "classes"),
        ("labels", np.full(12, -1, np.int64), "classes"),
        ("concepts", np.zeros((12, 3), np.float32), "Concepts"),
        ("concepts", np.full((12, 2), 0.5, np.float32), "0, 1 and NaN"),
        ("concept_names", ("snow", "snow"), "distinct"),
        ("concept_names", ("snow", ""), "distinct"),
        ("classes", (1, 2, 3), "distinct"),
        ("split", np.full(12, 3, np.uint8), "splits"),
        ("scene", np.zeros((12, 1), np.int64), "Scene"),
        ("masks", np.zeros((12, 8, 9), np.uint8), "Masks"),
        ("pairs", np.zeros((1, 2), np.int64), "Pairs"),
        ("pairs", np.array([[0, 12, 0]]), "images"),
        ("pairs", np.array([[0, 1, 2]]), "concepts"),
    ],
)
def test_what_does_not_fit_is_named_and_not_written(
    inputs: InputSet, tmp_path: Path, field: str, value: Any, said: str
) -> None:
    with pytest.raises(InputsError, match=said):
        write_inputs(tmp_path / "D", replace(inputs, **{field: value}))
    assert list(tmp_path.iterdir()) == []


def test_meta_edited_by_hand_is_found(inputs: InputSet, tmp_path: Path) -> None:
    meta = write_inputs(tmp_path / "D", inputs) / "meta.json"
    text = meta.read_text("utf-8")
    meta.write_text(text.replace("poodle", "borzoi"), "utf-8")
    with pytest.raises(BundleTamperedError, match=r"meta\.json"):
        read_inputs(tmp_path / "D")
    meta.write_text(json.dumps(json.loads(text) | {"schema": 5}))
    with pytest.raises(BundleSchemaError):
        read_inputs(tmp_path / "D")
    for data in ("{}", "[]", "x", ""):
        meta.write_text(data)
        with pytest.raises(BundleError):
            read_inputs(tmp_path / "D")


def test_a_missing_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputsError, match="no input set"):
        read_inputs(tmp_path)


def test_only_input_sets_are_replaced(inputs: InputSet, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "me.jpg").write_bytes(b"x")
    with pytest.raises(InputsError, match="no input set"):
        write_inputs(tmp_path / "photos", inputs)
    write_inputs(tmp_path / "D", inputs)
    write_inputs(tmp_path / "D", replace(inputs, labels=None))
    assert read_inputs(tmp_path / "D").labels is None
    assert not (tmp_path / "D" / "labels.npy").exists()


def test_bytes_of_a_set(inputs: InputSet) -> None:
    assert byte_size_of_inputs(InputSet(np.zeros((2, 3, 3, 1), np.uint8))) == 18
    assert byte_size_of_inputs(inputs) > 12 * 8 * 8 * 4
