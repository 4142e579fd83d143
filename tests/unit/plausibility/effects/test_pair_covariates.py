from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuitz.plausibility.effects.pair_covariates import cached_pair_covariates
from circuitz.z.inputs import InputSet
from circuitz.z.measurements import ConceptEffects

TEST = 1


def paired(seed: int, *, parts: int = 8, pairs: int = 48, effect: float = 0.0):
    """Matched pairs that differ in snow, and by chance in parts that make the class."""
    draw = np.random.default_rng(seed)
    n = 3 * pairs
    labels = (draw.random((2 * n, parts + 1)) < 0.4).astype(np.float32)
    labels[:n, 0], labels[n:, 0] = 1, 0
    weights = np.concatenate([[effect], draw.normal(0, 0.3, parts)])
    values = (labels[:n] - labels[n:]) @ weights + draw.normal(0, 0.02, n)
    known = InputSet(
        images=np.zeros((2 * n, 2, 2, 3), np.uint8),
        concepts=labels,
        concept_names=("snow", *(f"part {i}" for i in range(parts))),
    )
    whole = values[:, None].astype(np.float32)
    effects = ConceptEffects(
        names=("snow",),
        left_out=((),),
        of=np.zeros(n, np.int64),
        present=np.arange(n),
        absent=np.arange(n, 2 * n),
        split=np.repeat(np.arange(3), pairs).astype(np.uint8),
        scene=np.arange(n),
        whole=whole,
        rest=whole,
    )
    return effects, known


def adjusted(effects: ConceptEffects, known: InputSet, moved=(0,)) -> np.ndarray:
    rows = np.arange(len(effects.of))
    off = cached_pair_covariates(effects, known, 0, rows, moved, TEST)
    return off.subtract_explained(effects.whole.astype(np.float64))[effects.split == TEST, 0]


@pytest.mark.parametrize("effect", [0.0, 0.3])
def test_what_differs_by_chance_is_taken_off_and_the_effect_stays(effect) -> None:
    before, after = [], []
    for seed in range(20):
        effects, known = paired(seed, effect=effect)
        before.append(effects.whole[effects.split == TEST, 0].mean())
        after.append(adjusted(effects, known).mean())
    assert np.abs(np.array(after) - effect).max() < 0.02
    assert np.std(before) > 10 * np.std(after)


def test_pairs_that_differ_in_nothing_else_stay_as_they_are() -> None:
    effects, known = paired(0, effect=0.2)
    labels = known.concepts.copy()
    labels[len(labels) // 2 :, 1:] = labels[: len(labels) // 2, 1:]
    values = adjusted(effects, replace(known, concepts=labels))
    assert values == pytest.approx(effects.whole[effects.split == TEST, 0])


def test_what_goes_along_with_the_concept_is_no_covariate() -> None:
    effects, known = paired(0, parts=1)
    labels = known.concepts.copy()
    labels[:, 1] = 1 - labels[:, 0]  # off the snow there is grass
    same = adjusted(effects, replace(known, concepts=labels), moved=(0, 1))
    assert same == pytest.approx(effects.whole[effects.split == TEST, 0])


def test_the_split_judged_has_no_part_in_what_is_taken_off() -> None:
    effects, known = paired(0, effect=0.2)
    whole = effects.whole.copy()
    whole[effects.split == TEST] += np.linspace(-1, 1, 48)[:, None].astype(np.float32)
    moved = adjusted(replace(effects, whole=whole), known) - adjusted(effects, known)
    assert moved == pytest.approx(np.linspace(-1, 1, 48), abs=1e-5)


def test_more_labels_than_pairs_make_nothing_worse() -> None:
    before, after = [], []
    for seed in range(20):
        effects, known = paired(seed, pairs=12, parts=3)
        draw = np.random.default_rng(seed)
        noise = (draw.random((len(known.concepts), 200)) < 0.3).astype(np.float32)
        many = replace(
            known,
            concepts=np.concatenate([known.concepts, noise], 1),
            concept_names=(*known.concept_names, *(f"noise {i}" for i in range(200))),
        )
        before.append(effects.whole[effects.split == TEST, 0].mean())
        after.append(adjusted(effects, many).mean())
    assert np.std(after) < 1.1 * np.std(before)


def test_unknown_labels_differ_in_nothing() -> None:
    effects, known = paired(0)
    labels = known.concepts.copy()
    labels[::3, 2] = np.nan
    assert np.isfinite(adjusted(effects, replace(known, concepts=labels))).all()
