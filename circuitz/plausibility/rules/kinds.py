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
        rule.KIND: rule.findings
        for rule in (
            implausible_driver,
            inhibitory_shortcut,
            split_shortcut,
            vague_annotation,
            mislabelled_unit,
            mislabelled_edge,
            contradictory_annotations,
            polysemantic_unit,
            missing_support,
            bypass,
            unannotated_driver,
            redundant_annotation,
            stale_annotation,
            unexplained_effect,
        )
    }
)
