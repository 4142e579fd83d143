"""Comparing the lines of a file with what stands in z, and the edits they come to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from circuitz.z.annotation import Annotation
from circuitz.z.edits.annotate import default_lexicon, history
from circuitz.z.formats.annotation_row import Row

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.model import AnnotatedModel

What = Literal["new", "edited", "unchanged", "conflict", "replaced"]


@dataclass(frozen=True)
class Line:
    """What became of a line of the file.

    Parameters
    ----------
    line, target
        Which it is, and what it speaks of.
    what
        ``new``; ``edited``: it changes what stood; ``unchanged``: it says what stands;
        ``conflict``: it disagrees and was not taken over; ``replaced``: it was.
    here, there
        Words that stood, and words of the file; None for none.
    author_here, author_there
        Whose they are.
    """

    line: int
    target: str
    what: What
    here: str | None
    there: str | None
    author_here: str = ""
    author_there: str = ""

    @classmethod
    def of(cls, line: int, entry: Annotation, what: What, here: Annotation | None) -> Line:
        """Tell what became of an entry where ``here`` stood."""
        words = entry.text if not (entry.retracted or entry.undoes) else None
        mine = (here.text, here.author) if here else (None, "")
        return cls(line, entry.target, what, mine[0], words, mine[1], entry.author)


class Comparison:
    """Compares lines with what stands, and makes the entries they come to."""

    def __init__(
        self, z: AnnotatedModel, author: str, lexicon: Lexicon | None, replaces: bool
    ) -> None:
        self._z, self._author, self._replaces = z, author, replaces
        self._lexicon = lexicon
        self._parsed: dict[str, tuple[str, ...]] = {}
        self._standing = history.heads(history.state(z.log).active)
        self._in_force = z.effective()
        self._ids = {entry.id for entry in z.log}
        self.made: list[Annotation] = []

    def take(self, row: Row) -> Line:
        """Compare one row with what stands, and make the entry it comes to."""
        here = self._in_force.get(row.entry.target)
        based = here is not None and bool(row.entry.id) and row.entry.id == here.id
        there = self._entry(row, here if based else None)
        if here is None:
            self._append(there)
            return Line.of(row.line, there, "new", None)
        if self._same(row, here, there):
            return Line.of(row.line, there, "unchanged", here)
        if not based and not self._replaces:
            return Line.of(row.line, there, "conflict", here)
        self._append(there)
        return Line.of(row.line, there, "edited" if based else "replaced", here)

    def _same(self, row: Row, here: Annotation, there: Annotation) -> bool:
        """Whether the line says nothing else than what stands; what it leaves out agrees."""
        concepts = "concepts" not in row.given or there.concepts == here.concepts
        sure = "confidence" not in row.given or there.confidence == here.confidence
        return there.text == here.text and concepts and sure

    def _entry(self, row: Row, edits: Annotation | None) -> Annotation:
        entry, given = row.entry, row.given
        concepts, lexicon_hash = entry.concepts, entry.lexicon_hash
        # Who edits the words in a table leaves the concepts found in the old ones beside them.
        left = edits is not None and concepts == edits.concepts and entry.text != edits.text
        if "concepts" not in given or left:
            concepts, lexicon_hash = self._parse(entry.text)
        author = entry.author or self._author
        kind = entry.author_kind
        if edits is not None and self._author:
            author, kind = self._author, "person"
        keep_id = bool(entry.id) and entry.id not in self._ids
        return replace(
            entry,
            id=entry.id if keep_id else history.new_id(),
            concepts=concepts,
            lexicon_hash=lexicon_hash,
            author=author,
            author_kind=kind,
            confidence=entry.confidence
            if edits is None or "confidence" in given
            else edits.confidence,
            time=(entry.time if edits is None else "") or history.now(),
            weights_hash=(entry.weights_hash if edits is None else "") or self._z.weights_hash,
        )

    def _parse(self, text: str) -> tuple[tuple[str, ...], str]:
        lexicon = self._lexicon or default_lexicon()
        if text not in self._parsed:
            self._parsed[text] = lexicon.parse(text)
        return self._parsed[text], lexicon.hash

    def _append(self, entry: Annotation) -> None:
        standing = self._standing.setdefault(entry.target, [])
        entry = replace(entry, supersedes=history.superseded_by(standing, entry.author_kind))
        left = [other for other in standing if other.id != entry.supersedes]
        if left and history.choose([*left, entry]) is not entry:
            # A model's or a rule's word would stand beside a person's, out of force: whoever
            # replaces withdraws what stands.
            for other in standing:
                self._note(
                    Annotation(
                        id=history.new_id(),
                        target=other.target,
                        text="",
                        author=self._author,
                        time=history.now(),
                        supersedes=other.id,
                        retracted=True,
                        weights_hash=self._z.weights_hash,
                    )
                )
            entry, left = replace(entry, supersedes=""), []
        self._standing[entry.target] = [*left, entry]
        self._note(entry)

    def _note(self, entry: Annotation) -> None:
        self._ids.add(entry.id)
        self.made.append(entry)
