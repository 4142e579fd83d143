"""What concepts do to classes through the cut: pairs of images, one with the concept.

A concept may reach a class by units nobody has said a word about, each too weak to notice. So its
effect is measured as a whole: the cut goes from what it is without the concept to what it is with
it; then all units but those whose words name the concept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from circuitz.lexicon.lexicon import Lexicon
from circuitz.measurement.concept_pairs import concept_pairs
from circuitz.models.run.runtime import Runtime
from circuitz.patching.from_cut import Downstream
from circuitz.plausibility.words.parsed_annotation import ConceptColumns
from circuitz.z.co_changing_concepts import co_changing_concepts
from circuitz.z.inputs import InputSet
from circuitz.z.kinds_said import lexicon_in_force
from circuitz.z.layer import LayerSpec
from circuitz.z.measurements import F32, ConceptEffects
from circuitz.z.targets import target_units

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

I64 = npt.NDArray[np.int64]

_OUTSIDE = ("surroundings", "artefact")


def units_by_concept_to_measure(
    z: AnnotatedModel, concept_set: InputSet, units: Sequence[str], lexicon: Lexicon | None
) -> dict[str, tuple[str, ...]]:
    """Return the columns worth measuring, each with the units of the cut whose words name it.

    All columns are returned that lie outside the subject, or may, or that words on the cut name.
    """
    words = lexicon_in_force(z, lexicon)
    columns = ConceptColumns.from_concept_set(concept_set, words)
    named = _units_by_column(z, columns, units)
    found: dict[str, tuple[str, ...]] = {}
    for i, name in enumerate(concept_set.concept_names):
        mine = {u for some in (i, *columns.kin[i]) for u in named.get(some, ())}
        verdict = words.support(name, z.subject).verdict
        # What nobody knows may turn out to lie outside: then it need not be measured again.
        if mine or words.kind(name) in _OUTSIDE or verdict in ("opposes", "unknown"):
            found[name] = tuple(unit for unit in units if unit in mine)
    return found


def _units_by_column(
    z: AnnotatedModel, columns: ConceptColumns, units: Sequence[str]
) -> dict[int, list[str]]:
    """Units of the cut by the columns that words on them name."""
    known = set(units)
    named: dict[int, list[str]] = {}
    for target, entry in z.effective().items():
        members = [unit for unit in target_units(target) if unit in known]
        for _, some in columns.reader.read(entry.text, entry.concepts).concepts:
            for column in some:
                named.setdefault(column, []).extend(members)
    return named


def measure_concept_effects(
    runtime: Runtime,
    spec: LayerSpec,
    concept_set: InputSet,
    units_by_concept: dict[str, tuple[str, ...]],
    units: Sequence[str],
    scale: F32,
    seed: int,
    acts: Callable[[I64], torch.Tensor],
    old: ConceptEffects | None = None,
) -> ConceptEffects:
    """Measure what some concepts do through a cut.

    Parameters
    ----------
    runtime, spec
        The network, and the layer of the cut.
    concept_set
        With concept labels and splits.
    units_by_concept
        Columns, each with the units to leave out (:func:`units_by_concept_to_measure`).
    units
        All units of the cut.
    scale
        ``(k,)`` whole effect of each class, in logits.
    seed
        Of the choice of pairs.
    acts
        From indices of concept-set images to what the cut puts out on them.
    old
        Measured before on the same weights, images and seed; what holds is kept.
    """
    columns = [concept_set.concept_names.index(name) for name in units_by_concept]
    same = old is not None and old.names == tuple(units_by_concept)
    if same and old is not None:
        pairs = np.stack([old.of, old.split, old.present, old.absent], 1).astype(np.int64)
    else:
        pairs = concept_pairs(concept_set, columns, seed)
    left_out = _units_left_out(concept_set, units_by_concept, pairs, units)
    if same and old is not None and old.left_out == left_out:
        return old
    names, (of, split, present, absent) = tuple(units_by_concept), pairs.T
    images, place = np.unique(np.concatenate([present, absent]), return_inverse=True)
    to, at = place.reshape(2, -1).astype(np.int64)
    position = {unit: i for i, unit in enumerate(units)}
    k = len(scale)
    whole = np.zeros((len(of), k), np.float32)
    rest = np.zeros((len(of), k), np.float32)
    if len(of):
        down = Downstream(runtime, spec, acts(images))
        margins = down.margins.cpu().numpy()
        whole = (margins[to] - margins[at]) / scale
        rest = whole.copy()
        for c, out in enumerate(left_out):
            rows = np.flatnonzero(of == c)
            if out and len(rows):
                others = [i for name, i in position.items() if name not in out]
                rest[rows] = (
                    down.joint_margin_change_all_classes(at[rows], to[rows], others) / scale
                )
    scene = concept_set.scene
    return ConceptEffects(
        names=names,
        left_out=left_out,
        of=of,
        present=present,
        absent=absent,
        split=split.astype(np.uint8),
        scene=present if scene is None else scene[present],
        whole=whole.astype(np.float32),
        rest=rest.astype(np.float32),
    )


def _units_left_out(
    concept_set: InputSet,
    units_by_concept: dict[str, tuple[str, ...]],
    pairs: I64,
    units: Sequence[str],
) -> tuple[tuple[str, ...], ...]:
    """By concept, units whose words name it, or what comes and goes with it in its pairs."""
    found: list[tuple[str, ...]] = []
    for c in range(len(units_by_concept)):
        rows = pairs[pairs[:, 0] == c]
        mine = {
            unit
            for j in co_changing_concepts(concept_set, rows[:, 2], rows[:, 3])
            for unit in units_by_concept.get(concept_set.concept_names[j], ())
        } | set(list(units_by_concept.values())[c])
        found.append(tuple(unit for unit in units if unit in mine))
    return tuple(found)
