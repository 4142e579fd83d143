"""The small transformer tells concepts by the symbol before a symbol, and by nothing else."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.case_registry import build_case
from circuitz.bench.checker.edge_ranking import auroc_from_ranks, edge_auroc_by_method
from circuitz.bench.checker.families import attention
from circuitz.bench.checker.families.wired import normalised_image_tensor
from circuitz.bench.checker.planted_transformer import SymbolAttentionHead
from circuitz.bench.checker.strips import CELL, CELLS, FIRST, ROW, SECOND, Strips
from circuitz.z.inputs import InputSet

F32 = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def base() -> BaseNetwork:
    """Return one honest transformer."""
    return attention.build_attention(6)


@pytest.fixture(scope="module")
def shown(base: BaseNetwork) -> InputSet:
    """Return pictures of anything."""
    return base.world.draw_concept_set(200, 77, twins=0.0)


def _told(base: BaseNetwork, shown: InputSet, features: nn.Module) -> list[float]:
    """Return how well the mean of each map tells its concept (area under the ROC curve)."""
    with torch.no_grad():
        mean = features(normalised_image_tensor(shown)).mean((2, 3)).double().numpy()
    assert shown.concepts is not None
    return [
        auroc_from_ranks(mean[:, f], shown.concepts[:, shown.concept_names.index(concept)] > 0)
        for f, concept in enumerate(base.sees)
        if concept
    ]


def _cells(shown: InputSet, order: npt.NDArray[np.int64]) -> InputSet:
    """Return the pictures with their cells in another order, ``(n, 25)``."""
    n = len(shown.images)
    cut = np.asarray(shown.images).reshape(n, ROW, CELL, ROW, CELL, 3).transpose(0, 1, 3, 2, 4, 5)
    cut = cut.reshape(n, CELLS, CELL, CELL, 3)[np.arange(n)[:, None], order]
    cut = cut.reshape(n, ROW, ROW, CELL, CELL, 3).transpose(0, 1, 3, 2, 4, 5)
    return replace(shown, images=np.ascontiguousarray(cut.reshape(shown.images.shape)))


def test_every_neuron_tells_its_concept_and_the_classes_are_told(
    base: BaseNetwork, shown: InputSet
) -> None:
    told = _told(base, shown, base.features)
    assert len(told) == len(base.world.concepts)
    assert min(told) > 0.99
    assert base.accuracy_on_own_data > 0.97


def test_maps_are_never_negative_and_about_one_where_the_concept_is_shown(
    base: BaseNetwork, shown: InputSet
) -> None:
    with torch.no_grad():
        maps = base.features(normalised_image_tensor(shown))
    assert maps.shape == (len(shown), len(base.sees), ROW, ROW)
    assert float(maps.min()) == 0
    assert shown.concepts is not None
    for f, concept in enumerate(base.sees):
        if concept:
            there = shown.concepts[:, shown.concept_names.index(concept)] > 0
            mean = maps.mean((2, 3))[:, f].numpy()
            assert mean[there].mean() == pytest.approx(1, abs=0.15)
            assert mean[~there].mean() < 0.2


def test_each_cell_attends_to_the_cell_before_it(base: BaseNetwork, shown: InputSet) -> None:
    embedding, head = (cast(Any, base.features)[i] for i in (0, 1))
    with torch.no_grad():
        pattern = cast(SymbolAttentionHead, head).attention_pattern(
            embedding(normalised_image_tensor(shown)[:8])
        )
    before = torch.diagonal(pattern, -1, 1, 2)
    assert before.shape == (8, CELLS)
    assert float(before.min()) > 0.85


def test_no_symbol_tells_a_concept_alone(base: BaseNetwork, shown: InputSet) -> None:
    embedding, _, neurons, gain = cast(nn.Sequential, base.features)
    unmoved = nn.Sequential(embedding, neurons, gain)
    assert max(_told(base, shown, unmoved)) < 0.8
    # Nor does anything that reads which symbols a picture shows, wherever they stand.
    world = cast(Strips, base.world)
    draw = np.random.default_rng(0)
    values = np.stack([draw.integers(0, len(g), 2000) for g in world.exclusive_concept_groups], 1)
    extras = draw.random((2000, len(world.optional_concepts))) < 0.3
    written = [world.draw_cell_symbols(v, e, draw) for v, e in zip(values, extras, strict=True)]
    bags = np.stack([np.bincount(w, minlength=FIRST + SECOND)[: FIRST + SECOND] for w in written])
    table = world.concept_labels(values, extras)
    design = np.concatenate([bags, np.ones((2000, 1))], 1)
    fitted = np.linalg.lstsq(design[:1000], table[:1000], rcond=None)[0]
    guess = design[1000:] @ fitted
    assert (
        max(auroc_from_ranks(guess[:, c], table[1000:, c] > 0) for c in range(table.shape[1]))
        < 0.85
    )


def test_another_order_of_the_same_symbols_says_something_else(
    base: BaseNetwork, shown: InputSet
) -> None:
    same = np.tile(np.arange(CELLS), (len(shown), 1))
    assert min(_told(base, _cells(shown, same), base.features)) > 0.99
    mixed = np.random.default_rng(1).permuted(same, axis=1)
    assert max(_told(base, _cells(shown, mixed), base.features)) < 0.8


def test_a_twin_differs_in_the_pairs_that_say_something_else_alone() -> None:
    world = Strips(2)
    values, extras = np.array([0, 1, 2, 0, 3]), np.array([True, False, False])
    one = world.draw_cell_symbols(values, extras, np.random.default_rng(5))
    for group, size in enumerate(len(g) for g in world.exclusive_concept_groups):
        other = values.copy()
        other[group] = (other[group] + 1) % size
        two = world.draw_cell_symbols(other, extras, np.random.default_rng(5))
        changed = np.flatnonzero(one != two)
        assert len(changed) == 1
        # The symbol before says which attribute it is, and stays.
        assert two[changed[0] - 1] == group
    for extra in range(3):
        other = extras ^ (np.arange(3) == extra)
        two = world.draw_cell_symbols(values, other, np.random.default_rng(5))
        changed = np.flatnonzero(one != two)
        assert 1 <= len(changed) <= 2
        assert changed[-1] - changed[0] < 2


def test_a_pair_says_what_is_shown_and_nothing_else_does() -> None:
    world, draw = Strips(1), np.random.default_rng(3)
    for _ in range(50):
        values = np.array([draw.integers(len(g)) for g in world.exclusive_concept_groups])
        extras = draw.random(3) < 0.5
        written = world.draw_cell_symbols(values, extras, draw).tolist()
        assert len(written) == CELLS
        neighbours = set(pairwise(written))
        said = {
            concept for concept, pair in world.symbol_pair_by_concept.items() if pair in neighbours
        }
        table = world.concept_labels(values[None], extras[None])[0]
        assert said == {c for c, there in zip(world.concepts, table, strict=True) if there}


def test_one_seed_is_one_network_and_another_seed_another(base: BaseNetwork) -> None:
    again, other = attention.build_attention(6), attention.build_attention(7)
    for name, value in base.features.state_dict().items():
        assert torch.equal(value, again.features.state_dict()[name])
    assert base.words == again.words
    assert any(
        not torch.equal(value, other.features.state_dict()[name])
        for name, value in base.features.state_dict().items()
    )


def test_a_beach_is_drawn_in_the_same_writing(base: BaseNetwork) -> None:
    case = build_case("decoy", "beach", base)
    assert case.base.family == "attention"
    assert isinstance(case.base.world, Strips)
    assert case.base.accuracy_on_own_data >= 0.97


def test_edges_through_the_head_are_told_from_noise(base: BaseNetwork) -> None:
    scores = edge_auroc_by_method(build_case("sabotage", "open-shortcut", base))
    assert set(scores) == {"unit-class", "feature-unit", "symbol-neuron"}
    assert scores["symbol-neuron"]["ours"] > 0.99
    # No gradient reaches a neuron that is silent until both its symbols are there.
    assert scores["symbol-neuron"]["ours"] >= scores["symbol-neuron"]["eap"]


def test_each_neuron_that_sees_a_concept_has_two_wires_from_symbols(base: BaseNetwork) -> None:
    assert base.inside is not None
    assert base.inside.directions.shape[0] == len(base.inside.wires)
    for f, concept in enumerate(base.sees):
        assert base.inside.wires[:, f].sum() == (2 if concept else 0)
