"""Harder conditions: what happens to the rates when labels are few, wrong or missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from circuitz.bench.checker.benchmark_case import Case
from circuitz.lexicon.lexicon import Lexicon
from circuitz.z.inputs import InputSet

Condition = Callable[[Case, InputSet, np.random.Generator], InputSet]
_LABELLED, _DISTRACTORS = 50, 50


def no_counterfactuals(_case: Case, known: InputSet, _draw: np.random.Generator) -> InputSet:
    """Leave out all twins."""
    assert known.scene is not None
    first = np.unique(known.scene, return_index=True)[1]
    return _rows(known, np.sort(first))


def no_masks(_case: Case, known: InputSet, _draw: np.random.Generator) -> InputSet:
    """Leave out part masks."""
    return replace(known, masks=None, mask_names=())


def wrong_labels(share: float) -> Condition:
    """Let a share of all concept labels be the opposite of what is true."""

    def condition(_case: Case, known: InputSet, draw: np.random.Generator) -> InputSet:
        assert known.concepts is not None
        wrong = draw.random(known.concepts.shape) < share
        return replace(
            known, concepts=np.where(wrong, 1 - known.concepts, known.concepts), pairs=None
        )

    return condition


def few_labelled(_case: Case, known: InputSet, draw: np.random.Generator) -> InputSet:
    """Leave 50 labelled images in all."""
    assert known.scene is not None
    first = np.unique(known.scene, return_index=True)[1]
    return _rows(known, np.sort(draw.permutation(first)[:_LABELLED]))


def distractors(case: Case, known: InputSet, draw: np.random.Generator) -> InputSet:
    """Label 50 more concepts, which have nothing to do with the images."""
    assert known.concepts is not None
    taken = set(known.concept_names)
    names = [name for name in sorted(Lexicon.load().concepts) if name not in taken]
    chosen = tuple(str(n) for n in draw.choice(names, _DISTRACTORS, replace=False))
    share = draw.uniform(0.1, 0.5, _DISTRACTORS)
    more = (draw.random((len(known), _DISTRACTORS)) < share).astype(np.float32)
    # A twin keeps what its original shows.
    assert known.scene is not None
    more = more[np.unique(known.scene, return_index=True, return_inverse=True)[1]][
        np.unique(known.scene, return_inverse=True)[1]
    ]
    del case
    return replace(
        known,
        concepts=np.concatenate([known.concepts, more], 1),
        concept_names=(*known.concept_names, *chosen),
    )


def concept_absent(case: Case, known: InputSet, _draw: np.random.Generator) -> InputSet:
    """Take the shortcut's concept out of the vocabulary."""
    assert known.concepts is not None
    gone = {tie.concept for tie in case.base.ties}
    keep = [i for i, name in enumerate(known.concept_names) if name not in gone]
    place = {c: i for i, c in enumerate(keep)}
    pairs = known.pairs
    if pairs is not None:
        pairs = np.array(
            [(a, b, place[c]) for a, b, c in pairs.tolist() if c in place], np.int64
        ).reshape(-1, 3)
    return replace(
        known,
        concepts=known.concepts[:, keep],
        concept_names=tuple(known.concept_names[i] for i in keep),
        pairs=pairs,
    )


def _rows(known: InputSet, rows: np.ndarray) -> InputSet:
    """Return some images, without pairs."""
    assert known.concepts is not None
    assert known.split is not None
    assert known.scene is not None
    return replace(
        known, images=known.images[rows], concepts=known.concepts[rows], split=known.split[rows],
        scene=known.scene[rows], pairs=None,
        masks=None if known.masks is None else known.masks[rows],
    )  # fmt: skip


CONDITIONS: Mapping[str, Condition] = MappingProxyType(
    {
        "no-counterfactuals": no_counterfactuals,
        "no-masks": no_masks,
        "wrong-labels-5": wrong_labels(0.05),
        "wrong-labels-15": wrong_labels(0.15),
        "wrong-labels-25": wrong_labels(0.25),
        "labelled-50": few_labelled,
        "distractors-50": distractors,
        "concept-absent": concept_absent,
    }
)
"""What is done to the concept set, by name."""
