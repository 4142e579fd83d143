from __future__ import annotations

import hashlib

import numpy as np
import pytest

from circuitz.disk.hashing import array_digest, json_hash, picture_hash
from circuitz.z.annotation import Annotation
from circuitz.z.z_hash import annotations_hash


def test_an_array_is_its_dtype_shape_and_bits() -> None:
    base = np.arange(6, dtype=np.float32).reshape(2, 3)
    same = [np.asfortranarray(base), base.astype(">f4"), base[::1], base.copy()]
    assert {array_digest(a) for a in same} == {array_digest(base)}
    other = [base.reshape(3, 2), base.reshape(-1), base.astype(np.float64), base.view(np.int32)]
    assert len({array_digest(a) for a in [base, *other]}) == 5


def test_scalars_and_empty_arrays_have_hashes_of_their_own() -> None:
    arrays = [np.array(1), np.array([1]), np.zeros((0, 2)), np.zeros((0, 3)), np.zeros(0)]
    assert len({array_digest(a) for a in arrays}) == len(arrays)


def test_the_bits_of_nan_and_zero_count() -> None:
    assert array_digest(np.array([0.0])) != array_digest(np.array([-0.0]))
    assert array_digest(np.array([np.nan])) == array_digest(np.array([np.nan]))


def test_json_hashes_ignore_the_order_of_keys() -> None:
    assert json_hash({"a": 1, "b": 2}) == json_hash({"b": 2, "a": 1}) != json_hash({"a": 1})


def test_annotations_cannot_run_into_each_other() -> None:
    def said(target: str, text: str, *concepts: str) -> str:
        return annotations_hash([Annotation("i", target, text, concepts)])

    hashes = {said("a", "bc"), said("ab", "c"), said("a", "b", "c"), said("a", "b", "c", "")}
    assert len(hashes) == 4


@pytest.mark.parametrize("png", [b"", b"x" * 1000])
def test_pictures_are_named_by_sha256(png: bytes) -> None:
    assert picture_hash(png) == hashlib.sha256(png).hexdigest()[:16]
