"""What else pictures show, column by column: 1 and 0, or words that part them into groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from circuitz.data.folders.concept_table import (
    concept_cell_remedy,
    concept_value_or_none,
    is_number_cell,
)
from circuitz.data.folders.name_forms import names_in_cell, plain_name, refuse_names_alike
from circuitz.errors import ConceptLabelsError

MOST_WORDS = 60
"""Words of a column above which it holds names or notes, and no groups."""


@dataclass(frozen=True, eq=False)
class GroupColumns:
    """Groups of pictures that one column of a table tells.

    Parameters
    ----------
    names
        The groups: the column's name, or of a column of words ``column: word``.
    values
        ``(n, g)`` float32 of 0, 1 or NaN (not known).
    remark
        That the column was parted, in a sentence; empty where it was not.
    """

    names: tuple[str, ...]
    values: npt.NDArray[np.float32]
    remark: str = ""


def read_group_column(
    column: str, cells: Sequence[str], rows: Sequence[int], table: Path
) -> GroupColumns:
    """Read a column of 1, 0 or nothing, or one of words.

    Parameters
    ----------
    column
        Its heading.
    cells, rows
        What its cells hold, and the numbers of their rows. A cell may hold several words divided
        by ``|``.
    table
        Where they are from.

    Raises
    ------
    ConceptLabelsError
        Naming the row, if 1 and 0 stand beside other things, or the column holds numbers or too
        many words to be groups.
    InputsError
        If two words differ in case or blanks only.
    """
    plain = [plain_name(cell) for cell in cells]
    values = [concept_value_or_none(cell) for cell in plain]
    odd = [i for i, value in enumerate(values) if value is None]
    if not odd:
        return GroupColumns((column,), np.array(values, np.float32)[:, None])
    first = odd[0]
    where_it_is = f"‘{column}’ in row {rows[first]} of {table} is {plain[first][:60]!r}"
    number = next((i for i in odd if is_number_cell(plain[i])), None)
    if number is not None:
        raise ConceptLabelsError(
            f"‘{column}’ in row {rows[number]} of {table} is {plain[number][:60]!r}, and numbers "
            "other than 1 and 0 are no groups.",
            concept_cell_remedy(plain[number], column)
            if plain[number].startswith(("-", "−"))
            else "Write words for groups (young, old; camera 2), or leave the column out.",
        )
    flags = next((plain[i] for i, value in enumerate(values) if value in (0.0, 1.0)), None)
    if flags is not None:
        raise ConceptLabelsError(
            f"{where_it_is}, and in other rows {flags!r}.",
            "A column holds 1, 0 or nothing, or else words alone, which part pictures into groups.",
        )
    shown = [
        names_in_cell(cell) if value is None else []
        for cell, value in zip(plain, values, strict=True)
    ]
    words = sorted({word for some in shown for word in some})
    if len(words) > MOST_WORDS:
        raise ConceptLabelsError(
            f"‘{column}’ of {table} holds {len(words):,} different words, such as {words[0][:60]!r}: "
            "too many to be groups.",
            f"Leave the column out, or write at most {MOST_WORDS} words for groups.",
        )
    refuse_names_alike(words, f"In ‘{column}’ of {table} the words", "Write each word in one way.")
    return GroupColumns(
        tuple(f"{column}: {word}" for word in words),
        _word_values(shown, words),
        f"The column ‘{column}’ holds words: it makes {len(words)} "
        f"{'group' if len(words) == 1 else 'groups'}, one a word.",
    )


def _word_values(shown: Sequence[Sequence[str]], words: Sequence[str]) -> npt.NDArray[np.float32]:
    values = np.zeros((len(shown), len(words)), np.float32)
    index = {word: k for k, word in enumerate(words)}
    for i, some in enumerate(shown):
        values[i, [index[word] for word in some]] = 1
        if not some:
            values[i] = np.nan
    return values
