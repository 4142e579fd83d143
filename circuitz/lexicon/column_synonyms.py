"""Whether two columns of labels are one concept: their words must be synonyms, and labels agree.

A column is its own concept. The lexicon may call two names synonyms (*grass*, *lawn*); whether they
are here is for the labels to show, or for a person to say.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import numpy.typing as npt

from circuitz.lexicon.word_forms import phrase_key

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon

#: Share of pictures labelled in both columns on which synonyms must agree to be one concept.
ONE_FROM: Final = 0.99
#: Below it two columns that claim to be one word contradict each other.
CONTRADICT_BELOW: Final = 0.90
#: So many pictures must be labelled in both before agreement makes two columns one.
PICTURES_TO_COMPARE: Final = 20
# Two rare concepts agree on most pictures by being absent: of the pictures that one column or the
# other says yes to (or no to), so many must have both.
_OVERLAP: Final = 0.5
Relation = Literal["one", "unsettled", "contradicting"]


@dataclass(frozen=True)
class SynonymPair:
    """Two columns whose names are synonyms.

    Parameters
    ----------
    columns
        Their places, the lower first.
    relation
        ``one`` concept; ``unsettled``, which a person has to say; ``contradicting``: they claim to
        be one word, and their labels differ.
    agreement, pictures
        Share of the pictures labelled in both on which they agree (NaN without any), and how many.
    people
        A person says they are one.
    """

    columns: tuple[int, int]
    relation: Relation
    agreement: float
    pictures: int
    people: bool = False


def compare_synonym_columns(
    names: Sequence[str], table: npt.NDArray[np.float32] | None, lexicon: Lexicon
) -> tuple[SynonymPair, ...]:
    """Compare the labels of all columns whose names are synonyms.

    Parameters
    ----------
    names
        ``c`` names of columns.
    table
        ``(n, c)`` labels: 0, 1 or NaN (not known); ``None`` where none are at hand.
    lexicon
        Knows the synonyms, and which of them a person stated.

    Returns
    -------
    One entry a pair of synonyms; two columns that the labels show to be two concepts, although
    adjectives make them one to the lexicon (*fluffy coat*, *shaggy coat*), are in none.
    """
    by_word: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, name in enumerate(names):
        key = phrase_key(lexicon.resolve(name) or name)
        if key:
            by_word[key].append(i)
    found: list[SynonymPair] = []
    for columns in by_word.values():
        for pair in combinations(columns, 2):
            one = _compare_pair(pair, names, table, lexicon)
            if one is not None:
                found.append(one)
    return tuple(found)


def _compare_pair(
    pair: tuple[int, int],
    names: Sequence[str],
    table: npt.NDArray[np.float32] | None,
    lexicon: Lexicon,
) -> SynonymPair | None:
    one, other = (names[i] for i in pair)
    people = people_call_same(one, other, lexicon)
    agreement, pictures, overlap = float("nan"), 0, True
    if table is not None:
        agreement, pictures, overlap = _label_agreement(table[:, pair[0]], table[:, pair[1]])
    if not pictures:
        relation: Relation = "one" if people else "unsettled"
    elif agreement < CONTRADICT_BELOW:
        words = phrase_key(one) == phrase_key(other)
        if not (words or people or all(_is_written_name(name, lexicon) for name in (one, other))):
            return None
        relation = "contradicting"
    else:
        agree = agreement >= ONE_FROM and overlap and pictures >= PICTURES_TO_COMPARE
        relation = "one" if people or agree else "unsettled"
    return SynonymPair(pair, relation, agreement, pictures, people)


def people_call_same(one: str, other: str, lexicon: Lexicon) -> bool:
    """Whether a person's file or override makes two names synonyms of one concept."""
    found, keys = lexicon.resolve(one), {phrase_key(one), phrase_key(other)}
    same = bool(found) and found == lexicon.resolve(other)
    return same and any(keys <= group for group in lexicon.said_same)


def _is_written_name(name: str, lexicon: Lexicon) -> bool:
    """Whether a name stands in an entry, and is not put together from its adjectives."""
    entry = lexicon.concepts.get(lexicon.resolve(name))
    written = (entry.name, *entry.synonyms) if entry is not None else ()
    return phrase_key(name) in {phrase_key(word) for word in written}


def _label_agreement(
    one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]
) -> tuple[float, int, bool]:
    """Share of pictures with equal labels, of how many, and whether what is rare is shared."""
    both = ~np.isnan(one) & ~np.isnan(other)
    a, b = one[both] == 1, other[both] == 1
    if not len(a):
        return float("nan"), 0, True
    shares = [float((x & y).sum() / (x | y).sum()) for x, y in ((a, b), (~a, ~b)) if (x | y).any()]
    return float((a == b).mean()), len(a), min(shares) >= _OVERLAP


def columns_spelled_alike(names: Sequence[str]) -> tuple[str, str] | None:
    """Return the first two names that differ in case, blanks, hyphens or underscores alone."""
    first: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"[\s_\-‐‑]+", "", unicodedata.normalize("NFKC", name).casefold())
        if plain in first:
            return first[plain], name
        first[plain] = name
    return None
