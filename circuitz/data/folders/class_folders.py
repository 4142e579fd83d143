"""Classes told by sub-folders: which are there, and which sub-folders are no classes."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from circuitz.data.folders.name_forms import refuse_names_alike
from circuitz.data.folders.picture_files import (
    PictureListing,
    is_hidden_name,
    list_pictures,
    picture_count_text,
    refuse_unreadable_names,
)
from circuitz.data.folders.picture_kinds import SUFFIXES
from circuitz.errors import InputsError

_PART_OF_A_SET = re.compile(
    r"(train|training|trn|val|valid|validation|test|testing|dev|eval|evaluation|holdout|unlabell?ed)"
    r"([ _.-]?(set|data|images?|imgs?|pictures?|photos?|split|\d{1,4}|[a-z]))?",
    re.IGNORECASE,
)
_RENAME = "Rename one folder, or move its pictures into the other."


@dataclass(frozen=True, eq=False)
class ClassFolders:
    """Pictures and the sub-folders they are sorted into.

    Parameters
    ----------
    names
        The classes, in the order of their folders; empty where sub-folders tell none.
    files
        The pictures, class after class.
    labels
        Number of the class of each; -1 where there are none.
    remarks
        What was left out.
    """

    names: tuple[str, ...]
    files: tuple[Path, ...]
    labels: tuple[int, ...]
    remarks: tuple[str, ...]


def list_class_folders(folder: Path, *, flat: bool, labelled: bool) -> ClassFolders:
    """Return the classes of a folder and their pictures.

    Parameters
    ----------
    folder
        One sub-folder a class.
    flat
        Whether pictures without classes will do.
    labelled
        Whether classes there must be.

    Raises
    ------
    InputsError
        If there are no pictures, a single class, a class without pictures, classes whose names
        are one name in two spellings, or sub-folders train and val instead of classes.
    """
    listing = list_pictures(folder)
    folders = sorted(p.name for p in folder.iterdir() if p.is_dir() and not is_hidden_name(p.name))
    by_folder: dict[str, list[Path]] = {name: [] for name in folders}
    beside: list[Path] = []
    for file in listing.files:
        parts = file.relative_to(folder).parts
        (by_folder[parts[0]] if len(parts) > 1 else beside).append(file)
    remarks = listing.remarks()
    filled = [name for name in folders if by_folder[name]]
    parts_of_a_set = bool(filled) and all(map(_PART_OF_A_SET.fullmatch, filled))
    if parts_of_a_set and labelled:
        raise _parts_of_a_set_error(folder, filled, by_folder)
    if parts_of_a_set or (not filled and flat):
        if parts_of_a_set:
            remarks.append(
                f"The folders {', '.join(filled)} in {folder} are taken as parts of one set, and "
                "not as classes."
            )
        if not listing.files:
            raise _no_pictures_error(folder, listing, [], filled)
        n = len(listing.files)
        return ClassFolders((), listing.files, (-1,) * n, tuple(remarks))
    if not filled:
        raise _no_pictures_error(folder, listing, beside, folders)
    if not labelled:
        # Where folders only sort pictures, one without any is nothing to be sorry for.
        folders = filled
    empty = [name for name in folders if not by_folder[name]]
    if empty:
        raise InputsError(
            f"The folder of class ‘{empty[0]}’ has no pictures.",
            listing.unread_text() if listing.unread else "Fill it or remove it.",
        )
    if labelled and len(folders) < 2:
        raise _single_class_error(folder, folders[0], by_folder[folders[0]])
    refuse_unreadable_names(folders)
    refuse_names_alike(folders, f"In {folder} the folders", _RENAME)
    if beside:
        remarks.append(
            f"{picture_count_text(len(beside))} of {folder} {'lies' if len(beside) == 1 else 'lie'} "
            "in no class's folder and are left out."
        )
    return ClassFolders(
        # Mac file systems take accents apart: shown and typed they are whole.
        tuple(unicodedata.normalize("NFC", name) for name in folders),
        tuple(file for name in folders for file in by_folder[name]),
        tuple(i for i, name in enumerate(folders) for _ in by_folder[name]),
        tuple(remarks),
    )


def _parts_of_a_set_error(
    folder: Path, filled: list[str], by_folder: dict[str, list[Path]]
) -> InputsError:
    message = (
        f"The folders {', '.join(filled)} in {folder} are parts of a set, and not classes."
        if len(filled) > 1
        else f"The only folder with pictures in {folder} is {filled[0]}, a part of a set and no class."
    )
    # Training pictures first, by what their names begin with.
    ordered = sorted(filled, key=lambda name: (not name.lower().startswith("tr"), name))
    for name in ordered:
        below = _folders_below(folder / name, by_folder[name])
        if len(below) > 1:
            return InputsError(
                message,
                f"Give {folder / name}, whose folders are the classes {_some_names(below)}; D is "
                "split into select, test and audit by itself.",
            )
    return InputsError(
        message,
        f"Give {folder / ordered[0]} with a table of its classes (--labels FILE.csv, columns path "
        "and class), or sort its pictures into one folder a class.",
    )


def _single_class_error(folder: Path, name: str, files: list[Path]) -> InputsError:
    below = _folders_below(folder / name, files)
    return InputsError(
        f"There is a single class in {folder}: {name}.",
        f"Give {folder / name}, if its folders {_some_names(below)} are the classes."
        if len(below) > 1
        else "Put pictures into one sub-folder a class, two classes or more.",
    )


def _no_pictures_error(
    folder: Path, listing: PictureListing, beside: list[Path], folders: list[str]
) -> InputsError:
    in_folders = f" in sub-folders, one a class; {len(beside):,} lie beside them" if beside else ""
    remedy = f"Put them into one sub-folder a class ({', '.join(sorted(SUFFIXES))})."
    if beside and not folders:
        remedy += " Or give a table of their classes: --labels FILE.csv with path and class."
    return InputsError(
        f"There are no pictures in {folder}{in_folders}.",
        listing.unread_text() if listing.unread else remedy,
    )


def _folders_below(folder: Path, files: list[Path]) -> list[str]:
    parts = (file.relative_to(folder).parts for file in files)
    return sorted({part[0] for part in parts if len(part) > 1})


def _some_names(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4:,} more" if len(names) > 4 else "")
