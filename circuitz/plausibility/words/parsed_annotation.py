"""What annotations say, in terms of the columns of the concept set."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from circuitz.lexicon.matching import Hit, affirmed_concepts
from circuitz.lexicon.word_forms import phrase_key, tokens
from circuitz.z.annotation import Annotation
from circuitz.z.targets import EDGE, GROUP, target_units
from circuitz.z.unit import OUTPUT

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon
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
    classes
        Classes of the model that its text names.
    """

    annotation: Annotation
    units: tuple[str, ...]
    concepts: tuple[tuple[str, tuple[int, ...]], ...]
    missing: tuple[str, ...]
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
    """Concept columns by the lexicon's canonical names.

    Parameters
    ----------
    names
        Canonical name of each column (the column's own where the lexicon does not know it).
    kin
        ``kin[i]``: columns whose concept is the same as column i's, a kind of it, or what it is
        a kind of; they are no rivals of each other.
    sort
        ``sort[i]``: columns whose concept is a kind of the same thing as column i's is (*brown
        coat* and *black coat*), itself included.
    """

    names: tuple[str, ...]
    kin: tuple[frozenset[int], ...]
    sort: tuple[frozenset[int], ...]
    _below: Mapping[str, tuple[int, ...]]
    _unknown: tuple[str, ...] = ()
    _parsed_cache: dict[tuple[Annotation, tuple[str, ...]], ParsedAnnotation] = field(
        default_factory=dict
    )

    @classmethod
    def from_names(cls, names: Sequence[str], lexicon: Lexicon) -> ConceptColumns:
        """Name the columns of a concept set."""
        canonical = tuple(canonical_name(name, lexicon) for name in names)
        above = [frozenset(lexicon.ancestors(name)) for name in canonical]
        kin = tuple(
            frozenset(
                j
                for j, other in enumerate(canonical)
                if j != i and (other == name or other in above[i] or name in above[j])
            )
            for i, name in enumerate(canonical)
        )
        sort = tuple(
            frozenset(j for j, other in enumerate(above) if j == i or mine & other)
            for i, mine in enumerate(above)
        )
        below: dict[str, list[int]] = {}
        for i, some in enumerate(above):
            for concept in some:
                below.setdefault(concept, []).append(i)
        unknown = tuple(n for n in canonical if phrase_key(n) and not lexicon.resolve(n))
        return cls(canonical, kin, sort, {k: tuple(value) for k, value in below.items()}, unknown)

    def unknown_names_written_in(self, text: str) -> tuple[str, ...]:
        """Columns without an entry whose very name stands in a text, the longest of them.

        A concept set may label what no lexicon knows; words that repeat its label name it.
        """
        if not self._unknown:
            return ()
        words = tokens(text)
        hits: list[Hit] = []
        for name in self._unknown:
            label = phrase_key(name)
            for i in range(len(words) - len(label) + 1):
                if tuple(w.word for w in words[i : i + len(label)]) == label:
                    hits.append((i, i + len(label), name))
        hits = [h for h in hits if not any(o != h and o[0] <= h[0] and h[1] <= o[1] for o in hits)]
        return affirmed_concepts(words, sorted(hits))

    def parse_annotation(
        self, annotation: Annotation, classes: tuple[str, ...], lexicon: Lexicon
    ) -> ParsedAnnotation:
        """Read an annotation, once: it is never changed, and an edit is another one."""
        found = self._parsed_cache.get((annotation, classes))
        if found is None:
            if len(self._parsed_cache) >= _KEPT:
                self._parsed_cache.clear()
            found = self._parsed_cache[annotation, classes] = _parse_annotation(
                annotation, classes, self, lexicon
            )
        return found

    def columns_for_concept(self, concept: str) -> tuple[int, ...]:
        """Columns that tell whether a concept is there: its own, else those of what is below it.

        Who writes *ears* on a detector of pointed ears is right, if not precise.
        """
        own = tuple(i for i, name in enumerate(self.names) if name == concept)
        return own or self._below.get(concept, ())


def canonical_name(name: str, lexicon: Lexicon) -> str:
    """Return the lexicon's name for a column or word, or the word itself when it knows none."""
    found = lexicon.resolve(name)
    if found:
        return found
    parsed = lexicon.entries(name)
    # A thing without an entry is named by all of its words: black and white seeds are two.
    return parsed[0] if len(parsed) == 1 else lexicon.wordnet_noun(name) or name


def parse_annotations_in_force(
    effective: Mapping[str, Annotation],
    columns: ConceptColumns,
    lexicon: Lexicon,
    classes: Sequence[str],
) -> tuple[ParsedAnnotation, ...]:
    """Read every annotation on a unit or group; words on edges and classes claim other things."""
    known = tuple(classes)
    return tuple(
        columns.parse_annotation(annotation, known, lexicon)
        for target, annotation in effective.items()
        if not target.startswith((EDGE, f"{OUTPUT}:"))
    )


def _parse_annotation(
    annotation: Annotation, classes: tuple[str, ...], columns: ConceptColumns, lexicon: Lexicon
) -> ParsedAnnotation:
    target, text = annotation.target, annotation.text
    named = annotation.concepts or lexicon.parse(text)
    written = columns.unknown_names_written_in(text)
    if written:
        # What a label says in more words goes before what the lexicon makes of some of them.
        covered = {word for name in written for word in phrase_key(name)}
        rest = (n for n in named if n in columns.names or not set(phrase_key(n)) <= covered)
        named = (*written, *rest)
    concepts = dict.fromkeys(canonical_name(name, lexicon) for name in named)
    found = {concept: columns.columns_for_concept(concept) for concept in concepts}
    return ParsedAnnotation(
        annotation=annotation,
        units=target_units(target) if target.startswith(GROUP) else (target,),
        concepts=tuple((concept, some) for concept, some in found.items() if some),
        missing=tuple(concept for concept, some in found.items() if not some),
        classes=tuple(
            name for name in classes if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.I)
        ),
    )
