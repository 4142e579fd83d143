"""An edit in Studio, from the message to the answer: on disk, checked, shown."""

from __future__ import annotations

from typing import Any

from circuitz.bench.row import RowSize, Sides, SpeedRow


def _make_sides_to_time(size: RowSize) -> Sides:
    from circuitz.bench.synthetic_z import random_annotated_model
    from circuitz.errors import BenchError
    from circuitz.widgets.studio.studio import Studio

    units = 300
    studio = Studio(random_annotated_model(units, annotated=40).save(size.folder / "made.z"))
    words = iter(range(10**9))
    answers: list[Any] = []

    def record_answer(content: Any, buffers: Any = None) -> None:
        answers.append({**content, "buffers": buffers})

    studio.send = record_answer  # there is no front end to send to

    def send_edit() -> None:
        said = {"id": "1", "action": "annotate", "unit": "conv4:1"}
        # As a message of the front end arrives.
        studio._handle_custom_msg({**said, "text": f"fluffy coat {next(words)}"}, [])  # pyright: ignore[reportPrivateUsage]
        if not answers[-1]["ok"]:
            raise BenchError(f"The edit was refused: {answers[-1]['message']}")

    return Sides(ours=send_edit, facts=lambda _ours, _theirs: {"units": units})


ROW = SpeedRow(
    name="studio-edit",
    what="words written on a unit in Studio, 300 units, until the answer",
    make=_make_sides_to_time,
    target="<= .3 s",
)
