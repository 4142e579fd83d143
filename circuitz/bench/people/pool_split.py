"""Split a pool by whole lineages, never by pairs of its z's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from circuitz.bench.people.pooled_z import PooledZ

_HELD_OUT = 1 / 3


def split_by_lineage(
    zs: Sequence[PooledZ], seed: int
) -> tuple[tuple[PooledZ, ...], tuple[PooledZ, ...]]:
    """Return z's to learn from and z's held out, no lineage in both; a third is held out."""
    names = sorted({z.lineage for z in zs})
    order = np.random.default_rng([seed, 5]).permutation(len(names))
    held = {names[int(i)] for i in order[: max(1, round(_HELD_OUT * len(names)))]}
    return (
        tuple(z for z in zs if z.lineage not in held),
        tuple(z for z in zs if z.lineage in held),
    )


def some_of(zs: Sequence[PooledZ], n: int, seed: int) -> tuple[PooledZ, ...]:
    """Return at most ``n`` z's at random, in their order, no two with one card."""
    unlike = list({z.card.hash: z for z in zs}.values())
    chosen = np.sort(np.random.default_rng([seed, 6]).permutation(len(unlike))[:n])
    return tuple(unlike[int(i)] for i in chosen)
