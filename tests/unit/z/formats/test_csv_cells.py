from __future__ import annotations

import pytest

from circuitz.errors import AnnotationError
from circuitz.z.formats.csv_cells import (
    escape,
    read_list,
    read_number,
    read_truth,
    unescape,
    write_list,
)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "＝1", "'=1", "''@", "'-'"])
def test_no_cell_begins_as_a_formula_and_none_is_lost(text: str) -> None:
    cell = escape(text)
    assert cell[0] == "'"
    assert cell == f"'{text}"
    assert unescape(cell) == text


@pytest.mark.parametrize("text", ["", "snow", "'tis", "''", "a=1", "'", "1-2", "it's -1"])
def test_other_text_is_left_alone(text: str) -> None:
    assert escape(text) == text
    assert unescape(text) == text


@pytest.mark.parametrize(
    "items",
    [
        (), ("snow",), ("snow", "pointed ears"), ("a; b",), ("[x",), ("", "a"), (" a",),
        ("a\nb", "c"), ("ä", "🐕"), ('"', "'"),
    ],
)  # fmt: skip
def test_lists_come_back(items: tuple[str, ...]) -> None:
    assert tuple(read_list(write_list(items))) == items


def test_lists_are_read_as_people_write_them() -> None:
    assert read_list("snow;grass ; ") == ["snow", "grass"]
    for cell in ("[", "[1", '["a"', "[" * 2000):
        with pytest.raises(AnnotationError, match="no list"):
            read_list(cell)


def test_numbers_and_truths_are_named_when_they_are_none() -> None:
    assert read_number(" 0.25 ", "confidence") == 0.25
    with pytest.raises(AnnotationError, match="point, not a comma"):
        read_number("0,5", "confidence")
    with pytest.raises(AnnotationError, match="no number"):
        read_number("high", "confidence")
    assert (read_truth("TRUE"), read_truth("0")) == (True, False)
    with pytest.raises(AnnotationError, match="neither"):
        read_truth("maybe")
