"""``circuitz evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from circuitz.cli.shell import Json, Z, app, out, progress, say

if TYPE_CHECKING:
    from circuitz.evaluation.cells import Evaluation
    from circuitz.z.model import AnnotatedModel


@app.command()
def evaluate(
    z: Z,
    images: Annotated[Path, typer.Option(help="Folder of pictures, in it and below it.")],
    truth: Annotated[
        Path,
        typer.Option(
            help="CSV: path (relative to the file), class, and columns of 1, 0 or nothing that "
            "say what else a picture shows."
        ),
    ],
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
    typical one by chance alone.
    """
    from circuitz.evaluation.truth_table import read_truth
    from circuitz.models.device import choose_device
    from circuitz.z.bundle import load

    model = load(z)
    known = read_truth(truth, images, model.classes, several=model.head == "multi-label")
    with progress() as steps:
        pictures = _pictures(model, known.files, lambda done, n: steps("read pictures", done, n))
        scores = _scores(model, pictures, known, choose_device(device), steps)
    if known.unlabelled or known.elsewhere:
        say.print(
            f"{known.unlabelled} pictures have no row, and {known.elsewhere} rows name pictures "
            "elsewhere; both are left out.",
            highlight=False,
        )
    if as_json:
        found = {"z": str(z), "hash": model.hash, "images": str(images), **scores.to_json()}
        print(json.dumps(found, ensure_ascii=False))
        return
    _tell(scores)


def _pictures(model: AnnotatedModel, files: Any, tick: Any) -> Any:
    """Read pictures the way D's were brought to one size."""
    from circuitz.data.folder import read_pictures
    from circuitz.data.pair import common_size

    height, width = model.preprocessing.size
    if model.data is not None:
        height, width = model.data.images.shape[1:3]
    same = common_size(files) == (width, height)
    return read_pictures(files, None if same else max(height, width), tick)


def _scores(
    model: AnnotatedModel, pictures: Any, known: Any, device: str, steps: Any
) -> Evaluation:
    import numpy as np

    from circuitz.evaluation.cells import evaluate as score
    from circuitz.models.open import runtime

    network = runtime(model, device)
    parts: list[Any] = []
    for start in range(0, len(pictures), 256):
        parts.append(network.logits(pictures[start : start + 256]))
        steps("run the network", min(start + 256, len(pictures)), len(pictures))
    logits = np.concatenate(parts)
    if model.head == "multi-label":
        right = (logits > 0) == (known.labels == 1)
        return score(right, known.labels == 1, model.classes, known.groups, known.group_names)
    predicted = logits.argmax(1)
    members = known.labels[:, None] == np.arange(len(model.classes))
    return score(predicted == known.labels, members, model.classes, known.groups, known.group_names)


def _tell(scores: Evaluation) -> None:
    out.print(f"Accuracy {scores.overall}", highlight=False)
    worst = scores.worst
    if worst is not None:
        out.print(
            f"Worst class × group: {worst['class']} {_which(worst)}: {_share(worst)}",
            highlight=False, markup=False,
        )  # fmt: skip
    table = Table(box=None, pad_edge=False)
    for name in ("class", "", "right", "95 % interval", "n"):
        table.add_column(name, justify="left" if name in ("class", "") else "right")
    cells = scores.cells.to_dict("records")
    for row in scores.classes.to_dict("records"):
        _add(table, row, "all")
        for cell in cells:
            if cell["class"] == row["class"]:
                _add(table, cell, _which(cell))
    out.print(table)
    for cell in scores.others.to_dict("records"):
        # Of all classes together but this one: a shortcut of one class shows in what others lose.
        if worst is not None and (cell["class"], cell["group"]) == (worst["class"], worst["group"]):
            out.print(
                f"all but {cell['class']}, {_which(cell)}: {_share(cell)}",
                highlight=False, markup=False,
            )  # fmt: skip


def _which(cell: Any) -> str:
    return f"{'with' if cell['present'] else 'without'} {cell['group']}"


def _share(row: Any) -> str:
    return f"{row['accuracy']:.1%} ({row['low']:.1%} to {row['high']:.1%}, n = {row['n']})"


def _add(table: Table, row: Any, what: str) -> None:
    from rich.markup import escape

    table.add_row(
        escape(str(row["class"])), escape(what), f"{row['accuracy']:.1%}",
        f"{row['low']:.1%} to {row['high']:.1%}", f"{row['n']:,}",
    )  # fmt: skip
