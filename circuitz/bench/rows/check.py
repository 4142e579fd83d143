"""The plausibility check after an edit of words."""

from __future__ import annotations

from circuitz.bench.row import Row, Sides, Size


def _make(_size: Size) -> Sides:
    from circuitz.bench.synthetic_z import made
    from circuitz.plausibility.check import check

    units, annotated = 10_000, 1_000
    z = made(units, annotated=annotated)
    check(z)  # what does not change with an edit is remembered
    words = iter(range(10**9))

    def once() -> object:
        return check(z.annotate("conv4:0", f"fluffy coat {next(words)}"))

    return Sides(
        ours=once,
        facts=lambda report, _: {
            "units": units,
            "annotated": annotated,
            "findings": len(report.items),
        },
    )


ROW = Row(
    name="check",
    what="an edit of words checked, 10,000 units, 1,000 annotated, 4 classes",
    make=_make,
    target="<= .2 s",
)
