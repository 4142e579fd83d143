"""What people said of concepts on the screen or by command: kept with z, and laid over any lexicon."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from circuitz.lexicon.lexicon import Lexicon
from circuitz.lexicon.say_kind import with_kind_said

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

#: Where a z keeps them.
NOTE = "concept_kinds"


def lexicon_in_force(z: AnnotatedModel, lexicon: Lexicon | None = None) -> Lexicon:
    """Return a lexicon with what people said of concepts for this z, the latest of each.

    Parameters
    ----------
    z
        Annotated model.
    lexicon
        What is known besides; the shipped one by default.
    """
    base = lexicon or Lexicon.load()
    records: list[dict[str, Any]] = z.notes.get(NOTE, [])
    if not records:
        return base
    key = tuple((r["concept"], r["kind"], r["subject"], r["author"]) for r in records)
    if (id(base), key) not in _MADE:
        made = base
        for concept, kind, subject, author in key:
            made = with_kind_said(made, concept, kind, subject, author)
        while len(_MADE) >= _MOST_KEPT:
            del _MADE[next(iter(_MADE))]
        _MADE[id(base), key] = base, made
    return _MADE[id(base), key][1]


# Lexicons are values, and what was judged by one is remembered for it: the same again is the same.
_MOST_KEPT = 4
_MADE: dict[tuple[int, tuple[tuple[str, ...], ...]], tuple[Lexicon, Lexicon]] = {}


def with_concept_kind(
    z: AnnotatedModel,
    concept: str,
    kind: str,
    *,
    author: str,
    subject: str | None = None,
    lexicon: Lexicon | None = None,
) -> AnnotatedModel:
    """Return a z in which a person says what a concept is to its subject.

    Parameters
    ----------
    z
        Annotated model.
    concept
        Any word: a concept that is labelled, or named on units.
    kind
        ``part``, ``attribute``, ``surroundings``, ``artefact`` or ``low-level``.
    author
        Who says so; shown in chains of evidence.
    subject
        The class it is that of; by default the subject of z.
    lexicon
        What is known besides; the shipped one by default.

    Raises
    ------
    LexiconError
        If there is no such kind, or what is said does not hold together.
    """
    of = z.subject if subject is None else subject
    with_kind_said(lexicon_in_force(z, lexicon), concept, kind, of, author)
    record = {
        "concept": concept,
        "kind": kind,
        "subject": of,
        "author": author,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    kept = [r for r in z.notes.get(NOTE, []) if (r["concept"], r["subject"]) != (concept, of)]
    return z.with_(what="concept-kind", notes={**z.notes, NOTE: [*kept, record]})
