"""Write a rendered set as a person would bring one: a folder of pictures, concepts as CSV."""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from circuitz.data.folders.image_folder import CONCEPTS_FILE
from circuitz.data.folders.picture_files import is_hidden_name
from circuitz.disk.atomic import staged_file_replacement
from circuitz.errors import InputsError
from circuitz.z.inputs import SPLITS, InputSet

Progress = Callable[[int, int], None]
FOLDERS: Final = {"D": "D", "D'": "Dprime", "concepts": "concepts", "decorrelated": "decorrelated"}
"""Role of a set to the folder it is written to."""


def relative_picture_paths(inputs: InputSet) -> list[str]:
    """Return the file of every picture, relative to the folder that holds the role's folder.

    Classes are sub-folders where there are labels. Of D′ the names tell nothing.
    """
    role = str(inputs.recipe.get("role", inputs.role))
    top = FOLDERS.get(role, FOLDERS["D"])
    digits = max(4, len(str(len(inputs) - 1)))
    if inputs.labels is None:
        return [f"{top}/{i:0{digits}d}.png" for i in range(len(inputs))]
    seen = dict.fromkeys(range(len(inputs.classes)), 0)
    names: list[str] = []
    for label in inputs.labels.tolist():
        names.append(f"{top}/{inputs.classes[label]}/{seen[label]:0{digits}d}.png")
        seen[label] += 1
    return names


def write_folder(inputs: InputSet, out: str | Path, *, progress: Progress | None = None) -> Path:
    """Write pictures as PNG, and concept labels beside their folder.

    ``D/<class>/*.png``; ``Dprime/*.png`` without labels; ``concepts/*.png`` and
    ``concepts.csv``, whose paths are relative to it, with the columns ``scene`` and ``split`` that
    keep counterfactuals together.

    Parameters
    ----------
    inputs
        A set with its recipe.
    out
        Folder to write into; made when missing. Other roles may lie there already.
    progress
        Called with pictures written and pictures in all.

    Returns
    -------
    pathlib.Path
        The folder of the pictures.

    Raises
    ------
    InputsError
        If this role lies there already, a class name is no name for a folder, or it cannot be
        written.
    """
    names = relative_picture_paths(inputs)
    bad = [name for name in inputs.classes if Path(name).name != name or is_hidden_name(name)]
    if inputs.labels is not None and bad:
        raise InputsError(f"No folder can be called {bad[0]!r}.", "Give the class another name.")
    where = Path(out)
    top = where / Path(names[0]).parts[0]
    table = where / CONCEPTS_FILE
    there = [p for p in (top, table if inputs.concepts is not None else top) if p.exists()]
    if there:
        raise InputsError(f"{there[0]} is there already.", "Choose another folder, or remove it.")
    try:
        where.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=where) as place:
            room = Path(place)
            for i, name in enumerate(names):
                file = room / name
                if not i or file.parent != (room / names[i - 1]).parent:
                    file.parent.mkdir(parents=True, exist_ok=True)
                image = np.ascontiguousarray(inputs.images[i])
                Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(
                    file, compress_level=1
                )
                if progress is not None:
                    progress(i + 1, len(names))
            shutil.move(room / top.name, top)
        if inputs.concepts is not None:
            with staged_file_replacement(table, concept_labels_csv(inputs, names).encode()):
                pass
    except OSError as error:
        raise InputsError(
            f"{where} cannot be written: {error.strerror}.", "Choose another folder."
        ) from error
    return top


def concept_labels_csv(inputs: InputSet, names: list[str]) -> str:
    """Return concept labels as CSV, a row a picture."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    extra = [n for n in ("scene", "split") if getattr(inputs, n) is not None]
    writer.writerow(["path", *inputs.concept_names, *extra])
    table = inputs.concepts if inputs.concepts is not None else np.zeros((len(names), 0))
    for i, name in enumerate(names):
        cells = ["" if np.isnan(v) else int(v) for v in table[i].tolist()]
        if inputs.scene is not None:
            cells.append(int(inputs.scene[i]))
        if inputs.split is not None:
            cells.append(SPLITS[int(inputs.split[i])])
        writer.writerow([name, *cells])
    return text.getvalue()
