"""A measured z without a network: four units, two classes, effects as asked for."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from circuitz.cards.card import Card, ClassEntry, Cue, UnitExemplars
from circuitz.labelling.tasks.pack import Question, Sighting, TaskPack, opaque_question_id
from circuitz.z.bundle.inputs_io import input_set_fingerprint
from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec
from circuitz.z.measurements import EffectMeasurements, LayerMeasurements, Measurements
from circuitz.z.model import AnnotatedModel

CONCEPTS = ("pointed ears", "floppy ears", "snow", "grass")


def build(*, snow: float = 0.0, seed: int = 0) -> AnnotatedModel:
    """Units 0 to 3 see the four concepts; ``snow`` is what the snow unit alone does for husky."""
    rng = np.random.default_rng(seed)
    n, u, k = 480, 4, 2
    concepts = np.zeros((n, 4), np.float32)
    concepts[np.arange(n), rng.integers(0, 2, n)] = 1
    concepts[np.arange(n), rng.integers(2, 4, n)] = 1
    split = np.repeat([0, 0, 1, 2], n // 4).astype(np.uint8)
    concept_set = InputSet(
        rng.integers(0, 255, (n, 4, 4, 3), dtype=np.uint8), concepts=concepts,
        concept_names=CONCEPTS, split=split, scene=np.arange(n), role="concepts",
    )  # fmt: skip
    responses = (concepts + 0.15 * rng.normal(size=concepts.shape)).astype(np.float32)
    exemplars = np.argsort(-responses, axis=0)[:9].T.astype(np.int64)
    layer = LayerMeasurements(
        "conv", responses, responses, exemplars, np.zeros((u, 9, 4), np.int16),
        np.zeros((u, 9, 2, 2), np.uint8), np.zeros((u, 4), np.int64), np.zeros((u, 5), np.float32),
    )  # fmt: skip
    m = 400
    label = np.arange(m) % 2
    mean = np.array([[0.9 - snow, -0.0], [0.0, 0.9], [snow, 0.0], [0.0, 0.0]])
    effect = mean[None] + 0.05 * rng.normal(size=(m, u, k))
    groups = (("conv:0", "conv:1"), ("conv:0", "conv:1", "conv:2", "conv:3"), ("conv:2", "conv:3"))
    rows = [[int(unit[-1]) for unit in group] for group in groups]
    joint = np.stack([effect[:, r].sum(1) for r in rows])
    own = label[:, None] == np.arange(k)
    effects = EffectMeasurements(
        units=tuple(f"conv:{i}" for i in range(u)), targets=("husky", "corgi"),
        scale=np.full(k, 5, np.float32),
        sufficiency=np.where(own[:, None], np.nan, effect).astype(np.float32),
        necessity=np.where(own[:, None], effect, np.nan).astype(np.float32),
        split=(np.arange(m) // 2 % 3).astype(np.uint8), scene=np.arange(m),
        source=np.arange(m), drive=mean.astype(np.float32), span=np.ones(u, np.float32),
        groups=groups,
        group_sufficiency=np.where(own[None], np.nan, joint).astype(np.float32),
        group_necessity=np.where(own[None], joint, np.nan).astype(np.float32),
    )  # fmt: skip
    z = AnnotatedModel(
        name="toy", classes=("husky", "corgi"), subject="dog",
        layers=(LayerSpec("conv", u, shape=(u, 2, 2)),), cut=("conv",),
        weights={"w": np.ones((4, 4), np.float32)}, concept_set=concept_set,
    )  # fmt: skip
    for i, concept in enumerate(CONCEPTS):
        z = z.annotate(f"conv:{i}", concept, author="rule", author_kind="rule")
    measured = Measurements(
        {"conv": layer},
        effects,
        weights_hash=z.weights_hash,
        concepts_hash=input_set_fingerprint(concept_set),
    )
    return z.with_(measurements=measured)


@pytest.fixture
def toy() -> Callable[..., AnnotatedModel]:
    return build


def picture(value: int, side: int = 8) -> bytes:
    """A small PNG of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), (value % 256, 40, 90)).save(buffer, "PNG")
    return buffer.getvalue()


def build_pack(asks: int = 8, golds: int = 0, again: int = 0, **change: Any) -> TaskPack:
    """A pack made by hand: no network, no z."""
    card = Card(
        (
            ClassEntry(
                "husky",
                (
                    Cue(
                        "snow",
                        ("snow",),
                        ("conv:2",),
                        0.5,
                        (UnitExemplars("conv", "conv:2", (3, 1)),),
                    ),
                ),
                (0.1, 0.0, 0.2),
            ),
            ClassEntry("corgi", (Cue("floppy ears", ("floppy ears",), ("conv:1",), 0.3),)),
            ClassEntry("poodle", ()),
        ),
        "dog",
        "z" * 32,
    )
    seed = change.pop("seed", 0)
    seen = (Sighting("snow", ("conv:2",), 0.9, 0),)
    items = [f"item-{i}" for i in range(asks)]
    kinds = [("ask", item) for item in items]
    kinds += [("gold", f"gold-{i}") for i in range(golds)]
    kinds += [("again", item) for item in items[:again]]
    questions = tuple(
        Question(opaque_question_id(seed, item, kind), item, kind, f"{item}.png", f"pictures/{item}.png", seen)
        for kind, item in kinds
    )  # fmt: skip
    values = {
        "name": "Which kind of dog is it?", "card": card, "questions": questions, "seed": seed,
        "overlap": 2, "guidelines": "Say what you see.",
        "gold": {q.id: "husky" for q in questions if q.kind == "gold"},
        "heat": np.full((1, 2, 2), 200, np.uint8),
        "pictures": {q.picture: picture(i) for i, q in enumerate(questions)},
        "exemplars": {1: picture(1), 3: picture(3)},
    } | change  # fmt: skip
    return TaskPack(**values)


@pytest.fixture
def make_pack() -> Callable[..., TaskPack]:
    return build_pack
