"""What may stand in an annotation, and what makes two spellings one name."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from circuitz.errors import AnnotationError

MAX_TEXT = 2000
MAX_NAME = 200
# Overrides of the writing direction can make a text read as something else than it is.
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# No glyph of their own, and not of the category of formatting characters.
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u3164\uffa0")
_VARIATION_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))


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
    """Return a name in the one spelling it is kept in, which may be empty.

    Raises
    ------
    AnnotationError
        If it is too long or holds control characters, line breaks or overrides of direction.
    """
    if not isinstance(text, str):
        raise AnnotationError(f"The {what} is a {type(text).__name__}, not text.", "Pass a string.")
    _check_length_and_characters(text.strip(), what, MAX_NAME, lines=False)
    return _check_length_and_characters(one_spelling_of_name(text), what, MAX_NAME)


@lru_cache(maxsize=4096)
def one_spelling_of_name(text: str) -> str:
    """Return a name as everybody who sees it would read it: one text for all that look the same.

    Accents are composed (NFC), whatever shows nothing (zero-width characters, joiners, variation
    selectors) is left out, and blanks of all kinds are one blank, with none at the ends. Small and
    capital letters stay apart.
    """
    seen = "".join(
        c for c in text if c in _DIRECTION or not _shows_nothing(c)
    )  # overrides of direction stay, to be refused
    return unicodedata.normalize("NFC", " ".join(seen.split()))


def _shows_nothing(character: str) -> bool:
    return (
        unicodedata.category(character) == "Cf"
        or character in _UNSEEN
        or any(ord(character) in selectors for selectors in _VARIATION_SELECTORS)
    )


def _check_length_and_characters(text: str, what: str, limit: int, *, lines: bool = True) -> str:
    if len(text) > limit:
        raise AnnotationError(
            f"The {what} has {len(text):,} characters; at most {limit:,} are kept.", "Shorten it."
        )
    for character in text:
        if not (lines and character == "\n") and _is_control_character(character):
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
