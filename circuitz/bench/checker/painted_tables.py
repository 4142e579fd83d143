"""Worlds whose images are painted from tables: a value for each group, a flag for each extra."""

from __future__ import annotations

from abc import abstractmethod
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from circuitz.bench.checker.bench_world import BenchmarkWorld, ContextTie, Skew
from circuitz.data.splits import assign_splits
from circuitz.z.inputs import InputSet

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_FRACTIONS = (0.4, 0.4, 0.2)
#: Share of images that show an extra nobody tied to anything.
EXTRA_SHARE = 0.3


class TableWorld(BenchmarkWorld):
    """A world in which the last group is the grounds, and the others are attributes of the thing."""

    seed: int

    @property
    @abstractmethod
    def random_stream_number(self) -> int:
        """Keeps the random streams of worlds apart."""

    @abstractmethod
    def attribute_values_of_labels(self, labels: I64, rng: np.random.Generator) -> I64:
        """Return the attributes of images of some classes, ``(n, attributes)``."""

    @abstractmethod
    def paint_images(self, values: I64, extras: Flags, seeds: I64) -> npt.NDArray[np.uint8]:
        """Paint images; two with one number in ``seeds`` differ in what they show alone."""

    def draw_data(self, per_class: int, ties: tuple[ContextTie, ...], seed: int) -> InputSet:
        """See :meth:`BenchmarkWorld.draw_data`."""
        return _draw_cached_data(self, per_class, ties, seed)

    def draw_concept_set(
        self, n: int, seed: int, twins: float = 0.5, skew: Skew | None = None
    ) -> InputSet:
        """See :meth:`BenchmarkWorld.draw_concept_set`."""
        return _draw_cached_concept_set(self, n, seed, twins, skew)

    def apply_context_tie(
        self, values: I64, extras: Flags, tie: ContextTie, of_class: Flags, rng: np.random.Generator
    ) -> None:
        """Let a concept outside the thing be shown as a tie says."""
        n = len(values)
        shows = rng.random(n) < np.where(of_class, tie.share, tie.others)
        self.show_concept_only_where(values, extras, tie.concept, shows, rng)

    def show_concept_only_where(
        self, values: I64, extras: Flags, concept: str, shows: Flags, rng: np.random.Generator
    ) -> None:
        """Show a ground or an extra in some images and in no others."""
        if concept not in self.grounds:
            extras[:, self.optional_concepts.index(concept)] = shows
            return
        at = self.grounds.index(concept)
        rest = rng.choice([g for g in range(len(self.grounds)) if g != at], len(values))
        other = np.where(values[:, -1] == at, rest, values[:, -1])
        values[:, -1] = np.where(shows, at, other)

    def concept_labels(self, values: I64, extras: Flags) -> F32:
        """Return concept labels ``(n, c)``."""
        columns = [
            values[:, i, None] == np.arange(len(g))
            for i, g in enumerate(self.exclusive_concept_groups)
        ]
        return np.concatenate([*columns, extras], 1).astype(np.float32)


# A case changes words and weights far more often than images: those of a few are kept.
@lru_cache(maxsize=8)
def _draw_cached_data(
    world: TableWorld, per_class: int, ties: tuple[ContextTie, ...], seed: int
) -> InputSet:
    draw = np.random.default_rng([world.random_stream_number, world.seed, seed, 3])
    labels = draw.permutation(np.repeat(np.arange(len(world.classes)), per_class)).astype(np.int64)
    n = len(labels)
    ground = draw.integers(0, len(world.grounds), n)
    values = np.concatenate([world.attribute_values_of_labels(labels, draw), ground[:, None]], 1)
    extras = draw.random((n, len(world.optional_concepts))) < EXTRA_SHARE
    for tie in ties:
        world.apply_context_tie(
            values, extras, tie, labels == world.classes.index(tie.target), draw
        )
    return InputSet(
        world.paint_images(values, extras, draw.integers(0, 2**31, n)),
        labels=labels,
        classes=world.classes,
        split=assign_splits(n, _FRACTIONS, strata=labels, seed=seed),
        scene=np.arange(n),
        role="D",
    )


@lru_cache(maxsize=8)
def _draw_cached_concept_set(
    world: TableWorld, n: int, seed: int, twins: float, skew: Skew | None
) -> InputSet:
    draw = np.random.default_rng([world.random_stream_number, world.seed, seed, 4])
    sizes = [len(group) for group in world.exclusive_concept_groups]
    values = np.stack([draw.integers(0, size, n) for size in sizes], 1)
    extras = draw.random((n, len(world.optional_concepts))) < EXTRA_SHARE
    if skew is not None:
        group = next(i for i, g in enumerate(world.exclusive_concept_groups) if skew.part in g)
        shows = values[:, group] == world.exclusive_concept_groups[group].index(skew.part)
        free = values.copy(), extras.copy()
        world.show_concept_only_where(values, extras, skew.concept, shows, draw)
        loose = draw.random(n) >= skew.share
        values[loose], extras[loose] = free[0][loose], free[1][loose]
    of = draw.permutation(n)[: round(n * twins)]
    other_values, other_extras = values[of].copy(), extras[of].copy()
    for row, what in enumerate(
        draw.integers(0, len(sizes) + len(world.optional_concepts), len(of)).tolist()
    ):
        if what < len(sizes):
            other_values[row, what] += draw.integers(1, sizes[what])
            other_values[row, what] %= sizes[what]
        else:
            other_extras[row, what - len(sizes)] ^= True
    places = draw.integers(0, 2**31, n)
    rows = np.concatenate([np.arange(n), of]).astype(np.int64)
    values, extras = np.concatenate([values, other_values]), np.concatenate([extras, other_extras])
    table = world.concept_labels(values, extras)
    pairs: list[tuple[int, int, int]] = []
    for row, a in enumerate(of.tolist()):
        b = n + row
        for c in np.flatnonzero(table[a] != table[b]).tolist():
            pairs.append((a, b, c) if table[a, c] else (b, a, c))
    return InputSet(
        world.paint_images(values, extras, places[rows]),
        concepts=table,
        concept_names=world.concepts,
        split=assign_splits(len(rows), _FRACTIONS, groups=rows, seed=seed),
        scene=rows,
        pairs=np.array(pairs, np.int64).reshape(-1, 3),
        role="concepts",
    )
