"""One network of the pool: read, its words tested by simulated people, and a card a variant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circuitz.bench.people.lineage_networks import Weights, annotated_and_measured, measured_again
from circuitz.bench.people.pool_lineage import Lineage
from circuitz.bench.people.pooled_z import F32, NetworkReadings, NetworkTruth, PooledZ
from circuitz.bench.people.word_variants import WordVariant, with_words
from circuitz.cards.cue_levels import cue_levels
from circuitz.cards.make_card import card
from circuitz.data.worlds.world_by_name import world_by_name
from circuitz.evaluation.evaluation_sets import InputsWithTruth
from circuitz.evaluation.people.crowd import Crowd
from circuitz.evaluation.people.truthful_eyes import TruthfulEyes
from circuitz.evaluation.people.world_words import words_of_world
from circuitz.evaluation.prediction_scores import accuracy, worst_group
from circuitz.measurement.cut_responses import CutResponses, cut_responses
from circuitz.measurement.gauge import gauge
from circuitz.patching.source_rows import rows_of_split
from circuitz.plausibility.check import check
from circuitz.posterior.words.run_word_tests import test_words
from circuitz.z.model import AnnotatedModel
from circuitz.z.word_tests import word_tests

_READ_OF_D = 240
_GAUGED = 100
# Share of right answers, by perfect eyes, below which a word that holds does so wrongly; it is
# looked at in these networks.
_HOLDS_WRONGLY = 0.7
_SCORED = ("trained", "repaired")


@dataclass(frozen=True, eq=False)
class PooledNetwork:
    """What came of one network: its z's."""

    zs: tuple[PooledZ, ...]


def pool_network(
    lineage: Lineage,
    network: str,
    weights: Weights,
    *,
    variants: tuple[WordVariant, ...],
    crowd: Crowd | None = None,
) -> PooledNetwork:
    """Measure a network, have its words tested, and make a z of each variant of its words.

    Parameters
    ----------
    lineage
        Where it is from.
    network, weights
        Its name there, and its weights.
    variants
        Words it is shown under; those that change nothing are left out.
    crowd
        Simulated people who say what pictures show; without them words stay untested on D and D′.
    """
    z = annotated_and_measured(lineage, weights)
    shifted = lineage.shifted_set
    z = gauge(z, shifted=shifted.inputs, seed=lineage.seed, images=_GAUGED, pictures=False)
    wrong = 0
    if crowd is not None:
        z = _with_tests_of_people(lineage, z, shifted, crowd)
        wrong = _wrong_holds(lineage, z, shifted, crowd) if network in _SCORED else 0
    readings, truth = _read(lineage, z, shifted)
    words = words_of_world(world_by_name(lineage.world).world)
    made: list[PooledZ] = []
    for variant in variants:
        changed = with_words(z, variant, words, lineage.seed)
        if changed is None:
            continue
        changed = changed if changed is z else measured_again(lineage, changed)
        counts = {**_test_counts(z), "wrong_holds": wrong}
        made.append(_pooled(lineage, network, variant, changed, readings, truth, counts))
    return PooledNetwork(tuple(made))


def _pooled(
    lineage: Lineage,
    network: str,
    variant: WordVariant,
    z: AnnotatedModel,
    readings: NetworkReadings,
    truth: NetworkTruth,
    counts: dict[str, int],
) -> PooledZ:
    shown = card(z, check(z))
    assert z.measurements is not None
    effects = z.measurements.effects
    assert effects is not None
    usual = readings.responses_d.mean(0)

    def levels(responses: F32) -> F32:
        found = cue_levels(shown, responses, readings.units, effects, mean=usual)
        return found.astype(np.float32)

    return PooledZ(
        lineage=lineage.name, world=lineage.world, shortcut=lineage.shortcut, network=network,
        words=variant, card=shown, levels_d=levels(readings.responses_d),
        levels_shifted=levels(readings.responses_shifted), readings=readings, truth=truth,
        counts=counts,
    )  # fmt: skip


def _read(
    lineage: Lineage, z: AnnotatedModel, shifted: InputsWithTruth
) -> tuple[NetworkReadings, NetworkTruth]:
    data = lineage.data
    assert data.labels is not None
    held = np.concatenate([rows_of_split(data, "test"), rows_of_split(data, "audit")])
    rows = np.sort(np.random.default_rng(lineage.seed).permutation(held)[:_READ_OF_D])
    d, prime = cut_responses(z, data, held), cut_responses(z, shifted.inputs)
    at = np.searchsorted(np.sort(held), rows)
    order = np.argsort(held)[at]
    readings = NetworkReadings(
        units=d.units,
        rows_d=rows,
        rows_shifted=np.arange(len(shifted)),
        responses_d=d.responses[order],
        responses_shifted=prime.responses,
        logits_shifted=prime.logits,
    )
    return readings, _network_truth(d, data.labels[held], prime, shifted)


def _network_truth(
    d: CutResponses, labels: npt.NDArray[np.int64], prime: CutResponses, shifted: InputsWithTruth
) -> NetworkTruth:
    truth = shifted.truth
    predicted = prime.predicted.astype(np.int64)
    worst = worst_group(predicted, truth.labels, truth.cell, truth.classes, truth.cells)
    return NetworkTruth(
        d=accuracy(d.predicted.astype(np.int64), labels).value,
        d_prime=accuracy(predicted, truth.labels).value,
        worst=worst.share.value,
        group=f"{worst.group}, {worst.cell}",
    )


def _with_tests_of_people(
    lineage: Lineage, z: AnnotatedModel, shifted: InputsWithTruth, crowd: Crowd
) -> AnnotatedModel:
    """Return z with its words tested on D and D′, by what simulated people see."""
    return test_words(z, crowd, data=lineage.data, shifted=shifted.inputs, seed=lineage.seed)


def _wrong_holds(
    lineage: Lineage, z: AnnotatedModel, shifted: InputsWithTruth, crowd: Crowd
) -> int:
    """Count words that people say hold, and that perfect answers to the same questions refute."""
    held = [test for test in word_tests(z) if test.verdict == "holds"]
    if not held:
        return 0
    seen_truly = test_words(
        z, TruthfulEyes(crowd.pictures), data=lineage.data, shifted=shifted.inputs,
        words=sorted({test.word for test in held}), seed=lineage.seed,
    )  # fmt: skip
    true_share = {(t.word, t.population): t.estimate for t in word_tests(seen_truly)}
    shares = [true_share.get((test.word, test.population)) for test in held]
    return sum(share is not None and share < _HOLDS_WRONGLY for share in shares)


def _test_counts(z: AnnotatedModel) -> dict[str, int]:
    counts = {"holds": 0, "fails": 0, "untested": 0, "answers": 0}
    for test in word_tests(z):
        counts[test.verdict] += 1
        counts["answers"] += test.answers
    return counts
