"""Compiled circuits: small programs over concept predicates, written into an MLP behind the units."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from circuitz.bench.checker.base_network import GAIN, BaseNetwork
from circuitz.bench.checker.families import wired
from circuitz.bench.checker.planted_net import Dense

#: A program: the terms of a sum, each *at least so many of these parts*.
Program = tuple[tuple[tuple[int, ...], int], ...]
PROGRAMS: tuple[Program, ...] = (
    (((0, 1, 2, 3), 3),),  # at least three of the four
    (((0, 1, 2, 3), 2),),  # at least two
    (((0, 1), 2), ((2, 3), 2)),  # two pairs, either of which will do
    (((0, 1, 2), 2), ((3,), 1)),  # most of three, or the fourth
)


def build_compiled(seed: int, trunk_folder: Path | None = None) -> BaseNetwork:
    """Return an honest network: a random program over its parts makes each class."""
    base = wired.build_wired(seed, trunk_folder).with_fields(family="compiled", spatial=False)
    draw = np.random.default_rng([seed, 8])
    steps: list[tuple[int, np.ndarray, float]] = []
    for k in range(len(base.world.classes)):
        units = np.flatnonzero(base.head[0][0][k])
        order = draw.permutation(units)
        for step in PROGRAMS[int(draw.integers(len(PROGRAMS)))]:
            steps.append((k, *_step_weights_and_bias(base.unit_count, order, step)))
    return base.with_fields(head=_program_head_layers(base, steps))


def _step_weights_and_bias(
    size: int, parts: np.ndarray, step: tuple[tuple[int, ...], int]
) -> tuple[np.ndarray, float]:
    which, least = step
    row = np.zeros(size, np.float32)
    row[parts[list(which)]] = 1
    # A part that is not shown still responds a little.
    return row, -(least - 0.75)


def _program_head_layers(
    base: BaseNetwork, steps: list[tuple[int, np.ndarray, float]]
) -> tuple[Dense, Dense]:
    first = np.stack([row for _, row, _ in steps]).astype(np.float32)
    bias = np.array([b for _, _, b in steps], np.float32)
    weight = np.zeros((len(base.world.classes), len(steps)), np.float32)
    for h, (k, row, b) in enumerate(steps):
        # All steps of a class together add the gain where all its parts are shown.
        terms = sum(k == other for other, _, _ in steps)
        weight[k, h] = GAIN / terms / (float(row.sum()) + b)
    return (first, bias), (weight, np.zeros(len(weight), np.float32))
