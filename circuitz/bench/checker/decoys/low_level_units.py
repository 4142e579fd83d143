"""Low-level units with words of their own, which do a little for every class."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base import Base
from circuitz.bench.checker.case import Case
from circuitz.bench.checker.choose import target, tied
from circuitz.bench.checker.edit import unit_of, wire


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, _ = tied(base, draw)
    if "stripes" in base.sees:
        base = wire(base, unit_of(base, "stripes"), target(base, draw), 0.04)
    return Case(base)
