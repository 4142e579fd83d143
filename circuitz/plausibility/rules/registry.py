"""The kinds of findings, gravest first. To add one: a file beside this one, and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from circuitz.plausibility.case import Case
from circuitz.plausibility.rules import (
    implausible_driver,
    mislabelled_unit,
    missing_support,
    unexplained_effect,
)
from circuitz.z.finding import Finding

Rule = Callable[[Case], list[Finding]]

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        implausible_driver.KIND: implausible_driver.findings,
        mislabelled_unit.KIND: mislabelled_unit.findings,
        missing_support.KIND: missing_support.findings,
        unexplained_effect.KIND: unexplained_effect.findings,
    }
)
