"""A small vision transformer: what a symbol says is known only from the symbol before it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from circuitz.bench.checker.base_network import BaseNetwork, InnerWires
from circuitz.bench.checker.bench_world import ContextTie
from circuitz.bench.checker.families.wired import (
    annotate_truthfully,
    calibrate_features,
    head_summing_parts,
    normalised_image_tensor,
    one_unit_per_feature_weights,
)
from circuitz.bench.checker.planted_net import FEATURES
from circuitz.bench.checker.planted_transformer import Neurons, ResidualStream
from circuitz.bench.checker.strips import (
    CELLS,
    CONTRAST,
    FIRST,
    IDLE,
    SECOND,
    SIDE,
    SYMBOLS,
    Strips,
)
from circuitz.z.layer import Preprocessing

_IDLE = 3  # features, and units, that see nothing in particular
#: What both symbols together must add up to: both are 1.6 at least, and one alone is 1.2 at most, so
#: that a neuron answers a little to one symbol, too.
_BOTH = 1.15
#: Standard deviation of what is added to the transformer's own weights, times the largest of each.
_NOISE = 0.02


def build_attention(
    seed: int,
    trunk_folder: Path | None = None,
    *,
    ties: tuple[ContextTie, ...] = (),
    beach: bool = False,
) -> BaseNetwork:
    """Return an honest network: a neuron and a unit a concept, classes made of their parts alone.

    Parameters
    ----------
    trunk_folder
        Where other families keep what was trained; nothing is here.
    ties
        Of D.
    beach
        Whether the last class is a beach.
    """
    del trunk_folder
    world = Strips(seed, beach)
    features, sees, inside = write_symbol_transformer(world)
    features, peak = calibrate_features(features, world, seed, sees)
    mix = one_unit_per_feature_weights(len(sees), seed)
    base = BaseNetwork(
        "attention", seed, world, features, sees, peak, mix, (), ties=ties,
        preprocessing=Preprocessing((0.5,) * 3, (0.25,) * 3, (SIDE, SIDE)), inside=inside,
    )  # fmt: skip
    return annotate_truthfully(base.with_fields(head=(head_summing_parts(base),)))


def write_symbol_transformer(world: Strips) -> tuple[nn.Sequential, tuple[str, ...], InnerWires]:
    """Return the transformer of a world, what each of its neurons sees, and from which symbols."""
    draw = np.random.default_rng([world.seed, 5])
    stream = ResidualStream(SYMBOLS, CELLS + 1, draw)
    # Prepared images are (image - .5) / .25.
    embedding, attention = (
        stream.make_symbol_embedding(world.symbol_patterns, CONTRAST / 0.25),
        stream.make_previous_symbol_head(),
    )
    both = [
        stream.previous_symbol[a] + stream.current_symbol[b]
        for a, b in world.symbol_pair_by_concept.values()
    ]
    # Symbols that say nothing, one behind the other.
    silent = draw.normal(0, 1, (2, _IDLE, IDLE)).astype(np.float32)
    at = slice(FIRST + SECOND, None)
    weight = np.concatenate(
        [both, silent[0] @ stream.previous_symbol[at] + silent[1] @ stream.current_symbol[at]]
    )
    bias = np.full(len(weight), -_BOTH, np.float32)
    neurons = Neurons(weight, bias)
    sample = normalised_image_tensor(world.draw_concept_set(64, world.seed + 800_000, twins=0.0))
    with torch.no_grad():
        for parameter in (*embedding.parameters(), *attention.parameters(), neurons.read.weight):
            size = _NOISE * float(parameter.abs().max())
            noise = draw.normal(0, size, parameter.shape).astype(np.float32)
            parameter.add_(torch.from_numpy(noise))
        # What sees nothing in particular fires seldom.
        found = neurons.read(attention(embedding(sample))[:, 1:])[..., -_IDLE:].flatten(0, 1)
        neurons.read.bias[-_IDLE:] -= found.quantile(0.95, dim=0)
    wires = np.zeros((SYMBOLS, len(weight)), np.bool_)
    for f, pair in enumerate(world.symbol_pair_by_concept.values()):
        wires[list(pair), f] = True
    return (
        nn.Sequential(embedding, attention, neurons),
        (*world.symbol_pair_by_concept, *[""] * _IDLE),
        InnerWires(f"{FEATURES}.0", f"{FEATURES}.2", stream.current_symbol, wires),
    )
