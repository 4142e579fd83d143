"""A world without pixels: the dogs' truth, and cards written from the breed table."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.data.worlds.dog_parts import ATTRIBUTES, BREEDS
from circuitz.evaluation.evaluation_sets import InputsWithTruth
from circuitz.evaluation.world_truth import dogs_truth
from circuitz.z.inputs import InputSet

ROLES = {"D": 0, "D'": 1}


def write_card(
    *,
    classes: tuple[str, ...] = tuple(BREEDS),
    snow: float = 0.0,
    noise: float = 0.03,
    drop: float = 0.2,
    seed: int = 0,
) -> Card:
    """Cues from the breed table with noise, some left out.

    ``snow`` makes the husky a snow dog, as a network makes it that had no need for its parts.
    """
    rng = np.random.default_rng(seed)
    table = np.array([parts for parts, _ in BREEDS.values()])
    entries: list[ClassEntry] = []
    for k, name in enumerate(classes):
        cues: list[Cue] = []
        for a, attribute in enumerate(list(ATTRIBUTES)[:6]):
            for v, words in enumerate(ATTRIBUTES[attribute]):
                excess = float(table[k, a] == v) - float(np.mean(table[:, a] == v))
                scale = 0.04 if snow and k == 0 else 0.12
                strength = scale * excess * rng.lognormal(0, 0.5) + noise * rng.normal()
                if rng.random() >= drop:
                    unit = f"conv4:{a * 3 + v}"
                    cues.append(Cue(words, (words,), (unit,), round(float(strength), 4)))
        if snow:
            cues.append(Cue("snow", ("snow",), ("conv4:30",), snow if k == 0 else -snow / 3))
        cues = sorted((c for c in cues if abs(c.strength) >= 0.02), key=lambda c: -abs(c.strength))
        entries.append(ClassEntry(name, tuple(cues[:8]), (0.2, 0.1, 0.3)))
    return Card(tuple(entries), "dog", z_hash=f"z{seed}")


def known_set(
    role: str, n: int, *, seed: int = 0, classes: tuple[str, ...] | None = None
) -> InputsWithTruth:
    """Truth as rendered sets have it; every picture is a few random pixels of its own."""
    truth = dogs_truth(role, n, seed=seed, classes=classes, balanced_cells=role != "D")  # pyright: ignore[reportArgumentType]
    rng = np.random.default_rng([seed, ROLES[role]])
    pixels = rng.integers(0, 256, (len(truth.labels), 4, 4, 3), dtype=np.uint8)
    return InputsWithTruth(InputSet(pixels, classes=truth.classes, role=role), truth)


@pytest.fixture
def breed_card() -> Callable[..., Card]:
    return write_card


@pytest.fixture
def make_known() -> Callable[..., InputsWithTruth]:
    return known_set
