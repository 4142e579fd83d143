"""What the cues of a card do on inputs, as it is displayed: levels and places."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from circuitz.cards.activity import CardActivity
from circuitz.cards.card import Card
from circuitz.cards.cue_levels import (
    activities_from_levels,
    cue_levels,
    place_from_map,
    unit_weights_by_cue,
)
from circuitz.errors import MeasurementError
from circuitz.measurement.cut_responses import cut_responses
from circuitz.models.run.layer_specs import flatten_unit_maps
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.picture_maps import fold_onto_picture
from circuitz.z.inputs import SPLITS, InputSet
from circuitz.z.measurements import EffectMeasurements
from circuitz.z.model import AnnotatedModel

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]


def usual_responses(
    z: AnnotatedModel, *, progress: Callable[[int, int], None] | None = None
) -> F32:
    """Return the mean responses of the cut's units over the *select* rows of D.

    Where D is not at hand, or has no *select* rows, over what there is: all of D, or the concept
    set as it was measured.

    Returns
    -------
    ``(u,)`` float32 in the order of the cut's units.

    Raises
    ------
    MeasurementError
        If z has neither D nor measurements, or no cut of one layer.
    """
    if z.data is not None:
        rows = None
        if z.data.split is not None:
            select = np.flatnonzero(z.data.split == SPLITS.index("select"))
            rows = select if len(select) else None
        return cut_responses(z, z.data, rows, progress=progress).responses.mean(0)
    measured = z.measurements.layers.get(z.cut[0]) if z.measurements and z.cut else None
    if measured is None or not len(measured.responses):
        raise MeasurementError(
            "What is usual for its units is not known: this z has neither its training data nor "
            "measurements.",
            "Open it beside its data, or measure it again.",
        )
    return measured.responses.mean(0).astype(np.float32)


def card_activities(
    z: AnnotatedModel,
    card: Card,
    inputs: InputSet,
    rows: I64 | None = None,
    *,
    mean: npt.ArrayLike | None = None,
    places: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[CardActivity, ...]:
    """Return what is displayed of each input to somebody who sees the card's cues alone.

    Parameters
    ----------
    z
        The measured model whose card it is.
    card
        The card.
    inputs
        D, D′ or others, prepared for z.
    rows
        Which of them; all by default.
    mean
        ``(u,)`` what is usual; :func:`usual_responses` by default.
    places
        Whether to say where cues are active; without, less is computed.
    progress
        Called with inputs done and inputs in all.

    Raises
    ------
    MeasurementError
        If z's effects are not measured, it has no cut of one layer, or there are no inputs.
    CardError
        If the card is of another network.
    """
    if z.measurements is None or z.measurements.effects is None:
        raise MeasurementError(
            "The effects of this z are not measured.", "Call measure(z, concept_set) first."
        )
    effects = z.measurements.effects
    usual = np.asarray(usual_responses(z) if mean is None else mean, np.float64)
    if not places:
        read = cut_responses(z, inputs, rows, progress=progress)
        levels = cue_levels(card, read.responses, read.units, effects, mean=usual)
        return activities_from_levels(card, levels)
    if len(z.cut) != 1:
        raise MeasurementError(
            f"The cut has {len(z.cut)} layers.", "Wrap the network with a cut of one layer."
        )
    images = inputs.images if rows is None else inputs.images[rows]
    if not len(images):
        raise MeasurementError("There are no inputs to read.", "Give one or more.")
    spec = next(s for s in z.layers if s.name == z.cut[0])
    found: list[CardActivity] = []
    for _, acts, _ in runtime(z).read(images, [spec.name]):
        maps = flatten_unit_maps(spec, acts[spec.name]).float().cpu().numpy()
        units = tuple(f"{spec.name}:{u}" for u in range(maps.shape[1]))
        levels = cue_levels(card, maps.mean(2), units, effects, mean=usual)
        weights = unit_weights_by_cue(card, units, effects)
        excess = _excess_over_usual(maps, units, effects, usual)
        joint = np.einsum("nup,uc->ncp", excess, weights.astype(np.float32))
        spots = [
            [place_from_map(one) for one in cues] for cues in fold_onto_picture(spec, joint, "sum")
        ]
        found += activities_from_levels(card, levels, spots)
        if progress is not None:
            progress(len(found), len(images))
    return tuple(found)


def _excess_over_usual(
    maps: F32, units: tuple[str, ...], effects: EffectMeasurements, usual: npt.NDArray[np.float64]
) -> F32:
    """Return how far each position is above what is usual, in spans, ``(n, u, positions)``."""
    row = {unit: i for i, unit in enumerate(effects.units)}
    span = np.array([effects.span[row[u]] if u in row else np.nan for u in units], np.float64)
    usable = np.isfinite(span) & (np.abs(span) > 1e-12)
    scale = np.where(usable, 1 / np.where(usable, span, 1.0), 0.0)
    excess = (maps - usual[None, :, None].astype(np.float32)) * scale[None, :, None]
    return np.maximum(excess, 0.0).astype(np.float32)
