"""M_L_test at 50, 100 and 200 answers: on what z* sees, with what its card says, or on pictures alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuitz.bench.people.asked_comparisons import FRESH_SEEDS, TRAIN_SEEDS, people_of_world
from circuitz.bench.people.asked_labels import (
    F64,
    I64,
    LabelPictures,
    PicturesOfLineages,
    ask_for_labels,
    label_chances,
)
from circuitz.bench.people.pool_lineage import Lineage
from circuitz.bench.people.pooled_z import PooledZ
from circuitz.cards.activity import cue_key, distinct_cues
from circuitz.evaluation.prediction_scores import worst_group
from circuitz.labelling.labels.answers import answers_from_judgements
from circuitz.labelling.labels.label_model import fit_label_model
from circuitz.labelling.labels.trunk_comparison import compare_trunks, picture_features
from circuitz.store.judgement import Judgement

SIZES = (50, 100, 200)
_AGREED_ON = 120
# Spread of what a card says, as an input; answers set its weight.
_CARD_SPREAD = 2.0


@dataclass(frozen=True, eq=False)
class LabelJudges:
    """Pictures of D′ that nobody labelled, and what fresh people would say of some of them.

    Parameters
    ----------
    pictures
        All of D′.
    rest
        Rows nobody labelled.
    some
        Rows of these whose chances were worked out.
    chances
        ``(s, k)`` the mean over fresh people.
    """

    pictures: LabelPictures
    rest: I64
    some: I64
    chances: F64

    @property
    def ceiling(self) -> float:
        """Most of fresh people's answers that anybody foretells: always the most frequent."""
        return float(self.chances.max(1).mean())

    @property
    def majority_worst(self) -> float:
        """Worst group of what most fresh people say, on the pictures looked at."""
        return self._worst(self.chances.argmax(1).astype(np.int64), self.some)

    def score(self, labels: I64) -> dict[str, float]:
        """Return worst group, share right, and share of fresh people's answers foretold.

        Parameters
        ----------
        labels
            ``(n,)`` of every picture of D′.
        """
        rows = np.arange(len(self.some))
        return {
            "worst": self._worst(labels[self.rest], self.rest),
            "right": float((labels[self.rest] == self.pictures.labels[self.rest]).mean()),
            "agreement": float(self.chances[rows, labels[self.some]].mean()),
        }

    def _worst(self, labels: I64, rows: I64) -> float:
        shown = self.pictures
        found = worst_group(
            labels, shown.labels[rows], shown.cell[rows], shown.classes, shown.cells
        )
        return found.share.value


def judges_of(z: PooledZ, pictures: LabelPictures, rest: I64) -> LabelJudges:
    """Return fresh people's judgement of what nobody labelled."""
    some = rest[:: max(1, len(rest) // _AGREED_ON)]
    people = people_of_world(z.world, FRESH_SEEDS)
    chances = label_chances(z.card, pictures, some, people, arm="shown", activities=None)
    return LabelJudges(pictures, rest, some, chances)


def labels_of_people(
    z: PooledZ, pictures: LabelPictures, rows: I64, seed: int
) -> tuple[Judgement, ...]:
    """Ask about pictures of D′, one person each, z's card in hand."""
    return tuple(
        ask_for_labels(
            z.card, pictures, rows, people_of_world(z.world, TRAIN_SEEDS), arm="shown",
            activities=None, seed=seed, z_hash=z.card.z_hash,
        )
    )  # fmt: skip


def card_input(z: PooledZ) -> F64:
    """Return what the card says of each picture of D′, ``(n, k)``, its cues taken at face value.

    Strength times activity, summed over the cues of a class: an input of M_L_test.
    """
    column = {cue_key(cue): j for j, cue in enumerate(distinct_cues(z.card))}
    strength = np.zeros((len(column), len(z.card.classes)))
    for k, entry in enumerate(z.card.classes):
        for cue in entry.cues:
            strength[column[cue_key(cue)], k] += cue.strength
    said = z.levels_shifted.astype(np.float64) @ strength
    spread = float((said - said.mean(1, keepdims=True)).std())
    return said * (_CARD_SPREAD / spread) if spread > 0 else said


def trunk_figures(
    zs: Sequence[PooledZ], lineages: Sequence[Lineage], *, seed: int = 0
) -> list[dict[str, Any]]:
    """Compare trunks of M_L_test by the number of answers; means over z's.

    ``shared`` reads the activity of z*'s annotated units; ``shared, card`` also what the card says of
    each class at face value, with a weight that answers set; ``separate`` reads colours and edges of the
    pictures. None reads z*'s logits.
    """
    pictures, by_name = PicturesOfLineages(lineages), {one.name: one for one in lineages}
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    for z in zs:
        shown = pictures.shifted(z)
        order = np.random.default_rng([seed, 43]).permutation(len(shown.keys))
        most = SIZES[-1]
        judges = judges_of(z, shown, np.sort(order[most:]))
        rows = order[:most]
        judgements = labels_of_people(z, shown, rows, seed)
        position = {shown.keys[int(row)]: int(row) for row in rows}
        images = by_name[z.lineage].shifted_set.inputs.images[z.readings.rows_shifted]
        trunks = {"shared": z.levels_shifted, "separate": picture_features(np.asarray(images))}
        answers = answers_from_judgements(judgements, shown.classes, position, soft=False)
        for one in compare_trunks(trunks, answers, shown.classes, sizes=SIZES, seed=seed):
            found.setdefault((one.trunk, one.answers), []).append(judges.score(one.predicted))
        card = card_input(z)
        for size in SIZES:
            some = answers_from_judgements(judgements[:size], shown.classes, position, soft=False)
            model = fit_label_model(
                z.levels_shifted, card, some, shown.classes, seed, as_input=True
            )
            found.setdefault(("shared, card", size), []).append(
                judges.score(model.predict(z.levels_shifted, card))
            )
    return [
        {"trunk": trunk, "answers": size, "zs": len(rows)}
        | {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
        for (trunk, size), rows in sorted(found.items(), key=lambda one: (one[0][1], one[0][0]))
    ]
