"""M_L on the pool: fitted to labels about some lineages, tried on other lineages and fresh people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.bench.people.asked_comparisons import FRESH_SEEDS, TRAIN_SEEDS, people_of_world
from circuitz.bench.people.asked_labels import (
    F64,
    I64,
    LabelPictures,
    PicturesOfLineages,
    activities_of,
    ask_for_labels,
    label_chances,
)
from circuitz.bench.people.pool_lineage import Lineage
from circuitz.bench.people.pool_split import some_of, split_by_lineage
from circuitz.bench.people.pooled_z import PooledZ
from circuitz.cards.activity import CardActivity
from circuitz.cards.judged.class_answer import ARMS, Arm
from circuitz.cards.judged.read_back import read_judged_answers
from circuitz.cards.make_card import card_with_permuted_words
from circuitz.posterior.likelihood_from_people.fit_likelihood import fit_likelihood
from circuitz.posterior.likelihood_from_people.fitted_likelihood import FittedLikelihood
from circuitz.store.judgement import Judgement

#: Who say beforehand what pictures show, the majority counting; nobody else has these seeds.
_BANK_SEEDS = (903, 904, 905)
_LEAST = 1e-9


@dataclass(frozen=True)
class LikelihoodSizes:
    """How many z's and answers.

    Parameters
    ----------
    zs, answers
        Z's learned from, and answers about each, in each arm.
    held_zs, rows
        Z's held out, and pictures of each.
    """

    zs: int = 40
    answers: int = 12
    held_zs: int = 24
    rows: int = 40


def likelihood_figures(
    zs: Sequence[PooledZ],
    lineages: Sequence[Lineage],
    *,
    sizes: LikelihoodSizes,
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, Any]:
    """Fit M_L in both arms and compare it with fresh people on z's of lineages held out.

    Returns
    -------
    dict
        ``answers``, ``nats_above_ceiling`` (cross-entropy of what fresh people say, less its own
        entropy) and ``by_arm``, each by arm; ``paired_bias`` (mean over pairs of z's of the
        difference of log M_L(y) from people's log, nats an input, hidden arm), ``renaming`` (largest
        change of a class's mean share under other names, hidden arm), ``nonsense_gap`` (loss of the
        true class's share under nonsense words, shown arm: ``model``, ``raters``), ``zs``;
        ``other_people``: the same ``nats_above_ceiling`` and ``paired_bias`` of other fresh people in
        place of M_L, whom no model of people in general can beat but by chance.
    """
    dogs = [z for z in zs if z.world == "dogs" and z.words != "bare"]
    train, held = split_by_lineage(dogs, seed)
    learned, held_out = some_of(train, sizes.zs, seed), _with_nonsense(held, sizes.held_zs, seed)
    pictures = PicturesOfLineages(lineages)
    models: dict[Arm, FittedLikelihood] = {}
    answers: dict[str, int] = {}
    for i, arm in enumerate(ARMS):
        models[arm], answers[arm] = _fit_arm(learned, pictures, arm, sizes.answers, seed)
        if progress is not None:
            progress("M_L", i + 1, 2 * len(ARMS))
    found: dict[str, Any] = {
        "zs": len(learned) + len(held_out),
        "answers": answers,
        "nats_above_ceiling": {},
        "by_arm": {},
    }
    answers_by_z: dict[tuple[str, Arm], _Told] = {}
    for i, arm in enumerate(ARMS):
        for z in held_out:
            answers_by_z[z.name, arm] = _tell(
                z, pictures.data(z), models[arm], arm, sizes.rows, seed
            )
        some = [answers_by_z[z.name, arm] for z in held_out]
        found["nats_above_ceiling"][arm] = float(np.mean([one.excess for one in some]))
        found["by_arm"][arm] = {
            "entropy of people's answers": float(np.mean([one.entropy for one in some])),
            "people right": float(np.mean([one.share_of_truth(one.people) for one in some])),
            "M_L right": float(np.mean([one.share_of_truth(one.model) for one in some])),
            "worst z, nats above": float(max(one.excess for one in some)),
        }
        if progress is not None:
            progress("M_L", len(ARMS) + i + 1, 2 * len(ARMS))
    found["paired_bias"] = _paired_bias([answers_by_z[z.name, "hidden"] for z in held_out])
    others = {
        arm: [
            replace(
                answers_by_z[z.name, arm],
                model=_chances_of(z, pictures.data(z), arm, sizes.rows, seed, FRESH_SEEDS[1:])[0],
            )
            for z in held_out
        ]
        for arm in ARMS
    }
    found["other_people"] = {
        "nats_above_ceiling": {
            arm: float(np.mean([one.excess for one in some])) for arm, some in others.items()
        },
        "paired_bias": _paired_bias(others["hidden"]),
    }
    found["renaming"] = max(
        _change_under_renaming(z, models["hidden"], sizes.rows, seed) for z in held_out
    )
    found["nonsense_gap"] = _nonsense_gap(held_out, answers_by_z)
    return found


@dataclass(frozen=True, eq=False)
class _Told:
    """What people and M_L say of some pictures with one z's card; shares ``(n, k)``."""

    people: F64
    model: F64
    labels: I64

    @property
    def entropy(self) -> float:
        return float(-(self.people * np.log(np.maximum(self.people, _LEAST))).sum(1).mean())

    @property
    def excess(self) -> float:
        log_ratio = np.log(np.maximum(self.people, _LEAST)) - np.log(np.maximum(self.model, _LEAST))
        return float((self.people * log_ratio).sum(1).mean())

    @property
    def bias(self) -> float:
        rows = np.arange(len(self.labels))
        model, people = self.model[rows, self.labels], self.people[rows, self.labels]
        return float((np.log(np.maximum(model, _LEAST)) - np.log(people)).mean())

    def share_of_truth(self, shares: F64) -> float:
        """Return the mean share that the true class has."""
        return float(shares[np.arange(len(self.labels)), self.labels].mean())


def _paired_bias(some: Sequence[_Told]) -> float:
    return float(np.mean([abs(a.bias - b.bias) for a, b in combinations(some, 2)]))


def _with_nonsense(zs: Sequence[PooledZ], n: int, seed: int) -> tuple[PooledZ, ...]:
    """Take z's so that networks shown under nonsense are also there as proposed."""
    networks = {(z.lineage, z.network) for z in zs if z.words == "nonsense"}
    pairs = [
        z for z in zs if (z.lineage, z.network) in networks and z.words in ("proposed", "nonsense")
    ][:n]
    names = {z.name for z in pairs}
    others = some_of([z for z in zs if z.name not in names], max(n - len(pairs), 0), seed)
    return (*pairs, *others)


def _fit_arm(
    learned: Sequence[PooledZ], pictures: PicturesOfLineages, arm: Arm, n: int, seed: int
) -> tuple[FittedLikelihood, int]:
    judgements: list[Judgement] = []
    activities: dict[str, CardActivity] = {}
    seen: dict[str, Mapping[str, bool]] = {}
    for i, z in enumerate(learned):
        shown = pictures.data(z)
        rows = np.random.default_rng([seed, i, 51]).permutation(len(shown.keys))[:n]
        active = activities_of(z, "D", rows) if arm == "hidden" else None
        activities |= {one.hash: one for one in active or ()}
        seen |= _seen(shown, rows)
        judgements += ask_for_labels(
            z.card, shown, rows, people_of_world(z.world, TRAIN_SEEDS), arm=arm,
            activities=active, seed=seed + i, z_hash=z.card.z_hash,
        )  # fmt: skip
    cards = {z.card.hash: z.card for z in learned}
    answers = read_judged_answers(judgements, cards.values()).class_answers
    return fit_likelihood(answers, cards, activities, seen=seen, seed=seed), len(answers)


def _seen(pictures: LabelPictures, rows: npt.ArrayLike) -> dict[str, Mapping[str, bool]]:
    """Return what most of three people, who label nothing, say that pictures show."""
    people = people_of_world("dogs", _BANK_SEEDS, ("averse",))
    found: dict[str, Mapping[str, bool]] = {}
    for row in np.asarray(rows).tolist():
        key = pictures.keys[row]
        answers = [person.perceive(pictures.truth.of_picture(key), key) for person in people]
        found[key] = {
            word: 2 * sum(one[word] for one in answers) > len(answers) for word in answers[0]
        }
    return found


def _chances_of(
    z: PooledZ, pictures: LabelPictures, arm: Arm, n: int, seed: int, seeds: Sequence[int]
) -> tuple[F64, I64]:
    rows = np.random.default_rng([seed, 52]).permutation(len(pictures.keys))[:n]
    people = label_chances(
        z.card, pictures, rows, people_of_world(z.world, seeds), arm=arm,
        activities=activities_of(z, "D", rows) if arm == "hidden" else None,
    )  # fmt: skip
    return people, rows


def _tell(
    z: PooledZ, pictures: LabelPictures, model: FittedLikelihood, arm: Arm, n: int, seed: int
) -> _Told:
    people, rows = _chances_of(z, pictures, arm, n, seed, FRESH_SEEDS[:1])
    if arm == "hidden":
        shares = model.class_probabilities(z.card, z.levels_d[rows])
    else:
        seen = list(_seen(pictures, rows).values())
        shares = model.class_probabilities(z.card, arm="shown", seen=seen)
    return _Told(people, shares, pictures.labels[rows])


def _change_under_renaming(z: PooledZ, model: FittedLikelihood, n: int, seed: int) -> float:
    levels = z.levels_d[:n]
    renamed = card_with_permuted_words(z.card, seed)
    before = model.class_probabilities(z.card, levels).mean(0)
    return float(np.abs(model.class_probabilities(renamed, levels).mean(0) - before).max())


def _nonsense_gap(
    held_out: Sequence[PooledZ], answers_by_z: Mapping[tuple[str, Arm], _Told]
) -> dict[str, float | int | None]:
    names = {(z.lineage, z.network, z.words): z.name for z in held_out}
    pairs = [
        (answers_by_z[name, "shown"], answers_by_z[names[lineage, network, "nonsense"], "shown"])
        for (lineage, network, words), name in names.items()
        if words == "proposed" and (lineage, network, "nonsense") in names
    ]
    if not pairs:
        return {"model": None, "raters": None, "n": 0}

    def cost(part: str) -> float:
        return float(
            np.mean(
                [
                    one.share_of_truth(getattr(one, part))
                    - other.share_of_truth(getattr(other, part))
                    for one, other in pairs
                ]
            )
        )

    return {"model": cost("model"), "raters": cost("people"), "n": len(pairs)}
