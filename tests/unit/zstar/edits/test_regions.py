from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuitz.errors import ConceptLabelsError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.zstar.edits.regions import find_regions
from circuitz.zstar.label_columns import columns_of_same_kind


def _overlap(found: np.ndarray, true: np.ndarray) -> float:
    return float((found & true).sum() / (found | true).sum())


@pytest.mark.parametrize(("source", "least"), [("masks", 0.95), ("labels", 0.75)])
def test_regions_are_found_on_images_that_were_not_learned_from(block_world, source, least) -> None:
    _, concepts = block_world
    finder = find_regions("snow", concepts, Lexicon.load(), source=source)
    assert finder.source == source
    test = concepts.split == 1
    assert (
        _overlap(
            finder.region_probability_maps(concepts.images[test]) > 0.5, concepts.masks[test] == 2
        )
        > least
    )


def test_pairs_show_the_region_where_no_mask_does(block_world) -> None:
    _, concepts = block_world
    # A second ground under the same thing: where the mask says so, and nowhere else.
    rows = np.flatnonzero((concepts.concepts[:, 3] == 1) & (concepts.split < 2))[:120]
    other = concepts.images[rows].copy()
    under = concepts.masks[rows] == 2
    noise = np.random.default_rng(0).normal((60, 150, 60), 18, (*under.shape, 3))
    other[under] = noise.clip(0, 255).astype(np.uint8)[under]
    n = len(concepts)
    changed = concepts.concepts[rows].copy()
    changed[:, 3:5] = (0, 1)
    both = replace(
        concepts,
        images=np.concatenate([concepts.images, other]),
        concepts=np.concatenate([concepts.concepts, changed]),
        split=np.concatenate([concepts.split, concepts.split[rows]]),
        scene=np.concatenate([concepts.scene, rows]),
        masks=np.concatenate([concepts.masks, concepts.masks[rows]]),
        pairs=np.stack([rows, n + np.arange(len(rows)), np.full(len(rows), 3)], 1),
    )
    finder = find_regions("snow", replace(both, masks=None, mask_names=()), Lexicon.load())
    assert finder.source == "pairs"
    test = both.split == 1
    assert (
        _overlap(finder.region_probability_maps(both.images[test]) > 0.5, both.masks[test] == 2)
        > 0.9
    )


def test_a_concept_without_labels_is_refused_by_name(block_world) -> None:
    _, concepts = block_world
    with pytest.raises(ConceptLabelsError, match="water"):
        find_regions("water", concepts, Lexicon.load())
    with pytest.raises(ConceptLabelsError, match="pairs"):
        find_regions("snow", concepts, Lexicon.load(), source="pairs")


def test_siblings_are_of_one_kind_and_the_concept_comes_first(block_world) -> None:
    _, concepts = block_world
    assert columns_of_same_kind("grass", concepts, Lexicon.load()) == [4, 3, 5]


def test_labels_that_are_missing_teach_nothing_and_stop_nothing(block_world) -> None:
    _, concepts = block_world
    gaps = concepts.concepts.copy()
    gaps[np.random.default_rng(0).random(gaps.shape) < 0.3] = np.nan
    finder = find_regions("snow", replace(concepts, concepts=gaps), Lexicon.load(), source="labels")
    test = concepts.split == 1
    assert (
        _overlap(
            finder.region_probability_maps(concepts.images[test]) > 0.5, concepts.masks[test] == 2
        )
        > 0.6
    )


def test_large_images_are_looked_at_smaller_and_answered_in_their_own_size(block_world) -> None:
    _, concepts = block_world
    large = np.asarray(concepts.images).repeat(4, 1).repeat(4, 2)[:, :, :90]
    masks = concepts.masks.repeat(4, 1).repeat(4, 2)[:, :, :90]
    finder = find_regions("snow", replace(concepts, images=large, masks=masks), Lexicon.load())
    test = concepts.split == 1
    found = finder.region_probability_maps(large[test]) > 0.5
    assert found.shape == (test.sum(), 96, 90)
    assert _overlap(found, masks[test] == 2) > 0.85
