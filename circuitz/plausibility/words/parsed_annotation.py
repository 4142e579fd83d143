"""What annotations say, in terms of the columns of the concept set."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from circuitz.lexicon.column_names import AmbiguousWords, ColumnNames
from circuitz.lexicon.lexicon import Lexicon
from circuitz.z.annotation import Annotation
from circuitz.z.columns_of_concept_set import columns_of_concept_set
from circuitz.z.inputs import InputSet
from circuitz.z.targets import EDGE, GROUP, target_units
from circuitz.z.unit import OUTPUT

_KEPT = 20_000  # annotations remembered


@dataclass(frozen=True, eq=False)
class ParsedAnnotation:
    """An annotation on a unit or group, read with the lexicon; the same object as long as it stands.

    Parameters
    ----------
    annotation
        As it stands.
    units
        The unit, or the members of the group.
    concepts
        Concepts it names that the concept set can judge, each with the columns that stand for
        it: its own, or those of the concepts below it, any of which will do.
    missing
        Concepts it names that the concept set does not label.
    ambiguous
        Words that fit several columns equally.
    classes
        Classes of the model that its text names.
    """

    annotation: Annotation
    units: tuple[str, ...]
    concepts: tuple[tuple[str, tuple[int, ...]], ...]
    missing: tuple[str, ...]
    ambiguous: tuple[AmbiguousWords, ...]
    classes: tuple[str, ...]

    @property
    def target(self) -> str:
        """What it is said about."""
        return self.annotation.target

    @property
    def text(self) -> str:
        """The words."""
        return self.annotation.text


@dataclass(frozen=True, eq=False)
class ConceptColumns:
    """Columns of a concept set, each its own concept.

    Parameters
    ----------
    names
        Concept of each column: its own name, or, where columns are one concept, the first one's.
    kin
        ``kin[i]``: columns whose concept is the same as column i's or may be, a kind of it, or what
        it is a kind of; they are no rivals of each other.
    sort
        ``sort[i]``: columns whose concept is a kind of the same thing as column i's is (*brown
        coat* and *black coat*), itself included.
    reader
        Which columns some words mean.
    """

    names: tuple[str, ...]
    kin: tuple[frozenset[int], ...]
    sort: tuple[frozenset[int], ...]
    reader: ColumnNames
    _parsed_cache: dict[tuple[Annotation, tuple[str, ...]], ParsedAnnotation] = field(
        default_factory=dict
    )

    @classmethod
    def from_reader(cls, reader: ColumnNames) -> ConceptColumns:
        """Say which columns are rivals of which."""
        every = range(len(reader.names))
        kin = tuple(frozenset(j for j in every if j != i and reader.are_kin(i, j)) for i in every)
        sort = tuple(
            frozenset(j for j in every if j == i or reader.above[i] & reader.above[j])
            for i in every
        )
        return cls(reader.concept_of, kin, sort, reader)

    @classmethod
    def from_concept_set(cls, concept_set: InputSet, lexicon: Lexicon) -> ConceptColumns:
        """Tell the columns of a concept set apart by their names, and synonyms by their labels."""
        known = _COLUMNS.setdefault(concept_set, WeakKeyDictionary())
        if lexicon not in known:
            known[lexicon] = cls.from_reader(columns_of_concept_set(concept_set, lexicon))
        return known[lexicon]

    def parse_annotation(
        self, annotation: Annotation, classes: tuple[str, ...]
    ) -> ParsedAnnotation:
        """Read an annotation, once: it is never changed, and an edit is another one."""
        found = self._parsed_cache.get((annotation, classes))
        if found is None:
            if len(self._parsed_cache) >= _KEPT:
                self._parsed_cache.clear()
            found = self._parsed_cache[annotation, classes] = _parse_annotation(
                annotation, classes, self.reader
            )
        return found


_COLUMNS: WeakKeyDictionary[InputSet, WeakKeyDictionary[Lexicon, ConceptColumns]] = (
    WeakKeyDictionary()
)


def parse_annotations_in_force(
    effective: Mapping[str, Annotation],
    columns: ConceptColumns,
    classes: Sequence[str],
) -> tuple[ParsedAnnotation, ...]:
    """Read every annotation on a unit or group; words on edges and classes claim other things."""
    known = tuple(classes)
    return tuple(
        columns.parse_annotation(annotation, known)
        for target, annotation in effective.items()
        if not target.startswith((EDGE, f"{OUTPUT}:"))
    )


def _parse_annotation(
    annotation: Annotation, classes: tuple[str, ...], reader: ColumnNames
) -> ParsedAnnotation:
    target, text = annotation.target, annotation.text
    read = reader.read(text, annotation.concepts)
    return ParsedAnnotation(
        annotation=annotation,
        units=target_units(target) if target.startswith(GROUP) else (target,),
        concepts=tuple((concept, some) for concept, some in read.concepts if some),
        missing=tuple(concept for concept, some in read.concepts if not some),
        ambiguous=read.ambiguous,
        classes=tuple(
            name for name in classes if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.I)
        ),
    )
