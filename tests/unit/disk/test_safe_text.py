from __future__ import annotations

import pytest

from circuitz.disk.safe_text import MAX_TEXT, clean_name, clean_text
from circuitz.errors import AnnotationError


@pytest.mark.parametrize("text", ["snow", "Schnee – 雪 ❄️", "two\nlines", "<script>", "שלג", "👩‍🚀"])
def test_plain_text_of_any_language_is_kept(text: str) -> None:
    assert clean_text(f"  {text} ") == text


@pytest.mark.parametrize(
    "text",
    ["", " \n ", "a\x00b", "a\x1b[31m", "a\tb", "\u202eevil", "\ud800", "x" * (MAX_TEXT + 1)],
)
def test_what_cannot_be_shown_is_refused(text: str) -> None:
    with pytest.raises(AnnotationError):
        clean_text(text)


def test_something_else_than_text_is_refused() -> None:
    with pytest.raises(AnnotationError, match="int"):
        clean_text(3)
    with pytest.raises(AnnotationError, match="NoneType"):
        clean_name(None)


def test_a_name_may_be_empty_but_not_long() -> None:
    assert clean_name("") == ""
    with pytest.raises(AnnotationError, match="201"):
        clean_name("x" * 201)
