"""What may stand in an annotation."""

from __future__ import annotations

import unicodedata

from circuitz.errors import AnnotationError

MAX_TEXT = 2000
MAX_NAME = 200
# Overrides of the writing direction can make a text read as something else than it is.
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def strip_and_check_text(text: object, *, what: str = "annotation", limit: int = MAX_TEXT) -> str:
    """Return the text without surrounding blanks.

    Raises
    ------
    AnnotationError
        If it is empty, too long, or holds control characters.
    """
    if not isinstance(text, str):
        raise AnnotationError(f"The {what} is a {type(text).__name__}, not text.", "Pass a string.")
    clean = text.strip()
    if not clean:
        raise AnnotationError(
            f"The {what} is empty.", "Write what the unit means, or retract what is there."
        )
    return _check_length_and_characters(clean, what, limit)


def strip_and_check_name(text: object, *, what: str = "author") -> str:
    """Return a name, which may be empty.

    Raises
    ------
    AnnotationError
        If it is too long or holds control characters.
    """
    if not isinstance(text, str):
        raise AnnotationError(f"The {what} is a {type(text).__name__}, not text.", "Pass a string.")
    return _check_length_and_characters(text.strip(), what, MAX_NAME)


def _check_length_and_characters(text: str, what: str, limit: int) -> str:
    if len(text) > limit:
        raise AnnotationError(
            f"The {what} has {len(text):,} characters; at most {limit:,} are kept.", "Shorten it."
        )
    for character in text:
        if character != "\n" and _is_control_character(character):
            raise AnnotationError(
                f"The {what} holds the control character U+{ord(character):04X}.",
                "Remove it and write plain text.",
            )
    return text


def escape_control_characters(text: str) -> str:
    """Return the text with what would act on a terminal made visible.

    Texts of a bundle may be anybody's, and escape sequences can hide or fake what is printed.
    """
    return "".join(
        c if c == "\n" or not _is_control_character(c) else f"\\u{ord(c):04x}" for c in text
    )


def _is_control_character(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} or character in _DIRECTION
