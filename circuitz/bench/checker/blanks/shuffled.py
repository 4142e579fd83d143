"""A head fitted to D with its labels shuffled, on units that are honest: it learned noise."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base import Base
from circuitz.bench.checker.case import Case
from circuitz.bench.checker.choose import tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base = tied(base, draw)[0].with_(shuffled=True)
    assert base.data.labels is not None
    responses = base.run(base.data.images)[0]
    wanted = np.eye(len(base.world.classes), dtype=np.float32)[base.data.labels]
    centred = responses - responses.mean(0)
    fitted = np.linalg.lstsq(centred, (wanted - wanted.mean(0)) * 10, rcond=None)[0].T
    weight = fitted.astype(np.float32)
    bias = (-weight @ responses.mean(0)).astype(np.float32)
    return Case(base.with_(head=((weight, bias),)))
