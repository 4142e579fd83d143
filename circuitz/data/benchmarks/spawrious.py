"""Spawrious, in the folders its authors publish: ``spawrious224/<set>/<place>/<breed>/*.png``.

Four breeds of dogs in six places (Lynch et al. 2023). Which places a breed is trained and tested
in is told by the name of a benchmark and not by the files: one place a breed (``o2o_…``, where a
few of every breed are in a place they share) or two breeds in two places each (``m2m_…``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from circuitz.data.benchmarks import benchmark
from circuitz.data.benchmarks.benchmark import SIZE, BenchmarkRows, OpenedBenchmark, Progress
from circuitz.data.folders.picture_files import list_picture_files
from circuitz.errors import InputsError

TOP: Final = "spawrious224"
CLASSES: Final = ("bulldog", "corgi", "dachshund", "labrador")
PLACES: Final = ("beach", "desert", "dirt", "jungle", "mountain", "snow")
CONCEPT_FOLDER: Final = "domain_adaptation_ds"
"""Every breed in every place: in the whole collection only."""
_ORDER: Final = ("bulldog", "dachshund", "labrador", "corgi")
_TOTAL: Final = 3168
_SHARES: Final = (0.97, 0.87)


class Benchmark(NamedTuple):
    """Places of training and of testing, in the order bulldog, dachshund, labrador, corgi."""

    train: tuple[str, str, str, str]
    test: tuple[str, str, str, str]
    shared: str = ""


BENCHMARKS: Final = {
    "o2o_easy": Benchmark(
        ("desert", "jungle", "dirt", "snow"), ("dirt", "snow", "desert", "jungle"), "beach"
    ),
    "o2o_medium": Benchmark(
        ("mountain", "beach", "dirt", "jungle"), ("jungle", "dirt", "beach", "snow"), "desert"
    ),
    "o2o_hard": Benchmark(
        ("jungle", "mountain", "snow", "desert"), ("mountain", "snow", "desert", "jungle"), "beach"
    ),
    "m2m_easy": Benchmark(
        ("desert", "mountain", "dirt", "jungle"), ("dirt", "jungle", "mountain", "desert")
    ),
    "m2m_medium": Benchmark(
        ("beach", "snow", "mountain", "desert"), ("desert", "mountain", "beach", "snow")
    ),
    "m2m_hard": Benchmark(("dirt", "jungle", "snow", "beach"), ("snow", "beach", "dirt", "jungle")),
}
"""Name to the places, as published with the pictures."""


def looks_like_spawrious(folder: Path) -> bool:
    """Whether a folder holds Spawrious."""
    top = _spawrious_root(folder)
    return any((top / group / place).is_dir() for group in ("0", "1") for place in PLACES)


def spawrious_rows(folder: Path, name: str, *, test: bool) -> BenchmarkRows:
    """List the pictures of a benchmark's training or test set.

    Where training mixes places, its shares are taken from the front of the sorted names.

    Raises
    ------
    InputsError
        If there is no such benchmark, or a folder it needs is missing or empty.
    """
    if name not in BENCHMARKS:
        raise InputsError(
            f"There is no Spawrious benchmark {name!r}.", f"Choose {', '.join(BENCHMARKS)}."
        )
    found = BENCHMARKS[name]
    cells: list[tuple[str, str, str, float]] = []  # set, place, breed, share
    for i, breed in enumerate(_ORDER):
        mate = i ^ 1
        for group in (0, 1):
            if not found.shared:
                places = found.test if test else found.train
                cells.append(("0", places[mate if group else i], breed, 1.0))
            elif test:
                cells.append((str(group), found.test[i], breed, 1.0))
            else:
                share = _SHARES[group]
                cells.append((str(group), found.train[i], breed, share))
                cells.append((str(group), found.shared, breed, 1 - share))
    return _list_rows_of_cells(_spawrious_root(folder), cells)


def open_spawrious(
    path: str | Path,
    *,
    name: str = "o2o_easy",
    size: int | None = None,
    seed: int = 0,
    shifted: bool = False,
    progress: Progress | None = None,
) -> OpenedBenchmark:
    """Open a benchmark of Spawrious.

    The concept set, where ``domain_adaptation_ds`` is there, shows every breed in every place;
    its concepts are the places. Without it there is none: in D of the one-to-one benchmarks a
    place and a breed cannot be told apart.

    Parameters
    ----------
    path
        The folder ``spawrious224``, or the one that holds it.
    name
        ``o2o_easy``, ``o2o_medium``, ``o2o_hard``, ``m2m_easy``, ``m2m_medium`` or ``m2m_hard``.
    size, seed, shifted, progress
        As in :func:`circuitz.data.benchmarks.waterbirds.open_waterbirds`.

    Raises
    ------
    InputsError
        As :func:`spawrious_rows`, and for pictures that cannot be read.
    """
    folder, side = Path(path), size or SIZE
    train = spawrious_rows(folder, name, test=False)
    concepts = None
    if (_spawrious_root(folder) / CONCEPT_FOLDER).is_dir():
        everywhere = [(CONCEPT_FOLDER, place, breed, 1.0) for place in PLACES for breed in CLASSES]
        found = _list_rows_of_cells(_spawrious_root(folder), everywhere)
        table = benchmark.one_hot(found.cell, len(PLACES))
        concepts = benchmark.read_concept_set(found.files, table, PLACES, side, seed, progress)
    data = benchmark.read_labelled_set(train, side, seed, progress)
    test = spawrious_rows(folder, name, test=True).shuffled(seed) if shifted else None
    return OpenedBenchmark(data, concepts, benchmark.read_unlabelled_set(test, side, progress))


def _spawrious_root(folder: Path) -> Path:
    return folder / TOP if (folder / TOP).is_dir() else folder


def _list_rows_of_cells(top: Path, cells: list[tuple[str, str, str, float]]) -> BenchmarkRows:
    files: list[Path] = []
    labels: list[int] = []
    places: list[int] = []
    for group, place, breed, share in cells:
        folder = top / group / place / breed
        there = list_picture_files(folder) if folder.is_dir() else []
        if not there:
            raise InputsError(
                f"There are no pictures in {folder}.",
                "Get the part of Spawrious that this benchmark needs, or choose another.",
            )
        # The published sets hold 3,168 a folder; a smaller copy keeps the same shares.
        count = round(share * min(len(there), _TOTAL)) if share < 1 else len(there)
        chosen = there[:count]
        files += chosen
        labels += [CLASSES.index(breed)] * len(chosen)
        places += [PLACES.index(place)] * len(chosen)
    return BenchmarkRows(
        tuple(files), np.array(labels, np.int64), CLASSES, np.array(places, np.int64), PLACES
    )
