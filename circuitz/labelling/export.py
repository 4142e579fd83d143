"""Export z*: decided on the audit split, refused while it does not meet what is demanded."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circuitz.cards.card import Card
from circuitz.cards.make_card import card as make_card
from circuitz.data.unlabelled_pictures import unlabelled_pictures
from circuitz.disk.atomic import staged_file_replacement
from circuitz.errors import MeasurementError
from circuitz.labelling.exported_story import exported_story_markdown
from circuitz.labelling.gates.accuracy_gates import accuracy_gates
from circuitz.labelling.gates.classes_gate import classes_gate
from circuitz.labelling.gates.findings_gate import findings_gate
from circuitz.labelling.gates.fresh_process_gate import effects_again_gate
from circuitz.labelling.gates.gate import GATE_IDS, NOTE, SIGNABLE, Gate, signed_where_refused
from circuitz.labelling.gates.starting_z import check_is_start
from circuitz.labelling.gates.words_gates import populations_words_must_hold_on, words_gates
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
    from circuitz.z.inputs import InputSet
    from circuitz.z.model import AnnotatedModel

CARD = "card"
LABEL_MODEL = "label_model"
CARD_FILE = "card.json"


def waive(finding: str, *, author: str, reason: str) -> Waiver:
    """Decide that a flagged finding may stand, or sign a gate of the export.

    Parameters
    ----------
    finding
        The finding's id; or ``words-on-d``, ``words-on-shifted``, ``accuracy-floor`` or
        ``accuracy-loss``, the gates that may be signed.
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
    shifted: InputSet | object | None = None,
    start: AnnotatedModel | None = None,
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
    whether the export is refused or not. Demanded is (:mod:`circuitz.labelling.gates`): nothing flagged
    but what is waived, where words alone count that hold on the concept set, on D and on D′;
    accuracy on D no worse than that of the start without its flagged units, and a loss of more
    than .02 against the start signed; effects that come out the same from the written file, in a
    process of its own.

    Parameters
    ----------
    z
        A measured model, with its tests of words (``cz.test_words``).
    path
        Bundle to write: a folder, or a zip file when it ends in ``.zip``.
    shifted
        D′, unlabelled: what its words were tested on. Without it z goes out as *not tested where it
        will be used*.
    start
        What z was made from; without it accuracy is held against nothing, which is said.
    lexicon
        Prior knowledge of kinds; the shipped one by default.
    waivers
        Decisions to let findings stand (see :func:`waive`), besides those z has already; and
        signatures of gates.
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
        As written: with findings, waivers, gates, card, story and the record of audit reads.

    Raises
    ------
    ExportRefusedError
        If a gate is refused, or a waiver is incomplete or names neither a finding nor a gate that may be signed.
        ``findings`` holds what stands against z, ``gates`` every demand, ``z`` the model with this
        reading on record: save it, so that the reading counts.
    MeasurementError
        If z was not measured on *audit*, or changed since; *audit* is then not read.
    InputsError
        If z was not made from ``start``, or ``shifted`` is no set of inputs.
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
    signatures = {w.finding: w for w in given if w.finding in GATE_IDS}
    given = tuple(w for w in given if w.finding not in GATE_IDS)
    _refuse_signing_what_cannot_be(signatures)
    if start is not None:
        check_is_start(z, start)
    z = z.with_(waivers=(*z.waivers, *_not_yet_in_force(z, given)))
    populations = populations_words_must_hold_on(z, shifted is not None)
    report = check(z, split="audit", delta=delta, q=q, lexicon=lexicon, populations=populations)
    z = with_audit_reads_logged(z, report, author=author, why="export")
    _refuse_unknown_waivers(z, report, given)
    others = None if shifted is None else unlabelled_pictures(shifted, z)
    gates = [
        findings_gate(report),
        *words_gates(z, report, others),
        classes_gate(z, others),
        *accuracy_gates(z, start, lexicon),
    ]
    gates = signed_where_refused(gates, signatures)
    _refuse_where_a_gate_is_shut(z, report, gates)
    card = make_card(z, report)
    notes: dict[str, Any] = {**z.notes, CARD: card.to_json()}
    if label_model is not None:
        notes[LABEL_MODEL] = label_model.to_json()

    def made_with_gates() -> AnnotatedModel:
        return z.with_(
            what="export",
            findings=report.findings,
            notes={**notes, NOTE: [gate.to_json() for gate in gates]},
            story=exported_story_markdown(z, report, card, gates),
        )

    gates.append(effects_again_gate(made_with_gates(), Path(path)))
    _refuse_where_a_gate_is_shut(z, report, gates)
    made = made_with_gates()
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


def _refuse_signing_what_cannot_be(signatures: Iterable[str]) -> None:
    for gate in signatures:
        if gate not in SIGNABLE:
            raise ExportRefusedError(
                f"The gate {gate} cannot be signed.", f"Those that can are {', '.join(SIGNABLE)}."
            )


def _refuse_unknown_waivers(z: AnnotatedModel, report: Report, waivers: tuple[Waiver, ...]) -> None:
    unknown = {w.finding for w in waivers} - {f.id for f in report.findings}
    if unknown:
        raise ExportRefusedError(
            f"A waiver names {min(unknown)!r}, which is no finding on audit.",
            "report.findings lists the ids.",
            findings=report.flagged,
            z=z,
        )


def _refuse_where_a_gate_is_shut(z: AnnotatedModel, report: Report, gates: Sequence[Gate]) -> None:
    shut = [gate for gate in gates if gate.stops_export]
    if shut:
        raise ExportRefusedError(
            "\n".join(gate.sentence for gate in shut) + "\n",
            "\n".join(dict.fromkeys(gate.remedy for gate in shut if gate.remedy)),
            findings=report.flagged,
            z=z,
            gates=tuple(gates),
        )


def _write_card_beside_manifest(path: Path, card: Card) -> None:
    """Put the card beside the manifest, for people; z's notes hold the same."""
    if path.suffix != ".zip":
        text = json.dumps(card.to_json(), ensure_ascii=False, indent=1)
        with staged_file_replacement(path / CARD_FILE, f"{text}\n".encode()):
            pass
