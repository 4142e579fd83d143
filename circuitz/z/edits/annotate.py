"""Entries of the log, checked before they are made."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from circuitz.disk.safe_text import MAX_NAME, strip_and_check_name, strip_and_check_text
from circuitz.errors import AnnotationError
from circuitz.z.annotation import Annotation, AuthorKind
from circuitz.z.columns_of_concept_set import columns_of_concept_set
from circuitz.z.edits import history

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.inputs import InputSet


@lru_cache(maxsize=1)
def default_lexicon() -> Lexicon:
    """Return the shipped lexicon, read when first asked for."""
    from circuitz.lexicon.lexicon import Lexicon  # noqa: PLC0415 (read when first needed)

    return Lexicon.load()


def new_annotation(
    log: Sequence[Annotation],
    target: str,
    text: str,
    *,
    author: str,
    author_kind: AuthorKind,
    confidence: float,
    concepts: Sequence[str] | None,
    evidence: Sequence[str],
    lexicon: Lexicon | None,
    weights_hash: str,
    concept_set: InputSet | None = None,
) -> Annotation:
    """Make the entry that says what a target means (fields as in :class:`Annotation`).

    Parameters
    ----------
    concepts
        What the text names; read in it when ``None``.
    lexicon
        The shipped one when ``None``.
    concept_set
        Its columns go before the lexicon's names.

    Raises
    ------
    AnnotationError
        If the text is empty, too long or holds control characters, the author is of no known
        kind, or the confidence lies outside 0 to 1.
    """
    clean = strip_and_check_text(text)
    if author_kind not in history.RANK:
        raise AnnotationError(
            f"{author_kind!r} is no kind of author.", "Use person, rule or model."
        )
    lexicon_hash = lexicon.hash if lexicon is not None else ""
    if concepts is None:
        known = lexicon or default_lexicon()
        read = columns_of_concept_set(concept_set, known).read(clean)
        concepts, lexicon_hash = read.names, known.hash
    standing = history.standing_annotations_by_target(history.replay_log(log).active).get(
        target, []
    )
    return Annotation(
        id=history.random_entry_id(),
        target=target,
        text=clean,
        concepts=_strip_and_check_each_text(concepts, "concept"),
        author=strip_and_check_name(author),
        author_kind=author_kind,
        confidence=_checked_confidence(confidence),
        lexicon_hash=lexicon_hash,
        evidence=_strip_and_check_each_text(evidence, "evidence hash"),
        time=history.utc_timestamp(),
        supersedes=history.id_of_superseded_annotation(standing, author_kind),
        weights_hash=weights_hash,
    )


def _checked_confidence(confidence: float) -> float:
    try:
        share = float(confidence)
    except (TypeError, ValueError):
        share = float("nan")
    if not 0.0 <= share <= 1.0:
        raise AnnotationError(
            f"Confidence {confidence!r} is not in 0 to 1.", "Give a share, 1 for certain."
        )
    return share


def _strip_and_check_each_text(texts: Sequence[str], what: str) -> tuple[str, ...]:
    if isinstance(texts, str):
        raise AnnotationError(f"{texts[:40]!r} is one {what}.", "Pass a sequence of them.")
    return tuple(strip_and_check_text(text, what=what, limit=MAX_NAME) for text in texts)
