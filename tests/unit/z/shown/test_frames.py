from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from circuitz.z.layer import LayerSpec
from circuitz.z.measurements import Measurements
from circuitz.z.model import AnnotatedModel
from circuitz.z.shown.frames import ANNOTATION_COLUMNS, UNIT_COLUMNS, typed_frame, units_frame


def test_an_empty_table_can_be_chosen_from() -> None:
    empty = AnnotatedModel("m", ("a",)).units
    assert list(empty[empty["in_cut"]].columns) == list(UNIT_COLUMNS)
    assert list(AnnotatedModel("m", ("a",)).annotations.columns) == list(ANNOTATION_COLUMNS)


def test_columns_keep_tuples_and_dtypes() -> None:
    made = typed_frame([("a", ("x", "y"), True)], {"s": "str", "t": "object", "b": "bool"})
    assert made["t"][0] == ("x", "y")
    assert made["b"].dtype == bool


def test_measurements_of_another_shape_do_not_break_the_table(
    new_measurements: Callable[..., Measurements],
) -> None:
    other = units_frame((LayerSpec("conv2", 9),), (), {}, {}, new_measurements())
    assert other["mean"].isna().all()
    empty = new_measurements()
    layer = replace(empty.layers["conv2"], responses=np.zeros((0, 4), np.float32))
    none = Measurements(layers={"conv2": layer})
    assert units_frame((LayerSpec("conv2", 4),), (), {}, {}, none)["max"].isna().all()


def test_many_units_are_listed_quickly() -> None:
    start = time.process_time()
    assert len(units_frame((LayerSpec("mlp", 50_000),), ("mlp",), {}, {}, None)) == 50_000
    assert time.process_time() - start < 3
