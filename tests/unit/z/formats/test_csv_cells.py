from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuitz.errors import AnnotationError
from circuitz.z.formats.csv_cells import (
    boolean_from_cell,
    escape_formula,
    escape_spreadsheet_name,
    escape_spreadsheet_text,
    list_from_cell,
    list_to_cell,
    number_from_cell,
    unescape_formula,
)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "＝1", "'=1", "''@", "'-'"])
def test_no_cell_begins_as_a_formula_and_none_is_lost(text: str) -> None:
    cell = escape_formula(text)
    assert cell[0] == "'"
    assert cell == f"'{text}"
    assert unescape_formula(cell) == text


@pytest.mark.parametrize("text", ["", "snow", "'tis", "''", "a=1", "'", "1-2", "it's -1"])
def test_other_text_is_left_alone(text: str) -> None:
    assert escape_formula(text) == text
    assert unescape_formula(text) == text


CONVERTED = [
    "0012", "12e34", "1234567890123456", "0:5", "10:17", "3.0", "1,5", "1/2", "3-4", "50%", "$5",
    "2026-11-30", "10:30 pm", "March 5", "5 may", "dec1", "jan 2024", "TRUE", "false", " 7 ",
    "2026-01-05T10:00:00Z", "März 7", "falsch", "(5)", "1E+05", "1e5", "SEPT2", "5%",
]  # fmt: skip


@pytest.mark.parametrize("text", CONVERTED)
def test_nothing_that_a_spreadsheet_converts_is_written_bare(text: str) -> None:
    assert escape_spreadsheet_text(text) == f"'{text}"
    assert unescape_formula(f"'{text}") == text
    assert escape_formula(text) == text


@pytest.mark.parametrize(
    "text", ["conv1:3", "a7", "7 dogs", "snow, 5 of it", "march", "12e", "7f3a", "true north", ""]
)
def test_words_and_ids_of_units_are_written_as_they_are(text: str) -> None:
    assert escape_spreadsheet_text(text) == text


def test_names_that_are_whole_numbers_are_left_alone() -> None:
    for text in ("0", "7", "123456789012345"):
        assert escape_spreadsheet_name(text) == text
        assert escape_spreadsheet_text(text) == f"'{text}"
    for text in ("007", "1.0", "1e5", "1234567890123456", "-1", "true", "=x"):
        assert escape_spreadsheet_name(text) == f"'{text}"
    assert escape_spreadsheet_name("'7") == "''7"


@given(st.text(alphabet="0123456789eabf.", min_size=1, max_size=16))
def test_no_id_is_a_number(text: str) -> None:
    with pytest.raises(ValueError, match="could not convert"):
        float(escape_spreadsheet_text(text))


@given(st.one_of(st.text(), st.from_regex(r"'{0,3}[=0-9tTmM][0-9:e.-]{0,4}")))
def test_any_text_comes_back_from_a_cell(text: str) -> None:
    assert unescape_formula(escape_spreadsheet_text(text)) == text
    assert unescape_formula(escape_spreadsheet_name(text)) == text


@pytest.mark.parametrize(
    "items",
    [
        (), ("snow",), ("snow", "pointed ears"), ("a; b",), ("[x",), ("", "a"), (" a",),
        ("a\nb", "c"), ("ä", "🐕"), ('"', "'"),
    ],
)  # fmt: skip
def test_lists_come_back(items: tuple[str, ...]) -> None:
    assert tuple(list_from_cell(list_to_cell(items))) == items


def test_lists_are_read_as_people_write_them() -> None:
    assert list_from_cell("snow;grass ; ") == ["snow", "grass"]
    for cell in ("[", "[1", '["a"', "[" * 2000):
        with pytest.raises(AnnotationError, match="no list"):
            list_from_cell(cell)


def test_numbers_and_truths_are_named_when_they_are_none() -> None:
    assert number_from_cell(" 0.25 ", "confidence") == 0.25
    with pytest.raises(AnnotationError, match="point, not a comma"):
        number_from_cell("0,5", "confidence")
    with pytest.raises(AnnotationError, match="no number"):
        number_from_cell("high", "confidence")
    assert (boolean_from_cell("TRUE"), boolean_from_cell("0")) == (True, False)
    with pytest.raises(AnnotationError, match="neither"):
        boolean_from_cell("maybe")
