"""Make room in the folder of a demo, and lose nothing that people did there."""

from __future__ import annotations

import shutil
from pathlib import Path

from circuitz.data.worlds.world_by_name import WORLDS
from circuitz.errors import CircuitzError, InputsError
from circuitz.store.judgements import Judgements
from circuitz.z.bundle.inputs_io import read_inputs
from circuitz.z.bundle.load_save import load

_WRITTEN = (
    *(f"{of.world.classes[0]}.z" for of in WORLDS.values()),
    "zstar.z",
    "induction.z",
    "fixed.z",
    "D",
    "D-induction",
    "D-fixed",
    "judgements.sqlite",
)
_WORLDS = (*WORLDS, "induction")


def prepare_output_folder(out: Path) -> None:
    """Make the folder; remove what an earlier demo left in it, and move anything else aside.

    What people edited is moved too. Bundles, D and judgements move together, so that they still
    find one another.

    Raises
    ------
    InputsError
        If the folder cannot be used.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        _clear_or_move_aside(out)
    except OSError as problem:
        raise InputsError(
            f"The folder {out} cannot be used: {problem.strerror}.",
            "Choose another with --out.",
        ) from problem


def _clear_or_move_aside(out: Path) -> None:
    there = [out / name for name in _WRITTEN if (out / name).exists()]
    if all(_is_untouched_output(place) for place in there):
        for place in there:
            if place.is_dir():
                shutil.rmtree(place)
            else:
                for part in place.parent.glob(f"{place.name}*"):
                    part.unlink()
        return
    number = 1
    while (aside := out / f"earlier-{number}").exists():
        number += 1
    aside.mkdir()
    for place in there:
        for part in [place] if place.is_dir() else sorted(place.parent.glob(f"{place.name}*")):
            part.rename(aside / part.name)


def _is_untouched_output(path: Path) -> bool:
    """Whether a demo wrote this and nobody has worked on it since."""
    try:
        if path.suffix == ".z":
            z = load(path)
            made_here = z.data_ref is not None and z.data_ref.recipe.get("world") in _WORLDS
            return made_here and all(entry.author_kind == "rule" for entry in z.log)
        if path.is_dir():
            return read_inputs(path).recipe.get("world") in _WORLDS
        rows = Judgements(path, read_only=True).rows()
        return all(row.rater_kind == "simulated" for row in rows)
    except CircuitzError:
        return False
