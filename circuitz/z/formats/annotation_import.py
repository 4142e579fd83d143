"""Taking the words of a file over into z: what is new, what was edited, what disagrees."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import pandas as pd

from circuitz.disk.lock import hold_write_lock
from circuitz.disk.safe_text import strip_and_check_name
from circuitz.errors import AnnotationError, AnnotationFileError, UnitError
from circuitz.z.annotation import Annotation
from circuitz.z.bases import basis_sizes
from circuitz.z.bundle.append_log import append_log
from circuitz.z.bundle.load_save import load
from circuitz.z.edits import history
from circuitz.z.formats.annotation_row import AnnotationFile, AnnotationRow, LineProblems
from circuitz.z.formats.compare_lines import LineComparison, LineOutcome, LineStatus
from circuitz.z.formats.layer_map import check_layers
from circuitz.z.shown.frames import typed_frame
from circuitz.z.targets import canonical_target

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.model import AnnotatedModel

OnConflict = Literal["list", "keep", "replace"]
# Whose layers are mostly called otherwise than in z: told once, not line by line.
_LAYERS_OF_OTHERS = ("clip-dissect", "neuronpedia", "netdissect", "feature-circuits")
COLUMNS = {
    "line": "int64",
    "target": "str",
    "what": "str",
    "here": "object",
    "there": "object",
    "author_here": "str",
    "author_there": "str",
}


@dataclass(frozen=True)
class AnnotationImport:
    """What became of a file.

    Parameters
    ----------
    z
        The model with the words taken over; the one given when ``written`` is false.
    lines
        What became of each line of the file.
    written
        Whether anything was taken over.
    """

    z: AnnotatedModel
    lines: tuple[LineOutcome, ...]
    written: bool

    @property
    def frame(self) -> pd.DataFrame:
        """The lines as a table, one row each.

        Columns: the fields of :class:`~circuitz.z.formats.compare_lines.LineOutcome`, of which
        ``incoming`` is called ``there``.
        """
        return typed_frame((astuple(line) for line in self.lines), COLUMNS)

    @property
    def conflicts(self) -> tuple[LineOutcome, ...]:
        """Lines that disagree with what stands here and were not taken over."""
        return tuple(line for line in self.lines if line.what == "conflict")

    def counts(self) -> dict[str, int]:
        """How many lines became what."""
        found = Counter(line.what for line in self.lines)
        return {what: found[what] for what in get_args(LineStatus)}


def import_annotations(
    z: AnnotatedModel,
    file: AnnotationFile,
    *,
    author: str = "",
    on_conflict: OnConflict = "list",
    lexicon: Lexicon | None = None,
) -> AnnotationImport:
    """Take the words of a file over.

    A line *edits* what stands on its unit when it names that annotation by its id, as a file
    written from this z does. Where words stand that the file does not know, and it says
    something else, the two *conflict*.

    Parameters
    ----------
    author
        Author of lines that name none, and of edits.
    on_conflict
        ``list`` takes nothing over when there is a conflict; ``keep`` takes over the rest;
        ``replace`` lets the file win, which can be undone like any edit.
    lexicon
        Finds the concepts of lines that give none; the shipped one when ``None``.

    Raises
    ------
    AnnotationFileError
        If lines name units or layers this model does not have, or say two things about one unit.
    """
    if on_conflict not in ("list", "keep", "replace"):
        raise AnnotationError(f"{on_conflict!r} is no choice.", "Use list, keep or replace.")
    rows = _rows_with_checked_targets(z, file)
    if file.history:
        return _import_history(z, file, rows, strip_and_check_name(author), on_conflict)
    work = LineComparison(z, strip_and_check_name(author), lexicon, on_conflict == "replace")
    told = [work.compare_row_and_add_entry(row) for row in _drop_repeated_rows(rows, file.path)]
    return _import_unless_conflicts(z, told, work.new_entries, on_conflict)


def _import_unless_conflicts(
    z: AnnotatedModel, outcomes: list[LineOutcome], entries: list[Annotation], on_conflict: str
) -> AnnotationImport:
    stopped = on_conflict == "list" and any(line.what == "conflict" for line in outcomes)
    if stopped or not entries:
        return AnnotationImport(z, tuple(outcomes), False)
    return AnnotationImport(
        z.with_(what="annotations", log=(*z.log, *entries)), tuple(outcomes), True
    )


def _rows_with_checked_targets(z: AnnotatedModel, file: AnnotationFile) -> list[AnnotationRow]:
    """Rows with their targets in the one spelling."""
    if file.format in _LAYERS_OF_OTHERS:
        check_layers(file, z)
    problems, rows = LineProblems(file.path), list[AnnotationRow]()
    sizes = basis_sizes(z.bases)
    known: dict[str, str] = {}
    for row in file.rows:
        target = row.entry.target
        try:
            if target not in known:
                known[target] = canonical_target(target, z.layers, z.classes, sizes)
        except UnitError as error:
            problems.add(row.line, error.message, error.hint)
            continue
        if known[target] != target:
            row = replace(row, entry=replace(row.entry, target=known[target]))  # noqa: PLW2901
        rows.append(row)
    problems.raise_if_any()
    return rows


def _drop_repeated_rows(rows: list[AnnotationRow], path: Path) -> Iterator[AnnotationRow]:
    """Leave out lines that say again what another one says.

    Raises
    ------
    AnnotationFileError
        If two lines say two things about one unit.
    """
    problems, first = LineProblems(path), dict[str, AnnotationRow]()
    kept: list[AnnotationRow] = []
    for row in rows:
        before = first.setdefault(row.entry.target, row)
        if before is row:
            kept.append(row)
        elif _row_text_concepts_confidence(before) != _row_text_concepts_confidence(row):
            problems.add(
                row.line,
                f"{row.entry.target} is annotated on line {before.line} already, in other words.",
                "Keep one line a unit.",
            )
    problems.raise_if_any()
    yield from kept


def _row_text_concepts_confidence(row: AnnotationRow) -> tuple[object, ...]:
    return row.entry.text, row.entry.concepts, row.entry.confidence


def _import_history(
    z: AnnotatedModel,
    file: AnnotationFile,
    rows: list[AnnotationRow],
    author: str,
    on_conflict: OnConflict,
) -> AnnotationImport:
    """Merge a whole history, as with another z that holds it."""
    there = _model_with_file_log(z, file, rows)
    merged, found = z.merge(there)
    clashing = {str(target) for target in found["name"]}
    last = {row.entry.target: row for row in rows}
    mine, theirs = z.effective(), there.effective()
    known = {entry.id for entry in z.log}
    made = list(merged.log[len(z.log) :])
    told: list[LineOutcome] = []
    for row in rows:
        target = row.entry.target
        here = mine.get(target)
        what: LineStatus
        if target in clashing:
            what = "replaced" if on_conflict == "replace" else "conflict"
        elif row.entry.id in known:
            what = "unchanged"
        else:
            what = "edited" if here else "new"
        if what not in ("conflict", "replaced") or last[target] is row:
            told.append(LineOutcome.from_entry(row.line, row.entry, what, here))
    if on_conflict == "replace":
        work = LineComparison(merged, author, None, True)
        for target in sorted(clashing):
            if target in theirs:
                work.compare_row_and_add_entry(
                    AnnotationRow(
                        0, replace(theirs[target], id=""), frozenset(("concepts", "confidence"))
                    )
                )
            elif target in mine:
                made += history.retraction_entries(
                    merged.log, target, author=author, weights_hash=z.weights_hash
                )
        made += work.new_entries
    return _import_unless_conflicts(z, told, made, on_conflict)


def _model_with_file_log(
    z: AnnotatedModel, file: AnnotationFile, rows: list[AnnotationRow]
) -> AnnotatedModel:
    if not all(row.entry.id for row in rows):
        raise AnnotationFileError(f"{file.path} is a history without ids.", "Export it again.")
    try:
        log = tuple(row.entry for row in rows)
        history.replay_log(log)
    except AnnotationError as error:
        raise AnnotationFileError(f"{file.path}: {error.message}", "Export it again.") from error
    return z.with_(log=log)


def import_into_bundle(
    path: str | os.PathLike[str],
    file: AnnotationFile,
    *,
    author: str = "",
    on_conflict: OnConflict = "list",
    lexicon: Lexicon | None = None,
) -> AnnotationImport:
    """Take the words of a file over into a bundle; nobody else writes meanwhile.

    Parameters as in :func:`import_annotations`.

    Raises
    ------
    AnnotationFileError
        If lines name units this model does not have, or say two things about one unit.
    BundleError
        If the bundle cannot be read or written; nothing was taken over.
    """
    place = Path(os.path.realpath(path))
    load(place)  # puts right what a killed save left, and says early what is wrong
    with hold_write_lock(place):
        z = load(place)
        taken = import_annotations(z, file, author=author, on_conflict=on_conflict, lexicon=lexicon)
        if taken.written:
            append_log(place, taken.z.log[len(z.log) :])
    return taken
