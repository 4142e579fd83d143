"""Labels that simulated people who hold a card give, in both arms, and their chances."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circuitz.bench.people.pool_lineage import Lineage
from circuitz.bench.people.pooled_z import PooledZ
from circuitz.cards.activity import CardActivity
from circuitz.cards.card import Card
from circuitz.cards.cue_levels import activities_from_levels
from circuitz.cards.judged.class_answer import Arm
from circuitz.evaluation.evaluation_sets import InputsWithTruth, join_rendered_set_with_truth
from circuitz.evaluation.people.crowd import Crowd
from circuitz.evaluation.people.picture_truth import PictureTruth
from circuitz.evaluation.people.simulated_person import SimulatedPerson
from circuitz.store.asking import AskedQuestion
from circuitz.store.judgement import Judgement

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LabelPictures:
    """Pictures of a lineage that people label.

    Parameters
    ----------
    classes
        Names of the classes.
    labels, cell, cells
        ``(n,)`` truth, for scoring alone.
    keys
        Content hashes.
    truth
        What the pictures show.
    """

    classes: tuple[str, ...]
    labels: I64
    cell: I64
    cells: tuple[str, ...]
    keys: tuple[str, ...]
    truth: PictureTruth

    @classmethod
    def of_set(cls, inputs: InputsWithTruth, rows: I64) -> LabelPictures:
        """Take some pictures of a rendered set."""
        truth = inputs.truth
        keys = tuple(inputs.content_hashes(rows))
        shown = PictureTruth()
        names = tuple(truth.concept_names)
        for key, row in zip(keys, rows.tolist(), strict=True):
            values = truth.concepts[row] > 0.5
            shown.shown[key] = {n: bool(v) for n, v in zip(names, values, strict=True)}
        return cls(truth.classes, truth.labels[rows], truth.cell[rows], truth.cells, keys, shown)


class PicturesOfLineages:
    """Pictures of D and D′ by lineage, rendered when first asked for."""

    def __init__(self, lineages: Sequence[Lineage]) -> None:
        self._lineages = {lineage.name: lineage for lineage in lineages}
        self._by_lineage: dict[tuple[str, str], LabelPictures] = {}

    def shifted(self, z: PooledZ) -> LabelPictures:
        """Return D′ of a z's lineage, in the order of its readings."""
        return self._remembered(z, "D'", lambda lineage: LabelPictures.of_set(
            lineage.shifted_set, z.readings.rows_shifted))  # fmt: skip

    def data(self, z: PooledZ) -> LabelPictures:
        """Return the pictures of D that its readings are about."""
        return self._remembered(z, "D", lambda lineage: LabelPictures.of_set(
            join_rendered_set_with_truth(lineage.data), z.readings.rows_d))  # fmt: skip

    def _remembered(
        self, z: PooledZ, population: str, make: Callable[[Lineage], LabelPictures]
    ) -> LabelPictures:
        key = (z.lineage, population)
        if key not in self._by_lineage:
            self._by_lineage[key] = make(self._lineages[z.lineage])
        return self._by_lineage[key]


def activities_of(z: PooledZ, population: str, rows: I64) -> tuple[CardActivity, ...]:
    """Return what the hidden arm's screen shows of some pictures read."""
    levels = z.levels_d if population == "D" else z.levels_shifted
    return activities_from_levels(z.card, levels[rows])


def label_chances(
    card: Card,
    pictures: LabelPictures,
    rows: I64,
    people: Sequence[SimulatedPerson],
    *,
    arm: Arm,
    activities: Sequence[CardActivity] | None,
) -> F64:
    """Return how likely these people give each class, ``(n, k)``, the mean over people."""
    total = np.zeros((len(rows), len(pictures.classes)))
    for i, row in enumerate(rows.tolist()):
        key = pictures.keys[row]
        shown: Mapping[str, bool] | None = (
            None if arm == "hidden" else pictures.truth.of_picture(key)
        )
        for person in people:
            total[i] += person.class_chances(
                card, pictures.classes, shown=shown, key=key,
                activity=None if activities is None else activities[i],
            )  # fmt: skip
    return total / len(people)


def ask_for_labels(
    card: Card,
    pictures: LabelPictures,
    rows: I64,
    people: tuple[SimulatedPerson, ...],
    *,
    arm: Arm,
    activities: Sequence[CardActivity] | None,
    seed: int,
    z_hash: str = "",
) -> list[Judgement]:
    """Put pictures (or only the activity on them) to people, one of them each; options are shuffled."""
    rng = np.random.default_rng([seed, 21])
    questions: list[AskedQuestion] = []
    for i, row in enumerate(rows.tolist()):
        activity = None if activities is None else activities[i]
        items = (pictures.keys[row],)
        if arm == "hidden" and activity is not None:
            items = (*items, activity.hash)
        order = rng.permutation(len(pictures.classes))
        questions.append(
            AskedQuestion(
                "label", items, tuple(pictures.classes[int(k)] for k in order), arm=arm,
                seed=int(rng.integers(2**31)), card_hash=card.hash, z_hash=z_hash,
                shown={"card": card, "activity": activity},
            )
        )  # fmt: skip
    return Crowd(people, pictures.truth, task="bench-people")(questions)
