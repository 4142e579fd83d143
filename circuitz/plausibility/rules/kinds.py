"""The kinds of findings, gravest first. To add one: a file beside this one, and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from circuitz.plausibility.case import Case
from circuitz.plausibility.rules import (
    bypass,
    contradictory_annotations,
    implausible_driver,
    inhibitory_shortcut,
    mislabelled_edge,
    mislabelled_unit,
    missing_support,
    outside_range,
    polysemantic_unit,
    redundant_annotation,
    split_shortcut,
    stale_annotation,
    unannotated_driver,
    unexplained_effect,
    vague_annotation,
)
from circuitz.z.finding import Finding

Rule = Callable[[Case], list[Finding]]

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        implausible_driver.KIND: implausible_driver.find_implausible_driver,
        inhibitory_shortcut.KIND: inhibitory_shortcut.find_inhibitory_shortcut,
        split_shortcut.KIND: split_shortcut.find_split_shortcut,
        vague_annotation.KIND: vague_annotation.find_vague_annotation,
        mislabelled_unit.KIND: mislabelled_unit.find_mislabelled_unit,
        mislabelled_edge.KIND: mislabelled_edge.find_mislabelled_edge,
        contradictory_annotations.KIND: contradictory_annotations.find_contradictory_annotations,
        polysemantic_unit.KIND: polysemantic_unit.find_polysemantic_unit,
        missing_support.KIND: missing_support.find_missing_support,
        bypass.KIND: bypass.find_bypass,
        outside_range.KIND: outside_range.find_outside_range,
        unannotated_driver.KIND: unannotated_driver.find_unannotated_driver,
        redundant_annotation.KIND: redundant_annotation.find_redundant_annotation,
        stale_annotation.KIND: stale_annotation.find_stale_annotation,
        unexplained_effect.KIND: unexplained_effect.find_unexplained_effect,
    }
)
