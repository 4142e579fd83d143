"""A bundle opened."""

from __future__ import annotations

from circuitz.bench.row import RowSize, Sides, SpeedRow


def _make_sides_to_time(size: RowSize) -> Sides:
    from circuitz.bench.synthetic_z import random_annotated_model
    from circuitz.z.bundle.load_save import load

    path = random_annotated_model(300, annotated=40).save(size.folder / "made.z")
    return Sides(ours=lambda: load(path))


ROW = SpeedRow(
    name="bundle-open",
    what="a measured bundle of 300 units opened",
    make=_make_sides_to_time,
    target="<= .1 s",
)
