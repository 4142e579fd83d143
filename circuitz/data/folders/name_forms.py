"""Names as people type them: accents in two forms, blanks that do not show, upper and lower case."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence

from circuitz.errors import InputsError
from circuitz.z.formats.csv_cells import unescape_formula

SEPARATOR = "|"
"""Divides the classes of a picture that shows several."""
_UNSEEN = "\u200b\u2060\ufeff"
_WHOLE_NUMBER = re.compile(r"([-+]?\d+)[.,]0+")
MISSING_WORDS = frozenset({"", "nan", "<na>", "nat", "n/a", "#n/a", "#na", "null"})
"""What programs write for nothing, and nobody calls anything."""
DOUBTFUL_NAMES = frozenset({"none", "na"})
"""What programs write for nothing, and what a class may well be called."""


def plain_name(text: str) -> str:
    """Return a name without blanks around it, composed (NFC), its odd blanks made plain ones."""
    composed = unicodedata.normalize("NFC", text)
    spaced = "".join(" " if c.isspace() and c != "\n" else c for c in composed)
    return spaced.strip().strip(_UNSEEN).strip()


def caseless_name(text: str) -> str:
    """Return what is left of a plain name when upper and lower case are one."""
    return plain_name(text).casefold()


def whole_number(plain: str) -> str:
    """Return ``1`` for ``1.0``, as pandas writes whole numbers with gaps; else what was given."""
    found = _WHOLE_NUMBER.fullmatch(plain)
    return found[1] if found else plain


def names_in_cell(cell: str) -> list[str]:
    """Return the plain names of a cell that may hold several, divided by ``|``."""
    return [name for name in map(plain_name, cell.split(SEPARATOR)) if name]


def is_missing_class(cell: str, classes: Collection[str] = ()) -> bool:
    """Whether a cell says that no class is given: it is empty, or what programs write for that.

    Parameters
    ----------
    cell
        What the cell holds.
    classes
        Names that are certainly classes, whatever they look like.
    """
    name = plain_name(cell)
    return name.lower() in MISSING_WORDS and not (name and (cell in classes or name in classes))


def refuse_names_alike(names: Sequence[str], what: str, remedy: str) -> None:
    """Refuse names that differ in nothing but case, blanks or the form of an accent.

    Letters are told apart by their case: ``a`` and ``A`` may both be classes.

    Raises
    ------
    InputsError
        Naming the first two; ``what`` says what they are names of, ``remedy`` what to do.
    """
    seen: dict[str, str] = {}
    for name in names:
        plain = plain_name(name)
        number = whole_number(plain)
        other = seen.setdefault(number if len(number) == 1 else number.casefold(), name)
        if other == name:
            continue
        if plain_name(other) == plain:
            difference = "blanks, or how accents are written,"
        elif caseless_name(other) == caseless_name(plain):
            difference = "case"
        else:
            difference = "how a number is written"
        raise InputsError(f"{what} {other!r} and {name!r} differ in {difference} only.", remedy)


class NameIndex:
    """Finds names that cells mean, however their accents, blanks and apostrophes are written.

    Parameters
    ----------
    names
        The names there are.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._exact = {name: i for i, name in enumerate(self.names)}
        self._plain: dict[str, int] = {}
        doubles: set[str] = set()
        for i, name in enumerate(self.names):
            plain = plain_name(name)
            doubles |= {plain} if plain in self._plain else set()
            self._plain[plain] = i
        for plain in doubles:
            del self._plain[plain]

    def find(self, cell: str, *, escaped: bool = False) -> int | None:
        """Return the number of the name that a cell means, or None.

        Parameters
        ----------
        cell
            As it stands in the table, blanks and all.
        escaped
            Whether the table was written with an apostrophe before what looks like a formula:
            then what is without it goes first.
        """
        bare = unescape_formula(cell)
        for text in (bare, cell) if escaped else (cell, bare):
            if text in self._exact:
                return self._exact[text]
        for text in (bare, cell) if escaped else (cell, bare):
            plain = plain_name(text)
            found = self._plain.get(plain, self._plain.get(whole_number(plain)))
            if found is not None:
                return found
        return None

    def hint(self, cell: str) -> str:
        """Say which names there are, and whether one differs from a cell in case only."""
        twins = [name for name in self.names if caseless_name(name) == caseless_name(cell)]
        case = f"It differs from {twins[0]!r} in case only: write it so. " if twins else ""
        return f"{case}Its classes are {', '.join(self.names[:12])}."
