"""What a question about effects names: a class, units, source inputs; and how its answer is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from circuitz.errors import InputsError, UnitError
from circuitz.models.run.basis_space import place_of
from circuitz.models.run.unit_space import Place
from circuitz.patching.interchange import check_movable
from circuitz.patching.source_rows import Sources
from circuitz.stats.clustered import clustered_mean, interval, p_greater
from circuitz.z.bases import basis_sizes
from circuitz.z.effect import Effect
from circuitz.z.inputs import SPLITS, InputSet
from circuitz.z.targets import EDGE, check_target, target_units
from circuitz.z.unit import OUTPUT, Unit

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

Bool = npt.NDArray[np.bool_]
I64 = npt.NDArray[np.int64]
Units = str | Unit | Sequence[str | Unit]
Where = str | Sequence[str] | npt.NDArray[np.bool_] | npt.NDArray[np.integer] | None


def class_index(z: AnnotatedModel, target: str | Unit) -> int:
    """Return which class ``husky`` or ``output:husky`` is.

    Raises
    ------
    UnitError
        If there is none of that name.
    """
    name = str(target).removeprefix(f"{OUTPUT}:")
    if name not in z.classes:
        raise UnitError(
            f"{name!r} is not a class of {z.name}.", f"Its classes are {', '.join(z.classes)}."
        )
    return z.classes.index(name)


def data_of(z: AnnotatedModel) -> InputSet:
    """Return D.

    Raises
    ------
    InputsError
        If it is not at hand.
    """
    if z.data is None:
        raise InputsError(
            "D, the labelled images effects are measured on, is not at hand.",
            "Open it and pass it: z = z.with_(data=data), or measure(z, data=data).",
        )
    return z.data


def checked_units(z: AnnotatedModel, given: Units) -> list[str]:
    """Return the ids of units, members of groups by themselves.

    Raises
    ------
    UnitError
        If one does not exist.
    """
    items = [given] if isinstance(given, str | Unit) else list(given)
    bases = basis_sizes(z.bases)
    checked = [check_target(item, z.layers, z.classes, bases) for item in items]
    if any(target.startswith(EDGE) for target in checked):
        raise UnitError("An edge is not units of one layer.", "Name units, as conv4:7.")
    return [unit for target in checked for unit in target_units(target)]


def places_of(z: AnnotatedModel, units: Sequence[str]) -> dict[str, Place]:
    """Return the layers and bases that units are of, by name; classes are of none.

    Raises
    ------
    UnitError
        If there is no such layer or basis.
    BasisError
        If a basis lies over attention heads.
    """
    parsed = [Unit.parse(unit) for unit in units]
    names = dict.fromkeys(unit.place for unit in parsed if not unit.is_output)
    found = {name: place_of(z, name) for name in names}
    for place in found.values():
        check_movable(place)
    return found


def source_mask(z: AnnotatedModel, drawn: Sources, where: Where) -> Bool:
    """Return which of the drawn sources ``where`` admits.

    Raises
    ------
    InputsError
        If it does not choose among the images of D.
    UnitError
        If it names a class that is not there.
    """
    if where is None:
        return np.ones(len(drawn), bool)
    if isinstance(where, str):
        where = [where]
    asked = np.asarray(where)
    if asked.dtype.kind in "US":
        classes = [class_index(z, str(name)) for name in asked.ravel()]
        return np.asarray(drawn.shows[:, classes].any(1))
    size = len(data_of(z))
    if asked.dtype == bool and asked.shape == (size,):
        return asked[drawn.index]
    if asked.dtype.kind in "iu" and asked.ndim == 1 and (asked < size).all() and (asked >= 0).all():
        return np.isin(drawn.index, asked)
    raise InputsError(
        f"where= is {asked.dtype} {asked.shape}, which does not choose among {size} images of D.",
        "Pass class names, a boolean mask over D, or indices into D.",
    )


def source_rows(
    z: AnnotatedModel, drawn: Sources, k: int, how: str, split: str, where: Where = None
) -> I64:
    """Return the sources that are changed: of the class where it may lose, of others where not.

    Raises
    ------
    InputsError
        If there is no such split, or none is left.
    """
    if split not in SPLITS:
        raise InputsError(f"There is no split {split!r}.", f"Splits are {', '.join(SPLITS)}.")
    rows = np.flatnonzero((drawn.split == SPLITS.index(split)) & source_mask(z, drawn, where))
    rows = rows[drawn.shows[rows, k] == (how not in ("sufficiency", "resample"))]
    if not len(rows):
        raise InputsError(
            f"No image of the {split} split is left to measure {how} for {z.classes[k]} on.",
            "Sufficiency needs images of other classes, the rest images of the class.",
        )
    return rows


def estimated(plain: Effect, values: npt.ArrayLike, scene: I64) -> Effect:
    """Return an effect with its mean over source inputs ``(n,)``, clustered by scene."""
    mean = clustered_mean(values, scene)
    low, high = interval(mean, plain.level)
    return replace(
        plain, estimate=mean.mean, low=low, high=high, n=mean.n, clusters=mean.clusters,
        p=p_greater(mean, plain.delta),
    )  # fmt: skip
