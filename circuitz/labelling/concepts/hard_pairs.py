"""Pictures on which units are most active, each with a hard one on which they are not.

Random pictures make it too easy: almost any word tells a snow detector's best pictures from
pictures of anything. Hard ones are like the active ones in what all other units see, or such that
units with another meaning are most active on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from circuitz.errors import MeasurementError
from circuitz.z.targets import GROUP, target_units

if TYPE_CHECKING:
    from circuitz.z.measurements import Measurements
    from circuitz.z.model import AnnotatedModel

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
#: Other units this correlated with the tested ones are no other meaning.
SAME = 0.7
#: Where the tested units count as not active: below this quantile of their responses.
LOW = 0.4
_LEAST_ACTIVE = 0.25


@dataclass(frozen=True, eq=False)
class HardNegativePairs:
    """Pictures for a test of what units respond to.

    Parameters
    ----------
    active
        ``(m,)`` int64 rows, most active first.
    hard
        ``(m,)`` int64 rows; ``hard[i]`` was chosen for ``active[i]`` where that was possible.
    why
        How each hard one was chosen: ``matched`` (nearest in what other units see) or ``other``
        (another unit is most active on it).
    """

    active: I64
    hard: I64
    why: tuple[str, ...]


def standardised_response_of_target(measurements: Measurements, target: str) -> F64:
    """Response of a unit, or of a group as the mean of its members, each standardised.

    Raises
    ------
    MeasurementError
        If its responses were not measured.
    """
    units = target_units(target) if target.startswith(GROUP) else (target,)
    columns = [_standardise(_measured_unit_response(measurements, unit)) for unit in units]
    return np.mean(columns, axis=0)


def choose_active_and_hard_pictures(
    z: AnnotatedModel,
    target: str,
    within: npt.NDArray[np.bool_],
    n: int,
    *,
    seed: int = 0,
) -> HardNegativePairs:
    """Choose the pictures a unit is most active on, and a hard negative for each.

    At most one picture of a scene is chosen, so that answers are independent.

    Parameters
    ----------
    z
        A measured model.
    target
        A unit, or ``group:a,b``.
    within
        ``(n,)`` images of the concept set that may be chosen.
    n
        Active pictures wanted; at most a quarter of the scenes there are.
    seed
        Seed of the order among equals.

    Raises
    ------
    MeasurementError
        If z was not measured, or not the unit.
    """
    measured, concept_set = z.measurements, z.concept_set
    if measured is None or concept_set is None or not measured.layers:
        raise MeasurementError("This model was not measured.", "Run circuitz measure Z first.")
    response = standardised_response_of_target(measured, target)
    others = _responses_of_uncorrelated_units(measured, target, response)
    scene = concept_set.scene if concept_set.scene is not None else np.arange(len(concept_set))
    rng = np.random.default_rng([seed, 17])
    shuffled = rng.permutation(np.flatnonzero(within))
    by_response = shuffled[np.argsort(-response[shuffled], kind="stable")]
    most = int(_LEAST_ACTIVE * len(np.unique(scene[shuffled])))
    active = _first_rows_one_per_scene(by_response, scene, min(n, most), set())
    if not active:
        return HardNegativePairs(np.zeros(0, np.int64), np.zeros(0, np.int64), ())
    bar = np.quantile(response[shuffled], LOW)
    low = shuffled[response[shuffled] <= bar]
    taken = {int(scene[row]) for row in active}
    hard: list[int] = []
    why: list[str] = []
    for i, row in enumerate(active):
        free = low[~np.isin(scene[low], list(taken))]
        if not len(free):
            break
        if i % 2 == 0 or not others.shape[1]:
            distance = ((others[free] - others[row]) ** 2).mean(1)
            at, how = int(free[distance.argmin()]), "matched"
        else:
            unit = others[:, int(rng.integers(others.shape[1]))]
            at, how = int(free[unit[free].argmax()]), "other"
        hard.append(at)
        why.append(how)
        taken.add(int(scene[at]))
    active = active[: len(hard)]
    return HardNegativePairs(np.array(active, np.int64), np.array(hard, np.int64), tuple(why))


def _responses_of_uncorrelated_units(measurements: Measurements, target: str, response: F64) -> F64:
    """``(n, o)`` standardised responses of units that mean something else.

    That they do is told by their responses: words are what is tested, and do not choose.
    """
    layer = (target_units(target)[0] if target.startswith(GROUP) else target).rpartition(":")[0]
    table = measurements.layers[layer].responses.astype(np.float64)
    table = (table - table.mean(0)) / np.where(table.std(0) > 0, table.std(0), np.inf)
    # One that tells the same (or the opposite) would pull the match to where the unit is active.
    against = np.abs(table.T @ _standardise(response)) / len(table)
    return table[:, (against < SAME) & (table.std(0) > 0)]


def _first_rows_one_per_scene(
    rows: I64, scene: npt.NDArray[np.int64], n: int, used_scenes: set[int]
) -> list[int]:
    found: list[int] = []
    for row in rows.tolist():
        if len(found) >= n:
            break
        if int(scene[row]) not in used_scenes:
            found.append(int(row))
            used_scenes.add(int(scene[row]))
    return found


def _measured_unit_response(measurements: Measurements, unit: str) -> F64:
    layer, _, index = unit.rpartition(":")
    found = measurements.layers.get(layer)
    if found is None or not index.isdecimal() or int(index) >= found.responses.shape[1]:
        raise MeasurementError(f"{unit} was not measured.", "Run circuitz measure Z first.")
    return found.responses[:, int(index)].astype(np.float64)


def _standardise(values: F64) -> F64:
    spread = values.std()
    return (values - values.mean()) / (spread if spread > 0 else np.inf)
