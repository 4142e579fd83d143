"""``circuitz evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from circuitz.cli.shell import Json, Z, app, out, progress, say
from circuitz.errors import InputsError

if TYPE_CHECKING:
    from circuitz.cli.shell import Steps
    from circuitz.evaluation.group_cells import Evaluation
    from circuitz.evaluation.truth_table import TruthTable
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
    from circuitz.evaluation.truth_table import read_truth
    from circuitz.models.run.device import choose_device
    from circuitz.z.bundle.load_save import load

    model = load(z)
    if model.preprocessing.is_tokens:
        raise InputsError(
            "This model reads texts, not pictures.", "evaluate scores networks on pictures."
        )
    known = read_truth(truth, images, model.classes, several=model.head == "multi-label")
    if labels is not None:
        scores, left_out = _given(labels, images, model, known)
        if left_out:
            say.print(left_out, markup=False, highlight=False, soft_wrap=True)
    else:
        with progress() as steps:
            scores = _scores(model, known, choose_device(device), steps)
    if known.unlabelled or known.elsewhere:
        say.print(
            f"{known.unlabelled} pictures have no row, and {known.elsewhere} rows name pictures "
            "elsewhere; both are left out.",
            highlight=False,
        )
    if as_json:
        scored = {"labels": str(labels)} if labels is not None else {}
        found = {"z": str(z), "hash": model.hash, "images": str(images), **scored}
        found |= scores.to_json()
        print(json.dumps(found, ensure_ascii=False))
        return
    _tell(scores)


def _scores(model: AnnotatedModel, known: TruthTable, device: str, steps: Steps) -> Evaluation:
    import numpy as np

    from circuitz.evaluation.group_cells import evaluate as score
    from circuitz.labelling.tasks.shifted_pictures import View
    from circuitz.models.run.open_runtime import runtime

    network = runtime(model, device)
    # The way D's were brought to one size, whatever theirs is.
    read = View.of(model).arrays(
        known.files, lambda done, n: steps("run the network on pictures", done, n)
    )
    parts = [network.logits(images) for _, images in read]
    logits = np.concatenate(parts)
    if model.head == "multi-label":
        right = (logits > 0) == (known.labels == 1)
        return score(right, known.labels == 1, model.classes, known.groups, known.group_names)
    predicted = logits.argmax(1)
    members = known.labels[:, None] == np.arange(len(model.classes))
    return score(predicted == known.labels, members, model.classes, known.groups, known.group_names)


def _given(
    labels: Path, images: Path, model: AnnotatedModel, known: TruthTable
) -> tuple[Evaluation, str]:
    """Score labels of a file, and say what was left out."""
    import numpy as np

    from circuitz.evaluation.group_cells import evaluate as score
    from circuitz.evaluation.label_file import read_labels

    if model.head == "multi-label":
        raise InputsError(
            "Labels are one class a picture, and this z tells several.", "Leave out --labels."
        )
    given = read_labels(labels, images, known.files, model.classes)
    rows = np.flatnonzero((given.predicted >= 0) & ~given.asked)
    if not len(rows):
        raise InputsError(
            "People were asked about every picture that has a label.",
            "A score says something only of pictures nobody was asked about: label more.",
        )
    truth = known.labels[rows]
    members = truth[:, None] == np.arange(len(model.classes))
    found = score(
        given.predicted[rows] == truth, members, model.classes, known.groups[rows],
        known.group_names,
    )  # fmt: skip
    asked, without = int(given.asked.sum()), int((given.predicted < 0).sum())
    said = [f"{asked} pictures that people were asked about"] if asked else []
    said += [f"{without} pictures without a label"] if without else []
    return found, f"{' and '.join(said)} are left out." if said else ""


def _tell(scores: Evaluation) -> None:
    out.print(f"Accuracy {scores.overall}", highlight=False)
    worst = scores.worst
    if worst is not None:
        out.print(
            f"Worst class × group: {worst['class']} {_which(worst)}: {_share(worst)}",
            highlight=False, markup=False,
        )  # fmt: skip
    table = Table(box=None, pad_edge=False)
    others = {_key(cell): cell for cell in scores.others.to_dict("records")}
    # A shortcut of one class shows in what the others lose where it is there.
    columns = ("class", "", "right", "95 % interval", "n", *(["all others"] if others else []))
    for name in columns:
        table.add_column(name, justify="left" if name in ("class", "") else "right")
    cells = scores.cells.to_dict("records")
    for row in scores.classes.to_dict("records"):
        _add(table, row, "all", None)
        for cell in cells:
            if cell["class"] == row["class"]:
                _add(table, cell, _which(cell), others.get(_key(cell)))
    out.print(table)


def _key(cell: Any) -> tuple[Any, ...]:
    return cell["class"], cell["group"], cell["present"]


def _which(cell: Any) -> str:
    return f"{'with' if cell['present'] else 'without'} {cell['group']}"


def _share(row: Any) -> str:
    return f"{row['accuracy']:.1%} ({row['low']:.1%} to {row['high']:.1%}, n = {row['n']})"


def _add(table: Table, row: Any, what: str, others: Any) -> None:
    from rich.markup import escape

    rest = "" if others is None else f"{others['accuracy']:.1%} (n = {others['n']:,})"
    table.add_row(
        escape(str(row["class"])), escape(what), f"{row['accuracy']:.1%}",
        f"{row['low']:.1%} to {row['high']:.1%}", f"{row['n']:,}",
        *([rest] if len(table.columns) > 5 else []),
    )  # fmt: skip
