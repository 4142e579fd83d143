from __future__ import annotations

import gc
import pickle
import weakref

import numpy as np
import pytest

from circuitz.disk.arrays import Arrays
from circuitz.disk.hashing import arrays_hash
from circuitz.disk.lazy import Deferred
from circuitz.errors import WeightsError


def test_reading_happens_once_and_late() -> None:
    calls = []

    def load() -> dict[str, np.ndarray]:
        calls.append(1)
        return {"w": np.ones(2)}

    arrays = Arrays(load, "known")
    assert (arrays.hash, arrays.loaded, calls) == ("known", False, [])
    assert "on disk" in repr(arrays)
    assert list(arrays) == ["w"]
    assert len(arrays) == 1
    assert calls == [1]
    assert "w (2,)" in repr(arrays)


def test_the_hash_is_of_names_dtypes_shapes_and_bits() -> None:
    base = {"a": np.zeros((2, 3), np.float32), "b": np.ones(2)}
    variants = [
        base,
        {"a": base["a"], "c": base["b"]},
        {"a": base["a"].reshape(3, 2), "b": base["b"]},
        {"a": base["a"].astype(np.int32), "b": base["b"]},
        {"a": base["a"] + 1, "b": base["b"]},
        {"a": -base["a"], "b": base["b"]},
        {"a": base["a"]},
        {},
    ]
    assert len({Arrays(v).hash for v in variants}) == len(variants)
    assert arrays_hash(dict(reversed(base.items()))) == arrays_hash(base)
    assert arrays_hash({"a": np.asfortranarray(base["a"]), "b": base["b"]}) == arrays_hash(base)


def test_identity_counts_and_nothing_is_kept_alive() -> None:
    one, two = Arrays({"w": np.ones(1)}), Arrays({"w": np.ones(1)})
    assert one != two
    assert one == one  # noqa: PLR0124
    assert len({one, two}) == 2
    gone = weakref.ref(one)
    del one
    gc.collect()
    assert gone() is None


def test_arrays_go_to_other_processes() -> None:
    made = pickle.loads(pickle.dumps(Arrays({"w": np.ones(2)})))
    assert made["w"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("array", [np.array(["x"]), np.array([1j]), np.array([None])])
def test_what_is_no_number_is_refused(array: np.ndarray) -> None:
    with pytest.raises(WeightsError, match="'w'"):
        Arrays({"w": array})


def test_a_deferred_value_that_fails_can_be_asked_again() -> None:
    answers = iter([OSError("first"), 3])

    def load() -> int:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    held = Deferred(load)
    with pytest.raises(OSError, match="first"):
        held.get()
    assert not held.loaded
    assert held.get() == 3
    assert held.get() == 3
