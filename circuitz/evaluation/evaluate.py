"""Score a network, or labels learned from people's answers, on pictures whose truth is known."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from circuitz.errors import InputsError
from circuitz.evaluation.evaluation_by_cell import Evaluation, score_by_class_and_group
from circuitz.evaluation.label_file import read_given_labels
from circuitz.evaluation.truth_table import TruthTable, read_truth_table

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

Progress = Callable[[int, int], None]


def evaluate(
    z: AnnotatedModel,
    images: str | os.PathLike[str],
    truth: str | os.PathLike[str],
    *,
    labels: str | os.PathLike[str] | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Evaluation:
    """Score a network by class and by what else pictures show; nothing is written into z.

    Parameters
    ----------
    z
        A model that reads pictures.
    images
        Folder of pictures, in it and below it.
    truth
        CSV: ``path`` (relative to the file), ``class``, and columns that say what else a picture
        shows: of 1, 0 or nothing, or of words (``surroundings`` with snow, grass, …), each of
        which makes a group ``surroundings: snow``. Where a picture may show several classes (a
        multi-label head), ``class`` names all of them, divided by ``|``.
    labels
        Score the labels of this file, as ``circuitz labels train`` writes it, instead of the
        network; pictures that people were asked about are left out.
    device
        Where the network runs: cpu, cuda, mps or auto.
    progress
        Called with pictures run and of how many.

    Returns
    -------
    Evaluation
        ``overall``, ``classes``, ``cells`` and ``others`` with 95 % Wilson intervals, and
        ``remarks`` on what was left out.

    Raises
    ------
    InputsError
        If files are missing, a class is unknown, or z reads texts.
    ConceptLabelsError
        If the table is malformed, or names missing or double pictures.
    """
    if z.preprocessing.is_tokens:
        raise InputsError(
            "This model reads texts, not pictures.", "evaluate scores networks on pictures."
        )
    folder = Path(images)
    several = z.head == "multi-label"
    table = read_truth_table(Path(truth), folder, z.classes, several=several)
    if labels is None:
        scores = _score_network(z, table, device, progress)
    else:
        scores = _score_labels(z, table, Path(labels), folder)
    if table.unlabelled or table.elsewhere:
        remark = (
            f"{table.unlabelled} pictures have no row, and {table.elsewhere} rows name pictures "
            "elsewhere; both are left out."
        )
        scores = replace(scores, remarks=(*scores.remarks, remark))
    return replace(scores, remarks=(*scores.remarks, *table.remarks))


def _score_network(
    z: AnnotatedModel, table: TruthTable, device: str, progress: Progress | None
) -> Evaluation:
    # Scoring labels alone needs no torch.
    from circuitz.labelling.tasks.shifted_pictures import View  # noqa: PLC0415
    from circuitz.models.run.device import choose_device  # noqa: PLC0415
    from circuitz.models.run.open_runtime import runtime  # noqa: PLC0415

    network = runtime(z, choose_device(device))
    # The way D's were brought to one size, whatever theirs is.
    batches = View.of(z).read_picture_batches(table.files, progress or (lambda _done, _total: None))
    logits = np.concatenate([network.logits(pictures) for _, pictures in batches])
    if z.head == "multi-label":
        right = (logits > 0) == (table.labels == 1)
        return score_by_class_and_group(
            right, table.labels == 1, z.classes, table.groups, table.group_names
        )
    members = table.labels[:, None] == np.arange(len(z.classes))
    right = logits.argmax(1) == table.labels
    return score_by_class_and_group(right, members, z.classes, table.groups, table.group_names)


def _score_labels(z: AnnotatedModel, table: TruthTable, labels: Path, folder: Path) -> Evaluation:
    if z.head == "multi-label":
        raise InputsError(
            "Labels are one class a picture, and this z tells several.", "Leave out --labels."
        )
    labelled = read_given_labels(labels, folder, table.files, z.classes)
    rows = np.flatnonzero((labelled.predicted >= 0) & ~labelled.has_answers)
    if not len(rows):
        raise InputsError(
            "People were asked about every picture that has a label.",
            "A score says something only of pictures nobody was asked about: label more.",
        )
    truth = table.labels[rows]
    members = truth[:, None] == np.arange(len(z.classes))
    scores = score_by_class_and_group(
        labelled.predicted[rows] == truth, members, z.classes, table.groups[rows],
        table.group_names,
    )  # fmt: skip
    answered, without = int(labelled.has_answers.sum()), int((labelled.predicted < 0).sum())
    parts = [f"{answered} pictures that people were asked about"] if answered else []
    parts += [f"{without} pictures without a label"] if without else []
    return replace(scores, remarks=(f"{' and '.join(parts)} are left out.",) if parts else ())
