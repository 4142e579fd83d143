"""A measured z made by hand: two snow units drive husky, nothing was ever run."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from circuitz.disk.hashing import picture_hash
from circuitz.lexicon.lexicon import Lexicon
from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec
from circuitz.z.measurements import EffectMeasurements, LayerMeasurements, Measurements
from circuitz.z.model import AnnotatedModel

CONCEPTS = ("snow", "grass", "pointed ears", "curled tail", "fluffy coat")
CLASSES = ("husky", "corgi", "poodle")
KNOWS = (0, 0, 2, 3)  # concept each of the first units responds to


def concept_set(n: int = 240, seed: int = 0) -> InputSet:
    rng = np.random.default_rng(seed)
    concepts = rng.integers(0, 2, (n, len(CONCEPTS))).astype(np.float32)
    concepts[:, 1] = 1 - concepts[:, 0]
    images = rng.integers(60, 120, (n, 16, 16, 3)).astype(np.uint8)
    images[concepts[:, 0] == 1, 8:] = 240
    return InputSet(
        images,
        concepts=concepts,
        concept_names=CONCEPTS,
        split=(np.arange(n) % 4 // 2 + (np.arange(n) % 4 == 3)).clip(0, 2).astype(np.uint8),
        scene=np.arange(n),
        role="concepts",
    )


def layer(known: InputSet, units: int, seed: int = 1) -> LayerMeasurements:
    rng = np.random.default_rng(seed)
    n = len(known)
    assert known.concepts is not None
    responses = np.abs(rng.normal(0, 0.3, (n, units))).astype(np.float32)
    for unit, concept in enumerate(KNOWS[:units]):
        responses[:, unit] += 2 * known.concepts[:, concept]
    peaks = responses * 1.5
    edges = np.linspace(0, peaks.max(0), 11).T.astype(np.float32)
    counts = [np.histogram(peaks[:, u], edges[u])[0] for u in range(units)]
    boxes = np.tile(np.array([2, 4, 10, 12], np.int16), (units, 9, 1))
    heat = rng.integers(0, 256, (units, 9, 4, 4)).astype(np.uint8)
    best = np.argsort(-peaks, axis=0)[:9].T.astype(np.int64)
    return LayerMeasurements(
        "conv4", responses, peaks, best, boxes, heat, np.stack(counts).astype(np.int64), edges
    )


def effects(units: int, seed: int = 2) -> EffectMeasurements:
    rng = np.random.default_rng(seed)
    m, k = 90, len(CLASSES)
    true = np.zeros((units, k))
    true[:2, 0] = 0.4
    true[2:4, 1] = 0.3
    values = (true + rng.normal(0, 0.1, (2, m, units, k))).astype(np.float32)
    labels = np.arange(m) % k
    for c in range(k):
        values[0, labels == c, :, c] = np.nan
        values[1, labels != c, :, c] = np.nan
    groups = [members for members in ((0, 1), (2, 3), (0, 1, 2, 3)) if units >= 4]
    joint = np.stack([values[:, :, list(members)].sum(2) for members in groups], axis=1)
    return EffectMeasurements(
        tuple(f"conv4:{i}" for i in range(units)),
        CLASSES,
        np.full(k, 5.0, np.float32),
        values[0],
        values[1],
        (np.arange(m) // k % 3).astype(np.uint8),
        np.arange(m),
        np.arange(m),
        true.astype(np.float32),
        np.ones(units, np.float32),
        tuple(tuple(f"conv4:{i}" for i in members) for members in groups),
        joint[0],
        joint[1],
    )


def make(units: int = 8, *, measured: bool = True) -> AnnotatedModel:
    known = concept_set()
    png = _png()
    found = Measurements(
        {"conv4": layer(known, units)}, effects(units), pictures={picture_hash(png): png}
    )
    z = AnnotatedModel(
        "dogs",
        CLASSES,
        "dog",
        layers=(LayerSpec("conv3", 2), LayerSpec("conv4", units)),
        cut=("conv4",),
        weights={"w": np.arange(4, dtype=np.float32)},
        concept_set=known,
        measurements=found if measured else None,
    )
    lexicon = Lexicon.load()
    for unit, concept in enumerate(KNOWS):
        z = z.annotate(
            f"conv4:{unit}",
            CONCEPTS[concept],
            author="circuitz",
            author_kind="rule",
            lexicon=lexicon,
        )
    return z


def _png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (200, 10, 10)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def z() -> AnnotatedModel:
    return make()


@pytest.fixture
def make_z() -> Callable[..., AnnotatedModel]:
    return make
