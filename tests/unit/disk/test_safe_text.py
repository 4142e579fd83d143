from __future__ import annotations

import pytest

from circuitz.disk.safe_text import MAX_TEXT, strip_and_check_name, strip_and_check_text
from circuitz.errors import AnnotationError


@pytest.mark.parametrize("text", ["snow", "Schnee – 雪 ❄️", "two\nlines", "<script>", "שלג", "👩‍🚀"])
def test_plain_text_of_any_language_is_kept(text: str) -> None:
    assert strip_and_check_text(f"  {text} ") == text


@pytest.mark.parametrize(
    "text",
    ["", " \n ", "a\x00b", "a\x1b[31m", "a\tb", "\u202eevil", "\ud800", "x" * (MAX_TEXT + 1)],
)
def test_what_cannot_be_shown_is_refused(text: str) -> None:
    with pytest.raises(AnnotationError):
        strip_and_check_text(text)


def test_something_else_than_text_is_refused() -> None:
    with pytest.raises(AnnotationError, match="int"):
        strip_and_check_text(3)
    with pytest.raises(AnnotationError, match="NoneType"):
        strip_and_check_name(None)


def test_a_name_may_be_empty_but_not_long() -> None:
    assert strip_and_check_name("") == ""
    with pytest.raises(AnnotationError, match="201"):
        strip_and_check_name("x" * 201)
