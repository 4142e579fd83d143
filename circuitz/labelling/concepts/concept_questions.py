"""Which pictures people are asked about, to learn where a concept is.

Two kinds of pictures are asked about, for two ends:

- *at random*, in every split: what verdicts rest on. Where all labels of a split come from a random
  draw, rates and scores are what they would be had everybody been asked about everything.
- *for what they tell*, on *select* alone: pictures on which units that are said to mean the concept
  are most active, hard negatives beside them, and pictures on which they are silent. Labels chosen
  by activity would make a match look better than it is, so none of them is on *test* or *audit*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from circuitz.errors import LabellingError
from circuitz.labelling.concepts.hard_pairs import (
    choose_active_and_hard_pictures,
    standardised_response_of_target,
)
from circuitz.z.inputs import SPLITS

if TYPE_CHECKING:
    from circuitz.z.inputs import InputSet
    from circuitz.z.model import AnnotatedModel

Why = Literal["random", "active", "hard", "silent"]
#: Share of the questions that is chosen for what it tells, where units are known.
TELLING = 0.3
#: Where the random ones are: verdicts rest on *test*, export on *audit*.
RANDOM = {"select": 0.2, "test": 0.5, "audit": 0.3}


@dataclass(frozen=True)
class PictureToAsk:
    """One picture to be asked about: its row in the concept set, and why it was chosen."""

    row: int
    why: Why


def choose_pictures_to_ask(
    z: AnnotatedModel,
    units: Sequence[str],
    labelled: npt.NDArray[np.bool_],
    n: int,
    *,
    seed: int = 0,
) -> list[PictureToAsk]:
    """Choose pictures to ask about a concept, in a shuffled order.

    Parameters
    ----------
    z
        A model with a concept set, split.
    units
        Units (or groups) that are said to mean the concept; none: all pictures are random.
    labelled
        ``(n,)`` pictures that are labelled already, which are not asked about.
    n
        Questions; fewer where there are not as many pictures.
    seed
        Seed of choice and order.

    Raises
    ------
    LabellingError
        If there is no concept set of pictures, it is not split, or nothing is left to ask.
    """
    concept_set = require_askable_concept_set(z)
    assert concept_set.split is not None
    if n < 1:
        raise LabellingError(f"{n} questions cannot be asked.", "Ask for 1 or more.")
    free = ~labelled
    if not free.any():
        raise LabellingError("Every picture is labelled already.", "Nothing is left to ask.")
    rng = np.random.default_rng([seed, 5])
    found: list[PictureToAsk] = []
    if units and z.measurements is not None:
        select = free & (concept_set.split == SPLITS.index("select"))
        found = _choose_pictures_by_activity(z, units, select, round(TELLING * n), seed)
    taken = {ask.row for ask in found}
    left = n - len(found)
    quotas = {name: round(share * left) for name, share in RANDOM.items()}
    quotas["test"] += left - sum(quotas.values())
    random: list[int] = []
    for name, quota in quotas.items():
        rows = np.flatnonzero(free & (concept_set.split == SPLITS.index(name)))
        drawn = [row for row in _shuffle_across_scenes(rows, concept_set, rng) if row not in taken]
        random += drawn[:quota]
    found += [PictureToAsk(row, "random") for row in random]
    order = rng.permutation(len(found))
    return [found[int(i)] for i in order]


def require_askable_concept_set(z: AnnotatedModel) -> InputSet:
    """Concept set of a z, if people can be asked about it.

    Raises
    ------
    LabellingError
        If there is none, it holds no pictures, or it is not split.
    """
    concept_set = z.concept_set
    if concept_set is None:
        raise LabellingError(
            "This z has no pictures that concepts could be labelled in.",
            "Measure it with a concept set: circuitz new --concept-set DIR, or cz.measure.",
        )
    if concept_set.is_tokens:
        raise LabellingError(
            "Its concept set holds token sequences, and pictures are what is asked about.",
            "Give concept labels of texts in Python: cz.measure(z, concept_set, data).",
        )
    if concept_set.split is None:
        raise LabellingError(
            "The concept set is not split.",
            "Give it a split: an array of 0 (select), 1 (test) and 2 (audit), one an image.",
        )
    return concept_set


def _choose_pictures_by_activity(
    z: AnnotatedModel, units: Sequence[str], select: npt.NDArray[np.bool_], n: int, seed: int
) -> list[PictureToAsk]:
    """Active pictures, hard negatives and silent ones, a third each, shared among the units."""
    assert z.measurements is not None
    each = max(n // (3 * len(units)), 1)
    found: dict[int, Why] = {}
    for target in units:
        if len(found) >= n:
            break
        free = select.copy()
        free[list(found)] = False
        pair = choose_active_and_hard_pictures(z, target, free, each, seed=seed)
        found |= dict.fromkeys(map(int, pair.active), "active")
        found |= {int(row): "hard" for row in pair.hard}
        response = standardised_response_of_target(z.measurements, target)
        rows = np.flatnonzero(free & (response <= np.median(response)))
        silent = np.random.default_rng([seed, 7]).permutation(rows)
        fresh = [int(row) for row in silent if int(row) not in found]
        found |= dict.fromkeys(fresh[: len(pair.active)], "silent")
    return [PictureToAsk(row, why) for row, why in list(found.items())[:n]]


def _shuffle_across_scenes(
    rows: npt.NDArray[np.int64], concept_set: InputSet, rng: np.random.Generator
) -> list[int]:
    """Shuffle rows, one of every scene before the second of any: more is learned from each."""
    shuffled = rng.permutation(rows)
    if concept_set.scene is None:
        return shuffled.tolist()
    turn: dict[int, int] = {}
    ranked: list[tuple[int, int, int]] = []
    for i, row in enumerate(shuffled.tolist()):
        scene = int(concept_set.scene[row])
        ranked.append((turn.get(scene, 0), i, row))
        turn[scene] = turn.get(scene, 0) + 1
    return [row for _, _, row in sorted(ranked)]
