"""What the loaders of benchmarks share: rows of files, and the sets made of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from circuitz.data.folders.duplicates import assign_scene_numbers
from circuitz.data.folders.image_folder import CONCEPT_SHARES, D_SHARES, read_pictures
from circuitz.data.folders.picture_paths import lies_within_folder
from circuitz.data.splits import assign_splits
from circuitz.data.validate_inputs import check_concept_set, check_image_set
from circuitz.errors import InputsError
from circuitz.z.inputs import InputSet

Progress = Callable[[str, int, int], None]
I64 = npt.NDArray[np.int64]
SIZE = 224
"""Side that pictures are brought to where none is asked for."""


@dataclass(frozen=True, eq=False)
class BenchmarkRows:
    """Pictures of one part of a benchmark, with all that its files say of them.

    Parameters
    ----------
    files
        Where the pictures lie.
    labels, classes
        ``(n,)`` index into the names of the classes.
    cell, cells
        ``(n,)`` index into the places, or whatever else is compared within a class.
    """

    files: tuple[Path, ...]
    labels: I64
    classes: tuple[str, ...]
    cell: I64
    cells: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.files)

    def take(self, index: I64) -> BenchmarkRows:
        """Return some of the rows, in another order."""
        files = tuple(self.files[int(i)] for i in index)
        return BenchmarkRows(files, self.labels[index], self.classes, self.cell[index], self.cells)

    def shuffled(self, seed: int) -> BenchmarkRows:
        """Return the rows in an order that tells nothing of the classes."""
        return self.take(np.random.default_rng([seed, 77]).permutation(len(self)))


@dataclass(frozen=True, eq=False)
class OpenedBenchmark:
    """A benchmark, as far as it was asked for.

    Parameters
    ----------
    data
        D: labels, and neither concepts nor the places.
    concepts
        The concept set; ``None`` where the benchmark has none.
    shifted
        D′ without labels; ``None`` unless it was asked for. Its truth is with
        :mod:`circuitz.evaluation.layout_truth`.
    """

    data: InputSet
    concepts: InputSet | None = None
    shifted: InputSet | None = None


def picture_path_in_benchmark(root: Path, name: str, error_place: str) -> Path:
    """Return the picture that a table names, which must lie in the benchmark's folder.

    Raises
    ------
    InputsError
        If it lies outside, or there is none.
    """
    place = os.path.normpath(root.absolute() / name.replace("\\", "/"))
    if "\0" in name or not lies_within_folder(place, root):
        raise InputsError(
            f"{error_place} names {name[:200]!r}, which is outside {root}.",
            "Get the benchmark anew.",
        )
    file = Path(place)
    if not file.is_file():
        raise InputsError(
            f"{error_place} names {name[:200]}, which is not there.", f"Look into {root}."
        )
    return file


def read_labelled_set(
    rows: BenchmarkRows, size: int, seed: int, progress: Progress | None
) -> InputSet:
    """Return D: pictures, labels and splits."""
    images = _read_images(rows.files, size, "read D", progress)
    scene = assign_scene_numbers(images, rows.labels, rows.files)
    split = assign_splits(len(rows), D_SHARES, groups=scene, seed=seed, strata=rows.labels)
    made = InputSet(
        images, labels=rows.labels, classes=rows.classes, split=split, scene=scene, role="D"
    )
    return check_image_set(made, labelled=True)


def read_unlabelled_set(
    rows: BenchmarkRows | None, size: int, progress: Progress | None
) -> InputSet | None:
    """Return D′: pictures, and the names that there are; ``None`` where it was not asked for."""
    if rows is None:
        return None
    images = _read_images(rows.files, size, "read D′", progress)
    return check_image_set(InputSet(images, classes=rows.classes, role="D'"))


def read_concept_set(
    files: Sequence[Path],
    table: npt.NDArray[np.float32],
    names: Sequence[str],
    size: int,
    seed: int,
    progress: Progress | None,
) -> InputSet:
    """Return a concept set without labels of classes."""
    images = _read_images(files, size, "read the concept set", progress)
    scene = assign_scene_numbers(images)
    made = InputSet(
        images,
        concepts=table.astype(np.float32),
        concept_names=tuple(names),
        split=assign_splits(len(images), CONCEPT_SHARES, groups=scene, seed=seed + 1),
        scene=scene,
        role="concepts",
    )
    return check_concept_set(made)


def one_hot(values: I64, count: int) -> npt.NDArray[np.float32]:
    """Return ``(n, count)`` of 0 and 1."""
    return (values[:, None] == np.arange(count)).astype(np.float32)


def _read_images(
    files: Sequence[Path], size: int, what: str, progress: Progress | None
) -> npt.NDArray[np.uint8]:
    if not files:
        raise InputsError("There are no pictures to " + what + ".", "Look into the folder.")
    say = progress or (lambda _what, _done, _total: None)
    return read_pictures(files, size, lambda done, n: say(what, done, n))
