"""Export z*: decided on the audit split, refused while something stands against it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circuitz.cards.card import Card
from circuitz.cards.make_card import card as make_card
from circuitz.disk.atomic import staged_file_replacement
from circuitz.errors import MeasurementError
from circuitz.labelling.exported_story import exported_story_markdown
from circuitz.labelling.labels.label_model import LabelModel
from circuitz.labelling.refused import ExportRefusedError
from circuitz.plausibility.audit_reads import with_audit_reads_logged
from circuitz.plausibility.check import check
from circuitz.plausibility.report import Report
from circuitz.z.bundle.replace_bundle import check_replaceable
from circuitz.z.edits.waivers import waivers_in_force
from circuitz.z.finding import Waiver

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.model import AnnotatedModel

CARD = "card"
LABEL_MODEL = "label_model"
CARD_FILE = "card.json"


def waive(finding: str, *, author: str, reason: str) -> Waiver:
    """Decide that a flagged finding may stand.

    Parameters
    ----------
    finding
        Its id.
    author, reason
        Who decides it, and why; both travel with the model.

    Raises
    ------
    ExportRefusedError
        If id, author or reason is missing.
    """
    for name, value in (("id", finding), ("author", author), ("reason", reason)):
        if not value.strip():
            raise ExportRefusedError(
                f"A waiver without {name} cannot be given.",
                "Say which finding, who lets it stand, and why.",
            )
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    return Waiver(finding.strip(), author.strip(), reason.strip(), time)


def export(
    z: AnnotatedModel,
    path: str | os.PathLike[str],
    *,
    lexicon: Lexicon | None = None,
    waivers: Iterable[Waiver] = (),
    author: str = "",
    delta: float = 0.10,
    q: float = 0.05,
    label_model: LabelModel | None = None,
    overwrite: bool = True,
) -> AnnotatedModel:
    """Write z as a bundle that others may label with.

    The decision rests on images nothing was tuned on; reading them is put on record each time,
    whether the export is refused or not.

    Parameters
    ----------
    z
        A measured model.
    path
        Bundle to write: a folder, or a zip file when it ends in ``.zip``.
    lexicon
        Prior knowledge of kinds; the shipped one by default.
    waivers
        Decisions to let findings stand (see :func:`waive`), besides those z has already.
    author
        Who exports.
    delta, q
        As in ``check``.
    label_model
        M_L_test, when it was learned already; travels along.
    overwrite
        Whether a bundle that is there may be replaced.

    Returns
    -------
    AnnotatedModel
        As written: with findings, waivers, card, story and the record of audit reads.

    Raises
    ------
    ExportRefusedError
        If a finding is flagged and not waived, or a waiver is incomplete or names no finding.
        ``findings`` holds what stands against z, ``z`` the model with this reading on record:
        save it, so that the reading counts.
    MeasurementError
        If z was not measured on *audit*, or changed since; *audit* is then not read.
    BundleWriteError
        If it cannot be written; what was there is untouched.
    """
    if z.stale:
        raise MeasurementError(
            f"{', '.join(z.stale).capitalize()} changed since this model was measured.",
            "Run z = cz.measure(z, concept_set, data) again, then export.",
        )
    # What cannot be written need not cost a reading of audit.
    check_replaceable(Path(path).absolute(), overwrite)
    given = tuple(waive(w.finding, author=w.author, reason=w.reason) for w in waivers)
    z = z.with_(waivers=(*z.waivers, *_not_yet_in_force(z, given)))
    report = check(z, split="audit", delta=delta, q=q, lexicon=lexicon)
    z = with_audit_reads_logged(z, report, author=author, why="export")
    _refuse_flags_and_unknown_waivers(z, report, given)
    card = make_card(z, report)
    notes: dict[str, Any] = {**z.notes, CARD: card.to_json()}
    if label_model is not None:
        notes[LABEL_MODEL] = label_model.to_json()
    made = z.with_(
        what="export",
        findings=report.findings,
        notes=notes,
        story=exported_story_markdown(z, report, card),
    )
    made.save(path, overwrite=overwrite)
    _write_card_beside_manifest(Path(path), card)
    return made


def with_label_model(z: AnnotatedModel, model: LabelModel) -> AnnotatedModel:
    """Return z with M_L_test in its notes."""
    return z.with_(what="label model", notes={**z.notes, LABEL_MODEL: model.to_json()})


def label_model_in_notes(z: AnnotatedModel) -> LabelModel | None:
    """Return the M_L_test that travels with z; ``None`` when there is none.

    Raises
    ------
    LabellingError
        If it is malformed.
    """
    record = z.notes.get(LABEL_MODEL)
    return None if record is None else LabelModel.from_json(record)


def card_in_notes(z: AnnotatedModel) -> Card | None:
    """Return the card z was exported with; ``None`` when there is none.

    Raises
    ------
    CardError
        If it is malformed or was changed.
    """
    record = z.notes.get(CARD)
    return None if record is None else Card.from_json(record)


def _not_yet_in_force(z: AnnotatedModel, waivers: Iterable[Waiver]) -> list[Waiver]:
    """Leave out what was decided already, by the same person for the same reason."""
    standing = {(w.finding, w.author, w.reason) for w in waivers_in_force(z.waivers).values()}
    return [w for w in waivers if (w.finding, w.author, w.reason) not in standing]


def _refuse_flags_and_unknown_waivers(
    z: AnnotatedModel, report: Report, waivers: tuple[Waiver, ...]
) -> None:
    unknown = {w.finding for w in waivers} - {f.id for f in report.findings}
    if unknown:
        raise ExportRefusedError(
            f"A waiver names {min(unknown)!r}, which is no finding on audit.",
            "report.findings lists the ids.",
            findings=report.flagged,
            z=z,
        )
    standing = report.flagged
    if standing:
        listed = "\n".join(f"  {f.id} {f.kind}: {f.sentence}" for f in standing)
        count = "1 finding stands" if len(standing) == 1 else f"{len(standing)} findings stand"
        raise ExportRefusedError(
            f"{count} against this model on audit:\n{listed}\n",
            "Repair it (circuitz search), or waive each with an author and a reason.",
            findings=standing,
            z=z,
        )


def _write_card_beside_manifest(path: Path, card: Card) -> None:
    """Put the card beside the manifest, for people; z's notes hold the same."""
    if path.suffix != ".zip":
        text = json.dumps(card.to_json(), ensure_ascii=False, indent=1)
        with staged_file_replacement(path / CARD_FILE, f"{text}\n".encode()):
            pass
