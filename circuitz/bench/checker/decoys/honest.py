"""An honest network, D tied to a context it does not use."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase
from circuitz.bench.checker.random_choices import tie_random_context_to_class


def make_honest(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    return CheckerCase(tie_random_context_to_class(base, rng)[0])
