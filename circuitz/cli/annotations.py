"""``circuitz annotate`` and ``circuitz annotations``: words from files, and into files."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from circuitz.cli.shell import Json, LexiconPath, Z, app, out, say
from circuitz.disk.safe_text import escape_control_characters

if TYPE_CHECKING:
    from circuitz.z.formats import AnnotationFile, AnnotationImport
    from circuitz.z.formats.compare_lines import LineOutcome

_SHOWN = 20


class Format(StrEnum):
    """Formats of files of annotations."""

    AUTO = "auto"
    CSV = "csv"
    JSONL = "jsonl"
    CLIP_DISSECT = "clip-dissect"
    NEURONPEDIA = "neuronpedia"


class SourceFormat(StrEnum):
    """Formats of files that words are taken from."""

    AUTO = "auto"
    CSV = "csv"
    JSONL = "jsonl"
    CLIP_DISSECT = "clip-dissect"
    NEURONPEDIA = "neuronpedia"
    NETDISSECT = "netdissect"
    FEATURE_CIRCUITS = "feature-circuits"


class OnConflict(StrEnum):
    """What becomes of lines that disagree with what stands."""

    LIST = "list"
    KEEP = "keep"
    REPLACE = "replace"


FormatOption = Annotated[
    Format, typer.Option("--format", help="Format of the file; told by its name by default.")
]


@app.command()
def annotate(
    z: Z,
    source: Annotated[Path, typer.Option("--from", help="File of annotations to take over.")],
    form: Annotated[
        SourceFormat,
        typer.Option("--format", help="Format of the file; told by its name and columns."),
    ] = SourceFormat.AUTO,
    layer_map: Annotated[
        list[str] | None,
        typer.Option(
            "--layer-map",
            metavar="FILE_LAYER=LAYER",
            help="What a layer of the file is called in z; may be repeated. NAME= leaves a layer "
            "out, '*=' all that are not named.",
        ),
    ] = None,
    author: Annotated[
        str, typer.Option(help="Author of lines that name none, and of edited lines.")
    ] = "",
    on_conflict: Annotated[
        OnConflict,
        typer.Option(
            help="Where words stand that the file does not know: list the conflicts and write "
            "nothing, keep what stands and take over the rest, or replace it."
        ),
    ] = OnConflict.LIST,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")
    ] = False,
    lexicon: LexiconPath = None,
    as_json: Json = False,
) -> None:
    """Take the words of a file over into a bundle. Exits 1 when conflicts kept it from that."""
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.bundle.load_save import load
    from circuitz.z.formats import import_annotations, import_into_bundle, read_annotations

    words = None if lexicon is None else Lexicon.load(lexicon)
    file = read_annotations(source, format=form.value, layer_map=_parse_layer_map(layer_map or []))
    how = on_conflict.value
    if dry_run:
        taken = import_annotations(load(z), file, author=author, on_conflict=how, lexicon=words)
    else:
        taken = import_into_bundle(z, file, author=author, on_conflict=how, lexicon=words)
    written = taken.written and not dry_run
    if as_json:
        print(json.dumps(_import_as_json(file, taken, written), indent=1))
    else:
        _print_import_outcome(file, taken, dry_run)
    raise typer.Exit(1 if taken.conflicts and on_conflict is OnConflict.LIST else 0)


def _parse_layer_map(pairs: list[str]) -> dict[str, str]:
    layers: dict[str, str] = {}
    for pair in pairs:
        theirs, sign, ours = pair.rpartition("=")
        if not sign or not theirs or layers.setdefault(theirs, ours) != ours:
            raise typer.BadParameter(
                f"{pair[:80]!r}: write FILE_LAYER=LAYER, each layer of the file once.",
                param_hint="--layer-map",
            )
    return layers


def _import_as_json(
    file: AnnotationFile, imported: AnnotationImport, written: bool
) -> dict[str, object]:
    counts = {**imported.counts(), "empty": file.empty}
    return {
        "file": str(file.path),
        "format": file.format,
        "history": file.history,
        "remarks": list(file.remarks),
        "written": written,
        "counts": counts,
        "conflicts": [_conflict_as_json(line) for line in imported.conflicts],
        "hash": imported.z.hash,
    }


def _conflict_as_json(line: LineOutcome) -> dict[str, object]:
    return {"there" if name == "incoming" else name: v for name, v in asdict(line).items()}


def _print_import_outcome(file: AnnotationFile, imported: AnnotationImport, dry_run: bool) -> None:
    counts = ", ".join(f"{n} {what}" for what, n in imported.counts().items() if n)
    empty = f", {file.empty} without words" if file.empty else ""
    out.print(
        f"{file.path} ({file.format}): {counts or 'nothing'}{empty}", markup=False, soft_wrap=True
    )
    for remark in file.remarks:
        say.print(remark, markup=False, highlight=False)
    conflicts = imported.conflicts
    if conflicts:
        out.print(f"{len(conflicts)} in conflict:")
        found = Table(box=None, pad_edge=False)
        for name in ("line", "unit", "stands", "by", "file says", "by"):
            found.add_column(name, overflow="fold")
        for line in conflicts[:_SHOWN]:
            cells = (line.here, line.author_here, line.incoming, line.author_there)
            words = [
                Text("—" if cell is None else escape_control_characters(cell)) for cell in cells
            ]
            found.add_row(str(line.line), Text(escape_control_characters(line.target)), *words)
        out.print(found)
        if len(conflicts) > _SHOWN:
            out.print(f"and {len(conflicts) - _SHOWN} more; --json lists them all")
    if dry_run:
        out.print("Nothing was written: --dry-run.")
    elif conflicts and not imported.written:
        say.print(
            "Nothing was written. Settle the conflicts in the file, or pass --on-conflict keep "
            "to take over the rest, or --on-conflict replace to let the file win.",
            highlight=False,
        )
    elif conflicts:
        say.print("What stands was kept where the two disagree.", highlight=False)


@app.command("annotations")
def export_annotation_file(
    z: Z,
    path: Annotated[Path, typer.Option("--to", help="File to write.")],
    form: FormatOption = Format.AUTO,
    history: Annotated[
        bool, typer.Option("--history", help="Every edit ever made (csv, jsonl), not what stands.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file if it is there.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write the words of a bundle to a file."""
    from circuitz.z.bundle.load_save import load
    from circuitz.z.formats import write_annotations

    made = write_annotations(load(z), path, format=form.value, history=history, overwrite=overwrite)
    if as_json:
        record = {"file": str(made.path), "format": made.format, "rows": made.rows}
        print(json.dumps({**record, "left_out": list(made.left_out)}))
        return
    what = "entries" if history else "annotations"
    out.print(
        f"{made.rows} {what} written to {made.path} ({made.format})", markup=False, soft_wrap=True
    )
    if made.left_out:
        some = ", ".join(made.left_out[:5]) + (" …" if len(made.left_out) > 5 else "")
        say.print(
            f"{len(made.left_out)} left out, which {made.format} has no place for: {escape_control_characters(some)}",
            markup=False,
            highlight=False,
        )
