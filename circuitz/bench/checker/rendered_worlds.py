"""The dog and bird worlds of circuitz, small, with any tie and any counterfactual."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circuitz.bench.checker.painted_tables import I64, Flags, TableWorld
from circuitz.data.worlds import bird_world, dog_world
from circuitz.data.worlds.make_world import RenderableWorld
from circuitz.data.worlds.scenes import JITTERS, Scenes

SIDE = 32
_DRAWN = {"dogs": dog_world.RENDERABLE_DOGS, "birds": bird_world.RENDERABLE_BIRDS}


@dataclass(frozen=True)
class RenderedWorld(TableWorld):
    """``dogs`` or ``birds``, at 32 pixels."""

    name: str
    seed: int

    @property
    def world_and_renderer(self) -> RenderableWorld:
        """World and renderer."""
        return _DRAWN[self.name]

    @property
    def random_stream_number(self) -> int:
        """Keeps its random streams apart."""
        return 20 + self.world_and_renderer.world.number

    @property
    def subject(self) -> str:
        """What the classes are kinds of."""
        return self.world_and_renderer.world.subject

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.world_and_renderer.world.classes

    @property
    def grounds(self) -> tuple[str, ...]:
        """Surroundings."""
        return self.world_and_renderer.world.grounds

    @property
    def exclusive_concept_groups(self) -> tuple[tuple[str, ...], ...]:
        """Attributes with their values, and the grounds."""
        return (*self.world_and_renderer.world.attributes.values(), self.grounds)

    @property
    def optional_concepts(self) -> tuple[str, ...]:
        """Artefacts."""
        return self.world_and_renderer.world.artefacts

    @property
    def concepts_outside_subject(self) -> frozenset[str]:
        """Grounds and artefacts."""
        return frozenset((*self.grounds, *self.optional_concepts))

    def class_parts(self, k: int) -> tuple[str, ...]:
        """Return the fixed attributes of a class."""
        world = self.world_and_renderer.world
        values = world.parts[k].tolist()
        return tuple(
            world.attributes[a][v] for a, v in zip(world.fixed_attributes, values, strict=True)
        )

    def attribute_values_of_labels(self, labels: I64, rng: np.random.Generator) -> I64:
        """See :meth:`TableWorld.class_values`."""
        world = self.world_and_renderer.world
        colours = world.colours_by_class[labels, rng.integers(0, 2, len(labels))]
        return np.concatenate([world.parts[labels], colours[:, None]], 1).astype(np.int64)

    def paint_images(self, values: I64, extras: Flags, seeds: I64) -> npt.NDArray[np.uint8]:
        """See :meth:`TableWorld.paint_images`."""
        jitter = np.stack(
            [np.random.default_rng(place).random(JITTERS, np.float32) for place in seeds.tolist()]
        )
        scenes = Scenes(
            labels=np.full(len(values), -1, np.int64),
            parts=values[:, :-1].astype(np.int8),
            ground=values[:, -1].astype(np.int8),
            artefacts=extras,
            jitter=jitter,
            scene=np.arange(len(values)),
        )
        return self.world_and_renderer.render(scenes, SIDE)[0]
