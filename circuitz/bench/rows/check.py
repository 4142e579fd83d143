"""The plausibility check after an edit of words."""

from __future__ import annotations

from circuitz.bench.row import RowSize, Sides, SpeedRow


def _make_sides_to_time(_size: RowSize) -> Sides:
    from circuitz.bench.synthetic_z import random_annotated_model
    from circuitz.plausibility.check import check

    units, annotated = 10_000, 1_000
    z = random_annotated_model(units, annotated=annotated)
    check(z)  # what does not change with an edit is remembered
    words = iter(range(10**9))

    def annotate_and_check() -> object:
        return check(z.annotate("conv4:0", f"fluffy coat {next(words)}"))

    return Sides(
        ours=annotate_and_check,
        facts=lambda report, _: {
            "units": units,
            "annotated": annotated,
            "findings": len(report.findings),
        },
    )


ROW = SpeedRow(
    name="check",
    what="an edit of words checked, 10,000 units, 1,000 annotated, 4 classes",
    make=_make_sides_to_time,
    target="<= .2 s",
)
