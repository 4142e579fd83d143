"""The plausibility check after an edit of words."""

from __future__ import annotations

from circuitz.bench.row import Row, Sides, Size


def _make(_size: Size) -> Sides:
    from circuitz.bench.made import made
    from circuitz.plausibility.check import check

    units = 300
    z = made(units, annotated=units)
    check(z)  # what does not change with an edit is remembered
    words = iter(range(10**9))

    def once() -> object:
        return check(z.annotate("conv4:0", f"fluffy coat {next(words)}"))

    return Sides(ours=once, facts=lambda report, _: {"units": units, "findings": len(report.items)})


ROW = Row(
    name="check",
    what="an edit of words checked, 300 annotated units, 4 classes",
    make=_make,
    target="<= .3 s",
)
