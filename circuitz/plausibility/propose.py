"""Annotations proposed by a rule: the concept that a unit's responses match.

On *select*, a unit is annotated with its best concept when both scores reach a bar well above
the one they must pass later and the match is beyond chance at q ≤ .05 over all units and concepts
(Benjamini-Hochberg). Where a second, separable concept matches about as well, the unit is
ambiguous: when both speak for the subject, or neither does, it is annotated with both; when one
belongs to the subject and the other does not, it gets no annotation, for the checks would read a
verdict into a coin toss. A person may look and decide. Nor does it where the unit matches a concept
that goes together with a class in the very images it was measured on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from circuitz.errors import LayerError
from circuitz.lexicon.graded_words import split_graded_words
from circuitz.lexicon.lexicon import Lexicon
from circuitz.plausibility.check_settings import COINCIDE, MATCH_BAR, PROPOSAL_BAR, CheckSettings
from circuitz.plausibility.required_measurements import require_measurements_and_concept_set
from circuitz.plausibility.words.class_confounds import columns_confounded_with_class
from circuitz.plausibility.words.counterfactual_test import find_insertion_failure
from circuitz.plausibility.words.match_tables import MatchTable
from circuitz.plausibility.words.parsed_annotation import ConceptColumns
from circuitz.plausibility.words.unit_tables import match_table_on_split
from circuitz.stats.multiple_testing import benjamini_hochberg_q_values
from circuitz.z.annotation import Annotation
from circuitz.z.check_z import check_annotated_model
from circuitz.z.edits import history
from circuitz.z.kinds_said import lexicon_in_force

if TYPE_CHECKING:
    from circuitz.z.finding import Finding
    from circuitz.z.model import AnnotatedModel

AUTHOR = "concept match"
#: A second concept matches about as well when its score reaches this share of the best one's.
ABOUT_EQUAL = 0.8
_BARS = CheckSettings()


@dataclass(frozen=True)
class Proposal:
    """What a rule would write on a unit."""

    concepts: tuple[str, ...]
    confidence: float

    @property
    def text(self) -> str:
        """The concepts in plain words."""
        return " and ".join(self.concepts)


def propose(
    z: AnnotatedModel,
    *,
    lexicon: Lexicon | None = None,
    split: str = "select",
    minimum: float = PROPOSAL_BAR,
    q: float = 0.05,
    layers: Sequence[str] | None = None,
) -> AnnotatedModel:
    """Annotate units with the concepts they match.

    Never touches what a person or another author wrote, nor writes again what a person took
    back. Its own earlier proposals are replaced where they no longer hold. Proposing twice
    changes nothing the second time.

    Parameters
    ----------
    z
        A measured model; its effects are not needed.
    lexicon
        Names concepts and their kinds; the shipped one by default.
    split
        Images to look at. Verdicts need others, so this is *select*.
    minimum
        Normalised average precision and correlation a match must reach.
    q
        False discovery rate over all units and concepts looked at.
    layers
        Layers to annotate; by default all measured ones, the cut first.

    Raises
    ------
    MeasurementError
        If z was not measured.
    ConceptLabelsError
        If there are no concept labels.
    LayerError
        If a layer was not measured.
    """
    check_annotated_model(z)
    known = lexicon_in_force(z, lexicon)
    measured, concept_set = require_measurements_and_concept_set(z)
    if layers is None:
        layers = sorted(measured.layers, key=lambda name: name not in z.cut)
    unknown = [name for name in layers if name not in measured.layers]
    if unknown:
        raise LayerError(
            f"Layer {unknown[0]!r} was not measured.",
            f"Measured are {', '.join(measured.layers)}.",
        )
    columns = ConceptColumns.from_concept_set(concept_set, known)
    tables = {
        name: match_table_on_split(measured.layers[name].responses, concept_set, split)
        for name in layers
    }
    tied = frozenset(columns_confounded_with_class(concept_set, z.classes))
    proposals: dict[str, Proposal] = {}
    for name, significant in _significant_matches_by_layer(tables, q).items():
        for unit in range(significant.shape[0]):
            found = _propose_for_unit(
                tables[name],
                unit,
                significant[unit],
                columns=columns,
                lexicon=known,
                subject=z.subject,
                minimum=minimum,
                confounded=tied,
            )
            if found is not None:
                proposals[f"{name}:{unit}"] = found
    return _update_proposals_in_log(z, proposals, tuple(layers), known)


def _significant_matches_by_layer(tables: dict[str, MatchTable], q: float) -> dict[str, np.ndarray]:
    """``(u, c)`` by layer: which matches are beyond chance, all layers in one family."""
    p = {name: table.match_all_units.p for name, table in tables.items()}
    if not p:
        return {}
    adjusted = benjamini_hochberg_q_values(
        np.concatenate([values.ravel() for values in p.values()])
    )
    found: dict[str, np.ndarray] = {}
    start = 0
    for name, values in p.items():
        with np.errstate(invalid="ignore"):
            found[name] = adjusted[start : start + values.size].reshape(values.shape) <= q
        start += values.size
    return found


def _propose_for_unit(
    table: MatchTable,
    unit: int,
    significant: np.ndarray,
    *,
    columns: ConceptColumns,
    lexicon: Lexicon,
    subject: str,
    minimum: float,
    confounded: frozenset[int],
) -> Proposal | None:
    scores, pearson = table.match_all_units.nauprc[unit], table.match_all_units.pearson[unit]
    bar = min(minimum, MATCH_BAR)
    with np.errstate(invalid="ignore"):
        good = significant & (scores >= bar) & (pearson >= bar)
    ranked = [
        int(i)
        for i in np.argsort(-np.nan_to_num(scores, nan=-1.0))
        if good[i] and find_insertion_failure(table, unit, int(i), columns.names[i], _BARS) is None
    ]
    if not ranked or min(scores[ranked[0]], pearson[ranked[0]]) < minimum:
        return None
    # What goes with a class in these very images may be the class that the unit tells.
    if confounded.intersection(ranked):
        return None
    best = ranked[0]
    # A unit that sees either of two things ranks each only half as well, so the second one needs
    # no more than what an annotation must reach to count.
    rivals = [
        i
        for i in ranked[1:]
        if scores[i] >= ABOUT_EQUAL * scores[best]
        and i not in columns.kin[best]
        and abs(table.label_correlations[best, i]) < COINCIDE
    ]
    chosen = [best]
    if rivals:
        sides = [
            lexicon.support(columns.names[i], subject).verdict == "opposes" for i in (best, *rivals)
        ]
        if any(sides) and not all(sides):
            return None
        chosen.append(rivals[0])
    confidence = float(np.clip(min(scores[i] for i in chosen), 0.0, 1.0))
    return Proposal(tuple(columns.names[i] for i in chosen), round(confidence, 3))


def _update_proposals_in_log(
    z: AnnotatedModel, proposals: dict[str, Proposal], layers: tuple[str, ...], lexicon: Lexicon
) -> AnnotatedModel:
    """Append what is new to the log and withdraw what no longer holds, in one step."""
    active = history.replay_log(z.log).active
    standing = history.standing_annotations_by_target(active)
    refused = _proposals_people_refused(active)
    entries: list[Annotation] = []
    for target, found in proposals.items():
        here = standing.get(target, [])
        mine = [a for a in here if is_rule_proposal(a)]
        others = [a for a in here if not is_rule_proposal(a)]
        if others or (target, found.text) in refused:
            continue
        if any(_says_the_same(a, found) for a in mine):
            continue
        entries.append(
            Annotation(
                id=history.random_entry_id(),
                target=target,
                text=found.text,
                concepts=found.concepts,
                author=AUTHOR,
                author_kind="rule",
                confidence=found.confidence,
                lexicon_hash=lexicon.hash if not entries else entries[0].lexicon_hash,
                time=history.utc_timestamp(),
                supersedes=mine[-1].id if mine else "",
                weights_hash=z.weights_hash,
            )
        )
    looked_at = {f"{name}:{unit}" for name in layers for unit in range(_layer_unit_count(z, name))}
    for target in looked_at - proposals.keys():
        entries.extend(
            _make_proposal_retraction(z, a) for a in standing.get(target, []) if is_rule_proposal(a)
        )
    entries.sort(key=lambda entry: entry.retracted)
    return z.with_(what="proposals", log=(*z.log, *entries)) if entries else z


def _make_proposal_retraction(z: AnnotatedModel, annotation: Annotation) -> Annotation:
    return Annotation(
        id=history.random_entry_id(),
        target=annotation.target,
        text="",
        author=AUTHOR,
        author_kind="rule",
        time=history.utc_timestamp(),
        supersedes=annotation.id,
        retracted=True,
        weights_hash=z.weights_hash,
    )


def withdraw(
    z: AnnotatedModel, findings: Iterable[Finding], *, polysemantic: bool = False
) -> AnnotatedModel:
    """Take back proposals that a check did not support.

    A rule proposes on *select*; what does not hold on the split they rest on is claimed no
    longer. What people wrote stays, whatever they say.

    Parameters
    ----------
    z
        An annotated model.
    findings
        Those of its check.
    polysemantic
        Also take back what is said of units that are flagged to see something else as well.
    """
    standing = z.effective()
    failed = {
        unit
        for finding in findings
        if (finding.kind == "mislabelled-unit" and finding.verdict != "supported")
        or (polysemantic and finding.kind == "polysemantic-unit" and finding.verdict == "flagged")
        for unit in finding.units
    }
    entries = [
        _make_proposal_retraction(z, standing[unit])
        for unit in sorted(failed)
        if unit in standing and is_rule_proposal(standing[unit])
    ]
    return z.with_(what="proposals", log=(*z.log, *entries)) if entries else z


def _layer_unit_count(z: AnnotatedModel, layer: str) -> int:
    assert z.measurements is not None
    return z.measurements.layers[layer].responses.shape[1]


def is_rule_proposal(annotation: Annotation) -> bool:
    """Whether this rule wrote it."""
    return annotation.author_kind == "rule" and annotation.author == AUTHOR


def _says_the_same(annotation: Annotation, proposal: Proposal) -> bool:
    """Whether it proposes this already; what it says of more and less is left as it is."""
    return annotation.concepts == proposal.concepts and _main_text(annotation) == proposal.text


def _main_text(annotation: Annotation) -> str:
    return split_graded_words(annotation.text)[0]


def _proposals_people_refused(active: Sequence[Annotation]) -> set[tuple[str, str]]:
    """Targets and texts of own proposals that a person took back."""
    by_id = {entry.id: entry for entry in active}
    refused: set[tuple[str, str]] = set()
    for entry in active:
        taken = by_id.get(entry.supersedes)
        if entry.retracted and entry.author_kind == "person" and taken and is_rule_proposal(taken):
            refused.add((taken.target, _main_text(taken)))
    return refused
