"""Which picture the cell of a table names, however its path is written."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from circuitz.data.folders.name_forms import plain_name
from circuitz.data.folders.picture_files import is_hidden_name
from circuitz.data.folders.picture_kinds import is_unread_picture_suffix
from circuitz.errors import ConceptLabelsError, InputsError
from circuitz.z.formats.csv_cells import unescape_formula


def resolve_cell_path(cell: str, base: Path, number: int, table: Path) -> str:
    """Return the absolute place that a cell names; nothing is looked up on disk.

    Raises
    ------
    ConceptLabelsError
        If the cell is empty.
    """
    # Spreadsheets on Windows write backslashes.
    path = cell.replace("\\", "/")
    if not path.strip() or "\0" in path:
        raise ConceptLabelsError(f"Row {number} of {table} names no file.", "Give each row a path.")
    return os.path.normpath(os.path.join(base.absolute(), path))  # noqa: PTH118 (much faster)


def lies_within_folder(place: str, folder: Path) -> bool:
    """Whether a place lies in a folder, as the two are written."""
    inside = os.path.normpath(folder.absolute())
    return place == inside or place.startswith(inside.rstrip(os.sep) + os.sep)


def existing_file(cell: str, base: Path, number: int, table: Path) -> Path | None:
    """Return the file on disk that a cell names in one of its forms, or None.

    Raises
    ------
    ConceptLabelsError
        If the cell is empty.
    """
    for place in _spellings(cell, base, number, table):
        for form in ("NFC", "NFD"):
            for file in (Path(place), Path(unicodedata.normalize(form, place))):
                if file.is_file():
                    return file
    return None


class PicturePaths:
    """Finds pictures by the cells of a table.

    A path is taken as it stands first; then with the blanks around it gone, Windows' strokes
    turned, a formula's apostrophe taken off, accents in their other form, and links resolved.

    Parameters
    ----------
    folder, files
        The pictures, and the folder they lie in.
    table
        Where cells are from, for what is said of them.
    base
        What their paths are relative to.
    escaped
        Whether the table was written with an apostrophe before what looks like a formula.
    """

    def __init__(
        self,
        folder: Path,
        files: Sequence[Path],
        table: Path,
        base: Path,
        *,
        escaped: bool = False,
    ) -> None:
        self.folder, self.table, self.base = folder, table, base
        self._escaped = escaped
        self._files = files
        self._exact = {os.path.abspath(f): i for i, f in enumerate(files)}  # noqa: PTH100
        self._alike: dict[str, int] | None = None
        self._here = os.path.normpath(folder.absolute())
        self._real = os.path.realpath(folder)
        self._bases = tuple(dict.fromkeys((base.absolute(), Path(os.path.realpath(base)))))

    def find(self, cell: str, number: int) -> int | None:
        """Return the number of the picture that a cell names, or None.

        Raises
        ------
        ConceptLabelsError
            If the cell is empty, or two pictures' names differ only in what does not show.
        """
        for place in self._places(cell, self._bases[0], number):
            if place in self._exact:
                return self._exact[place]
        for base in self._bases:
            for place in self._places(cell, base, number):
                at = self._alike_index.get(plain_path(self._as_written(place)))
                if at is not None and at < 0:
                    raise ConceptLabelsError(
                        f"Row {number} of {self.table} names {cell[:200]}, and names of two "
                        "pictures differ from it only in blanks or how accents are written.",
                        "Rename one of the pictures.",
                    )
                if at is not None:
                    return at
        return None

    def is_inside(self, cell: str, number: int) -> bool:
        """Whether a cell names a place in the folder."""
        return any(
            lies_within_folder(self._as_written(place), self.folder)
            for base in self._bases
            for place in self._places(cell, base, number)
        )

    def is_left_out(self, cell: str, number: int) -> bool:
        """Whether a cell names a hidden file of the folder, or one of a kind that is not read."""
        place = self._as_written(resolve_cell_path(cell.strip(), self.base, number, self.table))
        if not lies_within_folder(place, self.folder):
            return False
        parts = Path(place).relative_to(self._here).parts
        return any(map(is_hidden_name, parts)) or is_unread_picture_suffix(Path(place).suffix)

    def missing_error(self, cell: str, number: int) -> ConceptLabelsError:
        """Return the error for a cell that names no picture of the folder."""
        of = "this file" if self.base == self.table.parent else "the folder of the pictures"
        place = resolve_cell_path(cell.strip(), self.base, number, self.table)
        folded = plain_path(self._as_written(place)).casefold()
        twin = next(
            (f for f in self._files if plain_path(str(f.absolute())).casefold() == folded), None
        )
        return ConceptLabelsError(
            f"Row {number} of {self.table} names {cell[:200]}, which is not in {self.folder}.",
            f"There is {twin.name}, which differs in case only: write it so."
            if twin
            else f"Paths are relative to {of}; pictures end in .png, .jpg and the like.",
        )

    def _places(self, cell: str, base: Path, number: int) -> Iterator[str]:
        return _spellings(cell, base, number, self.table, self._escaped)

    def no_picture_error(self, cells: Sequence[str]) -> InputsError:
        """Return the error for a table none of whose rows names a picture of the folder."""
        first = f": its first row names {cells[0][:200]}" if cells else ""
        remedy = "Its paths are relative to the file."
        if self._files:
            place = os.path.relpath(self._files[0].absolute(), self.base.absolute())
            remedy = f"Its paths are relative to the file: the first picture is {Path(place).as_posix()}."
        return InputsError(f"{self.table} names no picture of {self.folder}{first}.", remedy)

    @property
    def _alike_index(self) -> dict[str, int]:
        """Pictures by their plain paths; -1 where two share one. Made when it is first needed."""
        if self._alike is None:
            self._alike = {}
            for place, i in self._exact.items():
                plain = plain_path(place)
                self._alike[plain] = -1 if plain in self._alike else i
        return self._alike

    def _as_written(self, place: str) -> str:
        """Return a place under the folder's real path as one under its path as it was given."""
        if self._real != self._here and lies_within_folder(place, Path(self._real)):
            return os.path.normpath(self._here + place[len(self._real.rstrip(os.sep)) :])
        return place


def plain_path(place: str) -> str:
    """Return a path each of whose names is plain."""
    if place.isascii() and " " not in place:
        return place
    return "/".join(map(plain_name, place.split("/")))


def _spellings(
    cell: str, base: Path, number: int, table: Path, escaped: bool = False
) -> Iterator[str]:
    """Return places that a cell may mean, the likeliest first."""
    bare = unescape_formula(cell)
    texts = (bare, cell) if escaped else (cell, bare)
    for text in dict.fromkeys((*texts, *(text.strip() for text in texts))):
        if "\\" in text:
            yield os.path.normpath(os.path.join(base, text))  # noqa: PTH118
        yield resolve_cell_path(text, base, number, table)
