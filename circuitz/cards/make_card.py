"""Make the card of a z: for every class, the few annotated units that drive it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from circuitz.cards.card import Card, ClassEntry, Cue, UnitExemplars
from circuitz.errors import CardError
from circuitz.lexicon.column_names import ColumnNames
from circuitz.plausibility.check import check
from circuitz.z.annotation import Annotation
from circuitz.z.columns_of_concept_set import columns_of_concept_set
from circuitz.z.edits.annotate import default_lexicon
from circuitz.z.finding import Finding
from circuitz.z.measurements import EffectMeasurements, Measurements
from circuitz.z.targets import EDGE, target_units

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

LEAST = 0.02
_UNITS_SHOWN, _EXEMPLARS_SHOWN = 3, 3
# Says openly that nothing is claimed; nothing of it is shown, its effect counts as unexplained.
BLACK_BOX = "black-box"


class HasUnexplainedShares(Protocol):
    """What the card reads of a report."""

    @property
    def unexplained(self) -> Mapping[str, tuple[float, float, float]]:
        """Unexplained share by class: estimate, low, high."""
        ...


@dataclass
class _ConceptGroup:
    """Units that are annotated with one concept (or, knowing none, with one text)."""

    concepts: tuple[str, ...]
    parts: list[tuple[int, float, str]] = field(default_factory=list[tuple[int, float, str]])


def card(
    z: AnnotatedModel,
    report: HasUnexplainedShares | None = None,
    *,
    per_class: int = 10,
    least: float = LEAST,
    valid: Collection[str] | Mapping[str, Collection[str]] | None = None,
) -> Card:
    """Make the card of z.

    For a class, the strength of a concept is the summed drive of the units annotated with it: the
    change of the class's margin, in shares of the class's whole effect, when they go from
    inactive to active. A unit annotated with several concepts gives each an equal part.

    Parameters
    ----------
    z
        A measured model.
    report
        The check of z, by default on *test*; gives the unexplained shares, and which annotations
        hold.
    per_class
        Most cues shown for one class.
    least
        Cues weaker than this share of the class's effect are left out.
    valid
        Units whose annotation counts; a mapping says which of its concepts count. Default:
        ``report.valid_units`` if the report has it, or the units that its unexplained-effect
        findings count as explained (annotations that failed their match count as none);
        otherwise all.

    Raises
    ------
    CardError
        If z's effects are not measured, or a number of cues below 1 is asked for.
    """
    if per_class < 1:
        raise CardError(f"A card of {per_class} cues says nothing.", "Ask for 1 or more.")
    measured = z.measurements
    if measured is None or measured.effects is None:
        raise CardError("The effects of z are not measured.", "Call measure(z, concept_set) first.")
    report = check(z) if report is None else report
    counted = valid if valid is not None else _valid_units_from_report(report)
    groups = _group_units_by_concept(
        z.effective(),
        measured.effects,
        counted,
        columns_of_concept_set(z.concept_set, default_lexicon()),
    )
    entries: list[ClassEntry] = []
    for k, name in enumerate(measured.effects.targets):
        cues = [_make_cue(group, k, measured) for group in groups]
        cues = [c for c in cues if abs(c.strength) >= least]
        cues.sort(key=lambda c: (-abs(c.strength), c.words))
        entries.append(
            ClassEntry(name, tuple(cues[:per_class]), _rounded_unexplained_share(report, name))
        )
    order = {name: i for i, name in enumerate(z.classes)}
    entries.sort(key=lambda e: order.get(e.name, len(order)))
    return Card(
        classes=tuple(entries),
        subject=z.subject,
        z_hash=z.hash,
        concepts_hash=measured.concepts_hash,
    )


def empty_card(classes: tuple[str, ...], subject: str = "") -> Card:
    """Return a card that names the classes and says nothing about them (the no-card control)."""
    return Card(tuple(ClassEntry(name, ()) for name in classes), subject)


def card_with_permuted_words(original: Card, seed: int) -> Card:
    """Return the card with its words permuted among its units: the control of the words.

    Every phrase is replaced throughout by another phrase of the card (no phrase keeps its place);
    units, strengths and exemplars stay. A card with fewer than two phrases comes back as it is.
    """
    phrases = sorted({(cue.words, cue.concepts) for e in original.classes for cue in e.cues})
    if len(phrases) < 2:
        return original
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(phrases))
    # One long cycle through a random order moves every phrase.
    other = {
        phrases[int(a)]: phrases[int(b)] for a, b in zip(order, np.roll(order, -1), strict=True)
    }

    def with_permuted_words(cue: Cue) -> Cue:
        words, concepts = other[cue.words, cue.concepts]
        return replace(cue, words=words, concepts=concepts)

    return replace(
        original,
        classes=tuple(
            replace(e, cues=tuple(map(with_permuted_words, e.cues))) for e in original.classes
        ),
    )


def _valid_units_from_report(report: HasUnexplainedShares) -> Any:
    """Units whose words hold, as far as the report tells; ``None`` when it does not."""
    found = getattr(report, "valid_units", None)
    if found is not None:
        return found
    findings: tuple[Finding, ...] = getattr(report, "findings", ())
    explained = [f for f in findings if f.kind == "unexplained-effect"]
    return {unit for f in explained for unit in f.units} if explained else None


def _group_units_by_concept(
    effective: Mapping[str, Annotation],
    effects: EffectMeasurements,
    valid: Any,
    columns: ColumnNames,
) -> list[_ConceptGroup]:
    """Sort the cut's annotated units by what they are said to be."""
    index = {unit: i for i, unit in enumerate(effects.units)}
    said: dict[str, Annotation] = {}
    for target, annotation in effective.items():
        if target.startswith(EDGE) or BLACK_BOX in annotation.concepts:
            continue
        for unit in target_units(target):
            # A word about the unit itself goes before one about a group it is in.
            if unit in index and (unit == target or unit not in said):
                said[unit] = annotation
    groups: dict[tuple[str, ...], _ConceptGroup] = {}
    for unit, annotation in said.items():
        if valid is not None and unit not in valid:
            continue
        words = annotation.text.strip()
        named = columns.read(annotation.text, annotation.concepts).names
        passed = valid[unit] if isinstance(valid, Mapping) else named
        keys = [(c,) for c in named if c in passed]
        if not named:
            keys = [(words.casefold(), "")]
        for key in keys:
            concepts = key if named else ()
            group = groups.setdefault(key, _ConceptGroup(concepts))
            # A text that names one concept may say more than the concept's name; it is shown.
            shown = words if len(named) < 2 and words else key[0]
            group.parts.append((index[unit], 1 / len(keys), shown))
    return [groups[key] for key in sorted(groups) if any(key)]


def _make_cue(group: _ConceptGroup, k: int, measured: Measurements) -> Cue:
    effects = measured.effects
    assert effects is not None
    drives = [(float(effects.drive[u, k]) * part, u, words) for u, part, words in group.parts]
    drives = [(d if np.isfinite(d) else 0.0, u, words) for d, u, words in drives]
    drives.sort(key=lambda d: (-abs(d[0]), d[1]))
    return Cue(
        words=_shared_text_or_concept_name(group),
        concepts=group.concepts,
        units=tuple(effects.units[u] for _, u, _ in drives),
        strength=round(sum(d for d, _, _ in drives), 4),
        exemplars=tuple(
            found
            for _, u, _ in drives[:_UNITS_SHOWN]
            if (found := _unit_exemplars(effects.units[u], measured)) is not None
        ),
    )


def _shared_text_or_concept_name(group: _ConceptGroup) -> str:
    """Return the one text all units share, or else the concept's own name."""
    texts = {words for _, _, words in group.parts}
    return texts.pop() if len(texts) == 1 or not group.concepts else group.concepts[0]


def _unit_exemplars(unit: str, measured: Measurements) -> UnitExemplars | None:
    layer, _, name = unit.rpartition(":")
    found = measured.layers.get(layer)
    if found is None or not name.isdecimal() or int(name) >= len(found.exemplars):
        return None
    best = found.exemplars[int(name)]
    indices = tuple(int(i) for i in best[best >= 0][:_EXEMPLARS_SHOWN])
    return UnitExemplars(layer, unit, indices) if indices else None


def _rounded_unexplained_share(
    report: HasUnexplainedShares, name: str
) -> tuple[float, float, float] | None:
    found = report.unexplained.get(name)
    if found is None or not all(np.isfinite(v) for v in found):
        return None
    estimate, low, high = (round(float(v), 4) for v in found)
    return (estimate, low, high)
