"""``circuitz diff`` and ``circuitz merge``: two people, one model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from circuitz.cli.shell import Json, Z, app, out, say
from circuitz.disk.safe_text import shown
from circuitz.errors import BundleWriteError

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 40
_WIDE = 300

Other = Annotated[Path, typer.Argument(help="The other bundle.")]


@app.command()
def diff(
    z: Z,
    other: Other,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 when they differ.")] = False,
    as_json: Json = False,
) -> None:
    """List what differs between two bundles: words, weights, layers, classes."""
    from circuitz.z.bundle.load_save import load

    found = load(z).diff(load(other))
    if as_json:
        print(json.dumps({"same": found.empty, "differences": _records(found)}, indent=1))
    elif found.empty:
        out.print("Nothing differs.")
    else:
        _table(found, ("what", "name", "change", "here", "by", "there", "by"))
    raise typer.Exit(1 if strict and not found.empty else 0)


@app.command()
def merge(
    z: Z,
    other: Other,
    where: Annotated[Path, typer.Option("--out", help="Bundle to write the merged model to.")],
    as_json: Json = False,
) -> None:
    """Take over the edits of another copy of a bundle.

    Where both changed the same unit the words of the first stay, the conflict is listed, and the
    command exits 1. Settle it with circuitz annotate, or in the Studio.
    """
    from circuitz.z.bundle.load_save import load

    mine, theirs = load(z), load(other)
    if where.exists() and where.resolve() != z.resolve():
        raise BundleWriteError(f"{where} is there already.", "Choose another name for --out.")
    merged, found = mine.merge(theirs)
    merged.save(where)
    conflicts = found[found["what"] == "annotation"]
    taken = len(merged.log) - len(mine.log)
    if as_json:
        record = {"out": str(where), "hash": merged.hash, "taken": taken}
        print(json.dumps({**record, "conflicts": _records(found)}, indent=1))
    else:
        out.print(f"{taken} edits taken over; written to {where}", markup=False, soft_wrap=True)
        if not found.empty:
            out.print(f"{len(found)} differ and stay as they are in {z}:", markup=False)
            _table(found, ("what", "name", "here", "by", "there", "by"))
    if len(conflicts):
        say.print("Both changed the same units; the words of the first stand.", highlight=False)
    raise typer.Exit(1 if len(conflicts) else 0)


def _records(found: pd.DataFrame) -> list[dict[str, Any]]:
    return [{key: _json(value) for key, value in row.items()} for row in _rows(found)]


def _rows(found: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in found.to_dict("records")]


def _json(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    return list(value) if isinstance(value, tuple) and _texts(value) else str(value)


def _texts(values: tuple[Any, ...]) -> bool:
    return all(isinstance(value, str) for value in values)


def _table(found: pd.DataFrame, columns: tuple[str, ...]) -> None:
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in _rows(found)[:_SHOWN]:
        cells = [row["what"], row["name"], *([row["change"]] if "change" in columns else [])]
        cells += [row["here"], row["author_here"], row["there"], row["author_there"]]
        table.add_row(*(Text(_cell(cell)) for cell in cells))
    out.print(table)
    if len(found) > _SHOWN:
        out.print(f"and {len(found) - _SHOWN} more; --json lists them all")


def _cell(value: Any) -> str:
    text = shown("—" if value is None else str(value))
    return text if len(text) <= _WIDE else f"{text[:_WIDE]} …"
