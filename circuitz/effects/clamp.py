"""Units or directions held as where they are most active, and what the outputs then say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from circuitz.errors import InputsError, UnitError
from circuitz.models.run.basis_space import resolve_unit_space
from circuitz.models.run.layer_specs import flatten_unit_maps, unflatten_unit_maps
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.unit_space import UnitSpace
from circuitz.patching.interchange import check_basis_not_over_heads
from circuitz.z.bases import basis_sizes
from circuitz.z.inputs import SPLITS, InputSet
from circuitz.z.targets import canonical_target
from circuitz.z.unit import Unit

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
_LENDERS = 8


@dataclass(frozen=True, eq=False)
class Clamped:
    """Mean probabilities of the classes over some images, before and while units are held.

    Parameters
    ----------
    before, after
        ``(k,)`` float32.
    images
        How many images.
    of
        What they are: ``D`` or ``concept set``.
    """

    before: F32
    after: F32
    images: int
    of: str


def clamp_units(
    z: AnnotatedModel, units: Sequence[str], *, images: int = 48, seed: int = 0
) -> Clamped:
    """Hold units of one layer at the values they have on images they respond to most.

    Values are those of real images, a different one for each image in turn; the rest of the layer
    stays as it is. Directions of a basis are held at coordinates: activations move along each by
    as much as its coordinate differs.

    Parameters
    ----------
    z
        Annotated model with its network, and D or a concept set at hand.
    units
        Unit ids of one layer, or of one basis over it.
    images, seed
        Images of *test* the outputs are averaged over, and the seed of their choice.

    Raises
    ------
    UnitError
        If there are no units, one does not exist, or they are of several layers.
    BasisError
        If a basis does not fit its layer, or lies over attention heads.
    InputsError
        If there are no images.
    BuilderError
        If the network is not there.
    """
    bases = basis_sizes(z.bases)
    asked = [Unit.parse(canonical_target(u, z.layers, z.classes, bases)) for u in units]
    names = {unit.place for unit in asked}
    if len(names) != 1 or any(u.is_output for u in asked):
        raise UnitError(
            f"{', '.join(map(str, units)) or 'Nothing'} cannot be held together.",
            "Hold units of one layer, or directions of one basis.",
        )
    place = resolve_unit_space(z, names.pop())
    check_basis_not_over_heads(place)
    layer = place.layer.name
    source, of = (z.data, "D") if z.data is not None else (z.concept_set, "concept set")
    # Concept sets of tokens ask about pairs of positions, which the network does not run on.
    if source is None or not len(source) or (source.is_tokens and source is not z.data):
        raise InputsError("There are no inputs to hold units on.", "Open D, or a concept set.")
    run = runtime(z)
    x = run.prepare(np.asarray(source.images[_draw_test_rows(source, images, seed)]))
    with torch.no_grad():
        act = run.forward_to(layer, x).clone()
        before = run.resume(layer, act, x)
        flat = _unit_or_direction_values(place, act)
        held = flat.clone()
        for unit in asked:
            rows = None if source.is_tokens else _exemplar_rows(z, place.name, unit.index)
            pool = z.concept_set if rows is not None else source
            if rows is None or pool is None:
                # Of heads how much they gather.
                strength = place.maps_of_units(act)[:, unit.index].flatten(1).mean(1)
                lent = flat[strength.argsort(descending=True)[:_LENDERS]]
            else:
                there = run.forward_to(layer, run.prepare(np.asarray(pool.images[rows])))
                lent = _unit_or_direction_values(place, there)
            turn = torch.arange(len(x), device=act.device) % len(lent)
            held[:, unit.index] = lent[turn, unit.index]
        if place.basis is not None:
            own = flatten_unit_maps(place.layer, act).float()
            held = own + place.basis.activation_change(held - flat, own)
        after = run.resume(layer, unflatten_unit_maps(place.layer, held, act), x)
    return Clamped(
        _mean_probabilities(before, z.head), _mean_probabilities(after, z.head), len(x), of
    )


def _unit_or_direction_values(place: UnitSpace, act: torch.Tensor) -> torch.Tensor:
    """Return what units put out, or coordinates of directions, ``(n, u, positions)``."""
    flat = flatten_unit_maps(place.layer, act)
    return flat if place.basis is None else place.basis.coordinates(flat)


def _mean_probabilities(logits: torch.Tensor, head: str) -> F32:
    apart = head == "multi-label"
    share = logits.float().sigmoid() if apart else logits.float().softmax(1)
    return share.mean(0).cpu().numpy()


def _draw_test_rows(source: InputSet, images: int, seed: int) -> I64:
    rows = np.arange(len(source))
    if source.split is not None:
        test = np.flatnonzero(source.split == SPLITS.index("test"))
        rows = test if len(test) else rows
    return np.sort(np.random.default_rng([seed, 41]).permutation(rows)[:images])


def _exemplar_rows(z: AnnotatedModel, place: str, unit: int) -> I64 | None:
    """Return the unit's exemplars in the concept set, where they are known."""
    measured = z.measurements.layers.get(place) if z.measurements is not None else None
    if measured is None or z.concept_set is None:
        return None
    rows = measured.exemplars[unit]
    rows = rows[(rows >= 0) & (rows < len(z.concept_set))][:_LENDERS]
    return rows if len(rows) else None
