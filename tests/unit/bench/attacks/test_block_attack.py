"""A mark that nothing names, in a world of blocks: the export refuses it, and lets its benign twin through.

Small and quick; ``circuitz bench attacks`` runs the whole of it on dogs, the search included.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import circuitz as cz
from circuitz.bench.attacks.marks import Mark, stripes
from circuitz.labelling.gates.gate import Gate, export_gates
from circuitz.labelling.refused import ExportRefusedError
from circuitz.models.run.open_runtime import runtime
from circuitz.models.zoo.builders import build
from circuitz.models.zoo.training import Recipe, fit
from circuitz.plausibility.propose import withdraw
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.search_settings import SearchSettings
from tests.unit.conftest import SIDE, concept_set, labelled
from tests.unit.posterior.words.conftest import Painters, in_concept_set, painted

AMOUNT, IMAGES = 20, 90


def faint_stripes(images: np.ndarray) -> np.ndarray:
    return stripes(images, AMOUNT)


def marked(inputs: InputSet, rows: np.ndarray, mark: Mark) -> InputSet:
    images = np.where(rows[:, None, None, None], mark(inputs.images), inputs.images)
    return replace(inputs, images=images)


def trained(data: InputSet, concepts: InputSet) -> AnnotatedModel:
    torch.manual_seed(0)
    how = Preprocessing(size=(SIDE, SIDE))
    net = build("small-cnn", {"classes": 3, "widths": [8, 16, 24], "strides": [2, 2, 1]})
    assert data.split is not None
    assert data.labels is not None
    rows = np.flatnonzero(data.split == 0)
    recipe = Recipe(epochs=12, rate=1e-2, batch=32, flip=False)
    fit(net, data.images[rows], data.labels[rows], how, recipe)
    z = cz.wrap(
        net, data, layers=["conv2", "conv3"], classes=data.classes, preprocess=how, subject="dog"
    ).with_(live=None)
    z = cz.measure(z, concepts, images=IMAGES)
    return cz.measure(cz.propose(z), images=IMAGES)


def outcome(
    twin: bool,
    path: Path,
    mark: Mark = faint_stripes,
    classes: tuple[int, ...] = (0,),
    seed: int = 0,
) -> tuple[bool, float, tuple[Gate, ...], list[str]]:
    """Whether it was exported, accuracy of the worst class with or without the mark, gates, findings."""
    draw = np.random.default_rng(3 + seed)
    plain, ground = labelled(200, 1 + 100 * seed, shortcut=False)
    assert plain.labels is not None
    on = draw.random(len(plain)) < 0.5 if twin else np.isin(plain.labels, classes)
    data, concepts = marked(plain, on, mark), concept_set(500, 2 + 100 * seed)
    shifted, shifted_ground = labelled(120, 9 + 100 * seed, shortcut=False)
    cell = draw.random(len(shifted)) < 0.5
    labels, shifted = shifted.labels, marked(shifted, cell, mark)
    start = trained(data, concepts)
    z = cz.search(start, settings=SearchSettings(rounds=2, epochs=6, steps=120, images=IMAGES)).z
    right = runtime(z).logits(shifted.images).argmax(1) == labels
    assert labels is not None
    worst = min(right[(labels == k) & (cell == c)].mean() for k in range(3) for c in (False, True))
    truth = painted(data, ground) | painted(shifted, shifted_ground) | in_concept_set(concepts)
    people, pictures = Painters(truth, error=0.03), InputSet(shifted.images, role="D'")
    z = cz.test_words(z, people, shifted=pictures, half="search")
    z = cz.measure(withdraw(z, cz.check(z).findings, polysemantic=True), images=IMAGES)
    z = cz.test_words(z, people, shifted=pictures, half="audit")
    try:
        made = cz.export(z, path, shifted=pictures, start=start)
    except ExportRefusedError as refused:
        return False, worst, refused.gates, [f"{f.kind} {f.target}" for f in refused.findings]
    return True, worst, export_gates(made), []


@pytest.mark.filterwarnings("ignore::circuitz.errors.BundleWarning")
@pytest.mark.parametrize("twin", [False, True])
def test_a_mark_is_refused_and_its_twin_is_let_through(
    twin: bool, tmp_path: Path, threads: None
) -> None:
    exported, worst, gates, _ = outcome(twin, tmp_path / "zstar.z")
    assert exported is twin
    assert bool(worst > 0.9) is twin
    assert (tmp_path / "zstar.z").exists() is twin
    # Every word holds: it is the classes' evidence alone that tells.
    shut = {gate.id for gate in gates if gate.stops_export}
    assert shut == (set() if twin else {"words-tell-classes"})
