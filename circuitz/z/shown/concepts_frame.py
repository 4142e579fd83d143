"""The concepts of a concept set as a table: of what kind, who says so, how often shown."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from circuitz.z.columns_of_concept_set import columns_of_concept_set
from circuitz.z.inputs import SPLITS, InputSet
from circuitz.z.shown.frames import typed_frame

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon

CONCEPT_COLUMNS = {
    "name": "str",
    "kind": "str",
    "kind_from": "str",
    "is_a": "object",
    "same_as": "str",
    "shown": "int64",
    "not_shown": "int64",
    **{f"{what}_{split}": "int64" for split in SPLITS for what in ("shown", "not_shown")},
}


def concepts_frame(concept_set: InputSet | None, lexicon: Lexicon) -> pd.DataFrame:
    """Return one row a concept column, in the order of the set; none without labels.

    Parameters
    ----------
    concept_set
        With concept labels or without, or ``None``.
    lexicon
        Says of what kind each concept is.
    """
    if concept_set is None or concept_set.concepts is None:
        return typed_frame([], CONCEPT_COLUMNS)
    columns = columns_of_concept_set(concept_set, lexicon)
    n, split = len(concept_set.concepts), concept_set.split
    # An unsplit set has images on no split.
    masks = [np.ones(n, bool)] + [
        np.zeros(n, bool) if split is None else split == i for i in range(len(SPLITS))
    ]
    shown = [np.sum(concept_set.concepts[rows] == 1, axis=0) for rows in masks]
    absent = [np.sum(concept_set.concepts[rows] == 0, axis=0) for rows in masks]
    rows = (
        (
            name,
            lexicon.kind(name),
            lexicon.kind_origin(name),
            tuple(sorted(columns.above[i])),
            "" if columns.concept_of[i] == name else columns.concept_of[i],
            *(int(count[i]) for yes, no in zip(shown, absent, strict=True) for count in (yes, no)),
        )
        for i, name in enumerate(concept_set.concept_names)
    )
    return typed_frame(rows, CONCEPT_COLUMNS)


def concepts_as_text(table: pd.DataFrame, most: int = 60) -> str:
    """Write the table for a terminal: a line a concept, the first ones of many."""
    if table.empty:
        return ""
    width = min(max(map(len, table["name"])), 40)
    lines = [_row_as_text(row, width) for row in table.head(most).to_dict("records")]
    more = [f"  and {len(table) - most:,} more: z.concepts"] if len(table) > most else []
    head = f"{len(table):,} concepts, of what kind, who says so, and images on {'/'.join(SPLITS)}:"
    return "\n".join([head, *lines, *more])


def _row_as_text(row: dict[Hashable, Any], width: int) -> str:
    shown, absent = (
        "/".join(f"{row[f'{what}_{split}']:,}" for split in SPLITS)
        for what in ("shown", "not_shown")
    )
    same = f", the same as {row['same_as']}" if row["same_as"] else ""
    name = f"{row['name'][:width]:{width}}"
    return f"  {name}  {row['kind']} ({row['kind_from']}){same}: shown {shown}, not {absent}"
