"""Words that say *more* or *less*: ``golden coat, more with long legs, less with grass``.

A unit has one thing that it is said to be, and may respond to it more, or less, with other things
there. What stands behind *more* or *less* claims nothing but that: it names no concept of the unit,
and no check takes it for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_BREAK: Final = re.compile(r"\s*[,;]\s*")
_GRADED: Final = re.compile(r"(more|less)\s+(with\s+)?(\S.*)", re.IGNORECASE)


@dataclass(frozen=True)
class GradedWord:
    """A thing with which a unit responds more, or less.

    Parameters
    ----------
    name
        As it is written.
    sign
        1 for more, -1 for less.
    """

    name: str
    sign: int


def split_graded_words(text: str) -> tuple[str, tuple[GradedWord, ...]]:
    """Split a text into what it says a unit is, and what it says of more and less.

    *More with X* and *less with X* are graded wherever a part of the text begins so; *less X* is
    where it follows something else (*snow, less grass*), since alone it may be a name.

    Parameters
    ----------
    text
        Free text, as an annotation.

    Returns
    -------
    str
        The text without its graded parts; the very text where there are none.
    tuple of GradedWord
        In the order of the text.
    """
    parts = _BREAK.split(text.strip())
    plain: list[str] = []
    graded: list[GradedWord] = []
    for part in parts:
        match = _GRADED.fullmatch(part)
        if match and (match[2] or (plain and match[1].casefold() == "less")):
            graded.append(GradedWord(match[3].strip(), 1 if match[1].casefold() == "more" else -1))
        else:
            plain.append(part)
    return (", ".join(plain) if graded else text), tuple(graded)


def with_graded_words(text: str, graded: Iterable[GradedWord]) -> str:
    """Return a text that says more and less, in place of what it said of it before."""
    plain, _ = split_graded_words(text)
    said = [f"{'more' if one.sign > 0 else 'less'} with {one.name}" for one in graded]
    return ", ".join((plain, *said)) if plain else ", ".join(said)
