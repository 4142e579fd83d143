"""Make the card of a z: for every class, the few annotated units that drive it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from circuitz.cards.card import Agreement, Card, ClassEntry, Cue, UnitExemplars
from circuitz.cards.matches_of_words import MatchesOfWords
from circuitz.errors import CardError
from circuitz.lexicon.column_names import ColumnNames
from circuitz.lexicon.graded_words import split_graded_words
from circuitz.plausibility.check import check
from circuitz.z.agreement_record import agreement_records
from circuitz.z.annotation import Annotation
from circuitz.z.columns_of_concept_set import columns_of_concept_set
from circuitz.z.edits.annotate import default_lexicon
from circuitz.z.finding import Finding
from circuitz.z.measurements import EffectMeasurements, Measurements
from circuitz.z.range_record import range_records
from circuitz.z.targets import EDGE, target_units
from circuitz.z.word_match import MatchedWord, Population, WordMatch

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

LEAST = 0.02
_TWO_SIDED = 1.96  # of the normal distribution, at 95 %
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
    """Units that are annotated with one concept (or, knowing none, with one text), and fare alike."""

    concepts: tuple[str, ...]
    matches: tuple[WordMatch, ...] = ()
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
        Units whose annotation is shown; a mapping says which of its concepts are. Default: every
        annotation, with whether it holds on the concept set (from ``report.words``) and, where
        people were asked, on D and D′. A report that tells no words gives ``report.valid_units``,
        or the units that its unexplained-effect findings count as explained.

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
    words: tuple[MatchedWord, ...] = getattr(report, "words", ())
    counted = valid
    if counted is None and not words:
        counted = _valid_units_from_report(report)
    matches = None if counted is not None else MatchesOfWords(z, words)
    groups = _group_units_by_concept(
        z.effective(),
        measured.effects,
        counted,
        columns_of_concept_set(z.concept_set, default_lexicon()),
        matches,
    )
    wordless = _wordless_share_by_class(measured.effects, groups)
    outside = _gauges_by_class(z)
    entries: list[ClassEntry] = []
    for k, name in enumerate(measured.effects.targets):
        cues = [_make_cue(group, k, measured) for group in groups]
        cues = [c for c in cues if abs(c.strength) >= least]
        cues.sort(key=lambda c: (-abs(c.strength), c.words))
        entries.append(
            ClassEntry(
                name,
                tuple(cues[:per_class]),
                _rounded_unexplained_share(report, name),
                None if matches is None else round(float(wordless[k]), 4),
                tuple(outside.get(name, ())),
            )
        )
    order = {name: i for i, name in enumerate(z.classes)}
    entries.sort(key=lambda e: order.get(e.name, len(order)))
    return Card(
        classes=tuple(entries),
        subject=z.subject,
        z_hash=z.hash,
        concepts_hash=measured.concepts_hash,
        agreement=tuple(
            Agreement(r.population, r.share, r.low, r.high, r.n) for r in agreement_records(z)
        ),
    )


def empty_card(classes: tuple[str, ...], subject: str = "") -> Card:
    """Return a card that names the classes and says nothing about them (the no-card control)."""
    return Card(tuple(ClassEntry(name, ()) for name in classes), subject)


def card_with_permuted_words(original: Card, seed: int) -> Card:
    """Return the card with its words permuted among its units: the control of the words.

    Every phrase is replaced throughout by another phrase of the card (no phrase keeps its place);
    units, strengths and exemplars stay, and nothing is said of whether words hold. A card with fewer than two phrases comes back as it is.
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
        return replace(cue, words=words, concepts=concepts, matches=())

    return replace(
        original,
        classes=tuple(
            replace(e, cues=tuple(map(with_permuted_words, e.cues))) for e in original.classes
        ),
    )


def _gauges_by_class(z: AnnotatedModel) -> dict[str, list[tuple[Population, float]]]:
    """Return what the range gauge found, by class, one entry a population that was gauged."""
    found: dict[str, list[tuple[Population, float]]] = {}
    for record in range_records(z):
        if record.gauge is not None:
            found.setdefault(record.target, []).append((record.population, record.gauge))
    return found


def _valid_units_from_report(report: HasUnexplainedShares) -> Any:
    """Units whose words hold, as far as the report tells; ``None`` when it does not."""
    found = getattr(report, "valid_units", None)
    if found is not None:
        return found
    findings: tuple[Finding, ...] = getattr(report, "findings", ())
    explained = [f for f in findings if f.kind == "unexplained-effect"]
    return {unit for f in explained for unit in f.units} if explained else None


def _wordless_share_by_class(
    effects: EffectMeasurements, groups: list[_ConceptGroup]
) -> npt.NDArray[np.float64]:
    """Return, by class, the share of all units' drive that units without words have, ``(k,)``."""
    size = np.abs(np.nan_to_num(effects.drive.astype(np.float64)))
    spoken_for = {u for group in groups for u, _, _ in group.parts}
    silent = [u for u in range(len(size)) if u not in spoken_for]
    total = size.sum(0)
    return np.divide(size[silent].sum(0), total, out=np.ones_like(total), where=total > 0)


def _group_units_by_concept(
    effective: Mapping[str, Annotation],
    effects: EffectMeasurements,
    valid: Any,
    columns: ColumnNames,
    matches: MatchesOfWords | None,
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
    groups: dict[tuple[Any, ...], _ConceptGroup] = {}
    for unit, annotation in said.items():
        if valid is not None and unit not in valid:
            continue
        # What units do more and less besides differs among the units of a cue.
        words = split_graded_words(annotation.text.strip())[0]
        named = columns.read(annotation.text, annotation.concepts).names
        passed = valid[unit] if isinstance(valid, Mapping) else named
        keys = [(c,) for c in named if c in passed]
        if not named:
            keys = [(words.casefold(), "")]
        for key in keys:
            if not any(key):
                continue
            concepts = key if named else ()
            fare = (
                () if matches is None else matches.of(annotation.target, key[0] if named else words)
            )
            verdicts = tuple(match.verdict for match in fare)
            group = groups.setdefault((*key, *verdicts), _ConceptGroup(concepts))
            # A text that names one concept may say more than the concept's name; it is shown.
            shown = words if len(named) < 2 and words else key[0]
            group.parts.append((index[unit], 1 / len(keys), shown))
            group.matches = fare if not group.matches else _joined_matches(group.matches, fare)
    return [groups[key] for key in sorted(groups)]


def _joined_matches(
    one: tuple[WordMatch, ...], other: tuple[WordMatch, ...]
) -> tuple[WordMatch, ...]:
    """Return, by population, the match with the lower limit that is least: all units must hold."""
    return tuple(
        min(pair, key=lambda match: np.inf if match.low is None else match.low)
        for pair in zip(one, other, strict=True)
    )


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
        interval=_strength_interval(group, k, effects),
        matches=tuple(map(_rounded_match, group.matches)),
        exemplars=tuple(
            found
            for _, u, _ in drives[:_UNITS_SHOWN]
            if (found := _unit_exemplars(effects.units[u], measured)) is not None
        ),
    )


def _strength_interval(
    group: _ConceptGroup, k: int, effects: EffectMeasurements
) -> tuple[float, float] | None:
    """Return the 95 % interval of the summed drive, units' errors added as if independent."""
    if effects.drive_error is None:
        return None
    drives = [(float(effects.drive[u, k]) * part) for u, part, _ in group.parts]
    errors = [float(effects.drive_error[u, k]) * part for u, part, _ in group.parts]
    if not np.isfinite([*drives, *errors]).all():
        return None
    middle, half = sum(drives), _TWO_SIDED * float(np.hypot.reduce(errors))
    return (round(middle - half, 4), round(middle + half, 4))


def _rounded_match(match: WordMatch) -> WordMatch:
    numbers = {name: getattr(match, name) for name in ("estimate", "low", "high")}
    return replace(match, **{n: round(float(v), 4) for n, v in numbers.items() if v is not None})


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
