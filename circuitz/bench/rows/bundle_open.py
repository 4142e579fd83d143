"""A bundle opened."""

from __future__ import annotations

from circuitz.bench.row import Row, Sides, Size


def _make(size: Size) -> Sides:
    from circuitz.bench.synthetic_z import made
    from circuitz.z.bundle.load_save import load

    path = made(300, annotated=40).save(size.room / "made.z")
    return Sides(ours=lambda: load(path))


ROW = Row(
    name="bundle-open",
    what="a measured bundle of 300 units opened",
    make=_make,
    target="<= .1 s",
)
