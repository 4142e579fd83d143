"""Sets of units whose joint effect is worth running exactly. No torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from circuitz.lexicon.lexicon import Lexicon
from circuitz.z.columns_of_concept_set import columns_of_concept_set
from circuitz.z.finding import Finding
from circuitz.z.kinds_said import lexicon_in_force
from circuitz.z.measurements import EffectMeasurements
from circuitz.z.targets import GROUP, target_units
from circuitz.z.unit import Unit

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

Group = tuple[str, ...]

# Kinds of concepts that are judged together: the thing itself, and what is around it.
TOGETHER = (("part", "attribute"), ("surroundings", "artefact"))
#: Share of a class by which switching a unit on must raise it for the unit to speak for it.
FOR = 0.01


def unit_groups_from_annotations(
    z: AnnotatedModel, units: Sequence[str], lexicon: Lexicon | None = None
) -> tuple[Group, ...]:
    """Return the sets that the annotations in force make of the cut's units.

    One set a concept (and one for the wider concept where several meet: *ears* over *pointed
    ears* and *floppy ears*), one a kind taken together with its like, annotated groups as they
    are, and all annotated units.

    Parameters
    ----------
    z
        Annotated model.
    units
        Units of the cut that were measured.
    lexicon
        Knows the kinds; the shipped one by default.

    Returns
    -------
    Different non-empty sets, each sorted.
    """
    known = set(units)
    words = lexicon_in_force(z, lexicon)
    columns = columns_of_concept_set(z.concept_set, words)
    sets: dict[str, set[str]] = {}
    for target, entry in z.effective().items():
        members = {u for u in target_units(target) if u in known}
        if not members:
            continue
        sets.setdefault("all", set()).update(members)
        if target.startswith(GROUP):
            sets[target] = members
        for concept in columns.read(entry.text, entry.concepts).names:
            for name in (concept, *columns.wider_concepts(concept)):
                sets.setdefault(f"concept {name}", set()).update(members)
            for kinds in TOGETHER:
                if words.kind(concept) in kinds:
                    sets.setdefault(f"kind {kinds[0]}", set()).update(members)
    return tuple(dict.fromkeys(sort_unit_group(members) for members in sets.values()))


def supporting_unit_groups_by_class(
    z: AnnotatedModel, effects: EffectMeasurements, lexicon: Lexicon | None = None
) -> tuple[Group, ...]:
    """Return, by class, the units annotated with something of the thing that speak for it.

    Others may seem to make it too: a part of one class is missing where another is shown.

    Parameters
    ----------
    z, lexicon
        As in :func:`unit_groups_from_annotations`.
    effects
        Of single units.

    Returns
    -------
    Different non-empty sets, each sorted.
    """
    words = lexicon_in_force(z, lexicon)
    columns = columns_of_concept_set(z.concept_set, words)
    of_thing = {
        unit
        for target, entry in z.effective().items()
        if any(
            words.kind(concept) in TOGETHER[0]
            for concept in columns.read(entry.text, entry.concepts).names
        )
        for unit in target_units(target)
        if unit in effects.unit_index
    }
    found = (
        sort_unit_group(units_raising_class(effects, of_thing, k))
        for k in range(len(effects.targets))
    )
    return tuple(dict.fromkeys(group for group in found if group))


def unit_groups_and_classes_in_findings(
    findings: Iterable[Finding], units: Sequence[str], classes: Sequence[str]
) -> tuple[tuple[Group, int], ...]:
    """Return the sets of units and the classes that findings are about, each once.

    Those about no class, or about no unit of the cut, are left out.
    """
    known, place = set(units), {f"output:{name}": k for k, name in enumerate(classes)}
    found = (
        (sort_unit_group(known.intersection(finding.units)), place.get(finding.target, -1))
        for finding in findings
    )
    return tuple(dict.fromkeys(one for one in found if one[0] and one[1] >= 0))


def units_raising_class(
    effects: EffectMeasurements, units: Iterable[str], k: int
) -> tuple[str, ...]:
    """Return those of some units that raise class ``k`` when they are switched on.

    Going by the middle class: a margin falls too where a unit raises others more.
    """
    some = list(units)
    moves = effects.drive[[effects.unit_index[u] for u in some]] * effects.scale
    own = (moves[:, k] - np.median(moves, axis=1)) if len(effects.targets) > 2 else moves[:, k]
    return tuple(u for u, v in zip(some, own, strict=True) if v > FOR * effects.scale[k])


def sort_unit_group(members: Sequence[str] | set[str]) -> Group:
    """Return unit ids once each, sorted with indices as numbers."""
    return tuple(str(u) for u in sorted({Unit.parse(m) for m in members}, key=lambda u: u.sort_key))


def shorten_unit_list(units: Sequence[str], most: int = 6) -> str:
    """Return unit ids as a reader takes them in: of many the first few, and how many more."""
    shown = ", ".join(units[:most])
    return shown if len(units) <= most else f"{shown} and {len(units) - most} more"


def group_picture_key(group: Group, target: str) -> str:
    """Return the key of a group's pictures: ``unit+unit->class``."""
    return f"{'+'.join(group)}->{target}"
