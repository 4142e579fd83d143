"""A bundle with 100,000 units opened, up to where the first screen has its data."""

from __future__ import annotations

from typing import Any

from circuitz.bench.row import Row, Sides, Size


def _make(size: Size) -> Sides:
    from circuitz.bench.made import made
    from circuitz.widgets.studio import Studio

    units = 10_000 if size.quick else 100_000
    path = made(units, images=60, sources=24).save(size.room / "large.z")

    def facts(studio: Any, _theirs: Any) -> dict[str, int]:
        return {"units": units, "bytes_sent": sent(studio)}

    return Sides(ours=lambda: Studio(path), facts=facts)


def sent(studio: Any) -> int:
    """Return the bytes of what the screen is sent when it opens: JSON and buffers."""
    import json

    def weigh(value: Any) -> int:
        if isinstance(value, bytes | memoryview):
            return len(value)
        if isinstance(value, dict):
            return sum(len(json.dumps(str(k))) + weigh(v) for k, v in value.items())
        if isinstance(value, list | tuple):
            return len(value) + sum(map(weigh, value))
        return len(json.dumps(value, default=str))

    names = studio.traits(sync=True)
    own = [name for name in names if not name.startswith("_")]
    return sum(weigh(getattr(studio, name)) for name in own if name not in ("layout", "tabbable"))


ROW = Row(
    name="open",
    what="a bundle with 100,000 units: seconds until the first screen's data is ready",
    make=_make,
    target="<= 1 s, <= 2 MB sent",
    bound="columns of all units (names, exemplars and their boxes, effects with intervals) are "
    "computed and sent at once",
    rounds=3,
)
