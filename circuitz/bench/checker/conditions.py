"""Harder conditions: what happens to the rates when labels are few, wrong or missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from circuitz.bench.checker.benchmark_case import CheckerCase
from circuitz.lexicon.lexicon import Lexicon
from circuitz.z.inputs import InputSet

Condition = Callable[[CheckerCase, InputSet, np.random.Generator], InputSet]
_LABELLED, _DISTRACTORS = 50, 50


def drop_counterfactuals(
    _case: CheckerCase, concept_set: InputSet, _rng: np.random.Generator
) -> InputSet:
    """Leave out all twins."""
    assert concept_set.scene is not None
    first = np.unique(concept_set.scene, return_index=True)[1]
    return _take_rows_without_pairs(concept_set, np.sort(first))


def drop_part_masks(
    _case: CheckerCase, concept_set: InputSet, _rng: np.random.Generator
) -> InputSet:
    """Leave out part masks."""
    return replace(concept_set, masks=None, mask_names=())


def label_flipping_condition(share: float) -> Condition:
    """Let a share of all concept labels be the opposite of what is true."""

    def flip_concept_labels(
        _case: CheckerCase, concept_set: InputSet, rng: np.random.Generator
    ) -> InputSet:
        assert concept_set.concepts is not None
        wrong = rng.random(concept_set.concepts.shape) < share
        return replace(
            concept_set,
            concepts=np.where(wrong, 1 - concept_set.concepts, concept_set.concepts),
            pairs=None,
        )

    return flip_concept_labels


def keep_few_labelled_images(
    _case: CheckerCase, concept_set: InputSet, rng: np.random.Generator
) -> InputSet:
    """Leave 50 labelled images in all."""
    assert concept_set.scene is not None
    first = np.unique(concept_set.scene, return_index=True)[1]
    return _take_rows_without_pairs(concept_set, np.sort(rng.permutation(first)[:_LABELLED]))


def add_distractor_concepts(
    case: CheckerCase, concept_set: InputSet, rng: np.random.Generator
) -> InputSet:
    """Label 50 more concepts, which have nothing to do with the images."""
    assert concept_set.concepts is not None
    taken = set(concept_set.concept_names)
    names = [name for name in sorted(Lexicon.load().concepts) if name not in taken]
    chosen = tuple(str(n) for n in rng.choice(names, _DISTRACTORS, replace=False))
    share = rng.uniform(0.1, 0.5, _DISTRACTORS)
    more = (rng.random((len(concept_set), _DISTRACTORS)) < share).astype(np.float32)
    # A twin keeps what its original shows.
    assert concept_set.scene is not None
    more = more[np.unique(concept_set.scene, return_index=True, return_inverse=True)[1]][
        np.unique(concept_set.scene, return_inverse=True)[1]
    ]
    del case
    return replace(
        concept_set,
        concepts=np.concatenate([concept_set.concepts, more], 1),
        concept_names=(*concept_set.concept_names, *chosen),
    )


def remove_tied_concepts(
    case: CheckerCase, concept_set: InputSet, _rng: np.random.Generator
) -> InputSet:
    """Take the shortcut's concept out of the vocabulary."""
    assert concept_set.concepts is not None
    gone = {tie.concept for tie in case.base.ties}
    keep = [i for i, name in enumerate(concept_set.concept_names) if name not in gone]
    place = {c: i for i, c in enumerate(keep)}
    pairs = concept_set.pairs
    if pairs is not None:
        pairs = np.array(
            [(a, b, place[c]) for a, b, c in pairs.tolist() if c in place], np.int64
        ).reshape(-1, 3)
    return replace(
        concept_set,
        concepts=concept_set.concepts[:, keep],
        concept_names=tuple(concept_set.concept_names[i] for i in keep),
        pairs=pairs,
    )


def _take_rows_without_pairs(concept_set: InputSet, rows: np.ndarray) -> InputSet:
    """Return some images, without pairs."""
    assert concept_set.concepts is not None
    assert concept_set.split is not None
    assert concept_set.scene is not None
    return replace(
        concept_set, images=concept_set.images[rows], concepts=concept_set.concepts[rows], split=concept_set.split[rows],
        scene=concept_set.scene[rows], pairs=None,
        masks=None if concept_set.masks is None else concept_set.masks[rows],
    )  # fmt: skip


CONDITIONS: Mapping[str, Condition] = MappingProxyType(
    {
        "no-counterfactuals": drop_counterfactuals,
        "no-masks": drop_part_masks,
        "wrong-labels-5": label_flipping_condition(0.05),
        "wrong-labels-15": label_flipping_condition(0.15),
        "wrong-labels-25": label_flipping_condition(0.25),
        "labelled-50": keep_few_labelled_images,
        "distractors-50": add_distractor_concepts,
        "concept-absent": remove_tied_concepts,
    }
)
"""What is done to the concept set, by name."""
