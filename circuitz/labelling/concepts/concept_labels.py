"""From answers to concept labels: a column of z's concept set, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from circuitz.errors import LabellingError
from circuitz.labelling.concepts.concept_answers import MergedAnswers
from circuitz.labelling.concepts.concept_pack import concept_column_index
from circuitz.labelling.concepts.concept_questions import require_askable_concept_set
from circuitz.plausibility.problems import LABEL_NOTES
from circuitz.store.judgement import iso_utc_now
from circuitz.z.bundle.inputs_io import input_set_fingerprint
from circuitz.z.inputs import SPLITS, InputSet
from circuitz.z.pixel_hashes import pixel_hash

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.model import AnnotatedModel

#: Pictures chosen by activity may teach, and decide nothing: see ``concept_questions``.
ANYWHERE = "random"


@dataclass(frozen=True)
class AppliedAnswers:
    """What became of answers about one word.

    Parameters
    ----------
    z
        With the labels.
    word, column
        The concept, and its column.
    written
        Cells that changed.
    shown, absent
        Labels of the column now, by split: how many pictures show it, and do not.
    contradicted
        Labels that were there before and that people contradict; they stand unless replaced.
    left_out
        Answers about pictures that were chosen by activity on *test* or *audit*.
    """

    z: AnnotatedModel
    word: str
    column: int
    written: int
    shown: Mapping[str, int]
    absent: Mapping[str, int]
    contradicted: int
    left_out: int

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, without the model."""
        return {
            "word": self.word,
            "written": self.written,
            "shown": dict(self.shown),
            "absent": dict(self.absent),
            "contradicted": self.contradicted,
            "left_out": self.left_out,
        }


def apply_answers_to_concept_set(
    z: AnnotatedModel,
    word: str,
    merged: Sequence[MergedAnswers],
    plan: Mapping[str, Any],
    *,
    lexicon: Lexicon,
    task: str,
    raters: Sequence[str] = (),
    rater_kinds: Sequence[str] = (),
    replace_others: bool = False,
) -> AppliedAnswers:
    """Write what people answered about a word into z's concept set.

    The column is made where there is none; pictures nobody was asked about stay NaN. What these
    answers wrote before follows them when they change or are withdrawn; labels from elsewhere
    stand, and contradictions are counted.

    Parameters
    ----------
    merged, plan
        Answers, and why each picture was chosen (:attr:`TaskPack.plan`).
    task, raters, rater_kinds
        Whose answers they are, for the record.
    replace_others
        Let people's answers win over labels that were there before.

    Raises
    ------
    LabellingError
        If the answers are about pictures that this z's concept set does not hold.
    """
    shown = require_askable_concept_set(z)
    assert shown.split is not None
    at = concept_column_index(z, word, lexicon)
    before = _column_labels_or_nan(shown, at)
    ours = _rows_labelled_by_task(z, word, task)
    wanted, left_out = _labels_by_row_and_left_out(shown, merged, plan)
    # Withdrawn answers leave nothing behind.
    wanted = {**dict.fromkeys(ours - wanted.keys()), **wanted}
    after = before.copy()
    kept = 0
    for row, value in wanted.items():
        new = np.nan if value is None else value
        own = row in ours or np.isnan(before[row]) or replace_others
        if own:
            after[row] = new
        elif value is not None and value != before[row]:
            kept += 1
    changed = np.flatnonzero(~((after == before) | (np.isnan(after) & np.isnan(before))))
    made = z
    if len(changed):
        name = word if at < 0 else shown.concept_names[at]
        record = {
            "word": word,
            "column": name,
            "task": task,
            "new": at < 0,
            "rows": changed.tolist(),
            "before": _nan_to_none(before[changed]),
            "after": _nan_to_none(after[changed]),
            "raters": list(raters),
            "rater_kinds": list(rater_kinds),
            "time": iso_utc_now(),
            "undone": False,
        }
        made = _with_changed_concept_column(
            z, name, at, after, [*_label_records_in_notes(z), record]
        )
    at = at if at >= 0 else len(shown.concept_names)
    return AppliedAnswers(
        made, word, at, len(changed), _count_value_by_split(shown, after, 1), _count_value_by_split(shown, after, 0),
        kept, left_out,
    )  # fmt: skip


def undo_last_labels(z: AnnotatedModel) -> tuple[AnnotatedModel, dict[str, Any]]:
    """Take the last labels back that answers wrote; answers stay in their store.

    Raises
    ------
    LabellingError
        If there are none, or somebody changed the labels since.
    """
    records = _label_records_in_notes(z)
    last = next((i for i in reversed(range(len(records))) if not records[i]["undone"]), -1)
    if last < 0:
        raise LabellingError(
            "No labels from answers are left to take back.", "circuitz concepts ask Z WORD asks."
        )
    shown, record = require_askable_concept_set(z), records[last]
    word, rows = str(record["word"]), np.array(record["rows"], np.int64)
    names = shown.concept_names
    at = names.index(record["column"]) if record["column"] in names else -1
    values = _column_labels_or_nan(shown, at)
    if at < 0 or (len(rows) and rows.max() >= len(values)):
        raise LabellingError(f"The column of ‘{word}’ is gone.", "There is nothing to take back.")
    if _nan_to_none(values[rows]) != record["after"]:
        raise LabellingError(
            f"Labels of ‘{word}’ were changed since by other means.",
            "They stand; label those pictures again to change them.",
        )
    values[rows] = [np.nan if v is None else v for v in record["before"]]
    records[last] = {**record, "undone": True}
    gone = record["new"] and at == len(names) - 1 and bool(np.isnan(values).all())
    made = _with_changed_concept_column(z, names[at], at, None if gone else values, records)
    return made, {"word": word, "cells": len(rows), "column_removed": gone}


def _label_records_in_notes(z: AnnotatedModel) -> list[dict[str, Any]]:
    found = z.notes.get(LABEL_NOTES, [])
    return [dict(record) for record in found] if isinstance(found, list) else []


def _rows_labelled_by_task(z: AnnotatedModel, word: str, task: str) -> set[int]:
    """Rows whose label came from answers to this task."""
    return {
        int(row)
        for record in _label_records_in_notes(z)
        if not record["undone"] and record["word"] == word and record["task"] == task
        for row, value in zip(record["rows"], record["after"], strict=True)
        if value is not None
    }


def _labels_by_row_and_left_out(
    concept_set: InputSet, merged: Sequence[MergedAnswers], plan: Mapping[str, Any]
) -> tuple[dict[int, float | None], int]:
    """Label by row, and how many answers may not be used where their picture is."""
    assert concept_set.split is not None
    found: dict[int, float | None] = {}
    left_out = 0
    for answer in merged:
        facts = plan.get(answer.question.id, {})
        row = facts.get("row", -1)
        there = isinstance(row, int) and 0 <= row < len(concept_set)
        if not there or pixel_hash(concept_set.images[row]) != answer.question.item:
            raise LabellingError(
                "These answers are about pictures that this z's concept set does not hold.",
                "Take them into the z that the questions were made from.",
            )
        if facts.get("why") != ANYWHERE and SPLITS[int(concept_set.split[row])] != "select":
            left_out += 1
        elif answer.is_usable:
            found[row] = answer.majority_label
    return found, left_out


def _with_changed_concept_column(
    z: AnnotatedModel,
    name: str,
    at: int,
    values: np.ndarray | None,
    records: Sequence[Mapping[str, Any]],
) -> AnnotatedModel:
    """Return z with a column set, appended (``at`` -1) or removed (no values)."""
    shown = require_askable_concept_set(z)
    old = shown.concepts
    if old is None:
        old = np.zeros((len(shown), 0), np.float32)
    names = shown.concept_names
    if values is None:
        table, names = old[:, :-1].copy(), names[:-1]
    elif at < 0:
        table, names = np.column_stack([old, values]).astype(np.float32), (*names, name)
    else:
        table = old.copy()
        table[:, at] = values
    new = replace(
        shown, concepts=np.ascontiguousarray(table, np.float32) if names else None,
        concept_names=names,
    )  # fmt: skip
    changes: dict[str, Any] = {
        "concept_set": new,
        "notes": {**z.notes, LABEL_NOTES: [dict(record) for record in records]},
    }
    measured = z.measurements
    if measured is not None and measured.concepts_hash in ("", input_set_fingerprint(shown)):
        # Units respond to pictures, not to labels: what was measured holds.
        changes["measurements"] = replace(measured, concepts_hash=input_set_fingerprint(new))
    return z.with_(what=f"labels of {name}", **changes)


def _column_labels_or_nan(concept_set: InputSet, at: int) -> np.ndarray:
    if at < 0 or concept_set.concepts is None:
        return np.full(len(concept_set), np.nan, np.float32)
    return concept_set.concepts[:, at].copy()


def _nan_to_none(values: np.ndarray) -> list[float | None]:
    return [None if np.isnan(v) else float(v) for v in values]


def _count_value_by_split(
    concept_set: InputSet, values: np.ndarray, value: float
) -> dict[str, int]:
    assert concept_set.split is not None
    return {
        name: int(((values == value) & (concept_set.split == i)).sum())
        for i, name in enumerate(SPLITS)
    }
