from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import load as reference_load

from circuitz.disk.tensors_io import read_safetensors_in_place, safetensors_bytes
from circuitz.errors import BundleFormatError, BundleTruncatedError

ARRAYS = {
    "b.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "a": np.array(7, np.int64),
    "empty": np.zeros((0, 3), np.float64),
    "flags": np.array([True, False]),
    "half": np.array([1.5, np.nan], np.float16),
    "bytes": np.arange(5, dtype=np.uint8),
}


def test_arrays_come_back_bit_for_bit_and_in_place() -> None:
    data = safetensors_bytes(ARRAYS, {"note": "hello"})
    arrays, metadata = read_safetensors_in_place(memoryview(data), "x")
    assert metadata == {"note": "hello"}
    assert arrays.keys() == ARRAYS.keys()
    for name, array in arrays.items():
        assert (array.dtype, array.shape) == (ARRAYS[name].dtype, ARRAYS[name].shape)
        assert array.tobytes() == ARRAYS[name].tobytes()
        assert not array.flags.writeable
    assert np.shares_memory(arrays["b.weight"], np.frombuffer(data, np.uint8))


def test_our_reader_agrees_with_the_formats_own() -> None:
    data = safetensors_bytes(ARRAYS)
    ours, theirs = read_safetensors_in_place(memoryview(data), "x")[0], reference_load(data)
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert ours[name].tobytes() == theirs[name].tobytes()
        assert ours[name].shape == theirs[name].shape


def test_layout_in_memory_does_not_matter() -> None:
    plain = np.arange(12, dtype=np.float32).reshape(3, 4)
    for other in (np.asfortranarray(plain), plain[::-1][::-1], plain.astype(">f4")):
        assert safetensors_bytes({"w": other}) == safetensors_bytes({"w": plain})


def test_the_same_arrays_make_the_same_bytes() -> None:
    backwards = dict(reversed(list(ARRAYS.items())))
    assert safetensors_bytes(ARRAYS) == safetensors_bytes(backwards)


@pytest.mark.parametrize("array", [np.array(["x"]), np.array([1j]), np.array([None])])
def test_other_dtypes_are_named(array: np.ndarray) -> None:
    with pytest.raises(BundleFormatError, match="Weights: 'w'"):
        safetensors_bytes({"w": array}, what="Weights")


def test_a_cut_at_any_place_is_found() -> None:
    data = safetensors_bytes(ARRAYS)
    for length in range(0, len(data), 7):
        with pytest.raises((BundleTruncatedError, BundleFormatError)):
            read_safetensors_in_place(memoryview(data)[:length], "x")
