from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from circuitz.data.class_names import chosen_class_names, read_class_names
from circuitz.errors import InputsError

NAMES = ("owl", "ant", "cat")


@pytest.mark.parametrize(
    "classes",
    [
        list(NAMES),
        NAMES,
        np.array(NAMES),
        np.array([name.encode() for name in NAMES]),
        pd.Index(NAMES),
        pd.Series(NAMES, index=[5, 3, 4]),
        (name for name in NAMES),
        dict.fromkeys(NAMES).keys(),
        {"cat": 2, "ant": 1, "owl": 0},
        {2: "cat", 1: "ant", 0: "owl"},
        {"2": "cat", "0": "owl", "1": "ant"},
        {"cat": np.int64(2), "ant": np.int64(1), "owl": np.int64(0)},
    ],
)
def test_names_stand_in_the_order_of_their_numbers(classes: Any):
    assert read_class_names(classes) == NAMES


def test_names_may_be_digits():
    assert read_class_names({"7": 1, "1": 0}) == ("1", "7")
    assert read_class_names({1: "0", 0: "9"}) == ("9", "0")
    assert read_class_names([3, 1]) == ("3", "1")


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ("owl", "single text 'owl'"),
        (b"owl", "single text 'owl'"),
        ({"owl", "ant"}, "no order"),
        (frozenset(NAMES), "no order"),
        (3, "Class names are a int"),
        (np.array([NAMES]), r"shape \(1, 3\)"),
        (["owl", None], "no name"),
        (["owl", " "], "no name"),
        ({"owl": 0, "ant": 2}, "No class has number 1, and 'ant' has number 2"),
        ({"owl": 1, "ant": 2}, "No class has number 0, and 'ant' has number 2"),
        ({0: "owl", -1: "ant"}, "'ant' has number -1"),
        ({"owl": 0, "ant": 0}, "'owl' and 'ant' both have number 0"),
        ({"owl": "bird", "ant": "insect"}, "cannot be told"),
        ({0: 1, 1: 0}, "cannot be told"),
        ({"owl": 0.5, "ant": 1}, "cannot be told"),
        (["owl", "owl"], "0 and 1 have one name"),
        (["ant", "owl", "Owl "], "1 and 2 have one name"),
        (["caf\u00e9", "cafe\u0301"], "one name"),
        (["polar bear", "Polar\u00a0bear"], "one name"),
        ({"owl": 1, "OWL": 0}, "one name"),
    ],
)
def test_names_without_an_order_or_told_twice_are_refused(classes: Any, message: str):
    with pytest.raises(InputsError, match=message) as caught:
        read_class_names(classes)
    assert caught.value.code == "inputs"
    assert caught.value.hint


def test_tokens_may_differ_in_case_and_space():
    assert read_class_names(["the", " the", "The"], alike=True) == ("the", " the", "The")
    with pytest.raises(InputsError, match="one name"):
        read_class_names(["the", "the"], alike=True)


def test_a_choice_of_classes_may_be_a_set():
    assert chosen_class_names({"owl", "ant"}) == ("ant", "owl")
    assert chosen_class_names([1, 0]) == ("1", "0")
    with pytest.raises(InputsError, match="single text"):
        chosen_class_names("owl")
