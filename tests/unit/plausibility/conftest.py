"""A planted world: units that see stated concepts, classes that rest on stated units."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec
from circuitz.z.measurements import (
    ConceptEffects,
    EffectMeasurements,
    LayerMeasurements,
    Measurements,
)
from circuitz.z.model import AnnotatedModel

CONCEPTS = ("snow", "grass", "sand", "pointed ears", "floppy ears", "fluffy coat", "curled tail")
CLASSES = ("husky", "beagle", "corgi", "poodle")
#: How often each concept is there in inputs of each class.
LOOKS = {
    "husky": {"snow": 1.0, "pointed ears": 0.9, "fluffy coat": 0.8, "curled tail": 0.8},
    "beagle": {"grass": 0.5, "sand": 0.5, "floppy ears": 0.9},
    "corgi": {"grass": 0.5, "sand": 0.5, "pointed ears": 0.9, "fluffy coat": 0.3},
    "poodle": {"grass": 0.5, "sand": 0.5, "floppy ears": 0.6, "fluffy coat": 0.9},
}
#: What each unit of the cut sees.
SEES = (
    {"snow": 1.0},
    {"snow": 1.0},
    {"grass": 1.0},
    {"pointed ears": 1.0},
    {"floppy ears": 1.0},
    {"fluffy coat": 1.0},
    {"curled tail": 1.0},
    {},
)
#: How much each unit speaks for each class.
SHORTCUT = {
    "husky": {0: 3.0, 1: 2.0, 3: 1.0, 6: 1.0},
    "beagle": {4: 3.0},
    "corgi": {3: 3.0, 5: -1.0},
    "poodle": {5: 3.0, 4: 1.0},
}
Plant = Callable[..., AnnotatedModel]


def _empty_layer(name: str, responses: np.ndarray) -> LayerMeasurements:
    units = responses.shape[1]
    return LayerMeasurements(
        layer=name,
        responses=responses.astype(np.float32),
        peaks=responses.astype(np.float32),
        exemplars=np.full((units, 9), -1, np.int64),
        exemplar_boxes=np.zeros((units, 9, 4), np.int16),
        exemplar_heat=np.zeros((units, 9, 2, 2), np.uint8),
        histogram=np.zeros((units, 4), np.int64),
        histogram_edges=np.zeros((units, 5), np.float32),
    )


def plant_world(
    *,
    seed: int = 0,
    n: int = 800,
    sees: Sequence[Mapping[str, float]] = SEES,
    speaks: Mapping[str, Mapping[int, float]] | None = None,
    looks: Mapping[str, Mapping[str, float]] | None = None,
    words: Mapping[int, str] | None = None,
    groups: Sequence[Sequence[int]] = (),
    interaction: float = 0.0,
    noise: float = 0.25,
    a_class: int = 40,
    concepts: Sequence[str] = CONCEPTS,
    permute: bool = False,
    subject: str = "dog",
) -> AnnotatedModel:
    """Measurements of a linear network on ``sees`` with the head ``speaks``.

    ``interaction`` takes that share off every joint effect of two units or more; ``permute``
    shuffles the rows of every concept column on its own.
    """
    rng = np.random.default_rng(seed)
    speaks = SHORTCUT if speaks is None else speaks
    looks = LOOKS if looks is None else looks
    classes = tuple(looks)

    def responses(shown: np.ndarray) -> np.ndarray:
        weights = np.array([[unit.get(c, 0.0) for c in CONCEPTS] for unit in sees])
        return shown @ weights.T + noise * rng.normal(size=(len(shown), len(sees)))

    # The concept set: mongrels, pairs of images a scene, one ground at most.
    ground = rng.integers(0, 4, n)
    shown = (rng.random((n, len(CONCEPTS))) < 0.35).astype(float)
    shown[:, :3] = ground[:, None] == np.arange(3)
    seen = responses(shown)

    def labels_of(shown: np.ndarray) -> np.ndarray:
        return shown[:, [CONCEPTS.index(c) if c in CONCEPTS else 0 for c in concepts]]

    labels = labels_of(shown)
    if permute:
        labels = np.stack([rng.permutation(column) for column in labels.T], 1)
    scene = np.arange(n) // 2
    concept_set = InputSet(
        images=np.zeros((n, 2, 2, 3), np.uint8),
        concepts=labels.astype(np.float32),
        concept_names=tuple(concepts),
        split=np.array([0, 0, 1, 2], np.uint8)[scene % 4],
        scene=scene.astype(np.int64),
        role="concepts",
    )

    # Source images, and for each class one that lends its values.
    k = len(classes)
    label = np.repeat(np.arange(k), 3 * a_class)
    split = np.tile(np.repeat(np.arange(3), a_class), k).astype(np.uint8)
    chances = np.array([[looks[c].get(name, 0.0) for name in CONCEPTS] for c in classes])

    def draw(which: np.ndarray) -> np.ndarray:
        picture = (rng.random((len(which), len(CONCEPTS))) < chances[which]).astype(float)
        picture[:, :2] *= 1 - picture[:, 2:3]
        return responses(picture)

    sources = draw(label)
    lent = np.stack([draw(np.full(len(label), j)) for j in range(k)])
    taken = draw((label + rng.integers(1, max(k, 2), len(label))) % k)
    head = np.zeros((len(sees), k))
    for j, name in enumerate(classes):
        for unit, weight in speaks.get(name, {}).items():
            head[unit, j] = weight
    margin = (head * k - head.sum(1, keepdims=True)) / max(k - 1, 1)

    change = (lent - sources).transpose(1, 2, 0) * margin  # (source, unit, class)
    loss = (sources - taken)[:, :, None] * margin
    own = label[:, None] == np.arange(k)
    whole = np.where(own, np.nan, change.sum(1))
    scale = np.nan_to_num(np.nanmean(whole, 0)) if k > 1 else np.ones(k)
    scale = np.where(np.abs(scale) < 1e-6, 1e-6, scale)
    sufficiency = np.where(own[:, None], np.nan, change) / scale
    necessity = np.where(own[:, None], loss, np.nan) / scale
    units = tuple(f"conv4:{i}" for i in range(len(sees)))
    sets = [tuple(sorted(group)) for group in groups]

    def joint(single: np.ndarray) -> np.ndarray:
        found = [single[:, list(g)].sum(1) * (1 - interaction if len(g) > 1 else 1) for g in sets]
        return np.stack(found) if found else np.zeros((0, *single[:, 0].shape))

    # Pairs of images that differ in one concept, a split each.
    concept_columns = [c for c in concepts if c in CONCEPTS]
    pairs = 40
    of = np.repeat(np.arange(len(concept_columns)), 3 * pairs)
    base = (rng.random((len(of), len(CONCEPTS))) < 0.35).astype(float)
    index = np.array([CONCEPTS.index(c) for c in concept_columns], np.int64)
    with_it, without = base.copy(), base.copy()
    with_it[np.arange(len(of)), index[of]] = 1.0
    without[np.arange(len(of)), index[of]] = 0.0
    stepped = responses(with_it), responses(without)
    step = (stepped[0] - stepped[1])[:, :, None] * margin / scale
    pair_split = np.tile(np.repeat(np.arange(3), pairs), len(concept_columns)).astype(np.uint8)
    named: dict[str, list[str]] = {c: [] for c in concept_columns}
    for unit, text in (words or {}).items():
        for name in concept_columns:
            if name in text:
                named[name].append(f"conv4:{unit}")
    rest = step.sum(1)
    for c, name in enumerate(concept_columns):
        out = [int(u.rpartition(":")[2]) for u in named[name]]
        rest[of == c] -= step[of == c][:, out].sum(1)
    concept_effects = ConceptEffects(
        names=tuple(concept_columns),
        left_out=tuple(tuple(named[c]) for c in concept_columns),
        of=of,
        present=n + np.arange(len(of)),
        absent=n + len(of) + np.arange(len(of)),
        split=pair_split,
        scene=np.arange(len(of), dtype=np.int64),
        whole=step.sum(1).astype(np.float32),
        rest=rest.astype(np.float32),
    )
    # Their images belong to the concept set; on *audit*, where they disturb nobody.
    more = 2 * len(of)
    extra = labels_of(np.concatenate([with_it, without]))
    concept_set = replace(
        concept_set,
        images=np.zeros((n + more, 2, 2, 3), np.uint8),
        concepts=np.concatenate([labels, extra]).astype(np.float32),
        split=np.concatenate([concept_set.split, np.full(more, 2, np.uint8)]),
        scene=np.concatenate([scene, scene.max() + 1 + np.arange(more)]),
    )
    seen = np.concatenate([seen, *stepped])
    low, high = np.quantile(seen, 0.1, axis=0), np.quantile(seen, 0.9, axis=0)
    effects = EffectMeasurements(
        units=units,
        targets=classes,
        scale=scale.astype(np.float32),
        sufficiency=sufficiency.astype(np.float32),
        necessity=necessity.astype(np.float32),
        split=split,
        scene=np.arange(len(label), dtype=np.int64),
        source=np.arange(len(label), dtype=np.int64),
        drive=((high - low)[:, None] * margin / scale).astype(np.float32),
        span=(high - low).astype(np.float32),
        groups=tuple(tuple(units[i] for i in group) for group in sets),
        group_sufficiency=joint(sufficiency).astype(np.float32),
        group_necessity=joint(necessity).astype(np.float32),
        concepts=concept_effects,
    )
    layer = LayerSpec("conv4", len(sees), spatial_axes=(2, 3), shape=(len(sees), 2, 2))
    z = AnnotatedModel(
        "planted",
        classes,
        subject,
        layers=(layer,),
        cut=("conv4",),
        concept_set=concept_set,
        measurements=Measurements(
            layers={"conv4": _empty_layer("conv4", seen)},
            effects=effects,
            data_hash="d" * 8,
        ),
    )
    for unit, text in (words or {}).items():
        z = z.annotate(f"conv4:{unit}", text, author="anna")
    return z


@pytest.fixture(scope="session")
def plant() -> Plant:
    return plant_world


@pytest.fixture
def looks() -> dict[str, dict[str, float]]:
    return {name: dict(shares) for name, shares in LOOKS.items()}


@pytest.fixture
def change() -> Callable[..., AnnotatedModel]:
    """Replace fields of the measurements, or of their effects."""

    def changed(z: AnnotatedModel, **fields: Any) -> AnnotatedModel:
        measured = z.measurements
        assert measured is not None
        assert measured.effects is not None
        own = {key: value for key, value in fields.items() if hasattr(measured, key)}
        rest = {key: value for key, value in fields.items() if key not in own}
        if rest:
            own["effects"] = replace(measured.effects, **rest)
        return z.with_(measurements=replace(measured, **own))

    return changed
