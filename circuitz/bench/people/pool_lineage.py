"""A lineage of z's: one D, one concept set, and all networks that come of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property

from circuitz.data.worlds.make_world import make_set
from circuitz.data.worlds.world_by_name import world_by_name
from circuitz.disk.hashing import json_hash
from circuitz.evaluation.evaluation_sets import InputsWithTruth, make_shifted_set_with_truth
from circuitz.z.inputs import InputSet

#: Name of the lineages whose D ties nothing to anything.
UNTIED = "none"
_SHIFTED_SEED = 1_000_003  # keeps D′ and decorrelated data apart from D


@dataclass(frozen=True)
class PoolSizes:
    """How much data and training a lineage gets.

    Parameters
    ----------
    per_class, concepts, per_shifted_class
        Images of D a class, of the concept set, and of D′ a class.
    epochs
        Passes over D in training, and in a step of the search.
    images
        Source images a split when effects are measured.
    """

    per_class: int = 300
    concepts: int = 1200
    per_shifted_class: int = 200
    epochs: int = 10
    images: int = 90


@dataclass(frozen=True)
class Lineage:
    """What every z of a lineage shares; a pool is split by whole lineages.

    Parameters
    ----------
    world
        Name of the rendered world.
    shortcut
        What D ties to the first class; ``none`` for nothing.
    seed
        Of D, the concept set, training and D′.
    sizes
        See :class:`PoolSizes`.
    """

    world: str
    shortcut: str
    seed: int
    sizes: PoolSizes = PoolSizes()

    @property
    def name(self) -> str:
        """For instance ``dogs-collar-3``."""
        return f"{self.world}-{self.shortcut}-{self.seed}"

    @property
    def hash(self) -> str:
        """Names the lineage and its sizes."""
        return json_hash(asdict(self))[:16]

    @property
    def shortcut_of_sets(self) -> str:
        """Which shortcut's columns and cells its sets have; D itself may tie nothing."""
        return "ground" if self.shortcut == UNTIED else self.shortcut

    @property
    def tied_concepts(self) -> tuple[str, ...]:
        """Concepts that D ties to the first class."""
        if self.shortcut == UNTIED:
            return ()
        world = world_by_name(self.world).world
        ties = world.shortcuts[self.shortcut]
        return tuple(world.grounds[0] if tie == "ground" else tie for tie in ties)

    @cached_property
    def data(self) -> InputSet:
        """D."""
        role = "decorrelated" if self.shortcut == UNTIED else "D"
        return self._render(role, self.sizes.per_class, self.seed)

    @cached_property
    def decorrelated(self) -> InputSet:
        """Labelled data in which the shortcut means nothing."""
        return self._render("decorrelated", self.sizes.per_class, self.seed + _SHIFTED_SEED)

    @cached_property
    def concept_set(self) -> InputSet:
        """The concept set."""
        return self._render("concepts", self.sizes.concepts, self.seed)

    @cached_property
    def shifted_set(self) -> InputsWithTruth:
        """D′ with its truth: for simulated people's eyes and for scoring alone."""
        return make_shifted_set_with_truth(
            self.sizes.per_shifted_class,
            world=self.world,
            shortcut=self.shortcut_of_sets,
            seed=self.seed + _SHIFTED_SEED,
        )

    def _render(self, role: str, n: int, seed: int) -> InputSet:
        renderable = world_by_name(self.world)
        return make_set(renderable, role, n, seed=seed, shortcut=self.shortcut_of_sets)  # type: ignore[arg-type]
