"""What rule-proposed words leave out: with what else a unit responds more, or less.

A trained unit is seldom one thing alone. Its main word is what it is said to be, and is checked as
such; further words say in the same annotation with what it responds *more*, or *less*
(:mod:`circuitz.lexicon.graded_words`). They are chosen on *select* and must hold again on *test*.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from circuitz.errors import AnnotationError
from circuitz.lexicon.graded_words import GradedWord, with_graded_words
from circuitz.lexicon.lexicon import Lexicon
from circuitz.plausibility.propose import is_rule_proposal
from circuitz.plausibility.required_measurements import require_measurements_and_concept_set
from circuitz.plausibility.words.class_confounds import columns_confounded_with_class
from circuitz.plausibility.words.parsed_annotation import ConceptColumns
from circuitz.plausibility.words.unit_tables import split_row_mask
from circuitz.stats.further_words import FurtherWord, choose_further_words
from circuitz.stats.multiple_testing import benjamini_hochberg_q_values
from circuitz.z.check_z import check_annotated_model
from circuitz.z.edits import history
from circuitz.z.inputs import InputSet
from circuitz.z.kinds_said import lexicon_in_force

if TYPE_CHECKING:
    from circuitz.z.annotation import Annotation
    from circuitz.z.model import AnnotatedModel

F64 = npt.NDArray[np.float64]
#: Words of a unit in all, its main one among them.
WORDS_PER_UNIT = 3


def grade_words(
    z: AnnotatedModel,
    *,
    words_per_unit: int = WORDS_PER_UNIT,
    lexicon: Lexicon | None = None,
    q: float = 0.05,
) -> AnnotatedModel:
    """Say with what else units respond more or less: *golden coat, less with snow*.

    Only words that a rule proposed are added to; what people wrote stays. A further word adds .02
    or more of the unit's variance on *select*, chosen one after another, and again on *test*, with
    the same sign and at q ≤ .05 over all units (Benjamini-Hochberg). Checks, cards and tests of words
    read the main word alone; the face-value rewrite reads all.

    Parameters
    ----------
    z
        Measured, with proposed words.
    words_per_unit
        Words of a unit in all. With 1 further words are taken back.
    lexicon
        Names concepts; the shipped one by default.
    q
        False discovery rate over all further words.

    Returns
    -------
    AnnotatedModel
        The same z where nothing changes.

    Raises
    ------
    MeasurementError
        If z was not measured.
    ConceptLabelsError
        If there are no concept labels.
    AnnotationError
        If fewer words than one are asked for.
    """
    check_annotated_model(z)
    if words_per_unit < 1:
        raise AnnotationError(f"{words_per_unit} words a unit say nothing.", "Ask for 1 or more.")
    measured, concept_set = require_measurements_and_concept_set(z)
    columns = ConceptColumns.from_concept_set(concept_set, lexicon_in_force(z, lexicon))
    targets: list[tuple[Annotation, F64]] = []
    for target, said in z.effective().items():
        layer, _, index = target.rpartition(":")
        if is_rule_proposal(said) and layer in measured.layers and index.isdecimal():
            responses = measured.layers[layer].responses[:, int(index)]
            targets.append((said, responses.astype(np.float64)))
    found = [
        _further_words(responses, concept_set, _columns_named(said, columns), words_per_unit, columns,
                       frozenset(columns_confounded_with_class(concept_set, z.classes)))
        for said, responses in targets
    ]  # fmt: skip
    p = [word.p for some in found for word in some]
    held = iter((benjamini_hochberg_q_values(np.array(p)) <= q).tolist() if p else ())
    entries: list[Annotation] = []
    for (said, _), some in zip(targets, found, strict=True):
        kept = [word for word in some if next(held)]
        text = with_graded_words(
            said.text, (GradedWord(columns.names[w.column], w.sign) for w in kept)
        )
        if text != said.text:
            entries.append(
                replace(
                    said, id=history.random_entry_id(), text=text, supersedes=said.id,
                    time=history.utc_timestamp(), weights_hash=z.weights_hash,
                )
            )  # fmt: skip
    return z.with_(what="more and less", log=(*z.log, *entries)) if entries else z


def _columns_named(annotation: Annotation, columns: ConceptColumns) -> list[int]:
    read = columns.reader.read(annotation.text, annotation.concepts).concepts
    return [column for _, some in read for column in some[:1]]


def _further_words(
    responses: F64,
    concept_set: InputSet,
    main: list[int],
    words_per_unit: int,
    columns: ConceptColumns,
    confounded: frozenset[int],
) -> list[FurtherWord]:
    """Choose further words of one unit; those that are its main words by another name are none."""
    assert concept_set.concepts is not None
    if not main or confounded.intersection(main):
        return []
    kin = {other for column in main for other in columns.kin[column]}
    twice = {i for i, name in enumerate(columns.names) if name in columns.names[:i]}
    chosen_on, confirmed_on = (
        (responses[rows], concept_set.concepts[rows].astype(np.float64))
        for rows in (split_row_mask(concept_set, split) for split in ("select", "test"))
    )
    most = words_per_unit - len(main)
    return choose_further_words(chosen_on, confirmed_on, main, most, kin | twice | confounded)
