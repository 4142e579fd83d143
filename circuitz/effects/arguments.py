"""What a question about effects names: a class, units, source inputs; and how its answer is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from circuitz.errors import InputsError, UnitError
from circuitz.models.run.basis_space import resolve_unit_space
from circuitz.models.run.unit_space import UnitSpace
from circuitz.patching.interchange import check_basis_not_over_heads
from circuitz.patching.source_rows import Sources
from circuitz.stats.clustered import clustered_mean, confidence_interval, p_value_mean_above_bound
from circuitz.z.bases import basis_sizes
from circuitz.z.effect import Effect
from circuitz.z.inputs import SPLITS, InputSet
from circuitz.z.targets import EDGE, canonical_target, target_units
from circuitz.z.unit import OUTPUT, Unit

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

Bool = npt.NDArray[np.bool_]
I64 = npt.NDArray[np.int64]
Units = str | Unit | Sequence[str | Unit]
Subset = str | Sequence[str] | npt.NDArray[np.bool_] | npt.NDArray[np.integer] | None


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


def require_data(z: AnnotatedModel) -> InputSet:
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


def resolve_units(z: AnnotatedModel, units: Units) -> list[str]:
    """Return the ids of units, members of groups by themselves.

    Raises
    ------
    UnitError
        If one does not exist.
    """
    items = [units] if isinstance(units, str | Unit) else list(units)
    bases = basis_sizes(z.bases)
    checked = [canonical_target(item, z.layers, z.classes, bases) for item in items]
    if any(target.startswith(EDGE) for target in checked):
        raise UnitError("An edge is not units of one layer.", "Name units, as conv4:7.")
    return [unit for target in checked for unit in target_units(target)]


def spaces_of_units(z: AnnotatedModel, units: Sequence[str]) -> dict[str, UnitSpace]:
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
    found = {name: resolve_unit_space(z, name) for name in names}
    for place in found.values():
        check_basis_not_over_heads(place)
    return found


def subset_mask_over_sources(z: AnnotatedModel, sources: Sources, subset: Subset) -> Bool:
    """Return which of the drawn sources ``subset`` admits.

    Raises
    ------
    InputsError
        If it does not choose among the images of D.
    UnitError
        If it names a class that is not there.
    """
    if subset is None:
        return np.ones(len(sources), bool)
    if isinstance(subset, str):
        subset = [subset]
    asked = np.asarray(subset)
    if asked.dtype.kind in "US":
        classes = [class_index(z, str(name)) for name in asked.ravel()]
        return np.asarray(sources.shows[:, classes].any(1))
    size = len(require_data(z))
    if asked.dtype == bool and asked.shape == (size,):
        return asked[sources.index]
    if asked.dtype.kind in "iu" and asked.ndim == 1 and (asked < size).all() and (asked >= 0).all():
        return np.isin(sources.index, asked)
    raise InputsError(
        f"subset= is {asked.dtype} {asked.shape}, which does not choose among {size} images of D.",
        "Pass class names, a boolean mask over D, or indices into D.",
    )


def source_rows(
    z: AnnotatedModel,
    sources: Sources,
    k: int,
    intervention: str,
    split: str,
    subset: Subset = None,
) -> I64:
    """Return the sources that are changed: of the class where it may lose, of others where not.

    Raises
    ------
    InputsError
        If there is no such split, or none is left.
    """
    if split not in SPLITS:
        raise InputsError(f"There is no split {split!r}.", f"Splits are {', '.join(SPLITS)}.")
    rows = np.flatnonzero(
        (sources.split == SPLITS.index(split)) & subset_mask_over_sources(z, sources, subset)
    )
    rows = rows[sources.shows[rows, k] == (intervention not in ("sufficiency", "resample"))]
    if not len(rows):
        raise InputsError(
            f"No image of the {split} split is left to measure {intervention} for {z.classes[k]} on.",
            "Sufficiency needs images of other classes, the rest images of the class.",
        )
    return rows


def estimate_effect(template: Effect, values: npt.ArrayLike, scene: I64) -> Effect:
    """Return an effect with its mean over source inputs ``(n,)``, clustered by scene."""
    mean = clustered_mean(values, scene)
    low, high = confidence_interval(mean, template.level)
    return replace(
        template, estimate=mean.mean, low=low, high=high, n=mean.n, clusters=mean.clusters,
        p=p_value_mean_above_bound(mean, template.delta),
    )  # fmt: skip
