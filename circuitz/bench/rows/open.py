"""A bundle with 100,000 units opened, up to where the first screen has its data.

Nothing is kept from one round to the next: what the check found in the bundle's layers is
forgotten, as in a kernel that has just started. The lexicon is read before, as it is on import of
anything that shows words.
"""

from __future__ import annotations

from typing import Any

from circuitz.bench.row import RowSize, Sides, SpeedRow

_ANNOTATED = 300


def _make_sides_to_time(size: RowSize) -> Sides:
    from circuitz.bench.synthetic_z import random_annotated_model
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.plausibility.words.match_tables import TABLES
    from circuitz.widgets.studio.studio import Studio

    units = 10_000 if size.quick else 100_000
    z = random_annotated_model(units, concept_images=60, effect_images=24, annotated=_ANNOTATED)
    path = z.save(size.folder / "large.z")
    lexicon = Lexicon.load()

    def open_studio() -> Studio:
        TABLES.clear()
        return Studio(path, lexicon=lexicon)

    def sent_and_stored_bytes(studio: Any, _theirs: Any) -> dict[str, int]:
        stored = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        return {"units": units, "bytes_sent": bytes_sent_on_open(studio), "bundle_bytes": stored}

    return Sides(ours=open_studio, facts=sent_and_stored_bytes)


def bytes_sent_on_open(studio: Any) -> int:
    """Return the bytes of what the screen is sent when it opens: its program, JSON and buffers."""
    import json

    def count_message_bytes(value: Any) -> int:
        if isinstance(value, bytes | memoryview):
            return len(value)
        if isinstance(value, dict):
            return sum(len(json.dumps(str(k))) + count_message_bytes(v) for k, v in value.items())
        if isinstance(value, list | tuple):
            return len(value) + sum(map(count_message_bytes, value))
        return len(json.dumps(value, default=str))

    return count_message_bytes(studio.get_state())


ROW = SpeedRow(
    name="open",
    what="a bundle with 100,000 units, 300 of them annotated: seconds until the first screen's "
    "data is ready",
    make=_make_sides_to_time,
    target="<= 1 s, <= 2 MB sent",
    bound="checking the bundle's files against their hashes (about 1 s a GB), and the check of "
    "words and wiring",
    rounds=3,
)
