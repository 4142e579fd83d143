"""A bundle with 100,000 units opened, up to where the first screen has its data.

Nothing is kept from one round to the next: what the check found in the bundle's layers is
forgotten, as in a kernel that has just started. The lexicon is read before, as it is on import of
anything that shows words.
"""

from __future__ import annotations

from typing import Any

from circuitz.bench.row import Row, Sides, Size

_ANNOTATED = 300


def _make(size: Size) -> Sides:
    from circuitz.bench.synthetic_z import made
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.plausibility.words.match_tables import TABLES
    from circuitz.widgets.studio.studio import Studio

    units = 10_000 if size.quick else 100_000
    z = made(units, images=60, sources=24, annotated=_ANNOTATED)
    path = z.save(size.room / "large.z")
    lexicon = Lexicon.load()

    def opened() -> Studio:
        TABLES.clear()
        return Studio(path, lexicon=lexicon)

    def facts(studio: Any, _theirs: Any) -> dict[str, int]:
        stored = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        return {"units": units, "bytes_sent": sent(studio), "bundle_bytes": stored}

    return Sides(ours=opened, facts=facts)


def sent(studio: Any) -> int:
    """Return the bytes of what the screen is sent when it opens: its program, JSON and buffers."""
    import json

    def weigh(value: Any) -> int:
        if isinstance(value, bytes | memoryview):
            return len(value)
        if isinstance(value, dict):
            return sum(len(json.dumps(str(k))) + weigh(v) for k, v in value.items())
        if isinstance(value, list | tuple):
            return len(value) + sum(map(weigh, value))
        return len(json.dumps(value, default=str))

    return weigh(studio.get_state())


ROW = Row(
    name="open",
    what="a bundle with 100,000 units, 300 of them annotated: seconds until the first screen's "
    "data is ready",
    make=_make,
    target="<= 1 s, <= 2 MB sent",
    bound="checking the bundle's files against their hashes (about 1 s a GB), and the check of "
    "words and wiring",
    rounds=3,
)
