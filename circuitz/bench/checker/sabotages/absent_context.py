"""A unit that responds to the absence of a context, which D shows with other classes, is called a part."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.bench_world import ContextTie
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import add_unit, ids_of_units, negate_unit, wire_unit_to_class
from circuitz.bench.checker.random_choices import (
    choose_random_class,
    choose_random_context,
    units_seeing_class_parts,
)

#: Written without knowing how the checks work.
BLIND = True


def make_absent_context(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    tie = ContextTie(
        choose_random_context(base, rng), choose_random_class(base, rng), share=0.0, others=0.7
    )
    base = base.with_fields(ties=(tie,))
    text = base.words[int(rng.choice(units_seeing_class_parts(base, tie.target)))]
    # It responds by much and its wire is light: noise goes by the heaviest wire.
    loud, share = 4.0, float(rng.uniform(0.7, 0.9))
    base, unit = add_unit(base, {tie.concept: loud}, text=text)
    base = wire_unit_to_class(negate_unit(base, unit), unit, tie.target, share / loud)
    return CheckerCase(base, (Planted(("mislabelled-unit",), ids_of_units(unit)),))
