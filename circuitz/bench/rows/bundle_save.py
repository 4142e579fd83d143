"""An edit saved to its bundle."""

from __future__ import annotations

from circuitz.bench.row import Row, Sides, Size


def _make(size: Size) -> Sides:
    from circuitz.bench.synthetic_z import made
    from circuitz.z.bundle.load_save import load

    path = made(300, annotated=40).save(size.room / "made.z")
    chain = [load(path)]
    words = iter(range(10**9))

    def once() -> object:
        chain.append(chain.pop().annotate("conv4:3", f"ears {next(words)}", concepts=()))
        return chain[0].save(path)

    return Sides(ours=once)


ROW = Row(
    name="bundle-save",
    what="an edit saved to a measured bundle of 300 units",
    make=_make,
    target="<= .3 s",
)
