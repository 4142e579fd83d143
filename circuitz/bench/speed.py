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

from circuitz.bench.row import Row, Sides, Size

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Timed:
    """What came out of a row.

    Parameters
    ----------
    name, what, peer, target, bound
        As the row says.
    ours_s, peer_s
        Median seconds of the whole job; ``None`` without a peer. Where the peer did a sample of
        it, its seconds divided by its share, and ``note`` says so.
    ratio
        ``peer_s / ours_s``.
    max_abs_diff
        Largest difference of the two results.
    spread
        ``{"ours_s": [min, max], "peer_s": ..., "ratio": ...}`` over the rounds; the ratio's is
        taken round by round.
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
    rows: Sequence[Row],
    *,
    quick: bool = False,
    rounds: int | None = None,
    progress: Progress | None = None,
) -> list[Timed]:
    """Time rows one after the other.

    Parameters
    ----------
    rows
        See :func:`circuitz.bench.registry.rows`.
    quick
        Smaller jobs and three rounds.
    rounds
        Rounds a row; by default what each row says.
    progress
        Called with the row's name, steps done and steps in all.
    """
    found: list[Timed] = []
    for row in rows:
        many = max(1, rounds if rounds is not None else min(row.rounds, 3 if quick else 10**6))
        found.append(_timed(row, quick, many, progress or (lambda _what, _done, _of: None)))
    return found


def _timed(row: Row, quick: bool, rounds: int, progress: Progress) -> Timed:
    missing = [name for name in row.needs if find_spec(name) is None]
    named = {k: getattr(row, k) for k in ("name", "what", "peer", "target", "bound")}
    if missing:
        return Timed(**named, note=f"left out: {', '.join(missing)} is not installed")
    with tempfile.TemporaryDirectory(prefix="circuitz-bench-") as room:
        progress(row.name, 0, rounds + 2)
        sides = row.make(Size(quick, Path(room)))
        progress(row.name, 1, rounds + 2)
        ours, theirs = sides.ours(), sides.peer() if sides.peer is not None else None
        both = sides.peer is not None and sides.difference is not None
        diff = float(sides.difference(ours, theirs)) if both and sides.difference else None
        facts = dict(sides.facts(ours, theirs)) if sides.facts is not None else {}
        del ours, theirs
        taken: list[tuple[float, float]] = []
        for i in range(rounds):
            progress(row.name, 2 + i, rounds + 2)
            taken.append(_round(sides, ours_first=i % 2 == 0))
        progress(row.name, rounds + 2, rounds + 2)
    spread = {"ours_s": _range([a for a, _ in taken])}
    peer_s = ratio = None
    ours_s = median(a for a, _ in taken)
    if sides.peer is not None:
        peer_s = median(b for _, b in taken)
        ratio = peer_s / ours_s
        spread |= {
            "peer_s": _range([b for _, b in taken]),
            "ratio": _range([b / a for a, b in taken]),
        }
    return Timed(
        **named, ours_s=ours_s, peer_s=peer_s, ratio=ratio, max_abs_diff=diff, spread=spread,
        rounds=rounds, note=sides.sample, facts=facts,
    )  # fmt: skip


def _round(sides: Sides, *, ours_first: bool) -> tuple[float, float]:
    """Time each side once; which goes first changes from round to round."""
    peer = sides.peer
    if peer is None:
        return _seconds(sides.ours), 0.0
    first, second = (sides.ours, peer) if ours_first else (peer, sides.ours)
    a, b = _seconds(first), _seconds(second)
    ours, theirs = (a, b) if ours_first else (b, a)
    return ours, theirs / sides.peer_share


def _seconds(side: Callable[[], Any]) -> float:
    gc.collect()  # the other side's garbage is not this side's work
    start = time.perf_counter()
    side()
    return max(time.perf_counter() - start, 1e-9)


def _range(values: Sequence[float]) -> list[float]:
    return [min(values), max(values)]
