"""The studio: one screen on which the units of a z are looked at, named and checked."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from circuitz.errors import CircuitzError, ConflictError, MeasurementError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.widgets.studio import attribution_view, circuit_view, studio_payload, unit_responses
from circuitz.widgets.studio.concepts_payload import concepts_payload
from circuitz.widgets.studio.editing_session import EditingSession
from circuitz.widgets.studio.live_visuals import VisualisationWorker, visualisation_records_of_unit
from circuitz.widgets.studio.unit_detail import unit_detail_payload, unit_edits_latest_first
from circuitz.widgets.studio.unit_table import UnitTable
from circuitz.z.inputs import InputSet
from circuitz.z.model import AnnotatedModel

STATIC = Path(__file__).resolve().parents[2] / "static"
_WRITES = frozenset(
    {"annotate", "undo", "redo", "waive", "unwaive", "kind", "circuit", "regroup", "optimise"}
)
_log = logging.getLogger(__name__)
Answer = tuple[dict[str, Any], dict[str, bytes]]


class Studio(anywidget.AnyWidget):
    """Show a z in JupyterLab, Notebook 7 or Voila, and edit the words on its units.

    What is on the screen lies in traits, so that it is drawn without asking anybody; what a
    person does comes as a message ``{id, action, ...}`` and is answered ``{id, ok: true, ...}``
    or ``{id, ok: false, code, message, hint}``. An edit is on disk before its answer is sent.

    Parameters
    ----------
    z
        An annotated model, or the path of a bundle. A z read from a bundle is edited there; one
        that was never saved is edited in memory, and the screen says so.
    author
        Written with every edit; by default ``CIRCUITZ_AUTHOR`` or the user's name.
    lexicon
        Reads concepts in words; the shipped one by default.
    read_only
        Refuse everything that would be written.

    Raises
    ------
    BundleError
        If there is no bundle at the path, or it cannot be read.
    """

    _esm = STATIC / "studio.js"
    _css = STATIC / "studio.css"

    head = traitlets.Dict().tag(sync=True)
    units = traitlets.Dict().tag(sync=True)
    atlas = traitlets.Dict().tag(sync=True)
    effects = traitlets.Dict().tag(sync=True)
    words = traitlets.List().tag(sync=True)
    concepts = traitlets.Dict().tag(sync=True)
    report = traitlets.Dict().tag(sync=True)
    graphs = traitlets.Dict().tag(sync=True)
    first = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)

    def __init__(
        self,
        z: AnnotatedModel | str | os.PathLike[str],
        *,
        author: str | None = None,
        lexicon: Lexicon | None = None,
        read_only: bool = False,
    ) -> None:
        self._read_only = read_only
        self._session = EditingSession(z, author=author, lexicon=lexicon)
        self._optimiser = VisualisationWorker(self._session, self._push_model_to_screen)
        self._revision = 0
        self._model_on_screen: AnnotatedModel | None = None
        self._counted: tuple[tuple[InputSet | None, Lexicon], dict[str, Any]] | None = None
        super().__init__(**self._traits_for_model(self._session.z, all_traits=True))
        self.on_msg(self._answer_screen_message)

    # -- from Python ----------------------------------------------------------------------

    @property
    def z(self) -> AnnotatedModel:
        """The z as it is on the screen now, with everything edited there."""
        with self._session.lock:
            return self._session.z

    @z.setter
    def z(self, z: AnnotatedModel) -> None:
        with self._session.lock:
            self._session.replace_or_merge_model(z)
            self._push_model_to_screen()

    def refresh(self) -> None:
        """Take over what others wrote to the bundle meanwhile."""
        with self._session.lock:
            if self._session.refresh():
                self._push_model_to_screen()

    # -- to the screen --------------------------------------------------------------------

    def _traits_for_model(self, z: AnnotatedModel, *, all_traits: bool) -> dict[str, Any]:
        """Return the traits for z; ``all_traits`` also those that no edit of words changes."""
        desk = self._session
        self._revision += 1
        self._model_on_screen = z
        if all_traits:
            self._table = UnitTable(z)
        state: dict[str, Any] = {
            "head": studio_payload.title_and_editor_payload(
                z,
                path=str(desk.path or ""),
                author=desk.author,
                lexicon=desk.lexicon,
                revision=self._revision,
            ),
            "words": studio_payload.effective_words_payload(z, self._table),
            "concepts": self._concepts_when_changed(z),
            "report": self._report_or_problem_payload(),
            "graphs": circuit_view.stored_circuits_payload(z, str(desk.path or "")),
        }
        if all_traits:
            first = self._unit_shown_first(state)
            state["units"], state["effects"], state["atlas"] = self._table.first_screen_traits(
                self._table.row_of(first)
            )
            state["first"] = None
            if first:
                facts, blobs = unit_detail_payload(z, first, desk.lexicon)
                state["first"] = {**facts, "blobs": blobs}
        return state

    def _concepts_when_changed(self, z: AnnotatedModel) -> dict[str, Any]:
        """Return the table of concepts; counted again only for other labels or another lexicon."""
        of = (z.concept_set, self._session.lexicon)
        if self._counted is None or any(
            a is not b for a, b in zip(self._counted[0], of, strict=True)
        ):
            self._counted = of, concepts_payload(*of)
        return self._counted[1]

    def _report_or_problem_payload(self) -> dict[str, Any]:
        try:
            checked = self._session.report()
        except MeasurementError:
            return studio_payload.empty_report_payload("Findings appear once effects are measured.")
        except CircuitzError as error:
            return studio_payload.empty_report_payload(f"The check could not run: {error}")
        return studio_payload.report_payload(
            self._session.z, checked, str(self._session.path or "")
        )

    def _unit_shown_first(self, state: dict[str, Any]) -> str:
        """Return the unit shown before anything is chosen: the one worst spoken of."""
        for claim in state["report"]["findings"]:
            for unit in claim["units"]:
                if self._table.row_of(unit) >= 0:
                    return unit
        row = state["words"][0]["unit"] if state["words"] else 0
        return self._table.unit_at(row) if self._table.count else ""

    def _push_model_to_screen(self) -> None:
        """Show z as it is now; pictures and effects travel again only when they changed."""
        z, shown = self._session.z, self._model_on_screen
        whole = shown is None or not _have_same_measurements_and_cut(shown, z)
        state = self._traits_for_model(z, all_traits=whole)
        with self.hold_sync():
            for name, value in state.items():
                setattr(self, name, value)

    # -- from the screen ------------------------------------------------------------------

    def _answer_screen_message(self, _: Any, message: Any, __: Any) -> None:
        if not isinstance(message, dict) or not isinstance(message.get("id"), str):
            return
        arguments = {key: value for key, value in message.items() if key not in {"id", "action"}}
        answer, blobs = self._reply_to_action(str(message.get("action")), arguments)
        names = list(blobs)
        self.send({"id": message["id"], **answer, "blobs": names}, [blobs[name] for name in names])

    def _reply_to_action(self, action: str, arguments: dict[str, Any]) -> Answer:
        """Do one thing; whatever goes wrong comes back by name."""
        act = self._handlers_by_action().get(action)
        if act is None:
            return _failure_reply("unknown-action", f"This kernel knows no action {action!r}."), {}
        if self._read_only and action in _WRITES:
            return _failure_reply(
                "read-only", "This screen is for reading.", "Nothing was written."
            ), {}
        # Handlers may run on another thread than cells do: one at a time.
        with self._session.lock:
            try:
                facts, blobs = act(**arguments)
            except ConflictError as error:
                self._push_model_to_screen()
                failed = _failure_reply(error.code, error.message, error.hint)
                return {**failed, "theirs": error.theirs}, {}
            except CircuitzError as error:
                return _failure_reply(error.code, error.message, error.hint), {}
            except Exception as error:
                _log.exception("The studio's action %r failed", action)
                said = f"{type(error).__name__}: {error}"
                return _failure_reply("unexpected", said, "The kernel's log has the traceback."), {}
            return {"ok": True, **facts}, blobs

    def _handlers_by_action(self) -> dict[str, Callable[..., Answer]]:
        return {
            "ping": lambda: ({}, {}),
            "unit": self._unit_detail_reply,
            "responds": lambda unit: unit_responses.spectrum_and_relevance_payload(
                self._session.z, str(unit)
            ),
            "attribute": lambda unit, image, target="", method="integrated-gradients": (
                attribution_view.attribute_on_image(
                    self._session.z, str(unit), int(image), str(target), str(method)
                )
            ),
            "pattern": lambda unit, image: attribution_view.head_attention_on_sequence(
                self._session.z, str(unit), int(image)
            ),
            "writes": lambda unit, image=-1: attribution_view.direct_token_effects(
                self._session.z, str(unit), int(image)
            ),
            "optimise": lambda unit, each=1, negative=False, how="fourier", steps=32: (
                self._optimiser.start(str(unit), int(each), bool(negative), str(how), int(steps))
            ),
            "optimising": lambda seen=0: self._optimiser.progress_report(int(seen)),
            "cancel": self._optimiser.request_cancellation,
            "history": self._unit_history_reply,
            "parse": lambda text: ({"concepts": self._session.parse(str(text))}, {}),
            "picture": self._evidence_picture_reply,
            "rows": lambda rows: ({}, self._table.columns_of_requested_rows(rows)),
            "thumbnails": self._thumbnails_reply,
            "drivers": lambda target, how: self._class_drivers_reply(str(target), str(how)),
            "annotate": self._annotate_unit,
            "undo": lambda: self._reply_after_undo_or_redo(self._session.undo()),
            "redo": lambda: self._reply_after_undo_or_redo(self._session.redo()),
            "waive": self._waive_finding,
            "unwaive": self._take_waiver_back,
            "kind": self._say_kind,
            "author": self._set_author,
            "clamp": lambda units: (
                circuit_view.outputs_before_and_while_clamped(
                    self._session.z, [str(u) for u in units]
                ),
                {},
            ),
            "circuit": self._measure_and_save_circuit,
            "regroup": self._edit_circuit_supernodes,
            "refresh": self._refresh_from_disk,
        }

    def _unit_detail_reply(self, unit: str) -> Answer:
        facts, blobs = unit_detail_payload(self._session.z, str(unit), self._session.lexicon)
        return {"detail": facts}, blobs

    def _unit_history_reply(self, unit: str) -> Answer:
        z = self._session.z
        return {
            "history": unit_edits_latest_first(z, str(unit)),
            "visuals": visualisation_records_of_unit(z, str(unit)),
        }, {}

    def _evidence_picture_reply(self, hash: str) -> Answer:
        measured = self._session.z.measurements
        found = measured.pictures.get(str(hash)) if measured is not None else None
        if found is None:
            raise MeasurementError(
                "That picture is not among the evidence.", "Measure again: cz.measure(z, ...)."
            )
        return {}, {"picture": found}

    def _thumbnails_reply(self, images: Any) -> Answer:
        sheet = self._table.thumbnails_of_requested_images(images).payload()
        pages = {f"page{i}": page for i, page in enumerate(sheet.pop("pages"))}
        return {**sheet, "images": list(images)}, pages

    def _class_drivers_reply(self, target: str, intervention: str) -> Answer:
        driving, largest = self._table.drivers(target, intervention)
        blobs = {"driving": driving.astype("<i4").tobytes()}
        rows = [int(row) for row in largest]
        return {"rows": rows}, blobs | self._table.columns_of_requested_rows(rows)

    def _annotate_unit(
        self, unit: str, text: str, confidence: float = 1.0, base: str | None = None
    ) -> Answer:
        seen = None if base is None else str(base)
        said = self._session.annotate(str(unit), str(text), float(confidence), seen)
        self._push_model_to_screen()
        return {"unit": str(unit), "said": said}, {}

    def _reply_after_undo_or_redo(self, step: tuple[str, str]) -> Answer:
        self._push_model_to_screen()
        return {"unit": step[0], "said": step[1]}, {}

    def _waive_finding(self, finding: str, author: str, reason: str) -> Answer:
        said = self._session.waive(str(finding), str(author), str(reason))
        self._push_model_to_screen()
        return {"said": said}, {}

    def _take_waiver_back(self, finding: str, author: str, reason: str = "") -> Answer:
        said = self._session.unwaive(str(finding), str(author), str(reason))
        self._push_model_to_screen()
        return {"said": said}, {}

    def _say_kind(self, concept: str, kind: str) -> Answer:
        said = self._session.say_kind(str(concept), str(kind))
        self._push_model_to_screen()
        return {"said": said}, {}

    def _measure_and_save_circuit(self, target: str) -> Answer:
        self._session.save_measured_circuits(
            circuit_view.with_measured_circuit(self._session.z, str(target))
        )
        self._push_model_to_screen()
        return {"said": f"The circuit of {target} is measured."}, {}

    def _edit_circuit_supernodes(
        self, target: str, edit: str, nodes: Any = (), label: str = ""
    ) -> Answer:
        said: list[str] = []

        def edit_and_note_outcome(z: AnnotatedModel) -> AnnotatedModel:
            names = [str(node) for node in nodes]
            new, done = circuit_view.apply_supernode_edit(
                z, str(target), str(edit), names, str(label)
            )
            said.append(done)
            return new

        self._session.apply_and_save_edit(edit_and_note_outcome)
        self._push_model_to_screen()
        return {"said": said[-1]}, {}

    def _set_author(self, author: str) -> Answer:
        self._session.author = str(author).strip()
        self._push_model_to_screen()
        return {}, {}

    def _refresh_from_disk(self) -> Answer:
        if self._session.refresh():
            self._push_model_to_screen()
        return {}, {}

    # -- without a front end --------------------------------------------------------------

    def __repr__(self) -> str:
        """Say what is shown and how to see it, for where no screen can be drawn."""
        desk = self._session
        counts = self.report["counts"]
        stands = ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
        lines = [
            f"Studio of {desk.path or 'a z in memory (z.save(path) keeps it)'}",
            repr(desk.z),
            self.report["missing"] or f"Findings: {stands}",
        ]
        worst = next((f for f in self.report["findings"] if f["verdict"] == "flagged"), None)
        if worst is not None:
            lines.append(f"Worst: {worst['sentence']}")
        lines.append(
            "The screen needs JupyterLab, Notebook 7 or Voila: circuitz lab. In Python: "
            "studio.z is the model, cz.check(studio.z).findings are the findings."
        )
        return "\n".join(lines)

    def _repr_mimebundle_(self, **kwargs: dict[str, Any]) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        # anywidget cuts the text short; where it is all there is to see, it should be whole.
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if isinstance(data, dict):
            data["text/plain"] = repr(self)
        return bundle


def _have_same_measurements_and_cut(shown: AnnotatedModel, z: AnnotatedModel) -> bool:
    """Whether two z have the same units and figures; what evidence is kept may differ."""
    old, new = shown.measurements, z.measurements
    if old is not None and new is not None:
        same = old.layers is new.layers and old.effects is new.effects
    else:
        same = old is new
    return same and shown.cut == z.cut


def _failure_reply(code: str, message: str, hint: str = "") -> dict[str, Any]:
    return {"ok": False, "code": code, "message": message, "hint": hint}
