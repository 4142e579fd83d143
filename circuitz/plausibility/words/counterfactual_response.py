"""What adding a concept to an image does to a unit, where the concept set holds both images.

A label goes along with much else; a counterfactual differs in the concept alone. So where a
concept set has pairs, the change of the response within them says more than any score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from circuitz.errors import InputsError
from circuitz.z.inputs import InputSet

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CounterfactualChange:
    """Change of every unit's response with every concept, in standard deviations of the response.

    Parameters
    ----------
    change, low, high
        ``(u, c)`` mean over pairs and its interval; NaN where a concept has fewer than two scenes
        with a pair, or a unit is constant or not finite.
    n
        ``(c,)`` pairs.
    """

    change: F64
    low: F64
    high: F64
    n: npt.NDArray[np.int64]


def counterfactual_change(
    responses: npt.ArrayLike,
    concept_set: InputSet,
    rows: npt.NDArray[np.bool_] | None = None,
    level: float = 0.95,
) -> CounterfactualChange:
    """Measure how responses change when a concept is put into an image and nothing else changes.

    Parameters
    ----------
    responses
        ``(n, u)`` one number an image and unit.
    concept_set
        The concept set, with ``pairs`` of an image that shows a concept and one that does not;
        without any, nothing is known of any concept.
    rows
        ``(n,)`` images to use; a pair counts where both of its are. All by default.
    level
        Of the intervals: t intervals over scenes.

    Raises
    ------
    InputsError
        If there is not one row of responses an image.
    """
    x = np.asarray(responses, np.float64)
    if x.ndim != 2 or len(x) != len(concept_set):
        raise InputsError(
            f"Responses are of shape {x.shape}, the concept set has {len(concept_set)} images.",
            "Pass one row an image.",
        )
    here = np.ones(len(x), bool) if rows is None else np.asarray(rows, bool)
    pairs = np.zeros((0, 3), np.int64) if concept_set.pairs is None else concept_set.pairs
    pairs = pairs[here[pairs[:, :2]].all(1)]
    count = len(concept_set.concept_names)
    mean, low, high = (np.full((x.shape[1], count), np.nan) for _ in range(3))
    n = np.bincount(pairs[:, 2], minlength=count).astype(np.int64)
    spread = x[here].std(0)
    sound = np.isfinite(spread) & (spread > 0)
    for c in range(count):
        shows, lacks = pairs[pairs[:, 2] == c, :2].T
        scenes = _mean_by_scene(
            x[shows] - x[lacks], shows if concept_set.scene is None else concept_set.scene[shows]
        )
        if len(scenes) < 2:
            continue
        scaled = scenes[:, sound] / spread[sound]
        middle = scaled.mean(0)
        reach = stats.t.ppf((1 + level) / 2, len(scaled) - 1) * stats.sem(scaled, 0)
        mean[sound, c], low[sound, c], high[sound, c] = middle, middle - reach, middle + reach
    return CounterfactualChange(mean, low, high, n)


def _mean_by_scene(values: F64, scene: npt.NDArray[np.int64]) -> F64:
    """Mean over the pairs of each scene."""
    _, place, size = np.unique(scene, return_inverse=True, return_counts=True)
    total = np.zeros((len(size), values.shape[1]))
    np.add.at(total, place, values)
    return total / size[:, None]
