"""z: a network plus text annotations on its units, as a value."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt
import pandas as pd

from circuitz.disk.arrays import Arrays
from circuitz.disk.lazy import LazyField, lazy_field_content_unread
from circuitz.z import z_hash
from circuitz.z.annotation import Annotation
from circuitz.z.bases import basis_sizes, check_bases_fit_layers
from circuitz.z.bundle.data_ref import DataRef
from circuitz.z.data_accuracy import DataAccuracy, accuracy_from_notes
from circuitz.z.edits import history
from circuitz.z.edits import waivers as decisions
from circuitz.z.edits.edited_by_people import EditedByPeople
from circuitz.z.edits.lineage import lineage_with_step
from circuitz.z.edits.staleness import (
    changes_since_findings,
    changes_since_measurements,
    input_set_hash,
)
from circuitz.z.finding import Finding, Waiver
from circuitz.z.inputs import InputSet
from circuitz.z.kinds_said import lexicon_in_force
from circuitz.z.layer import (
    Head,
    LayerSpec,
    Preprocessing,
    check_head_fits_classes,
    check_layers_and_cut,
)
from circuitz.z.measurements import Measurements
from circuitz.z.shown.concepts_frame import concepts_frame
from circuitz.z.shown.frames import annotations_frame, units_frame
from circuitz.z.unit import Unit

if TYPE_CHECKING:
    from circuitz.z.circuit.circuit_graph import CircuitGraph
    from circuitz.z.shown.strongest_inputs import StrongestInputs


@dataclass(frozen=True, eq=False, repr=False)
class AnnotatedModel(EditedByPeople):
    """What a network knows: its weights, and words on its units.

    A z is a value. Nothing changes it: every edit makes a new one whose ``parent`` is the old
    one's hash. What was opened from a bundle is read from disk when first touched.

    Parameters
    ----------
    name
        What to call it.
    classes, subject
        Class names in the order of the logits, and what they are kinds of (``dog``).
    layers, cut
        Layers whose units can be addressed, and the names of those that form the cut.
    preprocessing
        How images become the network's input; part of the model.
    builder, builder_args
        Registered architecture and its arguments; an empty name means a session-only z.
    weights, bases
        State dict and named bases (``conv4@nmf`` to an array with one row a direction) as
        read-only numpy arrays.
    head
        What the logits mean: ``softmax`` over classes, a ``binary`` logit for the second of two
        classes, or ``multi-label``, a yes or no for each class by itself.
    output
        Which of what the network returns is its logits: a key, name or number; empty where it
        returns nothing else.
    log
        Every edit ever made, oldest first; the truth that annotations are derived from.
    concept_set, data, data_ref, concepts_ref
        Inputs units are measured on, D when at hand, and where each lies when it is not.
    measurements, findings
        What was measured and judged.
    waivers
        Every decision to let a finding stand, and to do so no longer, oldest first: the last one
        about a finding is in force (:func:`circuitz.z.edits.waivers.waivers_in_force`).
    parent, lineage
        Hash of the z this one was made from, and the steps that led here.
    notes, story
        JSON values, and Markdown.
    live
        The live module, opaque here; never hashed or saved.
    home
        Bundle it was read from; empty for one never saved.
    remarks
        What was put right while reading the bundle.
    """

    name: str
    classes: tuple[str, ...]
    subject: str = ""
    layers: tuple[LayerSpec, ...] = ()
    cut: tuple[str, ...] = ()
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    builder: str = ""
    builder_args: dict[str, Any] = field(default_factory=dict)
    weights: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    bases: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    head: Head = "softmax"
    output: str = ""
    log: tuple[Annotation, ...] = ()
    concept_set: LazyField[InputSet] = LazyField()  # noqa: RUF009 (a descriptor, made once on purpose)
    data: LazyField[InputSet] = LazyField()  # noqa: RUF009 (a descriptor, made once on purpose)
    data_ref: DataRef | None = None
    concepts_ref: DataRef | None = None
    measurements: LazyField[Measurements] = LazyField()  # noqa: RUF009 (a descriptor, made once on purpose)
    findings: tuple[Finding, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    parent: str = ""
    lineage: tuple[dict[str, Any], ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)
    story: str = ""
    live: object | None = None
    home: str = ""
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        put = object.__setattr__
        for name in ("classes", "layers", "cut", "log", "findings", "waivers", "remarks"):
            put(self, name, tuple(getattr(self, name)))
        put(self, "weights", Arrays.of(self.weights))
        put(self, "bases", Arrays.of(self.bases))
        put(self, "builder_args", copy.deepcopy(self.builder_args))
        put(self, "notes", copy.deepcopy(self.notes))
        put(self, "lineage", tuple(dict(step) for step in self.lineage))
        check_layers_and_cut(self.layers, self.cut, self.classes)
        check_head_fits_classes(self.head, self.classes)
        check_bases_fit_layers(Arrays.of(self.bases), self.layers)

    # -- what it is -----------------------------------------------------------------------

    @cached_property
    def weights_hash(self) -> str:
        """Hash of the weights."""
        return Arrays.of(self.weights).hash

    @cached_property
    def annotations_hash(self) -> str:
        """Hash of the annotations in force, without authors and times."""
        return z_hash.annotations_hash(self.effective().values())

    @cached_property
    def hash(self) -> str:
        """Hash of weights, bases, preprocessing, classes, cut and annotations in force."""
        return z_hash.z_hash(
            weights_hash=self.weights_hash,
            bases_hash=Arrays.of(self.bases).hash,
            preprocessing=self.preprocessing,
            classes=self.classes,
            network=(self.builder, self.builder_args, self.cut),
            head=self.head,
            output=self.output,
            annotations_hash=self.annotations_hash,
        )

    @property
    def concepts_hash(self) -> str:
        """Fingerprint of the concept set; empty when there is none."""
        return input_set_hash(self, "concept_set", self.concepts_ref)

    @property
    def data_hash(self) -> str:
        """Fingerprint of D; empty when it is not known."""
        return input_set_hash(self, "data", self.data_ref)

    @property
    def accuracy(self) -> DataAccuracy | None:
        """How often the network is right on D; None where that is not known.

        Counted by ``wrap`` and ``measure``, and no longer known once weights or D change.
        """
        return accuracy_from_notes(self)

    @property
    def stale(self) -> tuple[str, ...]:
        """What changed since the measurements were made: weights, concepts, data."""
        return changes_since_measurements(self)

    @property
    def findings_stale(self) -> tuple[str, ...]:
        """What changed since the findings were made: annotations, weights, concepts, data."""
        return changes_since_findings(self)

    @cached_property
    def _annotations_in_force(self) -> dict[str, Annotation]:
        return history.annotations_in_force(self.log)

    def effective(self) -> dict[str, Annotation]:
        """Annotation in force by target: a person's beats a model's beats a rule's, then the latest."""
        return dict(self._annotations_in_force)

    @property
    def annotations(self) -> pd.DataFrame:
        """Annotations in force: target, text, concepts, author, author_kind, confidence, time, id."""
        return annotations_frame(self._annotations_in_force)

    @property
    def units(self) -> pd.DataFrame:
        """Every unit, one row each.

        Columns: unit, layer, index, annotation, concepts, author_kind, confidence, mean and max
        (of its responses to the concept set), drives (the class it raises most), drive (by what
        share of that class's effect) and in_cut. What was not measured is NaN.
        """
        sizes = self._basis_sizes()
        return units_frame(
            self.layers, self.cut, sizes, self._annotations_in_force, self.measurements
        )

    @property
    def concepts(self) -> pd.DataFrame:
        """Concepts of the concept set, one row each, by the shipped lexicon and what people said.

        With a lexicon of your own: :func:`circuitz.z.shown.concepts_frame.concepts_frame`.
        """
        return concepts_frame(self.concept_set, lexicon_in_force(self))

    @property
    def ranges(self) -> pd.DataFrame:
        """What :func:`circuitz.gauge` found, one row a class and population; empty before.

        Columns: see :func:`circuitz.z.range_record.range_frame`.
        """
        from circuitz.z.range_record import range_frame  # noqa: PLC0415 (records speak of z)

        return range_frame(self)

    def _basis_sizes(self) -> dict[str, int]:
        return basis_sizes(self.bases)

    def history(self, target: str | None = None, *, waivers: bool = False) -> pd.DataFrame:
        """Every edit of words, oldest first; only those about ``target`` when it is given.

        ``waivers`` adds decisions about findings, whose target is ``finding:ID``. Columns: see
        :func:`circuitz.z.edits.history.history_table`.
        """
        of_finding = str(target).startswith(decisions.FINDING)
        wanted = target if target is None or of_finding else self._canonical_target(target)
        rows = self.waivers if waivers or of_finding else ()
        return history.history_table(self.log, wanted, decisions.waiver_history_rows(rows, wanted))

    def with_(self, *, what: str = "", **changes: Any) -> AnnotatedModel:
        """Return this z with some fields replaced, its lineage kept and continued.

        Parameters
        ----------
        what
            What was done, for the lineage; the names of the changed fields when empty.
        """
        kept: dict[str, Any] = {f.name: self.__dict__.get(f.name) for f in fields(self)}
        kept |= {
            name: lazy_field_content_unread(self, name)
            for name in ("concept_set", "data", "measurements")
        }
        unknown = set(changes) - set(kept)
        if unknown:
            raise TypeError(f"AnnotatedModel has no field {min(unknown)!r}")
        new = AnnotatedModel(**{**kept, **changes})
        if new.hash != self.hash and not {"parent", "lineage"} & set(changes):
            step = what or ", ".join(sorted(changes))
            object.__setattr__(new, "parent", self.hash)
            object.__setattr__(new, "lineage", lineage_with_step(self, new.hash, step))
        return new

    def diff(self, other: AnnotatedModel) -> pd.DataFrame:
        """List what differs from this z to the other one (see :func:`circuitz.z.edits.diff.diff_models`)."""
        from circuitz.z.edits.diff import diff_models  # noqa: PLC0415 (diff needs this class)

        return diff_models(self, other)

    def merge(self, other: AnnotatedModel) -> tuple[AnnotatedModel, pd.DataFrame]:
        """Take over the other's edits; conflicts are listed and left as they are here."""
        from circuitz.z.edits.diff import merge_edits  # noqa: PLC0415

        return merge_edits(self, other)

    def graph(self, target: str) -> CircuitGraph:
        """Return the circuit graph kept of a class (see :func:`circuitz.z.circuit.stored_circuits.stored_graph_of_class`)."""
        from circuitz.z.circuit.stored_circuits import stored_graph_of_class  # noqa: PLC0415 (graphs speak of z)

        return stored_graph_of_class(self, target)

    def with_graph(self, graph: CircuitGraph) -> AnnotatedModel:
        """Return this z with a circuit graph kept (see :func:`circuitz.z.circuit.stored_circuits.with_graph`)."""
        from circuitz.z.circuit.stored_circuits import with_graph  # noqa: PLC0415

        return with_graph(self, graph)

    # -- disk and looks -------------------------------------------------------------------

    def save(
        self, path: str | os.PathLike[str], *, overwrite: bool = True, data: bool = False
    ) -> Path:
        """Write the bundle (see :func:`circuitz.z.bundle.load_save.save`).

        A warning tells what it lacks to be run again: a network that a registered builder makes, or D.
        """
        from circuitz.z.bundle.load_save import save, warn_of_what_is_lacking  # noqa: PLC0415

        written = save(self, path, overwrite=overwrite, data=data)
        warn_of_what_is_lacking(self, path)
        return written

    def exemplars(self, unit: str | Unit, count: int = 9) -> StrongestInputs:
        """Return a unit's strongest inputs (see :func:`circuitz.z.shown.strongest_inputs.exemplars_of_unit`)."""
        from circuitz.z.shown.strongest_inputs import exemplars_of_unit  # noqa: PLC0415

        return exemplars_of_unit(self, unit, count)

    def __repr__(self) -> str:
        from circuitz.z.shown.summary import summary_line  # noqa: PLC0415

        return summary_line(self)

    def _repr_html_(self) -> str:
        from circuitz.z.shown.repr_html import model_html  # noqa: PLC0415

        return model_html(self)

    def __copy__(self) -> AnnotatedModel:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> AnnotatedModel:
        return self
