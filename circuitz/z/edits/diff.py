"""Comparing two z and taking over each other's edits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from circuitz.disk.arrays import Arrays
from circuitz.disk.hashing import array_digest
from circuitz.errors import AnnotationError
from circuitz.z.annotation import Annotation
from circuitz.z.bases import basis_sizes
from circuitz.z.edits import history
from circuitz.z.edits.waivers import merged_waivers
from circuitz.z.finding import Waiver
from circuitz.z.shown.frames import typed_frame
from circuitz.z.targets import canonical_target, target_sort_key

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

DIFF_COLUMNS = ("what", "name", "change", "here", "there", "author_here", "author_there")
CONFLICT_COLUMNS = ("what", "name", "here", "there", "author_here", "author_there", "ids_there")

_FIELDS = (
    "classes",
    "subject",
    "layers",
    "cut",
    "preprocessing",
    "builder",
    "builder_args",
    "head",
    "output",
)
_ANYTHING = ("here", "there", "ids_there")
_PROSE = ("notes", "story")


def _text_concepts_confidence(entry: Annotation | None) -> tuple[Any, ...] | None:
    """Return what counts in an annotation: its words, not who wrote them and when."""
    return (entry.text, entry.concepts, entry.confidence) if entry else None


def diff_models(z: AnnotatedModel, other: AnnotatedModel) -> pd.DataFrame:
    """List what differs between two z.

    Returns
    -------
    A table of one row a difference: ``what`` (annotation, weights, bases, or a field), ``name``,
    ``change`` (added, removed or changed on the way from here to there), the values ``here`` and
    ``there`` (``None`` where there is none), and who wrote the words: ``author_here``,
    ``author_there``.
    """
    rows: list[dict[str, Any]] = []
    for what in ("weights", "bases"):
        rows += _array_differences(
            what, Arrays.of(getattr(z, what)), Arrays.of(getattr(other, what))
        )
    for name in (*_FIELDS, *_PROSE):
        mine, theirs = getattr(z, name), getattr(other, name)
        if mine != theirs:
            rows.append(_difference_row(name, name, mine, theirs))
    mine, theirs = z.effective(), other.effective()
    for target in sorted(mine.keys() | theirs.keys(), key=target_sort_key):
        a, b = mine.get(target), theirs.get(target)
        if _text_concepts_confidence(a) != _text_concepts_confidence(b):
            row = _difference_row(
                "annotation", target, a.text if a else None, b.text if b else None
            )
            row["author_here"], row["author_there"] = a.author if a else "", b.author if b else ""
            rows.append(row)
    return _object_frame(rows, DIFF_COLUMNS)


def _difference_row(what: str, name: str, mine: Any, theirs: Any) -> dict[str, Any]:
    change = "changed"
    if mine is None or theirs is None:
        change = "added" if mine is None else "removed"
    return {
        "what": what,
        "name": name,
        "change": change,
        "here": mine,
        "there": theirs,
        "author_here": "",
        "author_there": "",
    }


def _array_differences(what: str, mine: Arrays, theirs: Arrays) -> list[dict[str, Any]]:
    if mine.hash == theirs.hash:
        return []
    rows: list[dict[str, Any]] = []
    for name in sorted(set(mine) | set(theirs)):
        a, b = mine.get(name), theirs.get(name)
        if a is None or b is None or array_digest(a) != array_digest(b):
            rows.append(
                _difference_row(what, name, _dtype_and_shape_text(a), _dtype_and_shape_text(b))
            )
    return rows


def _dtype_and_shape_text(array: Any) -> str | None:
    return None if array is None else f"{array.dtype} {array.shape}"


def merge_edits(base: AnnotatedModel, other: AnnotatedModel) -> tuple[AnnotatedModel, pd.DataFrame]:
    """Take over the edits the other z has and this one has not.

    What both changed, and not to the same words, is a conflict: it stays as it is here, the
    other's entries stay out of the log, and a row of the table names them. Annotate or retract
    the target to settle it. Weights, notes and story are never taken over; where they differ a
    row says so.

    Returns
    -------
    The merged z, and the conflicts: ``what``, ``name``, the values ``here`` and ``there``,
    ``author_here``, ``author_there``, and ``ids_there``, the ids of the entries left out.

    Raises
    ------
    UnitError
        If the other annotates units this model does not have.
    AnnotationError
        If one entry reads differently in the two logs.
    """
    mine = {entry.id: entry for entry in base.log}
    for entry in other.log:
        if entry.id in mine and mine[entry.id] != entry:
            raise AnnotationError(
                f"Entry {entry.id!r} on {entry.target} reads differently in the two logs.",
                "One of the bundles was changed by hand; go back to a copy.",
            )
    theirs = {entry.id for entry in other.log}
    new = [entry for entry in other.log if entry.id not in mine]
    sizes = basis_sizes(base.bases)
    for entry in new:
        canonical_target(entry.target, base.layers, base.classes, sizes)
    changed_here = {entry.target for entry in base.log if entry.id not in theirs}
    now_here, now_there = base.effective(), other.effective()
    clashing: dict[str, list[Annotation]] = {}
    for entry in new:
        target = entry.target
        same = _text_concepts_confidence(now_here.get(target)) == _text_concepts_confidence(
            now_there.get(target)
        )
        if target in changed_here and not same:
            clashing.setdefault(target, []).append(entry)
    taken = [entry for entry in new if entry.target not in clashing]
    rows = [
        _conflict_row(target, now_here.get(target), now_there.get(target), left_out)
        for target, left_out in clashing.items()
    ]
    rows += _unmergeable_differences(base, other)
    waivers, disputed = merged_waivers(base.waivers, other.waivers)
    rows += [_disputed_waiver_row(*decisions) for decisions in disputed]
    z = base
    if taken or waivers != base.waivers:
        log = (*base.log, *taken)
        history.replay_log(log)  # refuses entries that take back what the merged log does not hold
        z = base.with_(what="merge", log=log, waivers=waivers)
    return z, _object_frame(rows, CONFLICT_COLUMNS)


def _object_frame(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> pd.DataFrame:
    kinds = {name: "object" if name in _ANYTHING else "str" for name in columns}
    return typed_frame(([row[name] for name in columns] for row in rows), kinds)


def _conflict_row(
    target: str, mine: Annotation | None, theirs: Annotation | None, left_out: list[Annotation]
) -> dict[str, Any]:
    return {
        "what": "annotation",
        "name": target,
        "here": mine.text if mine else None,
        "there": theirs.text if theirs else None,
        "author_here": mine.author if mine else "",
        "author_there": theirs.author if theirs else "",
        "ids_there": tuple(entry.id for entry in left_out),
    }


def _disputed_waiver_row(finding: str, mine: Waiver, theirs: Waiver) -> dict[str, Any]:
    """Return the row of a finding that one side lets stand and the other does not."""
    here, there = (None if w.withdrawn else w.reason for w in (mine, theirs))
    return {
        "what": "waiver",
        "name": finding,
        "here": here,
        "there": there,
        "author_here": mine.author,
        "author_there": theirs.author,
        "ids_there": (),
    }


def _unmergeable_differences(z: AnnotatedModel, other: AnnotatedModel) -> list[dict[str, Any]]:
    """List what differs and is never merged."""
    pairs: list[tuple[str, Any, Any]] = [
        ("weights", z.weights_hash, other.weights_hash),
        ("bases", Arrays.of(z.bases).hash, Arrays.of(other.bases).hash),
        *((name, getattr(z, name), getattr(other, name)) for name in (*_FIELDS, *_PROSE)),
    ]
    return [
        {
            "what": what,
            "name": what,
            "here": mine,
            "there": theirs,
            "author_here": "",
            "author_there": "",
            "ids_there": (),
        }
        for what, mine, theirs in pairs
        if mine != theirs
    ]
