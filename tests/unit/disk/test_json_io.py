from __future__ import annotations

import math

import numpy as np
import pytest

from circuitz.disk.json_io import MAX_BYTES, MAX_DEPTH, dumps, loads
from circuitz.errors import BundleFormatError, BundleUnsafeError


def test_floats_that_json_lacks_survive() -> None:
    back = loads(dumps([math.nan, math.inf, -math.inf, -0.0, 0.1, 5e-324]), "x")
    assert math.isnan(back[0])
    assert back[1:3] == [math.inf, -math.inf]
    assert str(back[3:]) == "[-0.0, 0.1, 5e-324]"


def test_numpy_scalars_become_plain_numbers() -> None:
    assert dumps({"a": np.float64(0.5), "b": np.int32(3), "c": np.bool_(True)}) == (
        b'{"a":0.5,"b":3,"c":true}'
    )


@pytest.mark.parametrize("value", [object(), {1: 2}, {"$float": "nan"}, b"x", {"a": [{1}]}])
def test_what_is_not_json_is_refused_with_its_place(value: object) -> None:
    with pytest.raises(BundleFormatError, match="value"):
        dumps(value)


def test_broken_text_is_refused() -> None:
    with pytest.raises(BundleFormatError, match="surrogate"):
        dumps("\ud800")


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"NaN", b"[1,]", b'{"a":1,"a":1}', b"\xff", b'{"$float": "1"}', b'{"$float": []}'],
)
def test_bad_json_names_the_file(data: bytes) -> None:
    with pytest.raises(BundleFormatError, match="some file"):
        loads(data, "some file")


@pytest.mark.parametrize("data", [b"[" * 99_999, b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2)])
def test_deep_json_is_refused(data: bytes) -> None:
    with pytest.raises((BundleUnsafeError, BundleFormatError), match="some file"):
        loads(data, "some file")


def test_deep_values_are_not_written() -> None:
    value: list[object] = []
    for _ in range(MAX_DEPTH + 2):
        value = [value]
    with pytest.raises(BundleUnsafeError):
        dumps(value)


def test_huge_documents_are_not_parsed() -> None:
    with pytest.raises(BundleUnsafeError, match="bytes"):
        loads(b" " * (MAX_BYTES + 1), "some file")
