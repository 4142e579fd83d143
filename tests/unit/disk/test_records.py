from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pytest

from circuitz.disk.records import decode, encode
from circuitz.errors import BundleFormatError


@dataclass(frozen=True)
class Inner:
    x: float = 0.0


@dataclass(frozen=True)
class Outer:
    name: str
    kind: Literal["a", "b"] = "a"
    inner: Inner | None = None
    many: tuple[Inner, ...] = ()
    pair: tuple[int, str] = (0, "")
    free: dict[str, Any] = field(default_factory=dict)
    sure: bool = False
    count: int = 1


FULL = Outer("n", "b", Inner(1.5), (Inner(2.0),), (3, "x"), {"k": [1]}, True, 2)


@pytest.mark.parametrize("record", [Outer("n"), FULL])
def test_records_come_back_equal(record: Outer) -> None:
    assert decode(Outer, encode(record), "x") == record


def test_defaults_are_left_out_but_not_values_that_only_compare_equal() -> None:
    assert encode(Outer("n")) == {"name": "n", "free": {}}
    assert encode(Outer("n", count=True)) == {"name": "n", "count": True, "free": {}}
    assert str(encode(Inner(-0.0))) == "{'x': -0.0}"


def test_numpy_numbers_become_plain() -> None:
    assert type(encode(Inner(np.float32(0.5)))["x"]) is float


def test_an_integer_is_good_for_a_float() -> None:
    assert decode(Inner, {"x": 3}, "x") == Inner(3.0)


@pytest.mark.parametrize(
    "value",
    [
        3,
        {},
        {"name": 3},
        {"name": "n", "kind": "c"},
        {"name": "n", "other": 1},
        {"name": "n", "inner": {"x": "1"}},
        {"name": "n", "inner": {"x": True}},
        {"name": "n", "many": {}},
        {"name": "n", "many": [3]},
        {"name": "n", "pair": [1]},
        {"name": "n", "pair": ["a", "b"]},
        {"name": "n", "free": []},
        {"name": "n", "sure": 1},
        {"name": "n", "count": 1.5},
        {"name": "n", "count": True},
    ],
)
def test_every_wrong_field_is_named(value: object) -> None:
    with pytest.raises(BundleFormatError, match=r"^place"):
        decode(Outer, value, "place")
