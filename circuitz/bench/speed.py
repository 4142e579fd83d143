"""Timing both sides of a row in one process, alternating, so that a busy machine hits both."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from circuitz.bench.row import RowSize, Sides, SpeedRow

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class RowTiming:
    """What came out of a row.

    Parameters
    ----------
    name, what, peer, target, bound
        As the row says.
    ours_s, peer_s
        Median seconds of the whole job; ``None`` without a peer. Where the peer did a sample of
        it, its seconds divided by its share, and ``note`` says so.
    ratio
        The peer's seconds over ours, the median of the rounds.
    ours_cpu_s, peer_cpu_s, cpu_ratio
        The same in seconds of the processor's time, which others at work on the machine hardly
        change.
    max_abs_diff
        Largest difference of the two results.
    spread
        ``{"ours_s": [min, max], "peer_s": ..., "ratio": ..., "cpu_ratio": ...}`` over the rounds;
        ratios are taken round by round.
    rounds
        How often each side was timed, after one run of each that was not.
    note
        How the peer was sampled, or why the row was left out.
    facts
        Further figures of the row.
    """

    name: str
    what: str
    ours_s: float | None = None
    peer_s: float | None = None
    ratio: float | None = None
    ours_cpu_s: float | None = None
    peer_cpu_s: float | None = None
    cpu_ratio: float | None = None
    peer: str = ""
    max_abs_diff: float | None = None
    spread: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    rounds: int = 0
    note: str = ""
    target: str = ""
    bound: str = ""
    facts: dict[str, Any] = field(default_factory=dict[str, Any])

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def time_rows(
    rows: Sequence[SpeedRow],
    *,
    quick: bool = False,
    rounds: int | None = None,
    progress: Progress | None = None,
) -> list[RowTiming]:
    """Time rows one after the other.

    Parameters
    ----------
    rows
        See :func:`circuitz.bench.row_registry.load_speed_rows`.
    quick
        Smaller jobs and three rounds.
    rounds
        Rounds a row; by default what each row says.
    progress
        Called with the row's name, steps done and steps in all.
    """
    found: list[RowTiming] = []
    for row in rows:
        many = max(1, rounds if rounds is not None else min(row.rounds, 3 if quick else 10**6))
        found.append(_time_row(row, quick, many, progress or (lambda _what, _done, _of: None)))
    return found


def _time_row(row: SpeedRow, quick: bool, rounds: int, progress: Progress) -> RowTiming:
    missing = [name for name in row.needs if find_spec(name) is None]
    named = {k: getattr(row, k) for k in ("name", "what", "peer", "target", "bound")}
    if missing:
        return RowTiming(**named, note=f"left out: {', '.join(missing)} is not installed")
    with tempfile.TemporaryDirectory(prefix="circuitz-bench-") as room:
        progress(row.name, 0, rounds + 2)
        sides = row.make(RowSize(quick, Path(room)))
        progress(row.name, 1, rounds + 2)
        ours, theirs = sides.ours(), sides.peer() if sides.peer is not None else None
        both = sides.peer is not None and sides.difference is not None
        diff = float(sides.difference(ours, theirs)) if both and sides.difference else None
        facts = dict(sides.facts(ours, theirs)) if sides.facts is not None else {}
        del ours, theirs
        taken: list[_Round] = []
        for i in range(rounds):
            progress(row.name, 2 + i, rounds + 2)
            taken.append(_time_round(sides, ours_first=i % 2 == 0))
        progress(row.name, rounds + 2, rounds + 2)
    figures = _seconds_and_ratios_by_round(taken, has_peer=sides.peer is not None)
    medians: dict[str, Any] = {name: median(values) for name, values in figures.items()}
    return RowTiming(
        **named, **medians, max_abs_diff=diff, rounds=rounds, note=sides.sample, facts=facts,
        spread={name: [min(values), max(values)] for name, values in figures.items()},
    )  # fmt: skip


@dataclass(frozen=True)
class _Seconds:
    wall: float
    cpu: float


@dataclass(frozen=True)
class _Round:
    ours: _Seconds
    peer: _Seconds | None


def _seconds_and_ratios_by_round(
    rounds: Sequence[_Round], *, has_peer: bool
) -> dict[str, list[float]]:
    found = {
        "ours_s": [r.ours.wall for r in rounds],
        "ours_cpu_s": [r.ours.cpu for r in rounds],
    }
    if has_peer:
        pairs = [(r.ours, r.peer) for r in rounds if r.peer is not None]
        found |= {
            "peer_s": [b.wall for _, b in pairs],
            "peer_cpu_s": [b.cpu for _, b in pairs],
            "ratio": [b.wall / a.wall for a, b in pairs],
            "cpu_ratio": [b.cpu / a.cpu for a, b in pairs],
        }
    return found


def _time_round(sides: Sides, *, ours_first: bool) -> _Round:
    """Time each side once; which goes first changes from round to round."""
    peer = sides.peer
    if peer is None:
        return _Round(_time_side(sides.ours), None)
    first, second = (sides.ours, peer) if ours_first else (peer, sides.ours)
    a, b = _time_side(first), _time_side(second)
    ours, theirs = (a, b) if ours_first else (b, a)
    share = sides.peer_share
    return _Round(ours, _Seconds(theirs.wall / share, theirs.cpu / share))


def _time_side(side: Callable[[], Any]) -> _Seconds:
    gc.collect()  # the other side's garbage is not this side's work
    wall, cpu = time.perf_counter(), time.process_time()
    side()
    return _Seconds(max(time.perf_counter() - wall, 1e-9), max(time.process_time() - cpu, 1e-9))
