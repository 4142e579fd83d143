"""An edit saved to its bundle."""

from __future__ import annotations

from circuitz.bench.row import RowSize, Sides, SpeedRow


def _make_sides_to_time(size: RowSize) -> Sides:
    from circuitz.bench.synthetic_z import random_annotated_model
    from circuitz.z.bundle.load_save import load

    path = random_annotated_model(300, annotated=40).save(size.folder / "made.z")
    chain = [load(path)]
    words = iter(range(10**9))

    def annotate_and_save() -> object:
        chain.append(chain.pop().annotate("conv4:3", f"ears {next(words)}", concepts=()))
        return chain[0].save(path)

    return Sides(ours=annotate_and_save)


ROW = SpeedRow(
    name="bundle-save",
    what="an edit saved to a measured bundle of 300 units",
    make=_make_sides_to_time,
    target="<= .3 s",
)
