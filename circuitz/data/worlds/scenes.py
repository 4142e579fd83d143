"""Which scenes a set shows: a table of choices, drawn before anything is painted.

Everything random about a picture is in its row of the table, so painting is a pure function of
the row: any number of workers, in any order, gives the same pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from circuitz.data.worlds.dog_parts import DOGS, SHORTCUTS
from circuitz.data.worlds.world import World
from circuitz.errors import InputsError

__all__ = ["JITTERS", "ROLES", "SHORTCUTS", "Role", "ScenePlan", "Scenes", "scene_random_stream"]

Role = Literal["D", "D'", "decorrelated", "concepts"]
ROLES: Final = ("D", "D'", "decorrelated", "concepts")
JITTERS: Final = 56


@dataclass(frozen=True, eq=False)
class Scenes:
    """One row a picture.

    Parameters
    ----------
    labels
        ``(n,)`` int64 class, or -1 for a mongrel.
    parts
        ``(n, attributes)`` int8 value of each attribute.
    ground
        ``(n,)`` int8 index into the grounds.
    artefacts
        ``(n, artefacts)`` bool.
    jitter
        ``(n, JITTERS)`` float32 in [0, 1): pose, place, light, which backdrop.
    scene
        ``(n,)`` int64; a counterfactual has its original's number.
    """

    labels: npt.NDArray[np.int64]
    parts: npt.NDArray[np.int8]
    ground: npt.NDArray[np.int8]
    artefacts: npt.NDArray[np.bool_]
    jitter: npt.NDArray[np.float32]
    scene: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ground)

    def take(self, index: npt.NDArray[np.int64] | slice) -> Scenes:
        """Return the rows at ``index``."""
        return Scenes(
            self.labels[index],
            self.parts[index],
            self.ground[index],
            self.artefacts[index],
            self.jitter[index],
            self.scene[index],
        )


@dataclass(frozen=True)
class ScenePlan:
    """The arguments of :func:`circuitz.data.worlds.make_world.make_set` that choose scenes, checked.

    Raises
    ------
    InputsError
        For an unknown role or shortcut, or a number out of range.
    """

    role: Role
    n: int
    seed: int = 0
    shortcut: str = "ground"
    track: float = 1.0
    balanced_cells: bool = False
    world: World = DOGS

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise InputsError(
                f"There is no role {self.role!r}.", f"Choose one of {', '.join(ROLES)}."
            )
        if self.shortcut not in self.world.shortcuts:
            raise InputsError(
                f"There is no shortcut {self.shortcut!r} in the world {self.world.name}.",
                f"Choose one of {', '.join(self.world.shortcuts)}.",
            )
        if self.n < 1:
            raise InputsError(f"{self.n} pictures were asked for.", "Ask for at least 1.")
        if self.seed < 0:
            raise InputsError(f"The seed is {self.seed}.", "Use a whole number from 0 up.")
        if not 0 <= self.track <= 1:
            raise InputsError(f"The track is {self.track}.", "It is a share, from 0 to 1.")

    def draw_scenes(self) -> Scenes:
        """Return the scenes, in the order of the pictures."""
        return self.draw_scenes_and_counterfactuals()[0]

    def draw_scenes_and_counterfactuals(self) -> tuple[Scenes, npt.NDArray[np.int64]]:
        """Return the scenes, and ``(m, 2)`` rows of an original and its counterfactual."""
        if self.role == "concepts":
            return draw_mongrels_and_counterfactuals(
                self.world, self.n, seed=self.seed, shortcut=self.shortcut
            )
        scenes = draw_class_scenes(
            self.world,
            self.role,
            self.n,
            seed=self.seed,
            shortcut=self.shortcut,
            track=self.track,
            balanced=self.balanced_cells,
        )
        return scenes, np.empty((0, 2), dtype=np.int64)

    @property
    def concept_names(self) -> tuple[str, ...]:
        """Concept columns: parts, grounds, and the artefacts that the shortcut names."""
        return (*self.world.part_concepts, *self.world.grounds, *self.tied_artefacts)

    @property
    def tied_artefacts(self) -> tuple[str, ...]:
        """Artefacts that the shortcut names; no others are ever shown."""
        ties = self.world.shortcuts[self.shortcut]
        return tuple(a for a in self.world.artefacts if a in ties)

    def concepts(self, scenes: Scenes) -> npt.NDArray[np.float32]:
        """Return the concept table of scenes, ``(n, c)`` of 0 and 1."""
        world = self.world
        columns = [
            scenes.parts[:, i, None] == np.arange(len(values))
            for i, values in enumerate(world.attributes.values())
        ]
        columns.append(scenes.ground[:, None] == np.arange(len(world.grounds)))
        columns += [scenes.artefacts[:, [world.artefacts.index(a)]] for a in self.tied_artefacts]
        return np.concatenate(columns, axis=1).astype(np.float32)


def scene_random_stream(
    seed: int, role: str, shortcut: str, purpose: int = 0, world: World = DOGS
) -> np.random.Generator:
    """Return the random stream of a set; worlds, roles and shortcuts share nothing."""
    key = (seed, ROLES.index(role), tuple(world.shortcuts).index(shortcut), purpose)
    if world.number:
        key = (*key, world.number)
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


def _shuffled_even_values(n: int, k: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """``n`` values below ``k``, each as often as the others (remainder at random), shuffled."""
    values = np.concatenate([np.tile(np.arange(k), n // k), rng.permutation(k)[: n % k]])
    return rng.permutation(values)


def _shuffled_flags(n: int, track: float, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Return ``n`` flags of which the share ``track`` is true, shuffled."""
    flags = np.zeros(n, dtype=bool)
    flags[: round(track * n)] = True
    return rng.permutation(flags)


def draw_class_scenes(
    world: World, role: str, n: int, *, seed: int, shortcut: str, track: float, balanced: bool
) -> Scenes:
    """Scenes of the classes: D, D′ or the decorrelated set.

    Parameters
    ----------
    role
        ``D`` ties the shortcut to the first class; the others tie nothing to anything.
    n
        Pictures a class.
    seed, shortcut, track
        As in :func:`circuitz.data.worlds.make_world.make_set`.
    balanced
        Every cell of class and ground (or artefact) equally often, instead of at random.
    """
    rng = scene_random_stream(seed, role, shortcut, world=world)
    k, g = len(world.classes), len(world.grounds)
    ties = world.shortcuts[shortcut]
    labels, grounds, flags = [], [], []
    for breed in range(k):
        first = breed == 0
        if role == "D" and "ground" in ties:
            at_home = _shuffled_flags(n, track, rng) if first else ~_shuffled_flags(n, track, rng)
            ground = np.where(at_home, 0, 1 + _shuffled_even_values(n, g - 1, rng))
        elif balanced:
            ground = _shuffled_even_values(n, g, rng)
        else:
            ground = rng.integers(g, size=n)
        artefacts = np.zeros((n, len(world.artefacts)), dtype=bool)
        for column, name in enumerate(world.artefacts):
            if name not in ties:
                continue
            if role == "D":
                follows = _shuffled_flags(n, track, rng)
                artefacts[:, column] = follows if first else ~follows
            elif balanced:
                # Nested in the ground, so that cells of class, ground and artefact are equal too.
                order = np.argsort(ground, kind="stable")
                artefacts[order, column] = (np.arange(n) + rng.integers(2)) % 2 == 0
            else:
                artefacts[:, column] = rng.random(n) < 0.5
        labels.append(np.full(n, breed))
        grounds.append(ground)
        flags.append(artefacts)
    order = rng.permutation(n * k)
    label = np.concatenate(labels)[order].astype(np.int64)
    fixed = len(world.fixed_attributes)
    parts = np.empty((n * k, fixed + 1), dtype=np.int8)
    parts[:, :fixed] = world.parts[label]
    parts[:, fixed] = world.colours_by_class[label, rng.integers(2, size=n * k)]
    return Scenes(
        labels=label,
        parts=parts,
        ground=np.concatenate(grounds)[order].astype(np.int8),
        artefacts=np.concatenate(flags)[order],
        jitter=rng.random((n * k, JITTERS), dtype=np.float32),
        scene=np.arange(n * k, dtype=np.int64),
    )


def draw_mongrels_and_counterfactuals(
    world: World, n: int, *, seed: int, shortcut: str
) -> tuple[Scenes, npt.NDArray[np.int64]]:
    """Scenes of mongrels: parts at random, none of them within one part of a class.

    Returns
    -------
    Scenes
        ``n`` rows: originals first, then the counterfactuals of a third of them, in which the
        ground, or an artefact the shortcut names, is changed and nothing else.
    numpy.ndarray
        ``(m, 2)`` int64 rows of original and counterfactual.
    """
    rng = scene_random_stream(seed, "concepts", shortcut, world=world)
    m = n // 4
    total = n - m
    sizes = [len(values) for values in world.attributes.values()]
    parts = np.empty((0, len(sizes)), dtype=np.int8)
    while len(parts) < total:
        draw = np.stack([rng.integers(s, size=2 * total + 64) for s in sizes], axis=1)
        draw = draw.astype(np.int8)
        keep = world.distance_to_classes(draw[:, : len(world.fixed_attributes)]).min(axis=1) >= 2
        parts = np.concatenate([parts, draw[keep]])
    parts = parts[:total]
    ties = [name for name in world.shortcuts[shortcut] if name != "ground"]
    artefacts = np.zeros((total, len(world.artefacts)), dtype=bool)
    for name in ties:
        artefacts[:, world.artefacts.index(name)] = rng.random(total) < 0.5
    scenes = Scenes(
        labels=np.full(total, -1, dtype=np.int64),
        parts=parts,
        ground=_shuffled_even_values(total, len(world.grounds), rng).astype(np.int8),
        artefacts=artefacts,
        jitter=rng.random((total, JITTERS), dtype=np.float32),
        scene=np.arange(total, dtype=np.int64),
    )
    origin = np.sort(rng.permutation(total)[:m])
    twin = scenes.take(origin)
    what = rng.integers(1 + len(ties), size=m)
    other = (twin.ground + rng.integers(1, len(world.grounds), size=m)) % len(world.grounds)
    ground = np.where(what == 0, other, twin.ground).astype(np.int8)
    flags = twin.artefacts.copy()
    for i, name in enumerate(ties, start=1):
        column = world.artefacts.index(name)
        flags[:, column] ^= what == i
    twins = replace(twin, ground=ground, artefacts=flags)
    both = Scenes(
        *(
            np.concatenate([getattr(scenes, f), getattr(twins, f)])
            for f in ("labels", "parts", "ground", "artefacts", "jitter", "scene")
        )
    )
    return both, np.stack([origin, total + np.arange(m)], axis=1).astype(np.int64)
