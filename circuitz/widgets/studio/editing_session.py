"""The z a screen works on: edits reach the disk before anybody is told that they did.

No widget and no torch: everything here can be used, and is tested, without a front end.
"""

from __future__ import annotations

import getpass
import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from circuitz.disk.lock import hold_write_lock
from circuitz.errors import AnnotationError, CircuitzError, ConflictError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.plausibility.check import check
from circuitz.plausibility.report import Report
from circuitz.z.annotation import Annotation
from circuitz.z.bundle.load_save import append_log, load, save
from circuitz.z.bundle.log_io import parse_and_verify_log
from circuitz.z.bundle.manifest import LOG
from circuitz.z.circuit.circuit_graph import NOTE
from circuitz.z.columns_of_concept_set import columns_of_concept_set
from circuitz.z.edits import history
from circuitz.z.edits.waivers import waivers_in_force
from circuitz.z.kinds_said import lexicon_in_force, with_concept_kind
from circuitz.z.model import AnnotatedModel

Stamp = tuple[int, ...]


class EditingSession:
    """A z, where it lies on disk, and who is editing it.

    Parameters
    ----------
    subject
        A z, or the path of a bundle. A z read from a bundle is edited there, unless it has
        edits of its own that were never saved.
    author
        Written with every edit; the user's name by default.
    lexicon
        Parses words and judges concepts; the shipped one by default.
    """

    def __init__(
        self,
        subject: AnnotatedModel | str | os.PathLike[str],
        *,
        author: str | None = None,
        lexicon: Lexicon | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self._knowledge = lexicon or Lexicon.load()
        self.author = author_from_environment_or_login() if author is None else author
        self.path: Path | None = None
        self._stamp: tuple[Stamp, Stamp] = ((), ())
        self._checked: tuple[AnnotatedModel, Report] | None = None
        if isinstance(subject, AnnotatedModel):
            self.z = subject
            self._adopt_home_bundle_if_current()
        else:
            self.path = Path(subject).absolute()
            self._stamp = self._bundle_and_log_stamps()
            self.z = load(self.path)

    def _adopt_home_bundle_if_current(self) -> None:
        """Edit a z where it came from, when what lies there is what is being shown."""
        if not self.z.home:
            return
        home = Path(self.z.home)
        try:
            there = load(home)
        except CircuitzError:
            return
        ahead = history.entries_not_in(self.z.log, (entry.id for entry in there.log))
        if not ahead and there.weights_hash == self.z.weights_hash:
            self.path = home
            self.refresh()

    # -- reading --------------------------------------------------------------------------

    @property
    def lexicon(self) -> Lexicon:
        """What is known, with what people said of concepts for this z."""
        return lexicon_in_force(self.z, self._knowledge)

    def _bundle_and_log_stamps(self) -> tuple[Stamp, Stamp]:
        """Return what tells a saved bundle, and a longer log, from the one read last."""
        if self.path is None:
            return (), ()
        return _file_stamp(self.path, with_content=self.path.is_file()), _file_stamp(
            self.path / LOG, with_content=True
        )

    def refresh(self) -> bool:
        """Take over what others wrote to the bundle.

        Returns
        -------
        Whether z changed.

        Raises
        ------
        BundleError
            If the bundle is gone or damaged; what is shown stays as it was.
        """
        with self.lock:
            if self.path is None:
                return False
            now = self._bundle_and_log_stamps()
            if now == self._stamp:
                return False
            before = self.z
            if now[0] == self._stamp[0] and now[1]:
                log = parse_and_verify_log((self.path / LOG).read_bytes()).entries
                self._replace_log_if_different(log)
            else:
                self.z = load(self.path)
            self._stamp = now
            return self.z is not before

    def _replace_log_if_different(self, log: tuple[Annotation, ...]) -> None:
        if log != self.z.log:
            self.z = self.z.with_(what="annotations", log=log)

    def report(self) -> Report:
        """Return the findings for z as it is now; computed once a z.

        Raises
        ------
        MeasurementError
            If there is nothing to check yet.
        """
        with self.lock:
            if self._checked is None or self._checked[0] is not self.z:
                self._checked = (self.z, check(self.z, lexicon=self.lexicon))
            return self._checked[1]

    def parse(self, text: str) -> list[dict[str, str]]:
        """Return the concepts that the check will read in these words."""
        chips: list[dict[str, str]] = []
        read = columns_of_concept_set(self.z.concept_set, self.lexicon).read(text)
        for words in read.ambiguous:
            why = f"{words}. Write which of them it is."
            chips.append({"name": words.words, "kind": "?", "verdict": "unknown", "why": why})
        for name in read.names:
            support = self.lexicon.support(name, self.z.subject)
            chips.append(
                {
                    "name": name,
                    "kind": self.lexicon.kind(name),
                    "verdict": support.verdict,
                    "why": " · ".join(support.chain),
                }
            )
        return chips

    # -- editing --------------------------------------------------------------------------

    @contextmanager
    def _lock_and_reload_for_writing(self) -> Generator[None]:
        """Hold the bundle while it is read again and added to, so that nothing comes between."""
        with self.lock:
            if self.path is None:
                yield
                return
            with hold_write_lock(self.path):
                self.refresh()
                yield

    def _append_new_log_entries(self, new: AnnotatedModel) -> None:
        if self.path is not None:
            entries = history.entries_not_in(new.log, (entry.id for entry in self.z.log))
            log = append_log(self.path, entries)
            self.z = new
            self._replace_log_if_different(log)
            self._stamp = self._bundle_and_log_stamps()
        else:
            self.z = new

    def annotate(
        self, unit: str, text: str, confidence: float = 1.0, base: str | None = None
    ) -> str:
        """Write words on a unit, or withdraw those there when the text is empty.

        Parameters
        ----------
        base
            Id of the annotation the author was looking at; ``None`` to overwrite whatever is
            there.

        Returns
        -------
        What was done, in words.

        Raises
        ------
        ConflictError
            If somebody else changed the unit since.
        """
        with self._lock_and_reload_for_writing():
            there = self.z.effective().get(unit)
            if base is not None and base != (there.id if there else ""):
                raise words_conflict_error(unit, self._effective_or_last_annotation(unit))
            if text.strip():
                new = self.z.annotate(
                    unit, text, author=self.author, confidence=confidence, lexicon=self.lexicon
                )
                said = f"{unit} now says {text.strip()}."
            elif there is None:
                raise AnnotationError(f"{unit} has no words to withdraw.", "Write what it means.")
            else:
                new = self.z.retract(unit, author=self.author)
                said = f"The words on {unit} are withdrawn."
            self._append_new_log_entries(new)
            return said

    def undo(self) -> tuple[str, str]:
        """Take back the last edit of a person.

        Returns
        -------
        The unit it was about, and what was done in words.
        """
        with self._lock_and_reload_for_writing():
            active = history.replay_log(self.z.log).active
            if active and active[-1].author_kind == "rule":
                raise AnnotationError(
                    "There is nothing to undo.", "What stands was proposed by rule: write over it."
                )
            return self._write_undo_or_redo(self.z.undo, "undone")

    def redo(self) -> tuple[str, str]:
        """Restore the edit undone last."""
        with self._lock_and_reload_for_writing():
            return self._write_undo_or_redo(self.z.redo, "restored")

    def _write_undo_or_redo(
        self, step: Callable[[str], AnnotatedModel], verb: str
    ) -> tuple[str, str]:
        new = step(self.author)
        target = new.log[-1].target
        self._append_new_log_entries(new)
        return target, f"The edit of {target} is {verb}."

    def waive(self, finding: str, author: str, reason: str) -> str:
        """Let a flagged finding stand, or change why it may; both travel along with z.

        Raises
        ------
        AnnotationError
            If there is no such finding, or author or reason is missing.
        """
        with self._lock_and_reload_for_writing():
            verdicts = {item.id: item.verdict for item in self.report().findings}
            if finding not in verdicts:
                raise AnnotationError(
                    "That finding no longer stands.",
                    "Its words or numbers changed meanwhile, or it never did: circuitz waive Z "
                    "lists the ids.",
                )
            again = finding in waivers_in_force(self.z.waivers)
            self._save_whole(self.z.waive(finding, author=author, reason=reason))
            said = "The reason is changed." if again else "The finding is waived."
            verdict = verdicts[finding]
            return said if verdict == "flagged" else f"{said} It is {verdict} as things are."

    def unwaive(self, finding: str, author: str, reason: str = "") -> str:
        """Take a waiver back; what was decided stays on record.

        Raises
        ------
        AnnotationError
            If no waiver of it is in force, or the author is missing.
        """
        with self._lock_and_reload_for_writing():
            self._save_whole(self.z.unwaive(finding, author=author, reason=reason))
            return "The waiver is taken back."

    def _save_whole(self, new: AnnotatedModel) -> None:
        """Write what is no line of the log, then show it."""
        if self.path is not None:
            save(new, self.path)
            self._stamp = self._bundle_and_log_stamps()
        self.z = new

    def say_kind(self, concept: str, kind: str) -> str:
        """Write what a concept is to the subject of z; it travels along with z.

        Raises
        ------
        LexiconError
            If there is no such kind, or it does not hold together with what is known.
        AnnotationError
            If nobody says so.
        """
        if not self.author.strip():
            raise AnnotationError("Nobody says so.", "Give a name: it is shown with the kind.")
        self.apply_and_save_edit(
            lambda now: with_concept_kind(
                now, concept, kind, author=self.author.strip(), lexicon=self._knowledge
            )
        )
        return f"‘{concept}’ is of the kind {kind} now."

    def save_measured_circuits(self, z: AnnotatedModel) -> None:
        """Keep the circuits measured of z; words that others wrote meanwhile stay."""
        graphs = z.notes.get(NOTE, {})
        self.apply_and_save_edit(
            lambda now: now.with_(what="graph", notes={**now.notes, NOTE: graphs})
        )

    def apply_and_save_edit(self, edit: Callable[[AnnotatedModel], AnnotatedModel]) -> None:
        """Change what is kept besides words, starting from what others wrote meanwhile.

        Parameters
        ----------
        edit
            Returns the new z; nothing is written when it raises.
        """
        with self._lock_and_reload_for_writing():
            self._save_whole(edit(self.z))

    def replace_or_merge_model(self, z: AnnotatedModel) -> None:
        """Show another z; its edits go to the bundle when it is the same network.

        Raises
        ------
        CircuitzError
            If its edits cannot be written.
        """
        with self._lock_and_reload_for_writing():
            if self.path is not None and z.weights_hash == self.z.weights_hash:
                known = {entry.id for entry in self.z.log}
                self._replace_log_if_different(
                    append_log(self.path, history.entries_not_in(z.log, known))
                )
                self._stamp = self._bundle_and_log_stamps()
            else:
                self.path, self.z = None, z
                self._adopt_home_bundle_if_current()

    def _effective_or_last_annotation(self, unit: str) -> Annotation | None:
        there = self.z.effective().get(unit)
        if there is not None:
            return there
        about = [entry for entry in self.z.log if entry.target == unit]
        return about[-1] if about else None


def words_conflict_error(unit: str, theirs: Annotation | None) -> ConflictError:
    """Return the error that says somebody changed a unit meanwhile, and to what."""
    return ConflictError(
        f"Somebody else changed the words on {unit} meanwhile.",
        "Choose which to keep.",
        theirs={
            "id": theirs.id if theirs and theirs.text else "",
            "text": theirs.text if theirs else "",
            "author": theirs.author if theirs else "",
            "time": theirs.time if theirs else "",
        },
    )


def author_from_environment_or_login() -> str:
    """Return who is editing: ``CIRCUITZ_AUTHOR``, else the user's name, else nobody."""
    named = os.environ.get("CIRCUITZ_AUTHOR", "").strip()
    if named:
        return named
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def _file_stamp(path: Path, *, with_content: bool) -> Stamp:
    """Return what identifies a file's content, or a folder as such."""
    try:
        found = path.stat()
    except OSError:
        return ()
    place = (found.st_dev, found.st_ino)
    return (*place, found.st_size, found.st_mtime_ns) if with_content else place
