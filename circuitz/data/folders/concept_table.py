"""Concept labels of picture files, read from a CSV file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from circuitz.data.folders.csv_reading import read_csv_with_header
from circuitz.data.folders.input_warnings import warn_about_inputs
from circuitz.data.folders.name_forms import DOUBTFUL_NAMES, MISSING_WORDS, plain_name
from circuitz.data.folders.picture_paths import PicturePaths
from circuitz.errors import ConceptLabelsError
from circuitz.z.inputs import SPLITS

_SPECIAL = ("path", "scene", "split")
_YES = (
    "1",
    "1.0",
    "1,0",
    "1.00",
    "1,00",
    "true",
    "yes",
    "y",
    "t",
    "wahr",
    "vrai",
    "verdadero",
    "vero",
)
_NO = ("0", "0.0", "0,0", "0.00", "0,00", "false", "no", "n", "f", "falsch", "faux", "falso")
_NOT_KNOWN = MISSING_WORDS | DOUBTFUL_NAMES | {"?"}
_CONCEPT_VALUES = {
    **dict.fromkeys(_YES, 1.0), **dict.fromkeys(_NO, 0.0), **dict.fromkeys(_NOT_KNOWN, np.nan)
}  # fmt: skip
_MINUS = frozenset({"-1", "-1.0", "-1,0", "−1"})
_NUMBER = re.compile(r"[-+−]?\d*[.,]?\d+(e[-+]?\d+)?%?", re.IGNORECASE)


def concept_value_or_none(cell: str) -> float | None:
    """Return 1, 0 or NaN (not known) for what a cell says; ``None`` where it says anything else."""
    found = _CONCEPT_VALUES.get(cell)  # most of a million cells are 1, 0 or empty
    return _CONCEPT_VALUES.get(plain_name(cell).casefold()) if found is None else found


def is_number_cell(cell: str) -> bool:
    """Whether a cell holds a number, a share included."""
    return _NUMBER.fullmatch(cell) is not None


def parse_concept_cell(cell: str, column: str, number: int, table: Path) -> float:
    """Return 1, 0 or NaN for what a cell says.

    Raises
    ------
    ConceptLabelsError
        If it says anything else.
    """
    found = concept_value_or_none(cell)
    if found is None:
        raise ConceptLabelsError(
            f"‘{column}’ in row {number} of {table} is {cell[:60]!r}.",
            concept_cell_remedy(cell, column),
        )
    return found


def concept_cell_remedy(cell: str, column: str) -> str:
    """Say what to do about a cell that is neither 1 nor 0 nor empty."""
    if cell in _MINUS:
        return (
            "Labels of 1 and -1, as in CelebA's list, are not guessed at: write 0 where -1 means "
            "absent (in pandas table.replace(-1, 0)), and nothing where it means not known."
        )
    if is_number_cell(cell):
        return "Decide: 1 for present, 0 for absent, nothing for not known."
    return (
        "Use 1 for present, 0 for absent, nothing for not known. A column of words becomes a "
        f"column a word, in pandas get_dummies(table, columns=[{column!r}], prefix='', "
        "prefix_sep='', dtype=int); leave out columns that are no concepts."
    )


class ConceptTable:
    """Concept labels of files, read from CSV.

    Parameters
    ----------
    table
        The CSV file.
    folder, files
        The pictures that labels are wanted for, in their order, and the folder they lie in.
    base
        What paths are relative to.
    strangers
        Whether rows may name files outside ``folder``, which are then counted and left alone.
        No file is opened because a row names it.

    Raises
    ------
    ConceptLabelsError
        If the table names missing or double files, or holds what is no label.
    """

    def __init__(
        self,
        table: Path,
        folder: Path,
        files: Sequence[Path],
        *,
        base: Path,
        strangers: bool = False,
    ) -> None:
        self.table, self.folder, self.base = table, folder, base
        header, rows = read_csv_with_header(table, special=_SPECIAL, keep_blanks=True)
        self.header = header
        self.names = tuple(h for h in header if h not in _SPECIAL)
        if not self.names:
            raise ConceptLabelsError(
                f"{table} has no concept columns.", "Add one column a concept."
            )
        if "" in header:
            raise ConceptLabelsError(
                f"Column {header.index('') + 1} of {table} has no name.",
                "Name it on line 1. pandas writes its row numbers so: to_csv(name, index=False).",
            )
        self._pictures = pictures = PicturePaths(folder, files, table, base)
        self.values = np.full((len(files), len(self.names)), np.nan, dtype=np.float32)
        self.scene: np.ndarray[tuple[int], np.dtype[np.int64]] | None = None
        scene = np.arange(len(files), dtype=np.int64)
        splits = np.full(len(files), 255, dtype=np.uint8)
        columns = [header.index(name) for name in self.names]
        at_path = header.index("path")
        at_scene = header.index("scene") if "scene" in header else -1
        at_split = header.index("split") if "split" in header else -1
        seen: dict[int, int] = {}
        self._first_elsewhere: list[str] = []
        scenes: dict[str, int] = {}
        self.elsewhere = 0
        left_out = 0
        for number, cells in rows:
            cell = cells[at_path]
            at = pictures.find(cell, number)
            if at is None and strangers and not pictures.is_inside(cell, number):
                self.elsewhere += 1
                self._first_elsewhere = self._first_elsewhere or [cell]
                continue
            if at is None and pictures.is_left_out(cell, number):
                left_out += 1
                continue
            if at is None:
                raise pictures.missing_error(cell, number)
            if at in seen:
                raise ConceptLabelsError(
                    f"{table} names {cell[:200]} twice, in rows {seen[at]} and {number}.",
                    "Join the two rows.",
                )
            seen[at] = number
            self.values[at] = [
                parse_concept_cell(cells[c], name, number, table)
                for c, name in zip(columns, self.names, strict=True)
            ]
            if at_scene >= 0 and cells[at_scene].strip():
                # Numbered from beyond the files, so that no lone picture joins one by chance.
                scene[at] = scenes.setdefault(cells[at_scene].strip(), len(files) + len(scenes))
            if at_split >= 0:
                splits[at] = self._parse_split(cells[at_split].strip(), number)
        if left_out:
            warn_about_inputs(
                f"{left_out:,} {'row' if left_out == 1 else 'rows'} of {table} that name hidden "
                "files, or pictures of kinds that are not read here, are left out."
            )
        self.labelled = len(seen)
        if at_split >= 0 and seen and (splits == 255).any():
            raise ConceptLabelsError(
                f"{table} gives a split to some pictures only.", "Give it to all or to none."
            )
        self.split = splits if at_split >= 0 and seen else None
        if at_scene >= 0:
            self.scene = scene

    def keep_only_rows(self, rows: Sequence[int]) -> None:
        """Forget all pictures but these, given by their places."""
        chosen = np.asarray(rows, np.int64)
        self.values = self.values[chosen]
        self.scene = None if self.scene is None else self.scene[chosen]
        self.split = None if self.split is None else self.split[chosen]
        self.labelled = int(np.isfinite(self.values).any(1).sum())

    def no_picture_words(self) -> tuple[str, str]:
        """Say that no row names a picture, and what would."""
        error = self._pictures.no_picture_error(self._first_elsewhere)
        return error.message, error.hint

    def _parse_split(self, cell: str, number: int) -> int:
        if cell not in SPLITS:
            raise ConceptLabelsError(
                f"The split in row {number} of {self.table} is {cell!r}.",
                f"Use {', '.join(SPLITS)}.",
            )
        return SPLITS.index(cell)
