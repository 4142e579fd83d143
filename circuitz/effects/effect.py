"""One effect, run exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import torch

from circuitz.effects.downstream import Downstream
from circuitz.effects.groups import Group, sorted_group
from circuitz.effects.head_effects import HeadDownstream
from circuitz.effects.singles import Changes, group_effects, scales
from circuitz.effects.sources import Sources, draw_sources
from circuitz.effects.statistics import clustered_mean, interval, p_greater
from circuitz.errors import InputsError, UnitError
from circuitz.models.open import runtime
from circuitz.z.bases import basis_sizes
from circuitz.z.effect import Effect
from circuitz.z.inputs import SPLITS, InputSet
from circuitz.z.targets import EDGE, check_target, target_units
from circuitz.z.unit import OUTPUT, Unit

if TYPE_CHECKING:
    from circuitz.z.layer import LayerSpec
    from circuitz.z.model import AnnotatedModel

How = Literal["sufficiency", "necessity", "resample"]
Where = str | Sequence[str] | npt.NDArray[np.bool_] | npt.NDArray[np.integer] | None

_BATCH = 64


def effect(
    z: AnnotatedModel,
    sources: str | Unit | Sequence[str | Unit],
    target: str | Unit,
    *,
    how: How = "sufficiency",
    where: Where = None,
    split: str = "test",
    images: int = 240,
    donors: int = 2,
    delta: float = 0.1,
    level: float = 0.95,
    seed: int = 0,
) -> Effect:
    """Run a joint intervention on a set of units and return its effect on a class.

    Parameters
    ----------
    z
        Annotated model with D at hand.
    sources
        Units of one layer that all paths to the output cross: one, several, or ``group:a,b``;
        or one direction of a basis (see :func:`circuitz.effects.along.direction_effect`, which
        also tells how far it is an illusion).
        The rest of the layer is held at the values it has on the source image. Of a transformer,
        heads of any blocks; what comes after the first of them is run anew.
    target
        Class, as ``output:husky`` or by name.
    how
        ``sufficiency``: on inputs of other classes the units take values from inputs of the
        class. ``necessity``: on inputs of the class they take values from others; positive =
        the class loses. ``resample``: the former, under the name of the intervention.
    where
        Restrict source images: names of their classes, or a boolean mask or indices over D.
        Lending images are drawn from the whole split all the same.
    split
        ``select``, ``test`` or ``audit``.
    images, donors, seed
        Source images of the split (evenly over classes), lending images for each, and the seed
        of their choice: as in :func:`circuitz.effects.measure.measure`, so that equal settings
        give equal numbers.
    delta, level
        Bound that ``p`` is for, and level of the interval.

    Returns
    -------
    Effect
        In shares of what resampling the whole layer does; t interval clustered by scene.

    Raises
    ------
    UnitError
        If a unit or class does not exist, or units are of several layers.
    InputsError
        If D is missing or unlabelled, or ``where`` and ``split`` leave no source image.
    LayerError
        If paths run around the layer.
    MeasurementError
        If the network does not tell the classes apart.
    """
    if how != "resample" and where is None and _one_direction(sources):
        from circuitz.effects.along import direction_effect  # noqa: PLC0415 (uses no more of this)

        return direction_effect(
            z, str(sources), str(target), how=how, split=split, images=images, donors=donors,
            delta=delta, level=level, seed=seed, randoms=0,
        ).effect  # fmt: skip
    spec, group = _units(z, sources)
    k = _class(z, target)
    if how not in ("sufficiency", "necessity", "resample"):
        raise InputsError(f"There is no effect {how!r}.", "Use sufficiency, necessity or resample.")
    if split not in SPLITS:
        raise InputsError(f"There is no split {split!r}.", f"Splits are {', '.join(SPLITS)}.")
    kind: Literal["sufficiency", "necessity"] = "necessity" if how == "necessity" else "sufficiency"
    drawn = draw_sources(
        _data(z), z.classes, per_split=images, donors=donors, seed=seed, head=z.head
    )
    down, index = _downstream(z, spec, drawn, group)
    scale = scales(down, drawn, z.classes)
    # Only the sources asked about are run; the others still lend.
    rows = np.flatnonzero((drawn.split == SPLITS.index(split)) & _mask(z, drawn, where))
    rows = rows[drawn.shows[rows, k] == (kind == "necessity")]
    if not len(rows):
        raise InputsError(
            f"No image of the {split} split is left to measure {kind} for {z.classes[k]} on.",
            "Sufficiency needs images of other classes, necessity images of the class.",
        )
    chosen = drawn.take(rows)
    found = group_effects(down, chosen, scale, [index])[kind == "necessity"][0, :, k]
    mean = clustered_mean(found, chosen.scene)
    low, high = interval(mean, level)
    own, others = f"inputs of {z.classes[k]}", "inputs of other classes"
    return Effect(
        sources=group,
        target=f"{OUTPUT}:{z.classes[k]}",
        how=kind,
        value=f"as on {own if kind == 'sufficiency' else others}",
        baseline=others if kind == "sufficiency" else own,
        held=""
        if _heads(z)
        else "rest of the cut"
        if spec.name in z.cut
        else f"rest of {spec.name}",
        estimate=mean.mean,
        low=low,
        high=high,
        level=level,
        n=mean.n,
        clusters=mean.clusters,
        p=p_greater(mean, delta),
        delta=delta,
        split=split,
        inputs_hash=z.data_hash,
        weights_hash=z.weights_hash,
        seed=seed,
    )


def _units(
    z: AnnotatedModel, sources: str | Unit | Sequence[str | Unit]
) -> tuple[LayerSpec, Group]:
    given = [sources] if isinstance(sources, str | Unit) else list(sources)
    bases = basis_sizes(z.bases)
    checked = [check_target(source, z.layers, z.classes, bases) for source in given]
    names = [u for target in checked for u in target_units(target)]
    units = [Unit.parse(name) for name in names]
    specs = [s for s in z.layers if s.name in {u.layer for u in units}]
    odd = any(u.basis or u.is_output for u in units) or any(t.startswith(EDGE) for t in checked)
    odd |= any(u.position is not None for u in units)
    if odd or not specs or (len(specs) > 1 and not _heads(z)):
        raise UnitError(
            f"The sources are {', '.join(checked) or 'nothing'}; they must be units of one layer.",
            f"The layers of {z.name} are {', '.join(s.name for s in z.layers)}.",
        )
    return specs[0], sorted_group(names)


def _one_direction(sources: str | Unit | Sequence[str | Unit]) -> bool:
    """Whether the sources are one direction of a basis."""
    if not isinstance(sources, str | Unit) or "@" not in str(sources):
        return False
    return not str(sources).startswith(("group:", EDGE)) and bool(Unit.parse(sources).basis)


def _class(z: AnnotatedModel, target: str | Unit) -> int:
    name = str(target).removeprefix(f"{OUTPUT}:")
    if name not in z.classes:
        raise UnitError(
            f"{name!r} is not a class of {z.name}.", f"Its classes are {', '.join(z.classes)}."
        )
    return z.classes.index(name)


def _data(z: AnnotatedModel) -> InputSet:
    if z.data is None:
        raise InputsError(
            "D, the labelled images effects are measured on, is not at hand.",
            "Open it and pass it: z = z.with_(data=data), or measure(z, data=data).",
        )
    return z.data


def _heads(z: AnnotatedModel) -> bool:
    """Whether the units are heads of a transformer, which reads tokens."""
    return _data(z).is_tokens


def _downstream(
    z: AnnotatedModel, spec: LayerSpec, drawn: Sources, group: Group
) -> tuple[Changes, list[int]]:
    """Return what follows the units, and which of its units they are."""
    run = runtime(z)
    images = _data(z).images
    if _heads(z):
        down = HeadDownstream.of(z, run, np.asarray(images[drawn.index]))
        return down, [down.units.index(unit) for unit in group]
    parts: list[torch.Tensor] = []
    with torch.no_grad():
        for i in range(0, len(drawn), _BATCH):
            x = run.prepare(np.asarray(images[drawn.index[i : i + _BATCH]]))
            parts.append(run.forward_to(spec.name, x).clone())
    down = Downstream(run, spec, torch.cat(parts))
    return down, [Unit.parse(unit).index for unit in group]


def _mask(z: AnnotatedModel, drawn: Sources, where: Where) -> npt.NDArray[np.bool_]:
    """Return which of the drawn sources ``where`` admits."""
    if where is None:
        return np.ones(len(drawn), bool)
    if isinstance(where, str):
        where = [where]
    asked = np.asarray(where)
    if asked.dtype.kind in "US":
        classes = [_class(z, str(name)) for name in asked.ravel()]
        return np.asarray(drawn.shows[:, classes].any(1))
    size = len(_data(z))
    if asked.dtype == bool and asked.shape == (size,):
        return asked[drawn.index]
    if asked.dtype.kind in "iu" and asked.ndim == 1 and (asked < size).all() and (asked >= 0).all():
        return np.isin(drawn.index, asked)
    raise InputsError(
        f"where= is {asked.dtype} {asked.shape}, which does not choose among {size} images of D.",
        "Pass class names, a boolean mask over D, or indices into D.",
    )
