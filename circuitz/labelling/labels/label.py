"""Answers into M_L_test, and M_L_test into labels for all of D′."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from circuitz.errors import LabellingError
from circuitz.labelling.labels.answers import answers_from_judgements
from circuitz.labelling.labels.collect import FIRST_ANSWERS
from circuitz.labelling.labels.label_model import LabelModel, fit_label_model
from circuitz.labelling.labels.rater_votes import (
    class_all_agree_on,
    newest_answer_by_rater_and_item,
    remark_on_label,
    votes_by_item,
)
from circuitz.labelling.tasks.run_on_pictures import run_model_on_pictures
from circuitz.labelling.tasks.shifted_pictures import (
    Picture,
    View,
    check_labelling_supported,
    find_pictures,
)
from circuitz.store.address import open_store
from circuitz.store.judgement import Judgement
from circuitz.store.judgement_store import JudgementStore
from circuitz.z.formats.csv_cells import BYTE_ORDER_MARK, escape_spreadsheet_name

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Labels:
    """M_L_test and its labels.

    Parameters
    ----------
    model
        M_L_test, learned from the answers alone: what z* itself says has no part in it.
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
    votes
        By picture, how often each class was said. Where two raters or more said one class and
        nobody another, it is the label, whatever the model holds likelier.
    with_logits
        The same with z*'s own logits as an input, whose weight the answers set; to compare.
    """

    model: LabelModel
    pictures: tuple[Picture, ...]
    probabilities: npt.NDArray[np.float64]
    answered: npt.NDArray[np.int64]
    elsewhere: int
    simulated: bool
    votes: tuple[Mapping[str, int], ...] = ()
    with_logits: LabelModel | None = None

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """Return the class of each picture, ``(n,)``: what all raters said, or the likeliest."""
        found = self.probabilities.argmax(1).astype(np.int64)
        for i, votes in enumerate(self.votes):
            agreed = class_all_agree_on(votes)
            if agreed:
                found[i] = self.model.classes.index(agreed)
        return found

    @property
    def remarks(self) -> tuple[str, ...]:
        """Say for each picture where raters and the label do not go together; empty elsewhere."""
        classes = self.model.classes
        return tuple(
            remark_on_label(classes[int(i)], votes, classes[int(p.argmax())], float(p.max()))
            for i, votes, p in zip(
                self.labels, self.votes or ({},) * len(self.pictures), self.probabilities,
                strict=True,
            )
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """Return what a program would read about them."""
        labels = self.labels
        names = Counter(self.model.classes[int(i)] for i in labels)
        kept = int((labels != self.probabilities.argmax(1)).sum())
        return {
            "pictures": len(self.pictures),
            "answers": self.model.answers,
            "answered": int((self.answered > 0).sum()),
            "elsewhere": self.elsewhere,
            "simulated": self.simulated,
            "form": self.model.form,
            "agreement": self.model.agreement,
            "agreement_with_logits": None
            if self.with_logits is None
            else self.with_logits.agreement,
            "raters": self.model.raters,
            "compared": self.model.compared,
            "labels": {name: names[name] for name in self.model.classes},
            "mean_probability": round(
                float(np.take_along_axis(self.probabilities, labels[:, None], 1).mean()), 4
            ),
            "kept_from_raters": kept,
            "overruled": sum(bool(said) for said in self.remarks) - kept,
        }

    def to_csv(self) -> bytes:
        """Return ``path,label,probability,answers,remark`` and a column a class, formulas escaped."""
        buffer = io.StringIO(BYTE_ORDER_MARK, newline="")
        buffer.seek(0, io.SEEK_END)
        writer = csv.writer(buffer)
        classes = self.model.classes
        writer.writerow(
            [
                "path",
                "label",
                "probability",
                "answers",
                "remark",
                *(escape_spreadsheet_name(f"p {name}") for name in classes),
            ]
        )
        rows = zip(
            self.pictures, self.labels, self.probabilities, self.answered, self.remarks, strict=True
        )
        for picture, best, p, n, remark in rows:
            numbers = [f"{v:.4f}" for v in p]
            writer.writerow(
                [
                    escape_spreadsheet_name(picture.path),
                    escape_spreadsheet_name(classes[best]),
                    numbers[best],
                    int(n),
                    escape_spreadsheet_name(remark),
                    *numbers,
                ]
            )
        return buffer.getvalue().encode()


def label(
    z: AnnotatedModel,
    store: JudgementStore | str | os.PathLike[str],
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
    if isinstance(store, str | os.PathLike):
        store = open_store(os.fspath(store), read_only=True)
    rows = training_answers(z, store, task)
    about = _progress_callback_factory(progress)
    pictures = find_pictures(folder, about("find pictures"))
    position = {p.item: i for i, p in reversed(list(enumerate(pictures)))}
    mine = newest_answer_by_rater_and_item(rows)
    here = [row for row in mine if row.items[0] in position]
    if not here:
        raise LabellingError(
            f"None of the {len(rows):,} answers is about a picture in {folder}.",
            "Give the folder the task pack was made from; files must be as they were.",
        )
    given = answers_from_judgements(here, z.classes, position)
    ran = run_model_on_pictures(z, [p.file for p in pictures], View.of(z), about("run the network"))
    model = fit_label_model(ran.responses, ran.logits, given, z.classes, seed, offset=False)
    votes = votes_by_item(here)
    return Labels(
        model=model,
        pictures=pictures,
        probabilities=model.predict_proba(ran.responses, ran.logits),
        answered=np.array([votes.get(p.item, Counter()).total() for p in pictures], np.int64),
        elsewhere=sum(row.items[0] not in position for row in rows),
        simulated=any(row.rater_kind == "simulated" for row in here),
        votes=tuple(votes.get(p.item, Counter()) for p in pictures),
        with_logits=fit_label_model(
            ran.responses, ran.logits, given, z.classes, seed, as_input=True
        ),
    )


def training_answers(z: AnnotatedModel, store: JudgementStore, task: str = "") -> list[Judgement]:
    """Return the answers M_L_test of z may learn from.

    Raises
    ------
    LabellingError
        If there are none; it says what there is instead.
    """
    wanted = task or None
    rows = [
        r
        for r in store.rows(task=wanted)
        if r.kind in FIRST_ANSWERS and r.use == "train" and r.items
    ]
    if not rows:
        raise LabellingError(
            f"{store.address} holds no labels{f' of {task}' if task else ''} to learn from.",
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
