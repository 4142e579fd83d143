"""What annotations say, in terms of the columns of the concept set."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuitz.z.annotation import Annotation
from circuitz.z.targets import EDGE, GROUP, target_units
from circuitz.z.unit import OUTPUT

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon


@dataclass(frozen=True)
class Said:
    """An annotation on a unit or group, read with the lexicon.

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
class Columns:
    """Concept columns by the lexicon's canonical names.

    Parameters
    ----------
    names
        Canonical name of each column (the column's own where the lexicon does not know it).
    kin
        ``kin[i]``: columns whose concept is the same as column i's, a kind of it, or what it is
        a kind of; they are no rivals of each other.
    """

    names: tuple[str, ...]
    kin: tuple[frozenset[int], ...]
    _below: Mapping[str, tuple[int, ...]]

    @classmethod
    def read(cls, names: Sequence[str], lexicon: Lexicon) -> Columns:
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
        below: dict[str, list[int]] = {}
        for i, some in enumerate(above):
            for concept in some:
                below.setdefault(concept, []).append(i)
        return cls(canonical, kin, {key: tuple(value) for key, value in below.items()})

    def of(self, concept: str) -> tuple[int, ...]:
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
    parsed = lexicon.parse(name)
    return parsed[0] if len(parsed) == 1 else name


def read_annotations(
    effective: Mapping[str, Annotation],
    columns: Columns,
    lexicon: Lexicon,
    classes: Sequence[str],
) -> tuple[Said, ...]:
    """Read every annotation on a unit or group; words on edges and classes claim other things."""
    patterns = {name: re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.I) for name in classes}
    read: list[Said] = []
    for target, annotation in effective.items():
        if target.startswith((EDGE, f"{OUTPUT}:")):
            continue
        named = annotation.concepts or lexicon.parse(annotation.text)
        concepts = dict.fromkeys(canonical_name(name, lexicon) for name in named)
        found = {concept: columns.of(concept) for concept in concepts}
        read.append(
            Said(
                annotation=annotation,
                units=target_units(target) if target.startswith(GROUP) else (target,),
                concepts=tuple((concept, some) for concept, some in found.items() if some),
                missing=tuple(concept for concept, some in found.items() if not some),
                classes=tuple(
                    n for n, pattern in patterns.items() if pattern.search(annotation.text)
                ),
            )
        )
    return tuple(read)
