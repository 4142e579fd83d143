"""Whether there are pictures enough to say anything, told before a network is trained on them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from circuitz.errors import ConceptLabelsError, InputsError
from circuitz.z.inputs import SPLITS, InputSet

LEAST = 2
"""Scenes of a class that each split must hold: one alone has no interval."""
FEW = 10
"""Scenes a split below which most claims stay inconclusive."""
_HINT = (
    "D is split into select, test and audit (70, 15 and 15 in 100): give 20 pictures a class at "
    "the very least, some hundreds for claims that can be decided."
)
_LABEL = (
    "Label 20 pictures with each concept and 20 without at the very least, some hundreds for "
    "claims that can be decided."
)


def check_sample_sizes(data: InputSet, concept_set: InputSet) -> tuple[str, ...]:
    """Refuse sets on which nothing can be measured, and remark on those that decide little.

    Parameters
    ----------
    data
        D, labelled and split.
    concept_set
        The concept set, split.

    Returns
    -------
    tuple of str
        What will probably stay inconclusive, and why; empty where there is plenty.

    Raises
    ------
    InputsError
        If some split holds fewer than two scenes of a class.
    ConceptLabelsError
        If no concept is both shown and absent in every split of the concept set.
    """
    return (
        *_check_class_counts_with_remarks(data),
        *_check_concept_counts_with_remarks(concept_set),
    )


def _check_class_counts_with_remarks(data: InputSet) -> list[str]:
    assert data.labels is not None
    shown = _class_membership(data)
    counts = {
        f"of {name}": _count_scenes_by_split(data, shown[:, k])
        for k, name in enumerate(data.classes)
    }
    if data.labels.ndim == 2:
        # A yes or no for each class: pictures without it are needed as much.
        counts |= {
            f"without {name}": _count_scenes_by_split(data, ~shown[:, k])
            for k, name in enumerate(data.classes)
        }
    which, least = min(counts.items(), key=lambda item: min(item[1]))
    if min(least) < LEAST:
        split = SPLITS[least.index(min(least))]
        raise InputsError(
            f"D has {_picture_count_text(sum(least))} {which}, and its split ‘{split}’ holds {min(least)} of "
            "them: too few to measure an effect with its interval.",
            _HINT,
        )
    few = [which for which, found in counts.items() if min(found) < FEW]
    if not few:
        return []
    return [
        f"D has few pictures {_first_names_in_words(few)}: as few as {min(least)} in a split. Intervals will be "
        "wide, and most claims inconclusive."
    ]


def _check_concept_counts_with_remarks(concept_set: InputSet) -> list[str]:
    table = concept_set.concepts
    assert table is not None
    least: dict[str, int] = {}
    for k, name in enumerate(concept_set.concept_names):
        known = (_count_scenes_by_split(concept_set, table[:, k] == value) for value in (1, 0))
        least[name] = min(n for found in known for n in found)
    if not any(least.values()):
        labelled = int(np.isfinite(table).any(1).sum())
        raise ConceptLabelsError(
            f"The concept set has {_picture_count_text(labelled)} with labels, and no concept is both shown "
            "and absent in each of its splits: nothing can be said about what units see.",
            _LABEL,
        )
    few = [name for name, n in least.items() if n < FEW]
    if not few:
        return []
    return [
        f"Few pictures of the concept set are labelled as showing, or as not showing, "
        f"{_first_names_in_words([f'‘{name}’' for name in few])}: as few as {min(least[n] for n in few)} in a "
        "split. Claims about that will probably stay inconclusive."
    ]


def _class_membership(data: InputSet) -> npt.NDArray[np.bool_]:
    """Return ``(n, k)``: which classes a picture shows."""
    assert data.labels is not None
    if data.labels.ndim == 2:
        return data.labels == 1
    return data.labels[:, None] == np.arange(len(data.classes))


def _count_scenes_by_split(inputs: InputSet, rows: npt.NDArray[np.bool_]) -> list[int]:
    """Return how many scenes among these rows each split holds."""
    split = np.zeros(len(inputs), np.uint8) if inputs.split is None else inputs.split
    scene = np.arange(len(inputs)) if inputs.scene is None else inputs.scene
    return [len(np.unique(scene[rows & (split == s)])) for s in range(len(SPLITS))]


def _first_names_in_words(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _picture_count_text(n: int) -> str:
    return "1 picture" if n == 1 else f"{n:,} pictures"
