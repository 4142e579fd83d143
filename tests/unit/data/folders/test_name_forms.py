from __future__ import annotations

import pytest

from circuitz.data.folders.name_forms import NameIndex, is_missing_class, plain_name
from circuitz.errors import InputsError


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (" cat ", "cat"), ("polar\u00a0bear\t", "polar bear"), ("Ba\u0308r", "Bär"),
        ("\ufeffdog\u200b", "dog"), ("a\nb", "a\nb"), ("", ""),
    ],
)  # fmt: skip
def test_plain_names(text: str, plain: str) -> None:
    assert plain_name(text) == plain


def test_names_are_found_exactly_first() -> None:
    index = NameIndex(("cat", "cat ", "=x", "'=x", "Bär", "nan"))
    assert [index.find(c) for c in ("cat", "cat ", "=x", "'=x", "nan")] == [0, 1, 2, 3, 5]
    assert [index.find(c, escaped=True) for c in ("'=x", "''=x", "cat ")] == [2, 3, 1]
    assert index.find("Ba\u0308r ") == 4
    # Two names it may mean: none is guessed.
    assert index.find("cat\u00a0") is None
    assert index.find("CAT") is None
    assert "differs from 'Bär' in case only" in index.hint("BÄR")
    assert "case" not in index.hint("wolf")
    # pandas writes whole numbers so, where a cell of the column is empty.
    assert [NameIndex(("1", "2")).find(c) for c in ("2.0", "1,0", "2.5")] == [1, 0, None]


def test_what_says_that_no_class_is_given() -> None:
    assert all(map(is_missing_class, ("", " ", "nan", "NaN ", "<NA>", "N/A", "null")))
    assert not any(map(is_missing_class, ("none", "NA", "no", "banana", "-")))
    assert not is_missing_class("nan", ("nan", "dog"))
    assert is_missing_class("", ("",))


def test_the_two_names_are_named() -> None:
    from circuitz.data.folders.name_forms import refuse_names_alike

    refuse_names_alike(["a", "A", "cat", "cats"], "The classes", "Rename one.")
    with pytest.raises(InputsError, match=r"'1' and '1\.0' differ in how a number is written only"):
        refuse_names_alike(["1", "2", "1.0"], "The classes", "Rename one.")
    with pytest.raises(InputsError, match=r"The classes 'Ünal' and 'ünal' differ in case only\."):
        refuse_names_alike(["Ünal", "dog", "ünal"], "The classes", "Rename one.")
