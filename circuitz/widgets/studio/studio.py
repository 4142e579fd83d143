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
from circuitz.widgets.studio import attribution_view as closer
from circuitz.widgets.studio import circuit_view as circuits
from circuitz.widgets.studio import studio_payload as payload
from circuitz.widgets.studio import unit_responses as responds
from circuitz.widgets.studio.editing_session import Desk
from circuitz.widgets.studio.live_visuals import Optimiser, told
from circuitz.widgets.studio.unit_detail import detail, history
from circuitz.widgets.studio.unit_table import UnitTable
from circuitz.z.model import AnnotatedModel

STATIC = Path(__file__).resolve().parents[2] / "static"
_WRITES = frozenset({"annotate", "undo", "redo", "waive", "circuit", "regroup", "optimise"})
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
        self._desk = Desk(z, author=author, lexicon=lexicon)
        self._optimiser = Optimiser(self._desk, self._push)
        self._revision = 0
        self._shown: AnnotatedModel | None = None
        super().__init__(**self._state(self._desk.z, whole=True))
        self.on_msg(self._heard)

    # -- from Python ----------------------------------------------------------------------

    @property
    def z(self) -> AnnotatedModel:
        """The z as it is on the screen now, with everything edited there."""
        with self._desk.lock:
            return self._desk.z

    @z.setter
    def z(self, z: AnnotatedModel) -> None:
        with self._desk.lock:
            self._desk.replace(z)
            self._push()

    def refresh(self) -> None:
        """Take over what others wrote to the bundle meanwhile."""
        with self._desk.lock:
            if self._desk.refresh():
                self._push()

    # -- to the screen --------------------------------------------------------------------

    def _state(self, z: AnnotatedModel, *, whole: bool) -> dict[str, Any]:
        """Return the traits for z; ``whole`` also those that no edit of words changes."""
        desk = self._desk
        self._revision += 1
        self._shown = z
        if whole:
            self._table = UnitTable(z)
        state: dict[str, Any] = {
            "head": payload.head(
                z,
                path=str(desk.path or ""),
                author=desk.author,
                lexicon=desk.lexicon,
                revision=self._revision,
            ),
            "words": payload.words(z, self._table),
            "report": self._report(),
            "graphs": circuits.graphs(z, str(desk.path or "")),
        }
        if whole:
            first = self._first_unit(state)
            state["units"], state["effects"], state["atlas"] = self._table.start(
                self._table.row(first)
            )
            state["first"] = None
            if first:
                facts, blobs = detail(z, first, desk.lexicon)
                state["first"] = {**facts, "blobs": blobs}
        return state

    def _report(self) -> dict[str, Any]:
        try:
            checked = self._desk.report()
        except MeasurementError:
            return payload.no_report("Findings appear once effects are measured.")
        except CircuitzError as error:
            return payload.no_report(f"The check could not run: {error}")
        return payload.report(self._desk.z, checked, str(self._desk.path or ""))

    def _first_unit(self, state: dict[str, Any]) -> str:
        """Return the unit shown before anything is chosen: the one worst spoken of."""
        for claim in state["report"]["findings"]:
            for unit in claim["units"]:
                if self._table.row(unit) >= 0:
                    return unit
        row = state["words"][0]["unit"] if state["words"] else 0
        return self._table.unit(row) if self._table.count else ""

    def _push(self) -> None:
        """Show z as it is now; pictures and effects travel again only when they changed."""
        z, shown = self._desk.z, self._shown
        whole = shown is None or not _same(shown, z)
        state = self._state(z, whole=whole)
        with self.hold_sync():
            for name, value in state.items():
                setattr(self, name, value)

    # -- from the screen ------------------------------------------------------------------

    def _heard(self, _: Any, message: Any, __: Any) -> None:
        if not isinstance(message, dict) or not isinstance(message.get("id"), str):
            return
        arguments = {key: value for key, value in message.items() if key not in {"id", "action"}}
        answer, blobs = self._answer(str(message.get("action")), arguments)
        names = list(blobs)
        self.send({"id": message["id"], **answer, "blobs": names}, [blobs[name] for name in names])

    def _answer(self, action: str, arguments: dict[str, Any]) -> Answer:
        """Do one thing; whatever goes wrong comes back by name."""
        act = self._actions().get(action)
        if act is None:
            return _failure("unknown-action", f"This kernel knows no action {action!r}."), {}
        if self._read_only and action in _WRITES:
            return _failure("read-only", "This screen is for reading.", "Nothing was written."), {}
        # Handlers may run on another thread than cells do: one at a time.
        with self._desk.lock:
            try:
                facts, blobs = act(**arguments)
            except ConflictError as error:
                self._push()
                failed = _failure(error.code, error.message, error.hint)
                return {**failed, "theirs": error.theirs}, {}
            except CircuitzError as error:
                return _failure(error.code, error.message, error.hint), {}
            except Exception as error:
                _log.exception("The studio's action %r failed", action)
                said = f"{type(error).__name__}: {error}"
                return _failure("unexpected", said, "The kernel's log has the traceback."), {}
            return {"ok": True, **facts}, blobs

    def _actions(self) -> dict[str, Callable[..., Answer]]:
        return {
            "ping": lambda: ({}, {}),
            "unit": self._unit,
            "responds": lambda unit: responds.rows(self._desk.z, str(unit)),
            "attribute": lambda unit, image, target="", method="integrated-gradients": (
                closer.attributed(self._desk.z, str(unit), int(image), str(target), str(method))
            ),
            "pattern": lambda unit, image: closer.looked(self._desk.z, str(unit), int(image)),
            "writes": lambda unit, image=-1: closer.written(self._desk.z, str(unit), int(image)),
            "optimise": lambda unit, each=1, negative=False, how="fourier", steps=32: (
                self._optimiser.start(str(unit), int(each), bool(negative), str(how), int(steps))
            ),
            "optimising": lambda seen=0: self._optimiser.look(int(seen)),
            "cancel": self._optimiser.cancel,
            "history": self._history,
            "parse": lambda text: ({"concepts": self._desk.parse(str(text))}, {}),
            "picture": self._picture,
            "rows": lambda rows: ({}, self._table.asked(rows)),
            "thumbnails": self._thumbnails,
            "drivers": self._drivers,
            "annotate": self._annotate,
            "undo": lambda: self._stepped(self._desk.undo()),
            "redo": lambda: self._stepped(self._desk.redo()),
            "waive": self._waive,
            "author": self._author,
            "clamp": lambda units: (circuits.clamped(self._desk.z, [str(u) for u in units]), {}),
            "circuit": self._circuit,
            "regroup": self._regroup,
            "refresh": self._refreshed,
        }

    def _unit(self, unit: str) -> Answer:
        facts, blobs = detail(self._desk.z, str(unit), self._desk.lexicon)
        return {"detail": facts}, blobs

    def _history(self, unit: str) -> Answer:
        z = self._desk.z
        return {"history": history(z, str(unit)), "visuals": told(z, str(unit))}, {}

    def _picture(self, hash: str) -> Answer:
        measured = self._desk.z.measurements
        found = measured.pictures.get(str(hash)) if measured is not None else None
        if found is None:
            raise MeasurementError(
                "That picture is not among the evidence.", "Measure again: cz.measure(z, ...)."
            )
        return {}, {"picture": found}

    def _thumbnails(self, images: Any) -> Answer:
        sheet = self._table.pictures(images).payload()
        pages = {f"page{i}": page for i, page in enumerate(sheet.pop("pages"))}
        return {**sheet, "images": list(images)}, pages

    def _drivers(self, target: str, how: str) -> Answer:
        driving, largest = self._table.drivers(str(target), how)
        blobs = {"driving": driving.astype("<i4").tobytes()}
        rows = [int(row) for row in largest]
        return {"rows": rows}, blobs | self._table.asked(rows)

    def _annotate(
        self, unit: str, text: str, confidence: float = 1.0, base: str | None = None
    ) -> Answer:
        seen = None if base is None else str(base)
        said = self._desk.annotate(str(unit), str(text), float(confidence), seen)
        self._push()
        return {"unit": str(unit), "said": said}, {}

    def _stepped(self, done: tuple[str, str]) -> Answer:
        self._push()
        return {"unit": done[0], "said": done[1]}, {}

    def _waive(self, finding: str, author: str, reason: str) -> Answer:
        said = self._desk.waive(str(finding), str(author), str(reason))
        self._push()
        return {"said": said}, {}

    def _circuit(self, target: str) -> Answer:
        self._desk.keep(circuits.measured(self._desk.z, str(target)))
        self._push()
        return {"said": f"The circuit of {target} is measured."}, {}

    def _regroup(self, target: str, edit: str, nodes: Any = (), label: str = "") -> Answer:
        said: list[str] = []

        def change(z: AnnotatedModel) -> AnnotatedModel:
            names = [str(node) for node in nodes]
            new, done = circuits.regrouped(z, str(target), str(edit), names, str(label))
            said.append(done)
            return new

        self._desk.change(change)
        self._push()
        return {"said": said[-1]}, {}

    def _author(self, author: str) -> Answer:
        self._desk.author = str(author).strip()
        self._push()
        return {}, {}

    def _refreshed(self) -> Answer:
        if self._desk.refresh():
            self._push()
        return {}, {}

    # -- without a front end --------------------------------------------------------------

    def __repr__(self) -> str:
        """Say what is shown and how to see it, for where no screen can be drawn."""
        desk = self._desk
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


def _same(shown: AnnotatedModel, z: AnnotatedModel) -> bool:
    """Whether two z have the same units and figures; what evidence is kept may differ."""
    old, new = shown.measurements, z.measurements
    if old is not None and new is not None:
        same = old.layers is new.layers and old.effects is new.effects
    else:
        same = old is new
    return same and shown.cut == z.cut


def _failure(code: str, message: str, hint: str = "") -> dict[str, Any]:
    return {"ok": False, "code": code, "message": message, "hint": hint}
