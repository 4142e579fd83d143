"""The columns of a concept set, as words name them. No labels of it are changed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from circuitz.disk.lazy import Deferred, lazy_field_content_unread
from circuitz.lexicon.column_names import ColumnNames, column_names
from circuitz.lexicon.column_synonyms import compare_synonym_columns
from circuitz.z.inputs import InputSet

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.model import AnnotatedModel

_READERS: WeakKeyDictionary[InputSet, WeakKeyDictionary[Lexicon, ColumnNames]] = WeakKeyDictionary()


def columns_of_concept_set(concept_set: InputSet | None, lexicon: Lexicon) -> ColumnNames:
    """Return its columns by name, synonyms compared by their labels; none where it is missing.

    The same object as long as the set and the lexicon are the same.
    """
    if concept_set is None or not concept_set.concept_names:
        return column_names((), lexicon)
    readers = _READERS.setdefault(concept_set, WeakKeyDictionary())
    if lexicon not in readers:
        names, labels = concept_set.concept_names, concept_set.concepts
        readers[lexicon] = ColumnNames(
            tuple(names), lexicon, compare_synonym_columns(names, labels, lexicon)
        )
    return readers[lexicon]


def concept_set_at_hand(z: AnnotatedModel) -> InputSet | None:
    """Return z's concept set if it was read: words are read anew when they are checked."""
    content = lazy_field_content_unread(z, "concept_set")
    return None if isinstance(content, Deferred) and not content.loaded else z.concept_set
