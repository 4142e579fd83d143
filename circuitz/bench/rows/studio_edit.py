"""An edit in Studio, from the message to the answer: on disk, checked, shown."""

from __future__ import annotations

from typing import Any

from circuitz.bench.row import Row, Sides, Size


def _make(size: Size) -> Sides:
    from circuitz.bench.synthetic_z import made
    from circuitz.errors import BenchError
    from circuitz.widgets.studio.studio import Studio

    units = 300
    studio = Studio(made(units, annotated=40).save(size.room / "made.z"))
    words = iter(range(10**9))
    answers: list[Any] = []

    def hear(content: Any, buffers: Any = None) -> None:
        answers.append({**content, "buffers": buffers})

    studio.send = hear  # there is no front end to send to

    def once() -> None:
        said = {"id": "1", "action": "annotate", "unit": "conv4:1"}
        # As a message of the front end arrives.
        studio._handle_custom_msg({**said, "text": f"fluffy coat {next(words)}"}, [])  # pyright: ignore[reportPrivateUsage]
        if not answers[-1]["ok"]:
            raise BenchError(f"The edit was refused: {answers[-1]['message']}")

    return Sides(ours=once, facts=lambda _ours, _theirs: {"units": units})


ROW = Row(
    name="studio-edit",
    what="words written on a unit in Studio, 300 units, until the answer",
    make=_make,
    target="<= .3 s",
)
