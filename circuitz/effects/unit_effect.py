"""One effect, run exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import torch

from circuitz.effects.arguments import (
    Units,
    Where,
    checked_units,
    class_index,
    data_of,
    estimated,
    places_of,
    source_rows,
)
from circuitz.errors import InputsError, UnitError
from circuitz.models.run.basis_space import place_of
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.unit_space import Place
from circuitz.patching.controlled_effect import HeldAs, draw_lenders, held_changes
from circuitz.patching.from_cut import Downstream, margins
from circuitz.patching.from_heads import HeadDownstream
from circuitz.patching.interchange import check_movable
from circuitz.patching.patch import UnitSet
from circuitz.patching.source_rows import Sources, draw_sources
from circuitz.patching.trials import Changes, group_effects, scales
from circuitz.plausibility.unit_groups import Group, in_words, sorted_group
from circuitz.responses.token_responses import HEADS
from circuitz.z.check_z import check_z
from circuitz.z.effect import Effect
from circuitz.z.unit import OUTPUT, Unit

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

How = Literal["sufficiency", "necessity", "resample"]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

_BATCH = 64


def effect(
    z: AnnotatedModel,
    sources: Units,
    target: str | Unit,
    *,
    how: How = "sufficiency",
    held: Units = (),
    held_as: HeldAs = "without",
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
        or directions of one basis, which move together, each by as much as its coordinate differs
        (:func:`circuitz.effects.direction_effect.direction_effect` tells how far one is an illusion). The
        rest of the layer is held at the values it has on the source image. Of a transformer,
        heads of any blocks; what comes after the first of them is run anew.
    target
        Class, as ``output:husky`` or by name.
    how
        ``sufficiency``: on inputs of other classes the units take values from inputs of the
        class. ``necessity``: on inputs of the class they take values from others; positive =
        the class loses. ``resample``: the former, under the name of the intervention.
    held
        Units of any layers (supports, say: ears, tail and coat of a husky) that are held, in the
        run with the change and in the run without, at what they are on an input of their own;
        ``rest`` for the whole rest of the layer, or all other directions of the basis.
    held_as
        What that input is: ``without`` = of another class, so that the sources act without their
        help; ``with`` = of the class.
    where
        Restrict source images: names of their classes, or a boolean mask or indices over D.
        Lending images are drawn from the whole split all the same.
    split
        ``select``, ``test`` or ``audit``.
    images, donors, seed
        Source images of the split (evenly over classes), lending images for each, and the seed
        of their choice: as in :func:`circuitz.measurement.measure.measure`, so that equal settings
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
    check_z(z)
    if how not in ("sufficiency", "necessity", "resample"):
        raise InputsError(f"There is no effect {how!r}.", "Use sufficiency, necessity or resample.")
    place, group = _units(z, sources)
    k = class_index(z, target)
    supports = _held(z, held, held_as, place, group)
    kind: Literal["sufficiency", "necessity"] = "necessity" if how == "necessity" else "sufficiency"
    data = data_of(z)
    drawn = draw_sources(data, z.classes, per_split=images, donors=donors, seed=seed, head=z.head)
    down = downstream_of(z, place, drawn)
    # Heads are counted block by block.
    heads = down.units if isinstance(down, HeadDownstream) else ()
    index = [heads.index(unit) if heads else Unit.parse(unit).index for unit in group]
    scale = scales(down, drawn, z.classes)
    # Only the sources asked about are run; the others still lend.
    rows = source_rows(z, drawn, k, how, split, where)
    chosen = drawn.take(rows)
    if supports:
        lenders = draw_lenders(drawn, rows, k, held_as == "with", seed)
        found = _given(z, drawn, chosen, lenders, k, group, supports) / scale[k]
        found = -found if kind == "necessity" else found
    else:
        found = group_effects(down, chosen, scale, [index])[kind == "necessity"][0, :, k]
    own, others = f"inputs of {z.classes[k]}", "inputs of other classes"
    plain = Effect(
        sources=group,
        target=f"{OUTPUT}:{z.classes[k]}",
        how=kind,
        value=f"as on {own if kind == 'sufficiency' else others}",
        baseline=others if kind == "sufficiency" else own,
        held=_told(z, place, group, supports, own if held_as == "with" else others),
        level=level,
        delta=delta,
        split=split,
        inputs_hash=z.data_hash,
        weights_hash=z.weights_hash,
        seed=seed,
    )
    return estimated(plain, found, chosen.scene)


def _units(z: AnnotatedModel, sources: Units) -> tuple[Place, Group]:
    names = checked_units(z, sources)
    units = [Unit.parse(name) for name in names]
    places = list(dict.fromkeys(unit.place for unit in units))
    odd = any(u.is_output or u.position is not None for u in units)
    alone = any(u.basis for u in units) or not of_heads(z)
    if odd or not places or (len(places) > 1 and alone):
        raise UnitError(
            f"The sources are {', '.join(names) or 'nothing'}; they must be units of one layer.",
            f"The layers of {z.name} are {', '.join(s.name for s in z.layers)}.",
        )
    found = [place_of(z, name) for name in places]
    for place in found:
        check_movable(place)
    return min(found, key=lambda place: z.layers.index(place.layer)), sorted_group(names)


def _held(z: AnnotatedModel, held: Units, how: str, place: Place, group: Group) -> Group:
    """Return the units to hold."""
    if how not in ("without", "with"):
        raise InputsError(f"Units are not held {how!r}.", "Use without or with.")
    if held == "rest":
        layers = [s for s in z.layers if s.name in z.cut] if of_heads(z, place) else [place.spec]
        every = [f"{s.name}:{u}" for s in layers for u in range(s.size)]
        return tuple(unit for unit in every if unit not in group)
    found = sorted_group(checked_units(z, held)) if str(held) and held else ()
    both = sorted(set(found) & set(group))
    if both:
        raise UnitError(f"{both[0]} cannot be changed and held.", "Name it in one of the two.")
    return found


def _given(
    z: AnnotatedModel,
    drawn: Sources,
    chosen: Sources,
    lenders: I64,
    k: int,
    group: Group,
    supports: Group,
) -> F64:
    """Return the change of class k's margin in logits, ``(n,)``, while supports are held."""
    places = places_of(z, (*group, *supports))
    run = runtime(z)
    many = lenders.shape[1]
    change = held_changes(
        run,
        np.asarray(data_of(z).images[drawn.index]),
        np.repeat(chosen.row, many),
        chosen.donors[:, k].ravel(),
        lenders.ravel(),
        UnitSet(group, places),
        UnitSet(supports, places),
        lambda logits: margins(logits.float(), run.head)[:, k],
    )
    return change.reshape(-1, many).mean(1).astype(np.float64)


def _told(z: AnnotatedModel, place: Place, group: Group, supports: Group, on: str) -> str:
    spec = place.layer
    rest = "rest of the cut" if spec.name in z.cut else f"rest of {spec.name}"
    if not supports:
        return "" if of_heads(z, place) else rest
    # A set that is all the rest is called so.
    every = not of_heads(z, place) and len(supports) + len(group) == place.spec.size
    every &= {Unit.parse(u).place for u in supports} == {place.name}
    if place.basis is not None:
        rest = f"all other directions of {place.name}"
    return f"{rest if every else in_words(supports)} as on {on}"


def of_heads(z: AnnotatedModel, place: Place | None = None) -> bool:
    """Whether the cut, and so a place that is no basis, is the heads of a transformer."""
    if place is not None and place.basis is not None:
        return False
    return data_of(z).is_tokens and all(name.endswith(HEADS) for name in z.cut)


def downstream_of(z: AnnotatedModel, place: Place, drawn: Sources) -> Changes:
    """Return what follows the units of a layer, directions of a basis, or heads of a cut."""
    run = runtime(z)
    images = data_of(z).images
    if of_heads(z, place):
        return HeadDownstream.of(z, run, np.asarray(images[drawn.index]))
    parts: list[torch.Tensor] = []
    with torch.no_grad():
        for i in range(0, len(drawn), _BATCH):
            x = run.prepare(np.asarray(images[drawn.index[i : i + _BATCH]]))
            parts.append(run.forward_to(place.layer.name, x).clone())
    return Downstream(run, place, torch.cat(parts))
