"""Open a folder of pictures: one sub-folder a class, concept labels in a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from circuitz.data.splits import assign_splits
from circuitz.data.validate import check_concept_set, check_inputs
from circuitz.errors import ConceptLabelsError, InputsError
from circuitz.z.inputs import SPLITS, InputSet

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
CONCEPTS_FILE = "concepts.csv"
_SPECIAL = ("path", "scene", "split")
_VALUES = {"1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0, "true": 1.0, "false": 0.0, "yes": 1.0,
           "no": 0.0, "": np.nan, "nan": np.nan, "na": np.nan, "?": np.nan}  # fmt: skip
Progress = Callable[[int, int], None]


def open_folder(
    path: str | Path,
    *,
    concepts: str | Path | None = None,
    size: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> InputSet:
    """Open a folder of pictures.

    Parameters
    ----------
    path
        Folder with one sub-folder a class, or, with concept labels, just with pictures.
    concepts
        CSV file: a column ``path`` relative to the folder and one column a concept with 1, 0 or
        nothing (not known). Columns ``scene`` (pictures of one scene share a value) and
        ``split`` (select, test or audit) are optional. By default ``concepts.csv`` in the folder.
    size
        Side to crop and scale pictures to; by default they must be of one size.
    seed
        Chooses the split where the file gives none.
    progress
        Called with pictures read and pictures in all.

    Returns
    -------
    InputSet
        ``role`` is ``concepts`` where there are concept labels, else ``D``.

    Raises
    ------
    InputsError
        For a folder without pictures, a single class, a file that is no picture (named), sizes
        that differ.
    ConceptLabelsError
        For a table that names missing or double files, or has empty or constant columns.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise InputsError(f"There is no folder {folder}.", "Check the path.")
    table = Path(concepts) if concepts is not None else folder / CONCEPTS_FILE
    if concepts is not None and not table.is_file():
        raise ConceptLabelsError(f"There is no file {table}.", "Check the path.")
    names = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    files = [(f, i) for i, name in enumerate(names) for f in _pictures(folder / name)]
    has_table = table.is_file()
    if not files and has_table:
        names, files = [], [(f, -1) for f in _pictures(folder)]
    if not files:
        raise InputsError(
            f"There are no pictures in {folder}.",
            f"Put them into one sub-folder a class ({', '.join(sorted(SUFFIXES))}).",
        )
    empty = [name for i, name in enumerate(names) if all(label != i for _, label in files)]
    if empty:
        raise InputsError(
            f"The folder of class ‘{empty[0]}’ has no pictures.", "Fill it or remove it."
        )
    if len(names) < 2 and not has_table:
        raise InputsError(
            f"There is a single class in {folder}: {', '.join(names)}.",
            "Put pictures into one sub-folder a class, two classes or more.",
        )
    labels = np.array([label for _, label in files], dtype=np.int64) if names else None
    rows = _Table(table, folder, [f for f, _ in files]) if has_table else None
    images = _read_all([f for f, _ in files], size, progress)
    scene = rows.scene if rows else np.arange(len(files), dtype=np.int64)
    split = rows.split if rows else None
    if split is None:
        shares = (0.5, 0.25, 0.25) if rows else (0.70, 0.15, 0.15)
        split = assign_splits(len(files), shares, groups=scene, seed=seed, strata=labels)
    inputs = InputSet(
        images,
        labels=labels,
        classes=tuple(names),
        concepts=rows.values if rows else None,
        concept_names=rows.names if rows else (),
        split=split,
        scene=scene,
        role="concepts" if rows else "D",
    )
    return check_concept_set(inputs) if rows else check_inputs(inputs, labelled=True)


def _pictures(folder: Path) -> list[Path]:
    return sorted(
        p
        for p in folder.rglob("*")
        if p.suffix.lower() in SUFFIXES and p.is_file() and not p.name.startswith(".")
    )


def _read_all(
    files: list[Path], size: int | None, progress: Progress | None
) -> npt.NDArray[np.uint8]:
    if size is not None and not 8 <= size <= 1024:
        raise InputsError(f"Pictures of side {size} were asked for.", "Choose 8 to 1024.")
    images: list[npt.NDArray[np.uint8]] = []
    for i, file in enumerate(files):
        image = _read(file, size)
        if images and image.shape != images[0].shape:
            raise InputsError(
                f"{file} is {image.shape[1]} × {image.shape[0]}, the pictures before it "
                f"{images[0].shape[1]} × {images[0].shape[0]}.",
                "Give a size to bring all pictures to.",
            )
        images.append(image)
        if progress is not None:
            progress(i + 1, len(files))
    return np.stack(images)


def _read(file: Path, size: int | None) -> npt.NDArray[np.uint8]:
    try:
        with Image.open(file) as opened:
            image = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputsError(
            f"{file} is not a picture that can be read.", "Replace or remove the file."
        ) from error
    if size is not None:
        image = ImageOps.fit(image, (size, size), Image.Resampling.BICUBIC)
    return np.asarray(image, dtype=np.uint8)


class _Table:
    """Concept labels of files, read from CSV."""

    def __init__(self, table: Path, folder: Path, files: list[Path]) -> None:
        self.table = table
        try:
            text = table.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ConceptLabelsError(
                f"{table} cannot be read.", "Save it as CSV in UTF-8."
            ) from error
        try:
            lines = [row for row in csv.reader(text.splitlines(), strict=True) if row]
        except csv.Error as error:
            raise ConceptLabelsError(f"{table} is not CSV: {error}.", "Correct it.") from error
        header = [cell.strip() for cell in lines[0]] if lines else []
        if "path" not in header:
            raise ConceptLabelsError(
                f"{table} has no column ‘path’.", "Name the columns on line 1."
            )
        double = sorted({h for h in header if header.count(h) > 1})
        if double:
            raise ConceptLabelsError(
                f"{table} has two columns ‘{double[0]}’.", "Give each column its own name."
            )
        self.names = tuple(h for h in header if h not in _SPECIAL)
        if not self.names:
            raise ConceptLabelsError(
                f"{table} has no concept columns.", "Add one column a concept."
            )
        self.header = header
        known = {f.relative_to(folder).as_posix(): i for i, f in enumerate(files)}
        self.values = np.full((len(files), len(self.names)), np.nan, dtype=np.float32)
        self.scene = np.arange(len(files), dtype=np.int64)
        splits = np.full(len(files), 255, dtype=np.uint8)
        seen: dict[str, int] = {}
        scenes: dict[str, int] = {}
        for number, cells in enumerate(lines[1:], start=2):
            row = self._row(cells, number)
            name = Path(row["path"]).as_posix().removeprefix("./")
            if name in seen:
                raise ConceptLabelsError(
                    f"{table} names {name} twice, in rows {seen[name]} and {number}.",
                    "Join the two rows.",
                )
            if name not in known:
                raise ConceptLabelsError(
                    f"Row {number} of {table} names {name}, which is not in {folder}.",
                    "Paths are relative to the folder of the pictures.",
                )
            seen[name] = number
            at = known[name]
            self.values[at] = [self._value(row[c], c, number) for c in self.names]
            if row.get("scene"):
                # Numbered from beyond the files, so that no lone picture joins a scene by chance.
                self.scene[at] = scenes.setdefault(row["scene"], len(files) + len(scenes))
            if "split" in row:
                splits[at] = self._split(row["split"], number)
        if "split" in header and (splits == 255).any():
            raise ConceptLabelsError(
                f"{table} gives a split to some pictures only.", "Give it to all or to none."
            )
        self.split = splits if "split" in header else None

    def _row(self, cells: list[str], number: int) -> dict[str, str]:
        if len(cells) != len(self.header):
            raise ConceptLabelsError(
                f"Row {number} of {self.table} has {len(cells)} cells, the header "
                f"{len(self.header)}.",
                "Give every row all columns; leave a cell empty where nothing is known.",
            )
        return dict(zip(self.header, (c.strip() for c in cells), strict=True))

    def _value(self, cell: str, column: str, number: int) -> float:
        value = _VALUES.get(cell.lower())
        if value is None:
            raise ConceptLabelsError(
                f"‘{column}’ in row {number} of {self.table} is {cell!r}.",
                "Use 1 for present, 0 for absent, nothing for not known.",
            )
        return value

    def _split(self, cell: str, number: int) -> int:
        if cell not in SPLITS:
            raise ConceptLabelsError(
                f"The split in row {number} of {self.table} is {cell!r}.",
                f"Use {', '.join(SPLITS)}.",
            )
        return SPLITS.index(cell)
