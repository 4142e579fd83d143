"""The truth of a benchmark's D′, for scoring and for nothing else."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from circuitz.data.benchmarks.benchmark import BenchmarkRows
from circuitz.data.benchmarks.cub import choose_cub_rows
from circuitz.data.benchmarks.cub_files import read_cub_image_list
from circuitz.data.benchmarks.layouts import requested_or_detected_layout
from circuitz.data.benchmarks.spawrious import spawrious_rows
from circuitz.data.benchmarks.waterbirds import waterbirds_rows
from circuitz.disk.atomic import staged_file_replacement
from circuitz.errors import InputsError


def layout_truth(
    path: str | Path,
    layout: str = "auto",
    *,
    benchmark: str = "o2o_easy",
    classes: Sequence[str] | None = None,
    seed: int = 0,
) -> BenchmarkRows:
    """Return labels and places of D′, in the order :func:`circuitz.data.benchmarks.layouts.open_layout` has it.

    Raises
    ------
    InputsError
        If the folder holds no benchmark, or its files cannot be used.
    """
    folder, kind = Path(path), requested_or_detected_layout(path, layout)
    if kind == "waterbirds":
        return waterbirds_rows(folder, "test").shuffled(seed)
    if kind == "spawrious":
        return spawrious_rows(folder, benchmark, test=True).shuffled(seed)
    if kind == "cub":
        return choose_cub_rows(read_cub_image_list(folder), test=True, classes=classes)[0].shuffled(
            seed
        )
    raise InputsError(
        f"{folder} is a folder of one's own: what its D′ shows is not known.",
        "Give a CSV with path and class to circuitz evaluate.",
    )


def write_layout_truth(rows: BenchmarkRows, path: str | Path) -> Path:
    """Write ``path,class`` and a column a place, as ``circuitz evaluate`` reads it.

    Raises
    ------
    InputsError
        If it cannot be written.
    """
    target = Path(path)
    base = target.absolute().parent
    places = rows.cells if len(rows.cells) > 1 else ()
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["path", "class", *places])
    for file, label, cell in zip(rows.files, rows.labels, rows.cell, strict=True):
        place = Path(os.path.relpath(file.absolute(), base)).as_posix()
        shown = [int(int(cell) == i) for i in range(len(places))]
        writer.writerow([place, rows.classes[int(label)], *shown])
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with staged_file_replacement(target, text.getvalue().encode()):
            pass
    except OSError as error:
        raise InputsError(
            f"{target} cannot be written: {error.strerror}.", "Choose another place."
        ) from error
    return target
