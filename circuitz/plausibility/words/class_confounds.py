"""Concepts that the classes give away, in a concept set that shows the classes themselves.

Where every dog is on snow and nothing else is, a unit that tells dogs from the rest responds to
snow as well as any snow detector does. No match can tell the two apart, so words that name such a
concept are neither right nor wrong, and what the unit does convicts nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from circuitz.plausibility.check_settings import COINCIDE
from circuitz.z.inputs import InputSet

F64 = npt.NDArray[np.float64]


def columns_confounded_with_class(
    concept_set: InputSet, classes: Sequence[str]
) -> dict[int, tuple[str, ...]]:
    """Find the concept columns that go together with z's classes.

    A column does so when its multiple correlation with what classes an image shows (adjusted for
    their number; for two kinds of images, plain correlation) reaches the bar at which two concepts
    cannot be told apart.

    Parameters
    ----------
    concept_set
        Only classes that are z's count, where its images are labelled with them.
    classes
        z's classes.

    Returns
    -------
    dict
        By column, the classes whose images show the concept; empty where it holds none of the
        classes, as a concept set should be made.
    """
    if concept_set.labels is None or concept_set.concepts is None:
        return {}
    shown = _classes_shown_by_image(concept_set, classes)
    if shown is None:
        return {}
    names = [name for name in concept_set.classes if name in classes]
    found: dict[int, tuple[str, ...]] = {}
    for column in range(concept_set.concepts.shape[1]):
        values = concept_set.concepts[:, column].astype(np.float64)
        known = np.isfinite(values)
        if _is_confounded_with_classes(values[known], shown[known]):
            means = [
                values[known & shown[:, k]].mean() if (known & shown[:, k]).any() else 0.0
                for k in range(len(names))
            ]
            found[column] = tuple(n for n, mean in zip(names, means, strict=True) if mean > 0.5)
    return found


def _classes_shown_by_image(
    concept_set: InputSet, classes: Sequence[str]
) -> npt.NDArray[np.bool_] | None:
    """Which of z's classes each image shows, ``(n, k)``; None when there are none."""
    labels = concept_set.labels
    assert labels is not None
    if labels.ndim == 1:
        labels = (labels[:, None] == np.arange(len(concept_set.classes))).astype(np.int64)
    mine = [k for k, name in enumerate(concept_set.classes) if name in classes]
    shown = labels[:, mine] == 1
    return shown if shown.any() else None


def _is_confounded_with_classes(values: F64, shown: npt.NDArray[np.bool_]) -> bool:
    total = float(((values - values.mean()) ** 2).sum()) if len(values) else 0.0
    if total == 0:
        return False
    _, kind = np.unique(shown, axis=0, return_inverse=True)
    kind = kind.reshape(-1)
    kinds = int(kind.max()) + 1
    n = len(values)
    if kinds < 2 or n <= kinds:
        return False
    sums = np.bincount(kind, values)
    counts = np.bincount(kind)
    within = float(((values - (sums / counts)[kind]) ** 2).sum())
    explained = 1 - (within / (n - kinds)) / (total / (n - 1))
    return explained >= COINCIDE**2
