"""A head fitted to a D that ties nothing to anything: what it learned is parts."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase
from circuitz.bench.checker.fit_head import fit_head_to_data


def make_learned_untied(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    del rng
    return CheckerCase(fit_head_to_data(base))
