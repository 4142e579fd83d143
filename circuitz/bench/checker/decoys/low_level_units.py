"""Low-level units with words of their own, which do a little for every class."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case
from circuitz.bench.checker.edit_base import unit_of, wire
from circuitz.bench.checker.random_choices import target, tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, _ = tied(base, draw)
    if "stripes" in base.sees:
        base = wire(base, unit_of(base, "stripes"), target(base, draw), 0.04)
    return Case(base)
