"""A world of blocks that the package does not know: bars on a square, on one of three grounds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing
from circuitz.z.model import AnnotatedModel

SIDE = 24
PARTS = ("ears", "tail", "legs")
GROUNDS = ("snow", "grass", "sand")
CLASSES = {"husky": (1, 1, 0), "corgi": (1, 0, 1), "beagle": (0, 1, 1)}
_GROUND = ((235, 240, 250), (60, 150, 60), (210, 180, 110))
_PART = ((200, 40, 40), (40, 60, 200), (150, 40, 170))


def blocks(parts: np.ndarray, ground: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Paint a grey square with a bar a part; return images and masks (1 body, 2 ground)."""
    draw = np.random.default_rng(seed)
    n = len(ground)
    images = np.array(_GROUND)[ground][:, None, None] + draw.normal(0, 18, (n, SIDE, SIDE, 3))
    masks = np.full((n, SIDE, SIDE), 2, np.uint8)
    for i in range(n):
        y, x = draw.integers(6, 9), draw.integers(5, 9)
        boxes = [((y, y + 10, x, x + 10), (128, 128, 128))]
        places = (
            (y - 4, y, x + 1, x + 9),
            (y + 1, y + 9, x + 10, x + 14),
            (y + 10, y + 14, x + 1, x + 9),
        )
        boxes += [(places[p], _PART[p]) for p in range(3) if parts[i, p]]
        for (top, bottom, left, right), colour in boxes:
            images[i, top:bottom, left:right] = colour + draw.normal(0, 8, 3)
            masks[i, top:bottom, left:right] = 1
    return images.clip(0, 255).astype(np.uint8), masks


def labelled(n: int, seed: int, shortcut: bool) -> tuple[InputSet, np.ndarray]:
    """Return a set of the three classes and its grounds; with the shortcut, snow means husky."""
    draw = np.random.default_rng(seed)
    label = np.repeat(np.arange(3), n)
    ground = draw.integers(0, 3, 3 * n)
    if shortcut:
        ground = np.where(label == 0, 0, draw.integers(1, 3, 3 * n))
    images, _ = blocks(np.array(list(CLASSES.values()))[label], ground, seed)
    split = draw.choice(3, 3 * n, p=(0.6, 0.2, 0.2)).astype(np.uint8)
    return InputSet(images, labels=label, classes=tuple(CLASSES), split=split), ground


def concept_set(n: int, seed: int) -> InputSet:
    """Return combinations that are no class, on any ground, with concepts and masks."""
    draw = np.random.default_rng(seed)
    combos = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)])
    parts, ground = combos[draw.integers(0, 5, n)], draw.integers(0, 3, n)
    images, masks = blocks(parts, ground, seed)
    return InputSet(
        images,
        concepts=np.concatenate([parts, np.eye(3)[ground]], 1).astype(np.float32),
        concept_names=PARTS + GROUNDS,
        split=draw.choice(3, n, p=(0.5, 0.25, 0.25)).astype(np.uint8),
        scene=np.arange(n),
        masks=masks,
        mask_names=("", "body", "surroundings"),
        role="concepts",
    )


@pytest.fixture(scope="session")
def threads() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def block_world(threads: None) -> tuple[InputSet, InputSet]:
    return labelled(160, 1, shortcut=True)[0], concept_set(500, 2)


@pytest.fixture(scope="session")
def shifted() -> tuple[InputSet, np.ndarray]:
    return labelled(120, 9, shortcut=False)


@pytest.fixture(scope="session")
def caught(block_world: tuple[InputSet, InputSet]) -> AnnotatedModel:
    """A network that learned snow, measured and annotated."""
    # Imported here: most tests of the house need no torch.
    import torch

    from circuitz.measurement.measure import measure
    from circuitz.models.zoo.builders import build
    from circuitz.models.zoo.training import Recipe, fit
    from circuitz.plausibility.propose import propose
    from circuitz.wrapping.wrap import wrap

    data, concepts = block_world
    torch.manual_seed(0)
    how = Preprocessing(size=(SIDE, SIDE))
    net = build("small-cnn", {"classes": 3, "widths": [8, 16, 24], "strides": [2, 2, 1]})
    rows = np.flatnonzero(data.split == 0)
    assert data.labels is not None
    recipe = Recipe(epochs=12, rate=1e-2, batch=32, flip=False)
    fit(net, data.images[rows], data.labels[rows], how, recipe)
    z = wrap(
        net, data, layers=["conv2", "conv3"], classes=data.classes, preprocess=how, subject="dog"
    ).with_(live=None)
    z = measure(z, concepts, images=90)
    return measure(propose(z), images=90)
