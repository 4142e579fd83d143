"""One row of the speed table: what is run, against whom, and when the two agree.

A row is a file ``circuitz/bench/rows/NAME.py`` (``-`` in the row's name is ``_`` in the file's)
with one public name, ``ROW``. The file imports nothing heavy at its top: ``make`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class RowSize:
    """How much a row is asked to do.

    Parameters
    ----------
    quick
        A smaller job of the same shape, for a first look; its figures are not the table's.
    folder
        An empty folder for the row's files; deleted when the row is done.
    """

    quick: bool
    folder: Path


@dataclass(frozen=True)
class Sides:
    """The two sides of a row, ready to be run again and again.

    Parameters
    ----------
    ours, peer
        Run one side once and return its result. Everything the two share (the network, the
        images) is made before; what belongs to the job is inside. No peer: only ours is timed.
    difference
        Largest absolute difference of the two results, ours first.
    peer_share
        Share of the whole job the peer does when it is timed on a sample, in (0, 1]; its
        seconds are divided by it. ``sample`` then says what the sample is.
    sample
        How the peer's job was sampled, in words; empty when it does the whole.
    facts
        Further figures of the row, made from the two results (``None`` without a peer): recall,
        bytes, counts. JSON values.
    """

    ours: Callable[[], Any]
    peer: Callable[[], Any] | None = None
    difference: Callable[[Any, Any], float] | None = None
    peer_share: float = 1.0
    sample: str = ""
    facts: Callable[[Any, Any], Mapping[str, float | int | str]] | None = None


@dataclass(frozen=True)
class SpeedRow:
    """A row of the table.

    Parameters
    ----------
    name
        As on the command line.
    what
        The job, in a line.
    make
        Makes both sides; not timed.
    peer
        Whom ours is compared with, in a few words; empty when it stands alone.
    target
        What is aimed at, in words, with the number (``"ratio >= 30"``).
    bound
        What keeps ours from being faster, in a line.
    rounds
        How often each side is timed.
    needs
        Packages without which the row cannot be run; it then says so.
    """

    name: str
    what: str
    make: Callable[[RowSize], Sides]
    peer: str = ""
    target: str = ""
    bound: str = ""
    rounds: int = 5
    needs: tuple[str, ...] = field(default=())
