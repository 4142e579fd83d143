"""What the next weight step is to do, read from the findings."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from circuitz.lexicon.lexicon import Lexicon
from circuitz.patching.source_rows import rows_of_split
from circuitz.plausibility.report import Report
from circuitz.plausibility.rules.outside_claims import KINDS as OUTSIDE_KINDS
from circuitz.stats.unit_concept_match import match_units_with_concepts
from circuitz.z.annotation import Annotation
from circuitz.z.columns_of_concept_set import columns_of_concept_set
from circuitz.z.model import AnnotatedModel
from circuitz.z.targets import target_units
from circuitz.z.unit import Unit

# Units a concept of the subject gets: one can die in training, and two more back it up.
UNITS_A_CONCEPT = 3
# A concept shown by fewer images of the select split cannot be learned from it.
_FEWEST = 20


@dataclass(frozen=True)
class WeightStepPlan:
    """One weight step.

    Parameters
    ----------
    edit
        Flagged concepts whose regions are edited in the training images.
    silence
        Units (indices into the cut) whose values the logits are not to follow.
    hide
        Units without words: the class must be told with them shuffled between images.
    aims
        ``(unit, concept column)``: responses that are to match the concept better.
    surplus
        Silenced units that rules or models annotated, beyond the few of a concept that match it
        best: where responses are trained to agree with and without the concept, they need not go
        on meaning it.
    """

    edit: tuple[str, ...] = ()
    silence: tuple[int, ...] = ()
    hide: tuple[int, ...] = ()
    aims: tuple[tuple[int, int], ...] = ()
    surplus: tuple[int, ...] = ()

    def with_surplus_freed(self) -> WeightStepPlan:
        """Return the step with the surplus units free to mean something else."""
        return replace(
            self,
            silence=tuple(u for u in self.silence if u not in self.surplus),
            aims=tuple((u, c) for u, c in self.aims if u not in self.surplus),
        )


def plan_weight_step(
    z: AnnotatedModel, report: Report, lexicon: Lexicon, edited: tuple[str, ...]
) -> WeightStepPlan:
    """Return the step that would make the findings go away.

    Parameters
    ----------
    z
        Measured and annotated model.
    report
        Its check on *test*.
    lexicon
        Says which concepts speak for the subject.
    edited
        Concepts edited in earlier rounds: an edit that stops is an edit unlearned.
    """
    flagged = [f for f in report.flagged if f.kind in OUTSIDE_KINDS]
    named = [
        str(r.arguments["concept"]) for f in flagged for r in f.remedies if r.action == "search"
    ]
    edit = tuple(dict.fromkeys([*edited, *named]))
    layer = z.cut[0]
    size = next(spec.size for spec in z.layers if spec.name == layer)
    said = _annotations_by_unit(z, layer)
    reader = columns_of_concept_set(z.concept_set, lexicon)
    opposed = {
        unit
        for unit, annotation in said.items()
        if any(
            c in edit or _concept_opposes_subject(c, z.subject, lexicon)
            for c in reader.read(annotation.text, annotation.concepts).names
        )
    }
    aims = _choose_concept_for_each_unit(z, layer, said, lexicon)
    # With no words but those against the subject there is nowhere for the class to move to.
    spoken = {unit for unit, _ in aims} - opposed
    hide = set(range(size)) - spoken if spoken else set[int]()
    surplus = _surplus_opposed_units(z, layer, {u: said[u] for u in opposed}, dict(aims))
    return WeightStepPlan(edit, tuple(sorted(opposed)), tuple(sorted(hide)), aims, surplus)


def _annotations_by_unit(z: AnnotatedModel, layer: str) -> dict[int, Annotation]:
    """Return what is said of each unit of the cut, alone or in a group."""
    found: dict[int, Annotation] = {}
    for target, annotation in z.effective().items():
        if target.startswith("edge:"):
            continue
        for name in target_units(target):
            unit = Unit.parse(name)
            # A word about the unit itself goes before one about a group it is in.
            if (
                unit.layer == layer
                and not unit.basis
                and (name == target or unit.index not in found)
            ):
                found[unit.index] = annotation
    return found


def _concept_opposes_subject(concept: str, subject: str, lexicon: Lexicon) -> bool:
    return concept in lexicon and lexicon.support(concept, subject).verdict == "opposes"


def _choose_concept_for_each_unit(
    z: AnnotatedModel, layer: str, annotations: dict[int, Annotation], lexicon: Lexicon
) -> tuple[tuple[int, int], ...]:
    """Choose which unit is to mean which concept.

    Words that stand are kept. A concept of the subject that too few units mean recruits the unit
    that matches it best among those without words and those of concepts with units to spare;
    whether the recruit took is for the next measurement to say.
    """
    concepts, measured = z.concept_set, z.measurements
    assert concepts is not None
    assert concepts.concepts is not None
    assert measured is not None
    reader = columns_of_concept_set(concepts, lexicon)
    # Of columns that are one concept the first stands for all.
    columns = {name: concepts.concept_names.index(name) for name in reader.concept_of}
    aims: dict[int, int] = {}
    people: set[int] = set()
    for unit, annotation in annotations.items():
        read = reader.read(annotation.text, annotation.concepts).concepts
        known = [columns[reader.concept_of[some[0]]] for _, some in read if some]
        if known:
            aims[unit] = known[0]
        if annotation.author_kind == "person":
            people.add(unit)
    rows = rows_of_split(concepts, "select")
    labels = concepts.concepts[rows]
    scores = _unit_concept_match_scores(z, layer)
    wanted = [
        i
        for name, i in columns.items()
        if name in lexicon
        and lexicon.support(name, z.subject).verdict == "supports"
        and min(np.nansum(labels[:, i]), np.nansum(1 - labels[:, i])) >= _FEWEST
    ]
    wanted.sort(key=lambda i: sum(c == i for c in aims.values()))
    for column in wanted:
        while sum(c == column for c in aims.values()) < UNITS_A_CONCEPT:
            unit = _best_unit_to_recruit(aims, people, scores[:, column], len(scores))
            if unit is None:
                break
            aims[unit] = column
    return tuple(sorted(aims.items()))


def _unit_concept_match_scores(z: AnnotatedModel, layer: str) -> npt.NDArray[np.float64]:
    """Return how well every unit matches every concept on *select*, ``(u, c)``."""
    concepts, measured = z.concept_set, z.measurements
    assert concepts is not None
    assert concepts.concepts is not None
    assert measured is not None
    rows = rows_of_split(concepts, "select")
    table = match_units_with_concepts(
        measured.layers[layer].responses[rows], concepts.concepts[rows]
    )
    return np.nan_to_num(table.nauprc, nan=-1.0)


def _surplus_opposed_units(
    z: AnnotatedModel, layer: str, opposed: dict[int, Annotation], aims: dict[int, int]
) -> tuple[int, ...]:
    scores = _unit_concept_match_scores(z, layer)
    by_concept: dict[int, list[int]] = {}
    for unit, annotation in opposed.items():
        if unit in aims and annotation.author_kind != "person":
            by_concept.setdefault(aims[unit], []).append(unit)
    spare: list[int] = []
    for column, units in by_concept.items():
        spare += sorted(units, key=lambda u: -scores[u, column])[UNITS_A_CONCEPT:]
    return tuple(sorted(spare))


def _best_unit_to_recruit(
    aims: dict[int, int], people: set[int], score: npt.NDArray[np.float64], size: int
) -> int | None:
    counts = {c: list(aims.values()).count(c) for c in set(aims.values())}
    free = [
        u
        for u in range(size)
        if u not in people and (u not in aims or counts[aims[u]] > UNITS_A_CONCEPT)
    ]
    return max(free, key=lambda u: score[u]) if free else None
