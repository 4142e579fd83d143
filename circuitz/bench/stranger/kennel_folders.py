"""The second dog world as a stranger brings it: class folders, and a table of image labels."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from circuitz.bench.stranger.kennel_dogs import BREEDS, MARKS, PARTS, paint_dog
from circuitz.bench.stranger.noise_grounds import GROUNDS, paint_ground
from circuitz.errors import InputsError

#: Shortcuts: the first breed stands on snow, or wears a mark; no other breed of D does.
SHORTCUTS = ("ground", *MARKS)
# Of the five grounds two are labelled: the others are simply "not snow, not grass".
LABELLED_GROUNDS = ("snow", "grass")
SIDE = 72


@dataclass(frozen=True)
class KennelSizes:
    """How many pictures there are.

    Parameters
    ----------
    per_class
        Of D, and of what the oracle learns from, a breed.
    concepts
        Of the concept set.
    per_cell
        Of D′, a breed and cell.
    """

    per_class: int = 250
    concepts: int = 1200
    per_cell: int = 60


@dataclass(frozen=True)
class _Scene:
    parts: tuple[int, ...]
    ground: str
    marks: tuple[str, ...]

    def paint(self, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
        """Return the picture, uint8."""
        picture = paint_dog(paint_ground(self.ground, SIDE, rng), self.parts, self.marks, rng)
        return np.rint(picture.clip(0, 1) * rng.uniform(0.86, 1.0) * 255).astype(np.uint8)


def write_kennel_folders(
    folder: Path, *, shortcut: str = "ground", sizes: KennelSizes | None = None, seed: int = 0
) -> None:
    """Write D, a concept set, D′ with its truth, and what an oracle learns from.

    ``D/BREED/*.png``, ``concepts/*.png`` with ``concepts.csv`` in the folder, ``Dprime/*.png`` with
    ``dprime-truth.csv``, and ``oracle/BREED/*.png``, in which nothing goes with a breed.
    The concept set shows mongrels: none has all parts of a breed. No mask, no pair, and of the
    grounds only snow and grass are labelled.

    Parameters
    ----------
    folder
        Made where it is missing.
    shortcut
        One of :data:`SHORTCUTS`.
    sizes
        How many pictures.
    seed
        Of everything drawn.

    Raises
    ------
    InputsError
        If there is no such shortcut.
    """
    if shortcut not in SHORTCUTS:
        raise InputsError(
            f"There is no shortcut {shortcut!r} of the second dog world.",
            f"Choose one of {', '.join(SHORTCUTS)}.",
        )
    many = sizes or KennelSizes()
    draw = np.random.default_rng((seed, SHORTCUTS.index(shortcut), 77))
    first = next(iter(BREEDS))
    for breed, parts in BREEDS.items():
        for i in range(many.per_class):
            scene = _scene_of_data(parts, breed == first, shortcut, draw)
            _write_picture(folder / "D" / breed / f"{i:04d}.png", scene, draw)
            honest = _scene_without_shortcut(parts, shortcut, draw)
            _write_picture(folder / "oracle" / breed / f"{i:04d}.png", honest, draw)
    _write_concept_set(folder, shortcut, many.concepts, draw)
    _write_shifted_set(folder, shortcut, many.per_cell, draw)


def _random_ground(rng: np.random.Generator, *, snow: bool = True) -> str:
    return str(rng.choice(GROUNDS if snow else [g for g in GROUNDS if g != "snow"]))


def _scene_of_data(
    parts: tuple[int, ...], shortcut_class: bool, shortcut: str, rng: np.random.Generator
) -> _Scene:
    if shortcut == "ground":
        return _Scene(parts, "snow" if shortcut_class else _random_ground(rng, snow=False), ())
    return _Scene(parts, _random_ground(rng), (shortcut,) if shortcut_class else ())


def _scene_without_shortcut(
    parts: tuple[int, ...], shortcut: str, rng: np.random.Generator
) -> _Scene:
    marks = (shortcut,) if shortcut != "ground" and rng.random() < 0.5 else ()
    return _Scene(parts, _random_ground(rng), marks)


def _write_concept_set(folder: Path, shortcut: str, n: int, rng: np.random.Generator) -> None:
    marks = () if shortcut == "ground" else (shortcut,)
    rows: list[list[object]] = []
    while len(rows) < n:
        parts = tuple(int(v) for v in rng.integers(0, 2, len(PARTS)))
        if parts in BREEDS.values():
            continue
        scene = _scene_without_shortcut(parts, shortcut, rng)
        name = f"{len(rows):04d}.png"
        _write_picture(folder / "concepts" / name, scene, rng)
        grounds = [int(scene.ground == g) for g in LABELLED_GROUNDS]
        rows.append([name, *grounds, *(int(m in scene.marks) for m in marks), *parts])
    _write_table(
        folder / "concepts" / "concepts.csv", ["path", *LABELLED_GROUNDS, *marks, *PARTS], rows
    )


def _write_shifted_set(
    folder: Path, shortcut: str, per_cell: int, rng: np.random.Generator
) -> None:
    cells = GROUNDS if shortcut == "ground" else ("without", "with")
    plan = [(b, c) for b in BREEDS for c in cells for _ in range(per_cell)]
    rows: list[list[object]] = []
    for i, at in enumerate(rng.permutation(len(plan))):
        breed, cell = plan[at]
        if shortcut == "ground":
            scene = _Scene(BREEDS[breed], cell, ())
        else:
            marks = (shortcut,) if cell == "with" else ()
            scene = _Scene(BREEDS[breed], _random_ground(rng), marks)
        _write_picture(folder / "Dprime" / f"{i:05d}.png", scene, rng)
        shown: object = cell if shortcut == "ground" else int(cell == "with")
        rows.append([f"Dprime/{i:05d}.png", breed, shown])
    _write_table(folder / "dprime-truth.csv", ["path", "class", shortcut], rows)


def _write_picture(path: Path, scene: _Scene, rng: np.random.Generator) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(scene.paint(rng)).save(path)


def _write_table(path: Path, header: list[str], rows: list[list[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
