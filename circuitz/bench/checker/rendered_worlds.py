"""The dog and bird worlds of circuitz, small, with any tie and any counterfactual."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circuitz.bench.checker.painted_tables import I64, Flags, TableWorld
from circuitz.data.worlds import bird_world as birds
from circuitz.data.worlds import dog_world as dogs
from circuitz.data.worlds.make_world import Rendered
from circuitz.data.worlds.scenes import JITTERS, Scenes

SIDE = 32
_DRAWN = {"dogs": dogs.DRAWN, "birds": birds.DRAWN}


@dataclass(frozen=True)
class RenderedWorld(TableWorld):
    """``dogs`` or ``birds``, at 32 pixels."""

    name: str
    seed: int

    @property
    def of(self) -> Rendered:
        """World and renderer."""
        return _DRAWN[self.name]

    @property
    def number(self) -> int:
        """Keeps its random streams apart."""
        return 20 + self.of.world.number

    @property
    def subject(self) -> str:
        """What the classes are kinds of."""
        return self.of.world.subject

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.of.world.classes

    @property
    def grounds(self) -> tuple[str, ...]:
        """Surroundings."""
        return self.of.world.grounds

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Attributes with their values, and the grounds."""
        return (*self.of.world.attributes.values(), self.grounds)

    @property
    def extras(self) -> tuple[str, ...]:
        """Artefacts."""
        return self.of.world.artefacts

    @property
    def outside(self) -> frozenset[str]:
        """Grounds and artefacts."""
        return frozenset((*self.grounds, *self.extras))

    def parts(self, k: int) -> tuple[str, ...]:
        """Return the fixed attributes of a class."""
        world = self.of.world
        values = world.parts[k].tolist()
        return tuple(world.attributes[a][v] for a, v in zip(world.fixed, values, strict=True))

    def class_values(self, labels: I64, draw: np.random.Generator) -> I64:
        """See :meth:`TableWorld.class_values`."""
        world = self.of.world
        colours = world.colours[labels, draw.integers(0, 2, len(labels))]
        return np.concatenate([world.parts[labels], colours[:, None]], 1).astype(np.int64)

    def paint(self, values: I64, extras: Flags, places: I64) -> npt.NDArray[np.uint8]:
        """See :meth:`TableWorld.paint`."""
        jitter = np.stack(
            [np.random.default_rng(place).random(JITTERS, np.float32) for place in places.tolist()]
        )
        scenes = Scenes(
            labels=np.full(len(values), -1, np.int64),
            parts=values[:, :-1].astype(np.int8),
            ground=values[:, -1].astype(np.int8),
            artefacts=extras,
            jitter=jitter,
            scene=np.arange(len(values)),
        )
        return self.of.render(scenes, SIDE)[0]
