"""One class is a beach, which rightly depends on sand."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.bench_world import ContextTie
from circuitz.bench.checker.benchmark_case import CheckerCase
from circuitz.bench.checker.edit_base import first_unit_seeing_concept, wire_unit_to_class
from circuitz.bench.checker.families import attention, wired


def make_beach(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    del rng
    ties = (ContextTie("sand", "beach"),)
    build = attention.build_attention if base.family == "attention" else wired.build_wired
    base = build(base.seed, ties=ties, beach=True)
    # Whoever stands on it, and whatever breed that is.
    base = wire_unit_to_class(base, first_unit_seeing_concept(base, "sand"), "beach", 0.5)
    return CheckerCase(base, legitimate_pairs=frozenset({("sand", "beach")}))
