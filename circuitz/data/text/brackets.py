"""Bracket sequences, balanced or not, and what their positions are.

Every sequence is ``start``, an even number of brackets, ``end``; the answer is read at ``end``. Unbalanced
ones are of two kinds, half and half: as many closed as opened, but some closed before they were opened; and
too many of one kind. Who only counts is right about the second kind alone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from circuitz.data.splits import assign_splits
from circuitz.errors import InputsError
from circuitz.z.inputs import InputSet

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]

VOCABULARY = ("start", "(", ")", "end")
CLASSES = ("balanced", "unbalanced")
LENGTH = 16
OPEN, CLOSE = 1, 2
POSITION_CONCEPTS = ("open bracket", "closing bracket", "below zero", "level zero", "deep inside")
KEY_CONCEPTS = ("looks at an open bracket", "looks at a closing bracket", "looks at the start")
_DEEP = 3
_EACH = 5


def make_bracket_set(n: int, *, role: str = "D", seed: int = 0, length: int = LENGTH) -> InputSet:
    """Return labelled bracket sequences, half of them balanced.

    Parameters
    ----------
    n
        Number of sequences.
    role
        ``D`` or ``D'``.
    seed
        The same arguments give the same set.
    length
        Positions, with start and end; even, at least 8.

    Raises
    ------
    InputsError
        If the length cannot be.
    """
    if length < 8 or length % 2:
        raise InputsError(
            f"Sequences of {length} positions cannot be.", "Choose an even number, 8 up."
        )
    tokens, labels = draw_bracket_tokens(np.random.default_rng([seed, 41]), n, length)
    return InputSet(
        images=tokens,
        labels=labels,
        classes=CLASSES,
        split=assign_splits(n, (0.6, 0.2, 0.2), seed=seed, strata=labels),
        scene=np.arange(n),
        role=role,
        recipe={"world": "brackets", "n": n, "seed": seed, "length": length},
        vocabulary=VOCABULARY,
    )


def draw_bracket_tokens(rng: np.random.Generator, n: int, length: int) -> tuple[I32, I64]:
    """Draw sequences ``(n, length)`` and their labels ``(n,)``."""
    many = length - 2
    opened = np.zeros((n, many), bool)
    opened[:, : many // 2] = True
    opened = np.take_along_axis(opened, rng.random((n, many)).argsort(1), 1)
    kind = rng.integers(0, 4, n)  # 0, 1: balanced; 2: dips below zero; 3: too many of one
    # A sequence with equal counts, turned to begin behind its lowest point, is balanced.
    lowest = _nesting_levels(opened).argmin(1)
    turned = np.take_along_axis(opened, (np.arange(many) + lowest[:, None] + 1) % many, 1)
    found = np.where((kind < 2)[:, None], turned, opened)
    changed = rng.integers(1, 3, n)
    order = (rng.random((n, many)) + found).argsort(1)  # closing ones first
    for row in np.flatnonzero(kind == 3):
        found[row, order[row, : changed[row]]] = True
        if rng.random() < 0.5:
            found[row] = ~found[row, ::-1]
    levels = _nesting_levels(found)
    balanced = (levels.min(1) >= 0) & (levels[:, -1] == 0)
    tokens = np.empty((n, length), np.int32)
    tokens[:, 0], tokens[:, -1] = 0, 3
    tokens[:, 1:-1] = np.where(found, OPEN, CLOSE)
    return tokens, (~balanced).astype(np.int64)


def _nesting_levels(opened: npt.NDArray[np.bool_]) -> I64:
    """Return how many are open behind each bracket, ``(n, brackets)``."""
    return np.where(opened, 1, -1).cumsum(1)


def bracket_positions(n: int, *, seed: int = 0, length: int = LENGTH) -> InputSet:
    """Return positions of bracket sequences, each with one it may look at, and what both are.

    Concepts of neurons are about the position itself, those of heads about the one looked at.
    """
    draw = np.random.default_rng([seed, 42])
    tokens, _ = draw_bracket_tokens(draw, n, length)
    query = 1 + draw.random((n, length - 2)).argsort(1)[:, :_EACH]
    query = np.concatenate([query, np.full((n, 1), length - 1)], 1)
    key = np.floor(draw.random(query.shape) * (query + 1)).astype(np.int64)
    focus = np.stack([query.ravel(), key.ravel()], 1).astype(np.int64)
    rows = np.repeat(np.arange(n), query.shape[1])
    looked = tokens[rows]
    return InputSet(
        images=looked,
        concepts=label_position_concepts(looked, focus),
        concept_names=(*POSITION_CONCEPTS, *KEY_CONCEPTS),
        split=assign_splits(len(rows), (0.4, 0.4, 0.2), rows, seed),
        scene=rows,
        role="concepts",
        recipe={"world": "brackets", "positions of": n, "seed": seed, "length": length},
        vocabulary=VOCABULARY,
        focus=focus,
    )


def label_position_concepts(tokens: I32, focus: I64) -> F32:
    """Say what a position and one looked at are: ``(m, 8)`` of 0 and 1."""
    step = np.where(tokens == OPEN, 1, np.where(tokens == CLOSE, -1, 0))
    level = step.cumsum(1)
    each = np.arange(len(tokens))
    query, key = focus.T
    here, there, high = tokens[each, query], tokens[each, key], level[each, query]
    held = [
        here == OPEN, here == CLOSE, high < 0, high == 0, high >= _DEEP,
        there == OPEN, there == CLOSE, there == 0,
    ]  # fmt: skip
    return np.stack(held, 1).astype(np.float32)
