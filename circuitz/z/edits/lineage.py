"""The steps that led to a z."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circuitz.z.edits.history import utc_timestamp
from circuitz.z.version import version

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

ANNOTATIONS = "annotations"


def lineage_with_step(
    parent: AnnotatedModel, new_hash: str, what: str
) -> tuple[dict[str, Any], ...]:
    """Lineage of a z made from ``parent``.

    A run of edits to annotations is one step: the log holds each of them already.

    Parameters
    ----------
    new_hash
        Hash of the new z.
    what
        What was done.
    """
    step = {
        "hash": new_hash,
        "parent": parent.hash,
        "what": what,
        "time": utc_timestamp(),
        "version": version(),
    }
    before = parent.lineage
    if what == ANNOTATIONS and before and before[-1].get("what") == ANNOTATIONS:
        step["parent"] = before[-1]["parent"]
        before = before[:-1]
    return (*before, step)
