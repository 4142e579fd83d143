"""Which words hold of which pictures: from labels, from people's answers, or as they are given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from circuitz.cards.rater_answer import CANNOT_TELL
from circuitz.errors import ConceptLabelsError
from circuitz.store.asking import NO, YES
from circuitz.store.judgement import Judgement
from circuitz.store.judgements import Judgements
from circuitz.z.inputs import InputSet
from circuitz.z.pixel_hashes import pixel_hashes

F64 = npt.NDArray[np.float64]
#: Answers of people, or where they are stored.
Answers = Judgements | str | Path | Iterable[Judgement]
#: Which columns of the concept set tell of each word.
WordColumns = Mapping[str, Sequence[str]]
# Who cannot tell has looked, and leans to neither.
_SHOWS = {YES: 1.0, NO: 0.0, CANNOT_TELL: 0.5}


@dataclass(frozen=True, eq=False)
class WordsOfPictures:
    """Values of words by picture.

    Parameters
    ----------
    words
        The order of axis ``w``.
    values
        ``(n, w)`` in 0..1; NaN where not known.
    simulated
        Whether any of it rests on a simulated person's answer.
    """

    words: tuple[str, ...]
    values: F64
    simulated: bool = False


def words_of_pictures(
    inputs: InputSet,
    columns: WordColumns,
    given_values: Mapping[str, npt.ArrayLike] | None = None,
    answers: Answers | None = None,
) -> WordsOfPictures:
    """Return how far each word holds of each picture.

    Where values are given they count, else the mean of people's answers (yes 1, no 0, cannot tell
    .5), else concept labels. A word that stands for several columns holds where any of them does.

    Parameters
    ----------
    inputs
        The pictures.
    columns
        The words that are wanted, each with the columns that tell of it.
    given_values
        ``(n,)`` values in 0..1 by word or column, NaN where not known.
    answers
        Judgements of the kind ``concept: WORD`` about the pictures' pixels, in force.

    Raises
    ------
    ConceptLabelsError
        If given values do not fit the pictures, or lie outside 0..1.
    StoreError
        If a store of answers cannot be read.
    """
    given = {name: _checked(name, v, len(inputs)) for name, v in (given_values or {}).items()}
    names = {name for word, some in columns.items() for name in (word, *some)} - given.keys()
    asked, simulated = _means_of_answers(inputs, names, answers)
    labelled = dict(zip(inputs.concept_names, _label_columns(inputs), strict=True))
    known = {**labelled, **asked, **given}
    found = np.full((len(inputs), len(columns)), np.nan)
    for at, (word, some) in enumerate(columns.items()):
        if word in known:
            found[:, at] = known[word]
        elif any(name in known for name in some):
            blank = np.full(len(inputs), np.nan)
            found[:, at] = _any_of(np.stack([known.get(name, blank) for name in some], 1))
    return WordsOfPictures(tuple(columns), found, simulated)


def _checked(name: str, values: npt.ArrayLike, n: int) -> F64:
    found = np.asarray(values, np.float64)
    if found.shape != (n,):
        raise ConceptLabelsError(
            f"‘{name}’ has values of shape {found.shape}; there are {n} pictures.",
            "Give one value a picture, NaN where it is not known.",
        )
    if ((found < 0) | (found > 1)).any():
        raise ConceptLabelsError(
            f"‘{name}’ has values from {np.nanmin(found):g} to {np.nanmax(found):g}.",
            "Give 1 where the word holds, 0 where it does not, or what lies between.",
        )
    return found


def _label_columns(inputs: InputSet) -> list[F64]:
    if inputs.concepts is None:
        return []
    return [column.astype(np.float64) for column in inputs.concepts.T]


def _any_of(values: F64) -> F64:
    """Return the largest of each row; NaN where one is not known and none is sure."""
    largest = np.max(np.where(np.isnan(values), -1.0, values), 1)
    unknown = np.isnan(values).any(1) & (largest < 1)
    return np.where(unknown, np.nan, largest)


def _means_of_answers(
    inputs: InputSet, names: set[str], answers: Answers | None
) -> tuple[dict[str, F64], bool]:
    """Return the mean answer by word, and whether a simulated person gave any."""
    if answers is None or inputs.is_tokens:
        return {}, False
    if isinstance(answers, str | Path):
        answers = Judgements(answers, read_only=True)
    rows = answers.rows() if isinstance(answers, Judgements) else answers
    told: dict[tuple[str, str], list[float]] = defaultdict(list)
    simulated = False
    for row in rows:
        word = row.kind.removeprefix("concept: ")
        choice = str((row.answer or {}).get("choice", ""))
        if word != row.kind and word in names and row.items and choice in _SHOWS:
            told[word, row.items[0]].append(_SHOWS[choice])
            simulated = simulated or row.rater_kind == "simulated"
    if not told:
        return {}, False
    items = pixel_hashes(inputs)
    return {
        word: np.array([np.mean(told[word, i]) if (word, i) in told else np.nan for i in items])
        for word in {word for word, _ in told}
    }, simulated
