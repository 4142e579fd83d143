"""Comparing the lines of a file with what stands in z, and the edits they come to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from circuitz.z.annotation import Annotation
from circuitz.z.columns_of_concept_set import columns_of_concept_set, concept_set_at_hand
from circuitz.z.edits.annotate import default_lexicon, history
from circuitz.z.formats.annotation_row import AnnotationRow

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.model import AnnotatedModel

LineStatus = Literal["new", "edited", "unchanged", "conflict", "replaced"]


@dataclass(frozen=True)
class LineOutcome:
    """What became of a line of the file.

    Parameters
    ----------
    line, target
        Which it is, and what it speaks of.
    what
        ``new``; ``edited``: it changes what stood; ``unchanged``: it says what stands;
        ``conflict``: it disagrees and was not taken over; ``replaced``: it was.
    here, incoming
        Words that stood, and words of the file; None for none.
    author_here, author_there
        Whose they are.
    """

    line: int
    target: str
    what: LineStatus
    here: str | None
    incoming: str | None
    author_here: str = ""
    author_there: str = ""

    @classmethod
    def from_entry(
        cls, line: int, entry: Annotation, what: LineStatus, current: Annotation | None
    ) -> LineOutcome:
        """Tell what became of an entry where ``current`` stood."""
        words = entry.text if not (entry.retracted or entry.undoes) else None
        mine = (current.text, current.author) if current else (None, "")
        return cls(line, entry.target, what, mine[0], words, mine[1], entry.author)


class LineComparison:
    """Compares lines with what stands, and makes the entries they come to."""

    def __init__(
        self, z: AnnotatedModel, author: str, lexicon: Lexicon | None, replaces: bool
    ) -> None:
        self._z, self._author, self._replaces = z, author, replaces
        self._lexicon = lexicon
        self._parsed: dict[str, tuple[str, ...]] = {}
        self._standing = history.standing_annotations_by_target(history.replay_log(z.log).active)
        self._in_force = z.effective()
        self._ids = {entry.id for entry in z.log}
        self.new_entries: list[Annotation] = []

    def compare_row_and_add_entry(self, row: AnnotationRow) -> LineOutcome:
        """Compare one row with what stands, and make the entry it comes to."""
        here = self._in_force.get(row.entry.target)
        based = here is not None and bool(row.entry.id) and row.entry.id == here.id
        there = self._entry_from_row(row, here if based else None)
        if here is None:
            self._append_superseding_entry(there)
            return LineOutcome.from_entry(row.line, there, "new", None)
        if self._row_agrees_with_current(row, here, there):
            return LineOutcome.from_entry(row.line, there, "unchanged", here)
        if not based and not self._replaces:
            return LineOutcome.from_entry(row.line, there, "conflict", here)
        self._append_superseding_entry(there)
        return LineOutcome.from_entry(row.line, there, "edited" if based else "replaced", here)

    def _row_agrees_with_current(
        self, row: AnnotationRow, current: Annotation, incoming: Annotation
    ) -> bool:
        """Whether the line says nothing else than what stands; what it leaves out agrees."""
        concepts = "concepts" not in row.stated_fields or incoming.concepts == current.concepts
        sure = "confidence" not in row.stated_fields or incoming.confidence == current.confidence
        return incoming.text == current.text and concepts and sure

    def _entry_from_row(self, row: AnnotationRow, edits: Annotation | None) -> Annotation:
        entry, given = row.entry, row.stated_fields
        concepts, lexicon_hash = entry.concepts, entry.lexicon_hash
        # Who edits the words in a table leaves the concepts found in the old ones beside them.
        left = edits is not None and concepts == edits.concepts and entry.text != edits.text
        if "concepts" not in given or left:
            concepts, lexicon_hash = self._concepts_and_lexicon_hash(entry.text)
        author = entry.author or self._author
        kind = entry.author_kind
        if edits is not None and self._author:
            author, kind = self._author, "person"
        keep_id = bool(entry.id) and entry.id not in self._ids
        return replace(
            entry,
            id=entry.id if keep_id else history.random_entry_id(),
            concepts=concepts,
            lexicon_hash=lexicon_hash,
            author=author,
            author_kind=kind,
            confidence=entry.confidence
            if edits is None or "confidence" in given
            else edits.confidence,
            time=(entry.time if edits is None else "") or history.utc_timestamp(),
            weights_hash=(entry.weights_hash if edits is None else "") or self._z.weights_hash,
        )

    def _concepts_and_lexicon_hash(self, text: str) -> tuple[tuple[str, ...], str]:
        lexicon = self._lexicon or default_lexicon()
        if text not in self._parsed:
            columns = columns_of_concept_set(concept_set_at_hand(self._z), lexicon)
            self._parsed[text] = columns.read(text).names
        return self._parsed[text], lexicon.hash

    def _append_superseding_entry(self, entry: Annotation) -> None:
        standing = self._standing.setdefault(entry.target, [])
        entry = replace(
            entry, supersedes=history.id_of_superseded_annotation(standing, entry.author_kind)
        )
        left = [other for other in standing if other.id != entry.supersedes]
        if left and history.choose_annotation_in_force([*left, entry]) is not entry:
            # A model's or a rule's word would stand beside a person's, out of force: whoever
            # replaces withdraws what stands.
            for other in standing:
                self._add_new_entry(
                    Annotation(
                        id=history.random_entry_id(),
                        target=other.target,
                        text="",
                        author=self._author,
                        time=history.utc_timestamp(),
                        supersedes=other.id,
                        retracted=True,
                        weights_hash=self._z.weights_hash,
                    )
                )
            entry, left = replace(entry, supersedes=""), []
        self._standing[entry.target] = [*left, entry]
        self._add_new_entry(entry)

    def _add_new_entry(self, entry: Annotation) -> None:
        self._ids.add(entry.id)
        self.new_entries.append(entry)
