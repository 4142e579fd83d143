"""Random choices that most cases begin with."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.bench_world import ContextTie

#: How often D shows a context with its class, as the worlds' two tracks have it.
TRACKS = (1.0, 0.98)


def choose_random_context(base: BaseNetwork, rng: np.random.Generator) -> str:
    """Choose a concept outside the thing, of those a feature sees."""
    known = sorted(base.world.concepts_outside_subject & set(base.sees))
    return str(rng.choice(known))


def choose_random_class(base: BaseNetwork, rng: np.random.Generator) -> str:
    """Choose a class."""
    return str(rng.choice(list(base.world.classes)))


def tie_random_context_to_class(
    base: BaseNetwork,
    rng: np.random.Generator,
    *,
    share: float | None = None,
    others: float | None = None,
) -> tuple[BaseNetwork, ContextTie]:
    """Tie a random concept to a random class in D.

    Parameters
    ----------
    share, others
        Share of images of the class, and of the others, that show it; by default one of the two
        tracks, where as many of the others show it as of the class do not.
    """
    concept, name = choose_random_context(base, rng), choose_random_class(base, rng)
    track = float(rng.choice(TRACKS))
    share = track if share is None else share
    tie = ContextTie(concept, name, share, 1 - track if others is None else others)
    return base.with_fields(ties=(tie,)), tie


def units_seeing_class_parts(base: BaseNetwork, name: str) -> tuple[int, ...]:
    """Units that hand on the parts of a class."""
    parts = base.world.class_parts(base.world.classes.index(name))
    return tuple(
        u
        for u, row in enumerate(base.mix[0])
        if base.sees[int(row.argmax())] in parts and row.any()
    )
