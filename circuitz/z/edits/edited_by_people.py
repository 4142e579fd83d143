"""Edits of a z that people make: words on units, and decisions about findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy.typing as npt

from circuitz.disk.safe_text import strip_and_check_name
from circuitz.z.annotation import Annotation, AuthorKind
from circuitz.z.bases import basis_sizes
from circuitz.z.columns_of_concept_set import concept_set_at_hand
from circuitz.z.edits import history
from circuitz.z.edits import waivers as decisions
from circuitz.z.edits.annotate import new_annotation
from circuitz.z.finding import Waiver
from circuitz.z.layer import LayerSpec
from circuitz.z.targets import canonical_target
from circuitz.z.unit import Unit

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.model import AnnotatedModel


class EditedByPeople:
    """What people may change of a z; each edit makes a new one, with a row more in its records."""

    classes: tuple[str, ...]
    layers: tuple[LayerSpec, ...]
    bases: Mapping[str, npt.NDArray[Any]]
    log: tuple[Annotation, ...]
    waivers: tuple[Waiver, ...]

    if TYPE_CHECKING:
        weights_hash: cached_property[str]

        def with_(self, *, what: str = "", **changes: Any) -> AnnotatedModel:
            """Return this z with some fields replaced."""
            ...

    def annotate(
        self,
        unit: str | Unit,
        text: str,
        *,
        author: str = "",
        author_kind: AuthorKind = "person",
        confidence: float = 1.0,
        concepts: Sequence[str] | None = None,
        evidence: Sequence[str] = (),
        lexicon: Lexicon | None = None,
    ) -> AnnotatedModel:
        """Say what a unit, group (``group:a,b``), edge (``edge:a->b``) or class means.

        Parameters
        ----------
        concepts
            What the text names; when not given, it is read in the text: columns of the concept
            set by their own names, else the lexicon's names.
        evidence
            Content hashes of what the author looked at.

        Raises
        ------
        UnitError
            If the model has no such unit; the message names the valid range.
        AnnotationError
            If the text is empty, too long or holds control characters, or confidence lies
            outside 0 to 1.
        """
        entry = new_annotation(
            self.log,
            self._canonical_target(unit),
            text,
            author=author,
            author_kind=author_kind,
            confidence=confidence,
            concepts=concepts,
            evidence=evidence,
            lexicon=lexicon,
            weights_hash=self.weights_hash,
            concept_set=None
            if concepts is not None
            else concept_set_at_hand(cast("AnnotatedModel", self)),
        )
        return self._with_log_entries(entry)

    def retract(self, target_or_id: str | Unit, *, author: str = "") -> AnnotatedModel:
        """Withdraw the annotation with this id, or all that stand on this target.

        Raises
        ------
        AnnotationError
            If nothing stands there.
        """
        wanted = str(target_or_id)
        if not any(entry.id == wanted for entry in self.log):
            wanted = self._canonical_target(target_or_id)
        entries = history.retraction_entries(
            self.log, wanted, author=strip_and_check_name(author), weights_hash=self.weights_hash
        )
        return self._with_log_entries(*entries)

    def undo(self, author: str = "") -> AnnotatedModel:
        """Take back the last edit in force; any number of times, also after saving and loading.

        Raises
        ------
        AnnotationError
            If nothing is left to undo.
        """
        return self._with_log_entries(
            history.undo_entry(self.log, author=strip_and_check_name(author))
        )

    def redo(self, author: str = "") -> AnnotatedModel:
        """Restore the edit undone last.

        Raises
        ------
        AnnotationError
            If nothing was undone since the last edit.
        """
        return self._with_log_entries(
            history.redo_entry(self.log, author=strip_and_check_name(author))
        )

    def waive(self, finding: str, *, author: str, reason: str) -> AnnotatedModel:
        """Let the finding of this id stand, or change why it may; who and why travel with z.

        Raises AnnotationError if one of them is missing, or this very decision is in force.
        """
        row = decisions.new_waiver(self.waivers, finding, author=author, reason=reason)
        return self.with_(what="waiver", waivers=(*self.waivers, row))

    def unwaive(self, finding: str, *, author: str, reason: str = "") -> AnnotatedModel:
        """Take a waiver back; what was decided stays on record.

        Raises AnnotationError if no waiver of the finding is in force, or the author is missing.
        """
        row = decisions.new_withdrawal(self.waivers, finding, author=author, reason=reason)
        return self.with_(what="waiver", waivers=(*self.waivers, row))

    def _canonical_target(self, target: str | Unit) -> str:
        return canonical_target(target, self.layers, self.classes, basis_sizes(self.bases))

    def _with_log_entries(self, *entries: Annotation) -> AnnotatedModel:
        return self.with_(what="annotations", log=(*self.log, *entries))
