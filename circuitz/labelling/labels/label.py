"""Answers into M_L_test, and M_L_test into labels for all of D′."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from circuitz.cards.rater_answer import CANNOT_TELL, DISCARDED
from circuitz.errors import LabellingError
from circuitz.labelling.labels.answers import answers_from_judgements
from circuitz.labelling.labels.label_model import LabelModel, fit_label_model
from circuitz.labelling.tasks.run_on_pictures import run_model_on_pictures
from circuitz.labelling.tasks.shifted_pictures import (
    Picture,
    View,
    check_labelling_supported,
    find_pictures,
)
from circuitz.store.address import open_store
from circuitz.store.judgement import Judgement
from circuitz.store.judgements import Judgements
from circuitz.z.formats.csv_cells import escape_formula

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Labels:
    """M_L_test and its labels.

    Parameters
    ----------
    model
        M_L_test.
    pictures
        Pictures of D′.
    probabilities
        ``(n, k)`` p(y | x).
    answered
        ``(n,)`` answers each picture had.
    elsewhere
        Answers about pictures that are not in the folder.
    simulated
        Whether a simulated rater gave any of the answers.
    """

    model: LabelModel
    pictures: tuple[Picture, ...]
    probabilities: npt.NDArray[np.float64]
    answered: npt.NDArray[np.int64]
    elsewhere: int
    simulated: bool

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """Return the likeliest class of each picture, ``(n,)``."""
        return self.probabilities.argmax(1).astype(np.int64)

    def to_json(self) -> dict[str, Any]:
        """Return what a program would read about them."""
        names = Counter(self.model.classes[int(i)] for i in self.labels)
        return {
            "pictures": len(self.pictures),
            "answers": self.model.answers,
            "answered": int((self.answered > 0).sum()),
            "elsewhere": self.elsewhere,
            "simulated": self.simulated,
            "form": self.model.form,
            "raters": self.model.raters,
            "compared": self.model.compared,
            "labels": {name: names[name] for name in self.model.classes},
            "mean_probability": round(float(self.probabilities.max(1).mean()), 4),
        }

    def to_csv(self) -> bytes:
        """Return ``path,label,probability,answers`` and a column a class, formulas escaped."""
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer)
        classes = self.model.classes
        writer.writerow(
            [
                "path",
                "label",
                "probability",
                "answers",
                *(escape_formula(f"p {name}") for name in classes),
            ]
        )
        for picture, p, n in zip(self.pictures, self.probabilities, self.answered, strict=True):
            best = int(p.argmax())
            numbers = [f"{v:.4f}" for v in p]
            writer.writerow(
                [
                    escape_formula(picture.path),
                    escape_formula(classes[best]),
                    numbers[best],
                    int(n),
                    *numbers,
                ]
            )
        return buffer.getvalue().encode()


def label(
    z: AnnotatedModel,
    store: Judgements | str | os.PathLike[str],
    images: str | os.PathLike[str],
    *,
    task: str = "",
    seed: int = 0,
    progress: Progress | None = None,
) -> Labels:
    """Learn M_L_test from the answers of people who held z, and label every picture of D′.

    Only first answers to questions count: gold pictures and repeats tell about raters alone.

    Parameters
    ----------
    z
        z*.
    store
        Where the answers are: a store, or the path of one.
    images
        Folder of D′'s pictures.
    task
        Only the answers to this task.
    seed
        Seed of the folds.
    progress
        Called with what is done, how far, and of how many.

    Raises
    ------
    LabellingError
        If there are no answers, they are about another z, name unknown classes, or are about
        none of these pictures.
    InputsError
        If pictures cannot be read.
    """
    check_labelling_supported(z)
    folder = Path(images)
    if not isinstance(store, Judgements):
        store = open_store(os.fspath(store), read_only=True)
    rows = training_answers(z, store, task)
    about = _progress_callback_factory(progress)
    pictures = find_pictures(folder, about("find pictures"))
    position = {p.item: i for i, p in reversed(list(enumerate(pictures)))}
    here = [row for row in rows if row.items[0] in position]
    if not here:
        raise LabellingError(
            f"None of the {len(rows):,} answers is about a picture in {folder}.",
            "Give the folder the task pack was made from; files must be as they were.",
        )
    given = answers_from_judgements(here, z.classes, position)
    ran = run_model_on_pictures(z, [p.file for p in pictures], View.of(z), about("run the network"))
    model = fit_label_model(ran.responses, ran.logits, given, z.classes, seed)
    counts = Counter(
        row.items[0] for row in here if _choice_in_answer(row) not in (CANNOT_TELL, DISCARDED)
    )
    return Labels(
        model=model,
        pictures=pictures,
        probabilities=model.predict_proba(ran.responses, ran.logits),
        answered=np.array([counts[p.item] for p in pictures], np.int64),
        elsewhere=len(rows) - len(here),
        simulated=any(row.rater_kind == "simulated" for row in here),
    )


def training_answers(z: AnnotatedModel, store: Judgements, task: str = "") -> list[Judgement]:
    """Return the answers M_L_test of z may learn from.

    Raises
    ------
    LabellingError
        If there are none; it says what there is instead.
    """
    wanted = task or None
    rows = [
        r for r in store.rows(task=wanted) if r.kind == "label" and r.use == "train" and r.items
    ]
    if not rows:
        raise LabellingError(
            f"{store.path} holds no labels{f' of {task}' if task else ''} to learn from.",
            "circuitz serve --tasks PACK collects them.",
        )
    mine = [r for r in rows if r.z_hash == z.hash]
    if not mine:
        others = sorted({r.z_hash[:8] for r in rows})
        raise LabellingError(
            f"All {len(rows):,} answers were given with another z ({_join_first_three(others)}), not with "
            f"{z.name} ({z.hash[:8]}).",
            "Name the z* the task pack was made from; editing its words makes it another.",
        )
    return mine


def _choice_in_answer(row: Judgement) -> str:
    return str((row.answer or {}).get("choice", ""))


def _join_first_three(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _progress_callback_factory(
    progress: Progress | None,
) -> Callable[[str], Callable[[int, int], None]]:
    def progress_callback_for_stage(what: str) -> Callable[[int, int], None]:
        def report_stage_progress(done: int, total: int) -> None:
            if progress is not None:
                progress(what, done, total)

        return report_stage_progress

    return progress_callback_for_stage
