"""``circuitz diff`` and ``circuitz merge``: two people, one model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from circuitz.cli.shell import Json, Z, app, out, say
from circuitz.disk.safe_text import escape_control_characters
from circuitz.errors import BundleWriteError

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 40
_WIDE = 300

Other = Annotated[Path, typer.Argument(help="The other bundle.")]


@app.command("diff")
def list_bundle_differences(
    z: Z,
    other: Other,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 when they differ.")] = False,
    as_json: Json = False,
) -> None:
    """List what differs between two bundles: words, weights, layers, classes."""
    from circuitz.z.bundle.load_save import load

    found = load(z).diff(load(other))
    if as_json:
        print(
            json.dumps(
                {"same": found.empty, "differences": _differences_as_json_rows(found)}, indent=1
            )
        )
    elif found.empty:
        out.print("Nothing differs.")
    else:
        _print_differences(found, ("what", "name", "change", "here", "by", "there", "by"))
    raise typer.Exit(1 if strict and not found.empty else 0)


@app.command("merge")
def merge_bundle_copies(
    z: Z,
    other: Other,
    path: Annotated[Path, typer.Option("--out", help="Bundle to write the merged model to.")],
    as_json: Json = False,
) -> None:
    """Take over the edits of another copy of a bundle.

    Where both changed the same unit the words of the first stay, the conflict is listed, and the
    command exits 1. Settle it with circuitz annotate, or in the Studio.
    """
    from circuitz.z.bundle.load_save import load

    mine, theirs = load(z), load(other)
    if path.exists() and path.resolve() != z.resolve():
        raise BundleWriteError(f"{path} is there already.", "Choose another name for --out.")
    merged, found = mine.merge(theirs)
    merged.save(path)
    conflicts = found[found["what"] == "annotation"]
    taken = len(merged.log) - len(mine.log)
    if as_json:
        record = {"out": str(path), "hash": merged.hash, "taken": taken}
        print(json.dumps({**record, "conflicts": _differences_as_json_rows(found)}, indent=1))
    else:
        out.print(f"{taken} edits taken over; written to {path}", markup=False, soft_wrap=True)
        if not found.empty:
            out.print(f"{len(found)} differ and stay as they are in {z}:", markup=False)
            _print_differences(found, ("what", "name", "here", "by", "there", "by"))
    if len(conflicts):
        say.print("Both changed the same units; the words of the first stand.", highlight=False)
    raise typer.Exit(1 if len(conflicts) else 0)


def _differences_as_json_rows(differences: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {key: _text_or_list_of_texts(value) for key, value in row.items()}
        for row in _frame_rows_with_text_keys(differences)
    ]


def _frame_rows_with_text_keys(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _text_or_list_of_texts(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    return list(value) if isinstance(value, tuple) and _are_all_strings(value) else str(value)


def _are_all_strings(values: tuple[Any, ...]) -> bool:
    return all(isinstance(value, str) for value in values)


def _print_differences(differences: pd.DataFrame, columns: tuple[str, ...]) -> None:
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in _frame_rows_with_text_keys(differences)[:_SHOWN]:
        cells = [row["what"], row["name"], *([row["change"]] if "change" in columns else [])]
        cells += [row["here"], row["author_here"], row["there"], row["author_there"]]
        table.add_row(*(Text(_escaped_and_shortened_text(cell)) for cell in cells))
    out.print(table)
    if len(differences) > _SHOWN:
        out.print(f"and {len(differences) - _SHOWN} more; --json lists them all")


def _escaped_and_shortened_text(value: Any) -> str:
    text = escape_control_characters("—" if value is None else str(value))
    return text if len(text) <= _WIDE else f"{text[:_WIDE]} …"
