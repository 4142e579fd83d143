"""Waterbirds, as WILDS and its authors lay it out.

``metadata.csv`` with ``img_id,img_filename,y,split,place,place_filename`` beside the folders of
pictures. ``y`` is 1 for a waterbird, ``place`` 1 for water, ``split`` 0 for train, 1 for val and 2
for test. Sagawa et al. 2020; in train 95 % of each kind are where they belong, in val and test
half of them are.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Final, Literal

import numpy as np

from circuitz.data.benchmarks import benchmark
from circuitz.data.benchmarks.benchmark import SIZE, BenchmarkRows, OpenedBenchmark, Progress
from circuitz.errors import InputsError

TABLE: Final = "metadata.csv"
CLASSES: Final = ("landbird", "waterbird")
PLACES: Final = ("land", "water")
CONCEPTS: Final = ("trees", "water")
"""What the two places show: the land is forest."""
SPLITS: Final = {"train": 0, "val": 1, "test": 2}
_NEEDED: Final = ("img_filename", "y", "split", "place")


def looks_like_waterbirds(folder: Path) -> bool:
    """Whether a folder holds Waterbirds."""
    try:
        with (folder / TABLE).open(encoding="utf-8-sig") as table:
            header = table.readline(4096)
    except (OSError, UnicodeDecodeError):
        return False
    return set(_NEEDED) <= {cell.strip() for cell in header.split(",")}


def waterbirds_rows(folder: Path, split: Literal["train", "val", "test"]) -> BenchmarkRows:
    """Read the table of one split.

    Raises
    ------
    InputsError
        If the table is missing or malformed, or names pictures that are not there.
    """
    table = folder / TABLE
    try:
        text = table.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputsError(
            f"{table} cannot be read.", "Give the folder that holds metadata.csv."
        ) from error
    lines = csv.DictReader(io.StringIO(text, newline=""))
    missing = [name for name in _NEEDED if name not in (lines.fieldnames or ())]
    if missing:
        raise InputsError(
            f"{table} has no column {missing[0]!r}.", f"Its columns are {', '.join(_NEEDED)}."
        )
    files: list[Path] = []
    numbers: list[tuple[int, int]] = []
    try:
        for number, row in enumerate(lines, start=2):
            y, part, place = (
                _parse_metadata_code(row, name, number, table) for name in ("y", "split", "place")
            )
            if part == SPLITS[split]:
                name = row["img_filename"] or ""
                files.append(
                    benchmark.picture_path_in_benchmark(folder, name, f"Row {number} of {table}")
                )
                numbers.append((y, place))
    except csv.Error as error:
        raise InputsError(f"{table} is not CSV: {error}.", "Get it anew.") from error
    values = np.array(numbers, dtype=np.int64).reshape(-1, 2)
    return BenchmarkRows(tuple(files), values[:, 0], CLASSES, values[:, 1], PLACES)


def open_waterbirds(
    path: str | Path,
    *,
    size: int | None = None,
    seed: int = 0,
    shifted: bool = False,
    progress: Progress | None = None,
) -> OpenedBenchmark:
    """Open Waterbirds: train is D, val the concept set, test D′.

    In val, kinds and places are independent, so a unit that sees water can be told there from one
    that sees waterbirds. Its concepts are the two places; nothing is said of the birds.

    Parameters
    ----------
    path
        Folder with ``metadata.csv``.
    size
        Side to bring pictures to; 224 by default.
    seed
        Of the splits, and of the order of D′.
    shifted
        Whether to read D′ too.
    progress
        Called with what is read, pictures read and pictures in all.

    Raises
    ------
    InputsError
        As :func:`waterbirds_rows`, and for pictures that cannot be read.
    """
    folder, side = Path(path), size or SIZE
    val = waterbirds_rows(folder, "val")
    concepts = None
    if len(val):
        table = benchmark.one_hot(val.cell, len(PLACES))
        concepts = benchmark.read_concept_set(val.files, table, CONCEPTS, side, seed, progress)
    data = benchmark.read_labelled_set(waterbirds_rows(folder, "train"), side, seed, progress)
    test = waterbirds_rows(folder, "test").shuffled(seed) if shifted else None
    return OpenedBenchmark(data, concepts, benchmark.read_unlabelled_set(test, side, progress))


def _parse_metadata_code(row: dict[str, str | None], name: str, number: int, table: Path) -> int:
    cell = (row.get(name) or "").strip()
    allowed = ("0", "1", "2") if name == "split" else ("0", "1")
    if cell not in allowed:
        raise InputsError(
            f"‘{name}’ in row {number} of {table} is {cell[:60]!r}.",
            f"It is one of {', '.join(allowed)}.",
        )
    return int(cell)
