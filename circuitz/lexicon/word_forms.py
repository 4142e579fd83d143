"""From text to comparable words: case, hyphens, plurals, negation."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_IRREGULAR: Final = {
    "children": "child",
    "feet": "foot",
    "geese": "goose",
    "halves": "half",
    "hooves": "hoof",
    "knives": "knife",
    "leaves": "leaf",
    "men": "man",
    "mice": "mouse",
    "people": "person",
    "scarves": "scarf",
    "shelves": "shelf",
    "teeth": "tooth",
    "wolves": "wolf",
    "women": "woman",
}
_NO_PLURAL: Final = frozenset(
    {
        "as", "bus", "canvas", "compass", "gas", "glass", "glasses", "grass", "sunglasses", "has",
        "is", "its", "lens", "less", "moss", "cross", "dress", "always", "this", "axis", "iris",
        "plus", "series", "species", "stylus", "thus", "us", "was", "yes"
    }
)  # fmt: skip
_WORD: Final = re.compile(r"[^\W_]+(?:'[^\W\d_]+)?")
_BREAK: Final = re.compile(r"[.,;:!?()\[\]{}|/\n\"“”]")

NEGATORS: Final = frozenset(
    {
        "no", "not", "never", "without", "lacking", "lacks", "lack", "absent", "neither", "nor",
        "non", "except", "excluding", "minus", "cannot", "hardly", "ignore", "ignores", "ignoring",
        "free"
    }
)  # fmt: skip
CARRIES_ON: Final = frozenset(
    {
        "without", "lacking", "lacks", "neither", "nor", "except", "excluding"
    }
)  # fmt: skip
"""Negators whose reach goes on after *and*: without ears and tail."""
CONTRAST: Final = frozenset(("but", "however", "yet"))
_PAIRS: Final = {("instead", "of"), ("rather", "than"), ("free", "of"), ("absence", "of")}
COPULAS: Final = frozenset(
    {
        "is", "are", "was", "were", "look", "looks", "looking", "being", "that", "which", "very",
        "quite", "rather", "a", "bit", "and"
    }
)  # fmt: skip


@dataclass(frozen=True)
class Token:
    """A word of a text: its comparable form, the clause it is in, and where it stood."""

    word: str
    raw: str
    clause: int


@lru_cache(maxsize=4096)
def singular(word: str) -> str:
    """Return the singular of an English noun; other words come back as they are.

    A rule of thumb applied alike to the lexicon and to what people write, so an odd singular
    does no harm.
    """
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4 or word in _NO_PLURAL or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "zes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") else word


def tokens(text: str) -> list[Token]:
    """Split a text into words and clauses.

    Upper and lower case, hyphens and underscores, plurals and possessives make no difference.
    """
    plain = unicodedata.normalize("NFKC", text).replace("’", "'").casefold()
    found: list[Token] = []
    for clause, piece in enumerate(_BREAK.split(plain)):
        for match in _WORD.finditer(piece):
            raw = match.group()
            stem = raw[:-2] if raw.endswith("'s") else raw
            found.append(Token(singular(stem), raw, clause))
    return found


def phrase_key(phrase: str) -> tuple[str, ...]:
    """Return the comparable form of a name: its words, without their order of clauses."""
    return tuple(token.word for token in tokens(phrase))


def negation_flags(text: list[Token], starts: list[int]) -> list[bool]:
    """Say for each word that starts a concept whether the text denies it.

    *no snow*, *not on snow*, *without ears and tail*, *snow-free*, *isn't snow* deny; *not only
    snow* does not. A denial ends with its clause, at *but*, and, after the first concept, at
    *and* (*no snow and pointed ears*).

    Parameters
    ----------
    text
        Words.
    starts
        Indices of the words at which concepts start.

    Returns
    -------
    list of bool
        One for each of ``starts``.
    """
    at = set(starts)
    verdicts: dict[int, bool] = {}
    denying, goes_on, seen, clause = False, False, False, -1
    for i, token in enumerate(text):
        if token.clause != clause:
            denying, clause = False, token.clause
        after = text[i + 1].raw if i + 1 < len(text) else ""
        pair = (token.raw, after) in _PAIRS
        if pair or token.raw in NEGATORS or token.raw.endswith("n't"):
            denying = not (token.raw in ("not", "no") and after in ("only", "just", "merely"))
            goes_on, seen = pair or token.raw in CARRIES_ON, False
        elif token.raw in CONTRAST or (token.raw in ("and", "with") and seen and not goes_on):
            denying = False
        if i in at:
            verdicts[i] = denying
            seen = True
    return [verdicts[i] for i in starts]
