"""Write down what a rendered D′ shows, for ``circuitz evaluate`` and for nothing else."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from circuitz.data.worlds.world_by_name import WORLDS
from circuitz.disk.atomic import staged_file_replacement
from circuitz.errors import InputsError
from circuitz.evaluation.evaluation_sets import truth_from_recipe
from circuitz.z.inputs import InputSet


def write_rendered_truth(inputs: InputSet, files: Sequence[Path], path: str | Path) -> Path:
    """Write ``path,class`` and a column of 0 and 1 for every ground and artefact.

    Parameters
    ----------
    inputs
        A rendered set with its recipe.
    files
        Where its pictures lie, in their order.
    path
        CSV to write; its paths are relative to it.

    Raises
    ------
    InputsError
        If the set was not rendered, or the file cannot be written.
    """
    truth, target = truth_from_recipe(inputs), Path(path)
    parts = len(WORLDS[str(inputs.recipe["world"])].world.part_concepts)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["path", "class", *truth.concept_names[parts:]])
    base = target.absolute().parent
    for file, label, row in zip(files, truth.labels.tolist(), truth.concepts, strict=True):
        place = Path(os.path.relpath(file.absolute(), base)).as_posix()
        writer.writerow([place, truth.classes[label], *row[parts:].astype(int).tolist()])
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with staged_file_replacement(target, text.getvalue().encode()):
            pass
    except OSError as error:
        raise InputsError(
            f"{target} cannot be written: {error.strerror}.", "Choose another place."
        ) from error
    return target
