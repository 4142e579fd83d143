"""One data set that would mislead a search, or its benign twin, as a user would bring it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circuitz.evaluation.people.picture_truth import PictureTruth
from circuitz.z.inputs import InputSet

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class AttackSizes:
    """How much data one run uses.

    Parameters
    ----------
    per_class
        Pictures of D, and of what the oracle learns from, a class.
    concepts
        Pictures of the concept set.
    shifted
        Pictures of D′ a class.
    epochs, rounds, round_epochs
        Of training, and of the search.
    sources
        Source images a split when effects are measured.
    widths, rate
        Of the network, and the largest learning rate.
    """

    per_class: int = 300
    concepts: int = 1200
    shifted: int = 150
    epochs: int = 8
    rounds: int = 3
    round_epochs: int = 6
    sources: int = 180
    widths: tuple[int, ...] = (16, 32, 64, 64)
    rate: float = 1e-2


@dataclass(frozen=True, eq=False)
class AttackCase:
    """What the search is given, and what it is scored by.

    Parameters
    ----------
    name, twin
        Of the attack, and of the benign twin; ``twin`` is empty where this is the attack.
    data, concept_set, shifted
        D, the concept set and unlabelled D′.
    labels, cell
        ``(n,)`` D′'s classes, and the cell each picture is in. For scoring alone.
    clean
        What an oracle learns from: D in which nothing is tied to a class.
    pictures
        What simulated people see in pictures of D, D′ and the concept set.
    lexicon
        Kinds of words that no lexicon knows, as a user would say them (YAML); or empty.
    """

    name: str
    twin: str
    data: InputSet
    concept_set: InputSet
    shifted: InputSet
    labels: I64
    cell: I64
    clean: InputSet
    pictures: PictureTruth
    lexicon: str = ""
