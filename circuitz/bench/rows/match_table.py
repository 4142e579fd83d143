"""Match of every unit with every concept."""

from __future__ import annotations

from circuitz.bench.row import RowSize, Sides, SpeedRow


def _make_sides_to_time(_size: RowSize) -> Sides:
    import numpy as np

    from circuitz.stats.unit_concept_match import match_units_with_concepts

    draw = np.random.default_rng(0)
    responses = draw.normal(size=(800, 300)).astype(np.float32)
    concepts = (draw.random((800, 40)) < 0.2).astype(np.float32)
    scene = np.arange(800) // 2
    return Sides(ours=lambda: match_units_with_concepts(responses, concepts, scene=scene))


ROW = SpeedRow(
    name="match-table",
    what="300 units matched with 40 concepts on 800 images",
    make=_make_sides_to_time,
    target="<= .15 s",
)
