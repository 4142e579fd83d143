"""From answers to concept labels: a column of z's concept set, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from circuitz.errors import LabellingError
from circuitz.labelling.concepts.concept_answers import Merged
from circuitz.labelling.concepts.concept_pack import column_of, item_of
from circuitz.labelling.concepts.concept_questions import pictures_of
from circuitz.plausibility.problems import LABEL_NOTES
from circuitz.store.judgement import now
from circuitz.z.bundle.inputs_io import fingerprint
from circuitz.z.inputs import SPLITS, InputSet

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.model import AnnotatedModel

#: Pictures chosen by activity may teach, and decide nothing: see ``concept_questions``.
ANYWHERE = "random"


@dataclass(frozen=True)
class Taken:
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
    kept
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
    kept: int
    left_out: int

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, without the model."""
        return {
            "word": self.word,
            "written": self.written,
            "shown": dict(self.shown),
            "absent": dict(self.absent),
            "contradicted": self.kept,
            "left_out": self.left_out,
        }


def take(
    z: AnnotatedModel,
    word: str,
    merged: Sequence[Merged],
    plan: Mapping[str, Any],
    *,
    lexicon: Lexicon,
    task: str,
    raters: Sequence[str] = (),
    rater_kinds: Sequence[str] = (),
    replace_others: bool = False,
) -> Taken:
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
    shown = pictures_of(z)
    assert shown.split is not None
    at = column_of(z, word, lexicon)
    before = _column(shown, at)
    ours = _ours(z, word, task)
    wanted, left_out = _wanted(shown, merged, plan)
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
            "before": _plain(before[changed]),
            "after": _plain(after[changed]),
            "raters": list(raters),
            "rater_kinds": list(rater_kinds),
            "time": now(),
            "undone": False,
        }
        made = _with_column(z, name, at, after, [*_records(z), record])
    at = at if at >= 0 else len(shown.concept_names)
    return Taken(
        made, word, at, len(changed), _count(shown, after, 1), _count(shown, after, 0),
        kept, left_out,
    )  # fmt: skip


def undo(z: AnnotatedModel) -> tuple[AnnotatedModel, dict[str, Any]]:
    """Take the last labels back that answers wrote; answers stay in their store.

    Raises
    ------
    LabellingError
        If there are none, or somebody changed the labels since.
    """
    records = _records(z)
    last = next((i for i in reversed(range(len(records))) if not records[i]["undone"]), -1)
    if last < 0:
        raise LabellingError(
            "No labels from answers are left to take back.", "circuitz concepts ask Z WORD asks."
        )
    shown, record = pictures_of(z), records[last]
    word, rows = str(record["word"]), np.array(record["rows"], np.int64)
    names = shown.concept_names
    at = names.index(record["column"]) if record["column"] in names else -1
    values = _column(shown, at)
    if at < 0 or (len(rows) and rows.max() >= len(values)):
        raise LabellingError(f"The column of ‘{word}’ is gone.", "There is nothing to take back.")
    if _plain(values[rows]) != record["after"]:
        raise LabellingError(
            f"Labels of ‘{word}’ were changed since by other means.",
            "They stand; label those pictures again to change them.",
        )
    values[rows] = [np.nan if v is None else v for v in record["before"]]
    records[last] = {**record, "undone": True}
    gone = record["new"] and at == len(names) - 1 and bool(np.isnan(values).all())
    made = _with_column(z, names[at], at, None if gone else values, records)
    return made, {"word": word, "cells": len(rows), "column_removed": gone}


def _records(z: AnnotatedModel) -> list[dict[str, Any]]:
    found = z.notes.get(LABEL_NOTES, [])
    return [dict(record) for record in found] if isinstance(found, list) else []


def _ours(z: AnnotatedModel, word: str, task: str) -> set[int]:
    """Rows whose label came from answers to this task."""
    return {
        int(row)
        for record in _records(z)
        if not record["undone"] and record["word"] == word and record["task"] == task
        for row, value in zip(record["rows"], record["after"], strict=True)
        if value is not None
    }


def _wanted(
    shown: InputSet, merged: Sequence[Merged], plan: Mapping[str, Any]
) -> tuple[dict[int, float | None], int]:
    """Label by row, and how many answers may not be used where their picture is."""
    assert shown.split is not None
    found: dict[int, float | None] = {}
    left_out = 0
    for answer in merged:
        facts = plan.get(answer.question.id, {})
        row = facts.get("row", -1)
        there = isinstance(row, int) and 0 <= row < len(shown)
        if not there or item_of(shown.images[row]) != answer.question.item:
            raise LabellingError(
                "These answers are about pictures that this z's concept set does not hold.",
                "Take them into the z that the questions were made from.",
            )
        if facts.get("why") != ANYWHERE and SPLITS[int(shown.split[row])] != "select":
            left_out += 1
        elif answer.usable:
            found[row] = answer.value
    return found, left_out


def _with_column(
    z: AnnotatedModel,
    name: str,
    at: int,
    values: np.ndarray | None,
    records: Sequence[Mapping[str, Any]],
) -> AnnotatedModel:
    """Return z with a column set, appended (``at`` -1) or removed (no values)."""
    shown = pictures_of(z)
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
    if measured is not None and measured.concepts_hash in ("", fingerprint(shown)):
        # Units respond to pictures, not to labels: what was measured holds.
        changes["measurements"] = replace(measured, concepts_hash=fingerprint(new))
    return z.with_(what=f"labels of {name}", **changes)


def _column(shown: InputSet, at: int) -> np.ndarray:
    if at < 0 or shown.concepts is None:
        return np.full(len(shown), np.nan, np.float32)
    return shown.concepts[:, at].copy()


def _plain(values: np.ndarray) -> list[float | None]:
    return [None if np.isnan(v) else float(v) for v in values]


def _count(shown: InputSet, values: np.ndarray, value: float) -> dict[str, int]:
    assert shown.split is not None
    return {
        name: int(((values == value) & (shown.split == i)).sum()) for i, name in enumerate(SPLITS)
    }
