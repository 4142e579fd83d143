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


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("Zoe\u0308", "Zo\u00eb"), (" Ada\u00a0 Lovelace\u3000", "Ada Lovelace"), ("a\u200d\u200cb\ufe0f", "ab"), ("Z\u034foe\u0308", "Zo\u00eb"), ("ADA", "ADA"), ("=1+1", "=1+1"), ("\u3164", "")],
)  # fmt: skip
def test_a_name_is_kept_in_one_spelling(typed: str, kept: str) -> None:
    assert strip_and_check_name(typed) == kept
    assert strip_and_check_name(kept) == kept


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "a\x00b", "\u202eevil", "a\u2066b", "a\u2028b"])
def test_a_name_holds_nothing_that_changes_how_it_reads(name: str) -> None:
    with pytest.raises(AnnotationError, match="control character"):
        strip_and_check_name(name)
