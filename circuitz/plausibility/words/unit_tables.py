"""Where what words are said about was measured: tables of its layer, and its column in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from circuitz.plausibility.words.match_tables import TABLES, MatchTable
from circuitz.plausibility.words.parsed_annotation import ParsedAnnotation
from circuitz.plausibility.words.word_scores import UnitTables
from circuitz.z.inputs import SPLITS, InputSet
from circuitz.z.measurements import F32, Measurements


def split_row_mask(concept_set: InputSet, split: str) -> np.ndarray:
    """Boolean rows of the concept set on a split."""
    assert concept_set.split is not None
    return np.asarray(concept_set.split == SPLITS.index(split))


def match_table_on_split(responses: F32, concept_set: InputSet, split: str) -> MatchTable:
    """Match table of some responses on a split of the concept set."""
    assert concept_set.concepts is not None
    scene = concept_set.scene
    if scene is None:
        scene = np.arange(len(concept_set.concepts))
    rows = split_row_mask(concept_set, split)
    return TABLES.get_or_make_table(responses, concept_set.concepts, scene, rows, concept_set.pairs)


def find_unit_tables(
    annotations: Sequence[ParsedAnnotation],
    measured: Measurements,
    concept_set: InputSet,
    split: str,
) -> dict[str, UnitTables]:
    """Where each target's responses are.

    A group responds as the mean of its members, each standardised over the whole concept set.
    """
    places: dict[str, UnitTables] = {}
    columns: dict[str, list[int]] = {}
    groups: list[tuple[str, F32]] = []
    tables: dict[str, tuple[MatchTable, MatchTable]] = {}
    for item in annotations:
        members = [_layer_and_column_of_unit(unit, measured) for unit in item.units]
        if not members or any(member is None for member in members):
            continue
        if item.target != item.units[0]:
            known = [measured.layers[m[0]].responses[:, m[1]] for m in members if m is not None]
            groups.append((item.target, _mean_of_standardised_responses(known)))
            continue
        found = members[0]
        assert found is not None
        layer, column = found
        if layer not in tables:
            responses = measured.layers[layer].responses
            tables[layer] = (
                match_table_on_split(responses, concept_set, "select"),
                match_table_on_split(responses, concept_set, split),
            )
        columns.setdefault(layer, []).append(column)
        places[item.target] = UnitTables(*tables[layer], column)
    for layer, both in tables.items():
        for table in both:
            table.match_and_cache_units(columns[layer])
    if groups:
        responses = np.stack([response for _, response in groups], 1)
        select = match_table_on_split(responses, concept_set, "select")
        judged = match_table_on_split(responses, concept_set, split)
        for table in (select, judged):
            table.match_and_cache_units(range(len(groups)))
        for column, (target, _) in enumerate(groups):
            places[target] = UnitTables(select, judged, column)
    return places


def _layer_and_column_of_unit(unit: str, measured: Measurements) -> tuple[str, int] | None:
    layer, _, index = unit.rpartition(":")
    found = measured.layers.get(layer)
    if found is None or not index.isdecimal() or int(index) >= found.responses.shape[1]:
        return None
    return layer, int(index)


def _mean_of_standardised_responses(responses: Sequence[F32]) -> F32:
    stacked = np.stack(responses, 1).astype(np.float64)
    deviation = stacked.std(0)
    deviation[deviation == 0] = np.inf
    return ((stacked - stacked.mean(0)) / deviation).mean(1).astype(np.float32)
