"""One effect, run exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import torch

from circuitz.deprecation import renamed_keywords
from circuitz.effects.arguments import (
    Subset,
    Units,
    class_index,
    estimate_effect,
    require_data,
    resolve_units,
    source_rows,
    spaces_of_units,
)
from circuitz.errors import InputsError, UnitError
from circuitz.models.run.basis_space import resolve_unit_space
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.restore_state import outside_inference_mode
from circuitz.models.run.unit_space import UnitSpace
from circuitz.patching.controlled_effect import (
    HeldAs,
    changes_with_units_held,
    draw_donors_for_held_units,
)
from circuitz.patching.from_cut import Downstream, class_margins
from circuitz.patching.from_heads import HeadDownstream
from circuitz.patching.interchange import check_basis_not_over_heads
from circuitz.patching.patch import UnitSet
from circuitz.patching.source_rows import Sources, draw_sources
from circuitz.patching.trials import (
    MarginChanges,
    class_margin_scales,
    sufficiency_and_necessity_by_group,
)
from circuitz.plausibility.unit_groups import Group, shorten_unit_list, sort_unit_group
from circuitz.responses.token_responses import HEADS
from circuitz.z.check_z import check_annotated_model
from circuitz.z.effect import Effect
from circuitz.z.unit import OUTPUT, Unit

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

InterventionKind = Literal["sufficiency", "necessity", "resample"]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

_BATCH = 64


@outside_inference_mode
@renamed_keywords(sources="units", where="subset", how="intervention")
def effect(
    z: AnnotatedModel,
    units: Units,
    target: str | Unit,
    *,
    intervention: InterventionKind = "sufficiency",
    held: Units = (),
    held_as: HeldAs = "without",
    subset: Subset = None,
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
    units
        Units of one layer that all paths to the output cross: one, several, or ``group:a,b``;
        or directions of one basis, which move together, each by as much as its coordinate differs
        (:func:`circuitz.effects.direction_effect.direction_effect` tells how far one is an illusion). The
        rest of the layer is held at the values it has on the source image. Of a transformer,
        heads of any blocks; what comes after the first of them is run anew.
    target
        Class, as ``output:husky`` or by name.
    intervention
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
    subset
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
        If D is missing or unlabelled, or ``subset`` and ``split`` leave no source image.
    LayerError
        If paths run around the layer.
    MeasurementError
        If the network does not tell the classes apart.
    """
    check_annotated_model(z)
    if intervention not in ("sufficiency", "necessity", "resample"):
        raise InputsError(
            f"There is no effect {intervention!r}.", "Use sufficiency, necessity or resample."
        )
    place, group = _resolve_units_of_one_layer(z, units)
    k = class_index(z, target)
    supports = _units_to_hold(z, held, held_as, place, group)
    kind: Literal["sufficiency", "necessity"] = (
        "necessity" if intervention == "necessity" else "sufficiency"
    )
    data = require_data(z)
    drawn = draw_sources(data, z.classes, per_split=images, donors=donors, seed=seed, head=z.head)
    down = downstream_of_unit_space(z, place, drawn)
    # Heads are counted block by block.
    heads = down.units if isinstance(down, HeadDownstream) else ()
    index = [heads.index(unit) if heads else Unit.parse(unit).index for unit in group]
    scale = class_margin_scales(down, drawn, z.classes)
    # Only the sources asked about are run; the others still lend.
    rows = source_rows(z, drawn, k, intervention, split, subset)
    chosen = drawn.take(rows)
    if supports:
        lenders = draw_donors_for_held_units(drawn, rows, k, held_as == "with", seed)
        found = _margin_change_while_held(z, drawn, chosen, lenders, k, group, supports) / scale[k]
        found = -found if kind == "necessity" else found
    else:
        found = sufficiency_and_necessity_by_group(down, chosen, scale, [index])[
            kind == "necessity"
        ][0, :, k]
    own, others = f"inputs of {z.classes[k]}", "inputs of other classes"
    plain = Effect(
        sources=group,
        target=f"{OUTPUT}:{z.classes[k]}",
        how=kind,
        value=f"as on {own if kind == 'sufficiency' else others}",
        baseline=others if kind == "sufficiency" else own,
        held=_phrase_for_held_units(
            z, place, group, supports, own if held_as == "with" else others
        ),
        level=level,
        delta=delta,
        split=split,
        inputs_hash=z.data_hash,
        weights_hash=z.weights_hash,
        seed=seed,
    )
    return estimate_effect(plain, found, chosen.scene)


def _resolve_units_of_one_layer(z: AnnotatedModel, named_units: Units) -> tuple[UnitSpace, Group]:
    names = resolve_units(z, named_units)
    units = [Unit.parse(name) for name in names]
    places = list(dict.fromkeys(unit.place for unit in units))
    odd = any(u.is_output or u.position is not None for u in units)
    alone = any(u.basis for u in units) or not is_cut_of_heads(z)
    if odd or not places or (len(places) > 1 and alone):
        raise UnitError(
            f"The sources are {', '.join(names) or 'nothing'}; they must be units of one layer.",
            f"The layers of {z.name} are {', '.join(s.name for s in z.layers)}.",
        )
    found = [resolve_unit_space(z, name) for name in places]
    for place in found:
        check_basis_not_over_heads(place)
    return min(found, key=lambda place: z.layers.index(place.layer)), sort_unit_group(names)


def _units_to_hold(
    z: AnnotatedModel, held: Units, held_as: str, place: UnitSpace, group: Group
) -> Group:
    """Return the units to hold."""
    if held_as not in ("without", "with"):
        raise InputsError(f"Units are not held {held_as!r}.", "Use without or with.")
    if held == "rest":
        layers = (
            [s for s in z.layers if s.name in z.cut] if is_cut_of_heads(z, place) else [place.spec]
        )
        every = [f"{s.name}:{u}" for s in layers for u in range(s.size)]
        return tuple(unit for unit in every if unit not in group)
    found = sort_unit_group(resolve_units(z, held)) if str(held) and held else ()
    both = sorted(set(found) & set(group))
    if both:
        raise UnitError(f"{both[0]} cannot be changed and held.", "Name it in one of the two.")
    return found


def _margin_change_while_held(
    z: AnnotatedModel,
    sources: Sources,
    chosen: Sources,
    held_donors: I64,
    k: int,
    group: Group,
    supports: Group,
) -> F64:
    """Return the change of class k's margin in logits, ``(n,)``, while supports are held."""
    places = spaces_of_units(z, (*group, *supports))
    run = runtime(z)
    many = held_donors.shape[1]
    change = changes_with_units_held(
        run,
        np.asarray(require_data(z).images[sources.index]),
        np.repeat(chosen.row, many),
        chosen.donors[:, k].ravel(),
        held_donors.ravel(),
        UnitSet(group, places),
        UnitSet(supports, places),
        lambda logits: class_margins(logits.float(), run.head)[:, k],
    )
    return change.reshape(-1, many).mean(1).astype(np.float64)


def _phrase_for_held_units(
    z: AnnotatedModel, place: UnitSpace, group: Group, supports: Group, on: str
) -> str:
    spec = place.layer
    rest = "rest of the cut" if spec.name in z.cut else f"rest of {spec.name}"
    if not supports:
        return "" if is_cut_of_heads(z, place) else rest
    # A set that is all the rest is called so.
    every = not is_cut_of_heads(z, place) and len(supports) + len(group) == place.spec.size
    every &= {Unit.parse(u).place for u in supports} == {place.name}
    if place.basis is not None:
        rest = f"all other directions of {place.name}"
    return f"{rest if every else shorten_unit_list(supports)} as on {on}"


def is_cut_of_heads(z: AnnotatedModel, place: UnitSpace | None = None) -> bool:
    """Whether the cut, and so a place that is no basis, is the heads of a transformer."""
    if place is not None and place.basis is not None:
        return False
    return require_data(z).is_tokens and all(name.endswith(HEADS) for name in z.cut)


def downstream_of_unit_space(
    z: AnnotatedModel, place: UnitSpace, sources: Sources
) -> MarginChanges:
    """Return what follows the units of a layer, directions of a basis, or heads of a cut."""
    run = runtime(z)
    images = require_data(z).images
    if is_cut_of_heads(z, place):
        return HeadDownstream.for_heads_of_cut(z, run, np.asarray(images[sources.index]))
    parts: list[torch.Tensor] = []
    with torch.no_grad():
        for i in range(0, len(sources), _BATCH):
            x = run.prepare(np.asarray(images[sources.index[i : i + _BATCH]]))
            parts.append(run.forward_to(place.layer.name, x).clone())
    return Downstream(run, place, torch.cat(parts))
