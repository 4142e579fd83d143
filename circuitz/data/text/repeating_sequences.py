"""Sequences of letters that repeat, and which token looking at which is what.

In D, after some random letters, a few letters, no two alike, are said over and over, at least
twice: to go on rightly, find where the last letter stood earlier and read what followed
(induction). How many letters there are before they come round, the *period*, varies; where it
does not, a fixed distance back gives the same answer, and the two cannot be told apart on D.

Concepts are about pairs of positions, a token that looks (*query*) and one looked at (*key*): a
concept set of pairs says of each whether the key is the query's previous token, a copy of it, the
token after such a copy, and so on. Its sequences are no sequences of D: letters are drawn with
replacement and come round or not.
"""

from __future__ import annotations

from string import ascii_lowercase

import numpy as np
import numpy.typing as npt

from circuitz.data.splits import assign_splits
from circuitz.errors import InputsError
from circuitz.z.inputs import InputSet

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]

LENGTH = 32
LETTERS = 24
PERIODS = (5, 14)
#: The period of the D in which a fixed distance back gives the answer, too.
FIXED = 12
PAIR_CONCEPTS = (
    "previous token",
    "earlier copy",
    "induction target",
    "first token",
    "current token",
    "fixed distance",
)
_QUERIES = 2
_FIRST = 4


def letter_vocabulary(count: int = LETTERS) -> tuple[str, ...]:
    """Return the first letters of the alphabet.

    Raises
    ------
    InputsError
        If there are not so many.
    """
    if not 2 <= count <= len(ascii_lowercase):
        raise InputsError(f"There are no {count} letters.", "Choose 2 to 26.")
    return tuple(ascii_lowercase[:count])


def make_repeating_sequences(
    n: int,
    *,
    role: str = "D",
    seed: int = 0,
    periods: tuple[int, int] = PERIODS,
    length: int = LENGTH,
    count: int = LETTERS,
) -> InputSet:
    """Return sequences that come round, labelled with the token that follows.

    Parameters
    ----------
    n
        Number of sequences.
    role
        ``D``, or ``D'`` (which differs in nothing but the draw, and in ``periods`` if you say so).
    seed
        The same arguments give the same set.
    periods
        Fewest and most tokens before the sequence comes round, both included.
    length, count
        Positions, and letters to draw from.

    Raises
    ------
    InputsError
        If a sequence of that period cannot come round twice, or needs more letters than there are.
    """
    low, high = periods
    if not 2 <= low <= high <= min(count, length // 2):
        raise InputsError(
            f"Periods {low} to {high} do not fit {length} positions and {count} letters.",
            "Choose 2 <= low <= high, with high at most half the positions.",
        )
    draw = np.random.default_rng([seed, 31, low, high])
    tokens, _ = draw_repeating_tokens(draw, n, periods, length + 1, count)
    tokens, following = tokens[:, :-1].copy(), tokens[:, -1]
    return InputSet(
        images=tokens,
        labels=following.astype(np.int64),
        classes=tuple(f"letter {name}" for name in letter_vocabulary(count)),
        split=assign_splits(n, (0.6, 0.2, 0.2), seed=seed, strata=following.astype(np.int64)),
        scene=np.arange(n),
        role=role,
        recipe={
            "world": "induction", "n": n, "seed": seed, "periods": list(periods),
            "length": length, "letters": count,
        },
        vocabulary=letter_vocabulary(count),
    )  # fmt: skip


def draw_repeating_tokens(
    rng: np.random.Generator, n: int, periods: tuple[int, int], length: int, count: int
) -> tuple[I32, npt.NDArray[np.bool_]]:
    """Draw sequences that come round.

    Returns
    -------
    Tokens ``(n, length)``, and where each was seen a period before, so that it can be told.
    """
    period = rng.integers(periods[0], periods[1] + 1, n)[:, None]
    start = np.floor(rng.random((n, 1)) * (length - 2 * period)).astype(np.int64)
    order = rng.random((n, count)).argsort(1).astype(np.int32)
    place = np.arange(length) - start
    again = np.take_along_axis(order, place % period, 1)
    other = rng.integers(0, count, (n, length), dtype=np.int32)
    return np.where(place < 0, other, again), place >= period


def attention_pairs(
    n: int,
    *,
    seed: int = 0,
    length: int = LENGTH,
    count: int = LETTERS,
    distance: int = FIXED - 1,
) -> InputSet:
    """Return pairs of positions labelled with what the one is to the other.

    Parameters
    ----------
    n
        Number of sequences; two positions of each (past the first few) look at every position up
        to their own, a row each pair. Half of the sequences come round, half do not; letters are
        drawn with replacement.
    seed
        The same arguments give the same set.
    length, count
        Positions, and letters to draw from.
    distance
        How many positions back ``fixed distance`` is; so is a period (one more) before that.
    """
    draw = np.random.default_rng([seed, 32])
    tokens = draw.integers(0, count, (n, length), dtype=np.int32)
    period = draw.integers(4, length // 2 + 1, n)
    again = np.take_along_axis(tokens, np.arange(length) % period[:, None], 1)
    tokens = np.where((draw.random(n) < 0.5)[:, None], again, tokens)
    queries = _FIRST + draw.random((n, length - _FIRST)).argsort(1)[:, :_QUERIES]
    rows, focus = _query_key_pairs(queries)
    looked = tokens[rows]
    return InputSet(
        images=looked,
        concepts=label_pair_concepts(looked, focus, distance),
        concept_names=PAIR_CONCEPTS,
        split=assign_splits(len(rows), (0.4, 0.4, 0.2), rows, seed),
        scene=rows,
        role="concepts",
        recipe={
            "world": "induction", "pairs of": n, "seed": seed, "length": length,
            "letters": count, "distance": distance,
        },
        vocabulary=letter_vocabulary(count),
        focus=focus,
    )  # fmt: skip


def _query_key_pairs(queries: I64) -> tuple[I64, I64]:
    """Return the sequence of each pair, and the pairs ``(m, 2)`` of query and key."""
    rows: list[I64] = []
    found: list[I64] = []
    for row, some in enumerate(queries):
        for query in np.sort(some):
            keys = np.arange(query + 1)
            found.append(np.stack([np.full_like(keys, query), keys], 1))
            rows.append(np.full(len(keys), row))
    return np.concatenate(rows), np.concatenate(found)


def label_relations_to_last_token(inputs: InputSet, distance: int = FIXED - 1) -> F32:
    """Say what every position of a sequence is to its last one: ``(n, 6, length)`` of 0 and 1."""
    n, length = inputs.images.shape
    key = np.tile(np.arange(length), n)
    focus = np.stack([np.full_like(key, length - 1), key], 1)
    held = label_pair_concepts(np.repeat(inputs.images, length, axis=0), focus, distance)
    return held.reshape(n, length, -1).transpose(0, 2, 1)


def label_pair_concepts(tokens: I32, focus: I64, distance: int = FIXED - 1) -> F32:
    """Say of each pair which concepts hold.

    Parameters
    ----------
    tokens
        ``(m, length)``.
    focus
        ``(m, 2)`` query and key position.
    distance
        How many positions back ``fixed distance`` is; a whole period more counts, too.

    Returns
    -------
    ``(m, 6)`` float32 of 0 and 1, in the order of ``PAIR_CONCEPTS``.
    """
    query, key = focus.T
    rows = np.arange(len(tokens))
    looks, seen = tokens[rows, query], tokens[rows, key]
    before = tokens[rows, np.maximum(key - 1, 0)]
    held = [
        key == query - 1,
        (seen == looks) & (key < query),
        (before == looks) & (key > 0) & (key - 1 < query),
        key == 0,
        key == query,
        (query - key) % (distance + 1) == distance,
    ]
    return np.stack(held, 1).astype(np.float32)
