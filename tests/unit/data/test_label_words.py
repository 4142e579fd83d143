from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from circuitz.data.input_sources import as_inputs
from circuitz.data.label_words import check_labels_count_from_zero, order_label_words
from circuitz.errors import InputsError, NetworkWarning

TWELVE = np.arange(36) % 12
PICTURES = np.random.default_rng(0).integers(0, 256, (36, 4, 4, 3), dtype=np.uint8)


@pytest.mark.parametrize("form", ["{}", "{}.0", "{:03d}"])
def test_numbers_as_text_stand_in_the_order_of_numbers(form: str):
    words = [form.format(i) for i in TWELVE]
    with pytest.warns(NetworkWarning, match="order of the numbers that they are"):
        made = as_inputs((PICTURES, words))
    assert made.classes == tuple(form.format(i) for i in range(12))
    assert (made.labels == TWELVE).all()
    with pytest.warns(NetworkWarning, match="order of the numbers"):
        items = as_inputs([(p, w) for p, w in zip(PICTURES, words, strict=True)])
    assert (items.labels == TWELVE).all()


def test_one_word_that_is_no_number_makes_it_the_alphabet():
    words = ["10", "9", "none"]
    names, remark = order_label_words(words, words)
    assert names == ("10", "9", "none")
    assert "order of the alphabet: 10, 9, none" in remark


@pytest.mark.parametrize("kind", [pd.Categorical, pd.CategoricalIndex, pd.Series])
def test_a_categorical_keeps_its_own_order_and_classes_not_seen(kind: type):
    own = ["small", "large", "huge", "never"]
    labels = kind(pd.Categorical(np.array(own)[np.arange(36) % 3], categories=own))
    with pytest.warns(NetworkWarning, match="of the categorical they come in: small, large"):
        made = as_inputs((PICTURES, labels))
    assert made.classes == tuple(own)
    assert (made.labels == np.arange(36) % 3).all()


def test_names_that_are_given_are_no_guess(recwarn: pytest.WarningsRecorder):
    words = np.array(["b", "a"])[np.arange(36) % 2]
    made = as_inputs((PICTURES, words), classes={"b": 0, "a": 1})
    assert made.classes == ("b", "a")
    assert (made.labels == np.arange(36) % 2).all()
    assert not recwarn.list


def test_labels_from_one_are_told():
    with pytest.raises(InputsError, match="start at 1: they run from 1 to 3") as caught:
        as_inputs((PICTURES, np.arange(36) % 3 + 1), classes=["a", "b", "c"])
    assert "labels - 1" in caught.value.hint
    check_labels_count_from_zero(np.array([1, 2, 0]), 3)
    check_labels_count_from_zero(np.array([1, 2]), 3)
    check_labels_count_from_zero(None, 3)
