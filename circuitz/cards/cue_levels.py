"""How active cues of a card are, computed from units' responses. No network, no torch.

A unit's activity is a = clip((r - mean) / span, -1, 1): r its mean response over an input's
positions, mean its usual one in D, span the response difference between inactive and active, as
:mod:`circuitz.posterior.likelihood` has it. A cue's level is the mean of its units' activities,
each weighed by the summed size of its drive on the classes; units that never change have no weight.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from circuitz.cards.activity import (
    MOST_CELL,
    PLACE_SIDE,
    STEPS,
    CardActivity,
    CueActivity,
    distinct_cues,
)
from circuitz.cards.card import Card
from circuitz.errors import CardError
from circuitz.z.measurements import EffectMeasurements

F64 = npt.NDArray[np.float64]
_NO_SPAN = 1e-12


def unit_weights_by_cue(card: Card, units: Sequence[str], effects: EffectMeasurements) -> F64:
    """Return how much each unit counts in each cue.

    Parameters
    ----------
    card
        The card.
    units
        Ids of the units, the order of axis ``u``.
    effects
        Drive and span of the same network.

    Returns
    -------
    ``(u, c)`` float64 in the order of :func:`circuitz.cards.activity.distinct_cues`; columns sum to
    1, or to 0 where none of the cue's units ever changes.

    Raises
    ------
    CardError
        If the card names a unit that was not read, or not measured.
    """
    column = {unit: i for i, unit in enumerate(units)}
    row = {unit: i for i, unit in enumerate(effects.units)}
    cues = distinct_cues(card)
    strange = [u for cue in cues for u in cue.units if u not in column or u not in row]
    if strange:
        raise CardError(
            f"The card names {strange[0]}, which was not measured.", "Make the card from this z."
        )
    size = np.abs(np.nan_to_num(effects.drive.astype(np.float64))).sum(1)
    alive = _changes(effects.span)
    weights = np.zeros((len(units), len(cues)))
    for c, cue in enumerate(cues):
        live = [u for u in cue.units if alive[row[u]]]
        total = sum(size[row[u]] for u in live)
        for unit in live:
            # Units that drive nothing still show what they see.
            weights[column[unit], c] = size[row[unit]] / total if total > 0 else 1 / len(live)
    return weights


def cue_levels(
    card: Card,
    responses: npt.ArrayLike,
    units: Sequence[str],
    effects: EffectMeasurements,
    *,
    mean: npt.ArrayLike,
) -> F64:
    """Return how active each cue of a card is on each input.

    Parameters
    ----------
    card
        The card.
    responses
        ``(n, u)`` mean responses of the cut (:func:`circuitz.measurement.cut_responses`).
    units
        Ids of the units of axis ``u``.
    effects
        Drive and span of the same network.
    mean
        ``(u,)`` what is usual: mean responses over the select rows of D.

    Returns
    -------
    ``(n, c)`` float64, -1 to 1, in the order of :func:`circuitz.cards.activity.distinct_cues`.

    Raises
    ------
    CardError
        If shapes or units do not fit, or numbers are not finite.
    """
    r, usual = np.asarray(responses, np.float64), np.asarray(mean, np.float64)
    if r.ndim != 2 or r.shape[1] != len(units) or usual.shape != (len(units),):
        raise CardError(
            f"Responses {r.shape} and means {usual.shape} do not fit {len(units)} units.",
            "Give one column a unit.",
        )
    if not (np.isfinite(r).all() and np.isfinite(usual).all()):
        raise CardError("Some responses are not finite.", "Check the network's weights.")
    weights = unit_weights_by_cue(card, units, effects)
    return _activity(r, units, effects, usual) @ weights


def activities_from_levels(
    card: Card, levels: npt.ArrayLike, places: Sequence[Sequence[tuple[str, ...]]] = ()
) -> tuple[CardActivity, ...]:
    """Return what is displayed of each input.

    Parameters
    ----------
    levels
        ``(n, c)`` from :func:`cue_levels`.
    places
        For every input a place a cue (:func:`place_from_map`); none by default. Shown where a cue
        is more active than usual.

    Raises
    ------
    CardError
        If there is not one level a cue.
    """
    cues = distinct_cues(card)
    values = np.asarray(levels, np.float64)
    if values.ndim != 2 or values.shape[1] != len(cues):
        raise CardError(
            f"Levels {values.shape} do not fit {len(cues)} cues.", "Give one column a cue."
        )
    steps = np.clip(np.rint(values * STEPS), -STEPS, STEPS).astype(int)
    found: list[CardActivity] = []
    for i, row in enumerate(steps):
        order = sorted(range(len(cues)), key=lambda c: (-row[c], c))
        shown = tuple(
            CueActivity(
                cues[c].words,
                cues[c].units,
                int(row[c]),
                tuple(places[i][c]) if places and row[c] > 0 else (),
            )
            for c in order
        )
        found.append(CardActivity(card.hash, shown))
    return tuple(found)


def place_from_map(values: npt.ArrayLike) -> tuple[str, ...]:
    """Return where a map is above zero, as rows of digits.

    Parameters
    ----------
    values
        ``(h, w)`` activity above what is usual.

    Returns
    -------
    Rows of digits, the largest value 9, at most eight by eight; empty where nothing is above 0.
    """
    plain = np.maximum(np.asarray(values, np.float64), 0.0)
    if plain.ndim != 2 or not plain.size or not np.isfinite(plain).all() or plain.max() <= 0:
        return ()
    small = _mean_over_cells(_mean_over_cells(plain).T).T
    digits = np.rint(MOST_CELL * small / small.max()).astype(int)
    return tuple("".join(str(d) for d in row) for row in digits)


def _mean_over_cells(values: F64) -> F64:
    """Bring the first axis down to a place's side: each cell is the mean of the rows in it."""
    rows = len(values)
    if rows <= PLACE_SIDE:
        return values
    edge = np.linspace(0, rows, PLACE_SIDE + 1).round().astype(int)
    return np.stack([values[a:b].mean(0) for a, b in itertools.pairwise(edge)])


def _activity(r: F64, units: Sequence[str], effects: EffectMeasurements, mean: F64) -> F64:
    """Return every unit's activity, ``(n, u)``; 0 for units that never change or were not measured."""
    row = {unit: i for i, unit in enumerate(effects.units)}
    alive = _changes(effects.span)
    read = [(i, row[unit]) for i, unit in enumerate(units) if unit in row and alive[row[unit]]]
    activity = np.zeros_like(r)
    for i, measured in read:
        activity[:, i] = np.clip((r[:, i] - mean[i]) / float(effects.span[measured]), -1.0, 1.0)
    return activity


def _changes(span: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
    return np.isfinite(span) & (np.abs(span.astype(np.float64)) > _NO_SPAN)
