"""What somebody says a unit means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AuthorKind = Literal["person", "rule", "model"]


@dataclass(frozen=True)
class Annotation:
    """One statement about a unit, a group, an edge or a class.

    An annotation is never changed: an edit is a new one that *supersedes* it, a deletion one
    that is *retracted*. The log keeps all of them.

    Parameters
    ----------
    id
        Unique id, made once.
    target
        Unit id (``conv4:17``), ``group:a,b``, ``edge:a->b`` or ``output:class``.
    text
        Free text, as written.
    concepts
        Concepts read in the text: columns of the concept set by their own names, and what else
        the lexicon knows by its names.
    author, author_kind
        Who wrote it, and whether that is a person, a rule or a model.
    confidence
        The author's own confidence, 0 to 1.
    lexicon_hash
        Hash of the lexicon that parsed the text.
    evidence
        Content hashes of the evidence the author looked at.
    time
        ISO 8601, UTC.
    supersedes
        Id of the annotation this one replaces; empty for a first one.
    retracted
        True when this entry withdraws what it supersedes.
    undoes
        Id of the log entry this entry takes back; empty for an edit of its own.
    weights_hash
        Weights the author was looking at.
    """

    id: str
    target: str
    text: str
    concepts: tuple[str, ...] = ()
    author: str = ""
    author_kind: AuthorKind = "person"
    confidence: float = 1.0
    lexicon_hash: str = ""
    evidence: tuple[str, ...] = ()
    time: str = ""
    supersedes: str = ""
    retracted: bool = False
    undoes: str = ""
    weights_hash: str = ""
