"""``circuitz evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from circuitz.cli.shell import Json, Z, app, out, progress_bars, say

if TYPE_CHECKING:
    from circuitz.evaluation.evaluation_by_cell import Evaluation


@app.command()
def evaluate(
    z: Z,
    images: Annotated[Path, typer.Option(help="Folder of pictures, in it and below it.")],
    truth: Annotated[
        Path,
        typer.Option(
            help="CSV: path (relative to the file), class, and columns that say what else a "
            "picture shows: of 1, 0 or nothing, or of words, each of which makes a group."
        ),
    ],
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Score the labels of this file (circuitz labels train) instead of the network, on "
            "pictures nobody was asked about."
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="Where to run: cpu, cuda, mps or auto.")] = "cpu",
    as_json: Json = False,
) -> None:
    """Score the network on pictures whose truth you know: in all, by class and by group.

    Where pictures may show several classes (a multi-label head), the column class names all that
    a picture shows, divided by |; a class counts as said when its logit is above 0, "right" of a
    class is how often it is said of pictures that show it, and "all but" a class how often it is
    not said of pictures that do not.

    The truth is read for scoring alone; nothing of it is written into z. Intervals are 95 %
    Wilson intervals, those of single cells by themselves: the lowest of many cells lies below a
    typical one by chance alone. "All others" are the pictures of every other class in the same
    group, taken together.
    """
    from circuitz.evaluation.evaluate import evaluate as score
    from circuitz.z.bundle.load_save import load

    model = load(z)
    with progress_bars() as steps:
        scores = score(
            model, images, truth, labels=labels, device=device,
            progress=lambda done, n: steps("run the network on pictures", done, n),
        )  # fmt: skip
    for remark in scores.remarks:
        say.print(remark, markup=False, highlight=False, soft_wrap=True)
    if as_json:
        scored = {"labels": str(labels)} if labels is not None else {}
        found = {"z": str(z), "hash": model.hash, "images": str(images), **scored}
        found |= scores.to_json()
        print(json.dumps(found, ensure_ascii=False))
        return
    _print_evaluation(scores)


def _print_evaluation(scores: Evaluation) -> None:
    out.print(f"Accuracy {scores.overall}", highlight=False)
    worst = scores.worst_cell
    if worst is not None:
        out.print(
            f"Worst class × group: {worst['class']} {_with_or_without_group(worst)}: {_format_accuracy_with_interval(worst)}",
            highlight=False, markup=False,
        )  # fmt: skip
    table = Table(box=None, pad_edge=False)
    others = {_class_group_presence_key(cell): cell for cell in scores.others.to_dict("records")}
    # A shortcut of one class shows in what the others lose where it is there.
    columns = ("class", "", "right", "95 % interval", "n", *(["all others"] if others else []))
    for name in columns:
        table.add_column(name, justify="left" if name in ("class", "") else "right")
    cells = scores.cells.to_dict("records")
    for row in scores.classes.to_dict("records"):
        _add_accuracy_row(table, row, "all", None)
        for cell in cells:
            if cell["class"] == row["class"]:
                _add_accuracy_row(
                    table,
                    cell,
                    _with_or_without_group(cell),
                    others.get(_class_group_presence_key(cell)),
                )
    out.print(table)


def _class_group_presence_key(cell: Any) -> tuple[Any, ...]:
    return cell["class"], cell["group"], cell["present"]


def _with_or_without_group(cell: Any) -> str:
    return f"{'with' if cell['present'] else 'without'} {cell['group']}"


def _format_accuracy_with_interval(row: Any) -> str:
    return f"{row['accuracy']:.1%} ({row['low']:.1%} to {row['high']:.1%}, n = {row['n']})"


def _add_accuracy_row(table: Table, row: Any, what: str, others: Any) -> None:
    from rich.markup import escape

    rest = "" if others is None else f"{others['accuracy']:.1%} (n = {others['n']:,})"
    table.add_row(
        escape(str(row["class"])), escape(what), f"{row['accuracy']:.1%}",
        f"{row['low']:.1%} to {row['high']:.1%}", f"{row['n']:,}",
        *([rest] if len(table.columns) > 5 else []),
    )  # fmt: skip
