"""Which units of the cut bear which words, as the concept set can tell of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuitz.cards.make_card import BLACK_BOX
from circuitz.lexicon.graded_words import split_graded_words
from circuitz.z.columns_of_concept_set import columns_of_concept_set
from circuitz.z.edits.annotate import default_lexicon
from circuitz.z.layer import LayerSpec
from circuitz.z.targets import EDGE, target_units

if TYPE_CHECKING:
    from circuitz.lexicon.column_names import ColumnNames
    from circuitz.z.annotation import Annotation
    from circuitz.z.model import AnnotatedModel


@dataclass(frozen=True)
class WordOfUnit:
    """One word of a unit.

    Parameters
    ----------
    name
        The word.
    sign
        1 where the unit is said to respond more with it, -1 for less; 0 where it is said to be it.
    """

    name: str
    sign: int = 0


@dataclass(frozen=True, eq=False)
class UnitWords:
    """Words of the units of one layer, whether they hold or not.

    Parameters
    ----------
    words
        Words by number of the unit; units without words are left out.
    columns
        The columns of the concept set that tell of each word.
    unlabelled
        Annotated units none of whose words the concept set labels; they count as units without
        words.
    """

    words: Mapping[int, tuple[WordOfUnit, ...]]
    columns: Mapping[str, tuple[str, ...]]
    unlabelled: tuple[int, ...] = ()


def words_of_units(z: AnnotatedModel, spec: LayerSpec) -> UnitWords:
    """Return the words in force on units of a layer; what is said of a unit goes before its group.

    Words of *more* and *less* (:mod:`circuitz.lexicon.graded_words`) are among them.
    """
    numbers = {f"{spec.name}:{i}": i for i in range(spec.size)}
    said: dict[str, Annotation] = {}
    for target, annotation in z.effective().items():
        if target.startswith(EDGE) or BLACK_BOX in annotation.concepts:
            continue
        for unit in target_units(target):
            if unit in numbers and (unit == target or unit not in said):
                said[unit] = annotation
    reader = columns_of_concept_set(z.concept_set, default_lexicon())
    words: dict[int, tuple[WordOfUnit, ...]] = {}
    columns: dict[str, tuple[str, ...]] = {}
    unlabelled: list[int] = []
    for unit, annotation in said.items():
        named = reader.read(annotation.text, annotation.concepts).concepts
        told = {name: tuple(reader.names[i] for i in some) for name, some in named if some}
        signs = dict.fromkeys(told, 0)
        for name, some, sign in _graded(annotation.text, reader):
            signs.setdefault(name, sign)
            told.setdefault(name, some)
        if not told:
            unlabelled.append(numbers[unit])
            continue
        words[numbers[unit]] = tuple(WordOfUnit(name, sign) for name, sign in signs.items())
        columns |= told
    return UnitWords(dict(sorted(words.items())), columns, tuple(sorted(unlabelled)))


def _graded(text: str, reader: ColumnNames) -> Iterator[tuple[str, tuple[str, ...], int]]:
    """Yield the graded words of a text that columns tell of: name, columns and sign."""
    for one in split_graded_words(text)[1]:
        whole = reader.read(one.name).concepts if reader.column_of(one.name) is None else ()
        for name in (name for name, _ in whole) if whole else (one.name,):
            column = reader.column_of(name)
            if column is not None:
                concept = reader.concept_of[column]
                alike = [n for n, of in zip(reader.names, reader.concept_of, strict=True)
                         if of == concept]  # fmt: skip
                yield concept, tuple(alike), one.sign
