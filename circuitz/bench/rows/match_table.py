"""Match of every unit with every concept."""

from __future__ import annotations

from circuitz.bench.row import Row, Sides, Size


def _make(_size: Size) -> Sides:
    import numpy as np

    from circuitz.stats.match import match_table

    draw = np.random.default_rng(0)
    responses = draw.normal(size=(800, 300)).astype(np.float32)
    concepts = (draw.random((800, 40)) < 0.2).astype(np.float32)
    scene = np.arange(800) // 2
    return Sides(ours=lambda: match_table(responses, concepts, scene=scene))


ROW = Row(
    name="match-table",
    what="300 units matched with 40 concepts on 800 images",
    make=_make,
    target="<= .15 s",
)
