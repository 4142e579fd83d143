"""Which rows there are: the files of :mod:`circuitz.bench.rows`."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from importlib import import_module

from circuitz.bench import rows as folder
from circuitz.bench.row import SpeedRow
from circuitz.errors import BenchError


def row_names() -> tuple[str, ...]:
    """Return the names of all rows, sorted; nothing is imported for it."""
    found = (m.name.replace("_", "-") for m in pkgutil.iter_modules(folder.__path__))
    return tuple(sorted(found))


def load_speed_rows(names: Sequence[str] = ()) -> tuple[SpeedRow, ...]:
    """Return rows by name, in the order asked for; all of them by default.

    Raises
    ------
    BenchError
        If there is no such row; the message names those that are there.
    """
    known = row_names()
    for name in names:
        if name not in known:
            raise BenchError(f"There is no row {name!r}.", f"Rows are {', '.join(known)}.")
    return tuple(_load_row(name) for name in names or known)


def _load_row(name: str) -> SpeedRow:
    module = import_module(f"{folder.__name__}.{name.replace('-', '_')}")
    row: SpeedRow = module.ROW
    return row
