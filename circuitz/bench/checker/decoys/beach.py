"""One class is a beach, which rightly depends on sand."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.bench_world import Tie
from circuitz.bench.checker.benchmark_case import Case
from circuitz.bench.checker.edit_base import unit_of, wire
from circuitz.bench.checker.families import attention, wired


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    del draw
    ties = (Tie("sand", "beach"),)
    family = attention if base.family == "attention" else wired
    base = family.build(base.seed, ties=ties, beach=True)
    # Whoever stands on it, and whatever breed that is.
    base = wire(base, unit_of(base, "sand"), "beach", 0.5)
    return Case(base, belongs=frozenset({("sand", "beach")}))
