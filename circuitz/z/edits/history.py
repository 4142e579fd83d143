"""Reading the append-only log: what stands, what can be undone, what happened.

Pure functions over the log, oldest entry first. An entry is an *edit* (``undoes`` empty), the
*undo* of an edit, or, when it undoes an undo, a *redo*. Nothing is ever removed.
"""

from __future__ import annotations

import heapq
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from circuitz.errors import AnnotationError
from circuitz.z.annotation import Annotation
from circuitz.z.shown.frames import typed_frame

RANK = {"rule": 0, "model": 1, "person": 2}
COLUMNS = {
    "time": "str",
    "author": "str",
    "author_kind": "str",
    "what": "str",
    "target": "str",
    "text": "str",
    "concepts": "object",
    "confidence": "float64",
    "standing": "bool",
    "id": "str",
    "supersedes": "str",
    "undoes": "str",
}


@dataclass(frozen=True)
class LogState:
    """What a log amounts to.

    Parameters
    ----------
    active
        Edits in force, oldest first: all that are not undone.
    undone
        ``(undo entry, edit)`` pairs that can be redone, the last one first to be redone.
    """

    active: tuple[Annotation, ...]
    undone: tuple[tuple[Annotation, Annotation], ...]


def utc_timestamp() -> str:
    """Time of writing, ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def random_entry_id() -> str:
    """Return an id no other entry has."""
    return secrets.token_hex(8)


def replay_log(log: Sequence[Annotation]) -> LogState:
    """Replay the log.

    An edit after an undo clears what could be redone, as in any editor.

    Raises
    ------
    AnnotationError
        If an id occurs twice, or an entry takes back something the log does not hold.
    """
    entries: dict[str, Annotation] = {}
    active: dict[str, Annotation] = {}
    undone: dict[str, tuple[Annotation, Annotation]] = {}
    # Insertion order of a dict serves as the stack; removal by id lets merged logs interleave.
    for entry in log:
        if entry.id in entries:
            raise AnnotationError(f"The log holds the id {entry.id!r} twice.", "Its copy is bad.")
        entries[entry.id] = entry
        if not entry.undoes:
            active[entry.id] = entry
            undone.clear()
            continue
        what = entries.get(entry.undoes)
        if what is None:
            raise AnnotationError(
                f"Entry {entry.id!r} takes back {entry.undoes!r}, which the log does not hold.",
                "Part of the log is missing.",
            )
        if not what.undoes:
            active.pop(what.id, None)
            undone[entry.id] = (entry, what)
        else:
            pair = undone.pop(what.id, None)
            edit = pair[1] if pair else entries[what.undoes]
            active[edit.id] = edit
    return LogState(tuple(active.values()), tuple(undone.values()))


def standing_annotations_by_target(active: Iterable[Annotation]) -> dict[str, list[Annotation]]:
    """Annotations standing on each target, oldest first: neither superseded nor retracted."""
    edits = list(active)
    gone = {edit.supersedes for edit in edits if edit.supersedes}
    standing: dict[str, list[Annotation]] = {}
    for edit in edits:
        if edit.id not in gone and not edit.retracted:
            standing.setdefault(edit.target, []).append(edit)
    return standing


def annotations_in_force(log: Sequence[Annotation]) -> dict[str, Annotation]:
    """Return the annotation in force on each target, targets in the order of first edits.

    Where several stand, a person's word beats a model's beats a rule's, then the later one.
    """
    return {
        target: choose_annotation_in_force(some)
        for target, some in standing_annotations_by_target(replay_log(log).active).items()
    }


def choose_annotation_in_force(standing: Sequence[Annotation]) -> Annotation:
    """Pick the one in force among several standing on one target, given oldest first."""
    return max(enumerate(standing), key=lambda pair: (RANK[pair[1].author_kind], pair[0]))[1]


def id_of_superseded_annotation(standing: Sequence[Annotation], author_kind: str) -> str:
    """Id of what a new annotation of this kind of author replaces; empty for a first one.

    A rule does not replace a person's word: its annotation stands beside it, out of force.
    """
    below = [entry for entry in standing if RANK[entry.author_kind] <= RANK[author_kind]]
    return choose_annotation_in_force(below).id if below else ""


def retraction_entries(
    log: Sequence[Annotation], target_or_id: str, *, author: str, weights_hash: str = ""
) -> tuple[Annotation, ...]:
    """Entries that withdraw an annotation by id, or all that stand on a target.

    Raises
    ------
    AnnotationError
        If nothing stands there.
    """
    standing = standing_annotations_by_target(replay_log(log).active)
    found = list(standing.get(target_or_id, ()))
    if not found:
        found = [e for some in standing.values() for e in some if e.id == target_or_id]
    if not found:
        raise AnnotationError(
            f"No annotation stands on {target_or_id!r}.",
            "z.annotations lists those that can be retracted.",
        )
    # The one in force goes last, so that one undo brings it back.
    in_force = choose_annotation_in_force(found)
    found.sort(key=lambda entry: entry is in_force)
    return tuple(
        Annotation(
            id=random_entry_id(),
            target=entry.target,
            text="",
            author=author,
            time=utc_timestamp(),
            supersedes=entry.id,
            retracted=True,
            weights_hash=weights_hash,
        )
        for entry in found
    )


def undo_entry(log: Sequence[Annotation], *, author: str = "") -> Annotation:
    """Entry that takes back the last edit in force.

    Raises
    ------
    AnnotationError
        If nothing is left to undo.
    """
    active = replay_log(log).active
    if not active:
        raise AnnotationError("There is nothing to undo.", "Every edit has been taken back.")
    return _undoing_entry(active[-1], active[-1], author)


def redo_entry(log: Sequence[Annotation], *, author: str = "") -> Annotation:
    """Entry that restores the edit undone last.

    Raises
    ------
    AnnotationError
        If nothing was undone since the last edit.
    """
    undone = replay_log(log).undone
    if not undone:
        raise AnnotationError("There is nothing to redo.", "An edit after an undo clears redo.")
    entry, edit = undone[-1]
    return _undoing_entry(entry, edit, author)


def _undoing_entry(what: Annotation, edit: Annotation, author: str) -> Annotation:
    return Annotation(
        id=random_entry_id(),
        target=edit.target,
        text="",
        author=author,
        time=utc_timestamp(),
        undoes=what.id,
    )


def history_table(
    log: Sequence[Annotation],
    target: str | None = None,
    beside: Iterable[tuple[Any, ...]] = (),
) -> pd.DataFrame:
    """Everything that happened, oldest first, as a table.

    Parameters
    ----------
    target
        Only entries about this target.
    beside
        Rows about other things than words, put among these by their times.

    Returns
    -------
    One row an entry: ``time``, ``author``, ``author_kind``; ``what`` was done (annotated, replaced,
    retracted, undid, redid; a finding waived, rewaived, unwaived) to which ``target``; ``text``, ``concepts`` and ``confidence`` of the
    words it is about; ``standing``: whether it is in force now; and the ids ``id``,
    ``supersedes``, ``undoes``.
    """
    by_id = {entry.id: entry for entry in log}
    in_force = {entry.id for entry in annotations_in_force(log).values()}
    rows: list[tuple[Any, ...]] = []
    for entry in log:
        if target is None or entry.target == target:
            said = _quoted_entry(entry, by_id)
            rows.append(
                (
                    entry.time,
                    entry.author,
                    entry.author_kind,
                    _action_word(entry, by_id),
                    entry.target,
                    said.text,
                    said.concepts,
                    said.confidence,
                    entry.id in in_force,
                    entry.id,
                    entry.supersedes,
                    entry.undoes,
                )
            )
    return typed_frame(heapq.merge(rows, beside, key=lambda row: row[0]), COLUMNS)


def _action_word(entry: Annotation, by_id: dict[str, Annotation]) -> str:
    if entry.undoes:
        return "redid" if by_id[entry.undoes].undoes else "undid"
    if entry.retracted:
        return "retracted"
    return "replaced" if entry.supersedes else "annotated"


def _quoted_entry(entry: Annotation, by_id: dict[str, Annotation]) -> Annotation:
    """Return the entry whose words this one is about: an undo of a retraction quotes the retracted."""
    about = entry
    while not about.text:
        link = by_id.get(about.undoes or about.supersedes)
        if link is None:
            return replace(about, text="")
        about = link
    return about


def entries_not_in(log: Sequence[Annotation], known_ids: Iterable[str]) -> tuple[Annotation, ...]:
    """Entries of the log whose ids are not among ``known_ids``."""
    ids = set(known_ids)
    return tuple(entry for entry in log if entry.id not in ids)
