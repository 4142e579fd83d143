"""The labelling screen: one picture, the card beside it, one decision. No torch."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from circuitz.errors import CircuitzError, LabellingError
from circuitz.labelling.tasks.grid_questions import (
    LEAST_ON_PAGE,
    MOST_HELD_IN_GRID,
    MOST_ON_PAGE,
)
from circuitz.labelling.tasks.pack import TaskPack
from circuitz.labelling.tasks.pack_io import open_pack
from circuitz.labelling.tasks.page_session import PageSession
from circuitz.labelling.tasks.session import AHEAD, RECENT, Session, clean_rater_name
from circuitz.store.address import open_store
from circuitz.store.judgement_store import JudgementStore
from circuitz.widgets.labelling import labelling_payload
from circuitz.widgets.labelling.judging_payload import what_is_asked

STATIC = Path(__file__).resolve().parents[2] / "static"
_log = logging.getLogger(__name__)
Answer = tuple[dict[str, Any], dict[str, bytes]]


class Labelling(anywidget.AnyWidget):
    """Have the pictures of a task pack labelled, in JupyterLab, Notebook 7 or Voila.

    What the screen shows first lies in traits; what a person does comes as a message ``{id,
    action, ...}`` and is answered ``{id, ok: true, ...}`` or ``{id, ok: false, code, message,
    hint}``. An answer is in the store before its reply is sent. Answers carry idempotency keys,
    so that a page which heard no reply may send them again.

    Parameters
    ----------
    tasks
        A task pack, or its path.
    store
        Where answers are kept: a path, ``sqlite:///answers.sqlite``, or an open store.
    rater
        Who answers; asked on the screen when empty.

    Raises
    ------
    LabellingError, BundleError
        If there is no task pack, or it cannot be read.
    StoreError
        If the store cannot be opened or written.
    """

    _esm = STATIC / "labelling.js"
    _css = STATIC / "labelling.css"

    pack = traitlets.Dict().tag(sync=True)
    first = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)

    def __init__(
        self,
        tasks: TaskPack | str | os.PathLike[str],
        store: JudgementStore | str | os.PathLike[str],
        *,
        rater: str = "",
    ) -> None:
        self._tasks: TaskPack | None = tasks if isinstance(tasks, TaskPack) else open_pack(tasks)
        self._store = (
            open_store(os.fspath(store)) if isinstance(store, str | os.PathLike) else store
        )
        # Handlers may run on another thread than cells do: one at a time.
        self._lock = threading.RLock()
        self._session: PageSession | None = None
        first: dict[str, Any] | None = None
        if rater.strip():
            self._session = PageSession(self._tasks, self._store, rater)
            facts, blobs = self._payload_to_resume_session(self._session)
            first = {**facts, "blobs": blobs}
        super().__init__(pack=labelling_payload.task_pack_payload(self._tasks), first=first)
        self.on_msg(self._answer_screen_message)

    # -- from Python ----------------------------------------------------------------------

    @property
    def rater(self) -> str:
        """Who is answering; empty before anybody gave a name."""
        return self._session.rater if self._session is not None else ""

    # -- to the screen --------------------------------------------------------------------

    def _payload_to_resume_session(self, session: Session) -> Answer:
        """Return everything a screen needs to go on where this rater stopped."""
        tasks = session.pack
        # Where a word is asked about, whole pages of pictures are shown, and taken back.
        chosen, left = session.next_questions(n=LEAST_ON_PAGE if tasks.words else AHEAD)
        recent = session.recent_answers(MOST_ON_PAGE if tasks.words else RECENT)
        upcoming, blobs = labelling_payload.questions_payload(tasks, chosen)
        earlier, more = labelling_payload.questions_payload(
            tasks, (tasks.questions_by_id[r["id"]] for r in recent)
        )
        facts = {
            "rater": session.rater,
            "options": list(session.options),
            "upcoming": upcoming,
            "earlier": earlier,
            "recent": recent,
            "standing": labelling_payload.rater_progress_payload(left),
        }
        return facts, {**more, **blobs}

    def _next_questions_payload(
        self, session: Session, held: Sequence[str], n: int = AHEAD
    ) -> Answer:
        """Return what the screen needs after something was done."""
        most = min(int(n), MOST_HELD_IN_GRID) if session.pack.words else AHEAD
        chosen, left = session.next_questions([str(h) for h in held][:256], max(most, AHEAD))
        upcoming, blobs = labelling_payload.questions_payload(session.pack, chosen)
        return {
            "upcoming": upcoming,
            "standing": labelling_payload.rater_progress_payload(left),
        }, blobs

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
        with self._lock:
            try:
                facts, blobs = act(**arguments)
            except CircuitzError as error:
                return _failure_reply(error.code, error.message, error.hint), {}
            except (TypeError, ValueError) as error:
                return _failure_reply("malformed", f"The screen sent something odd: {error}."), {}
            except Exception as error:
                _log.exception("The labelling screen's action %r failed", action)
                said = f"{type(error).__name__}: {error}"
                return _failure_reply("unexpected", said, "The kernel's log has the traceback."), {}
            return {"ok": True, **facts}, blobs

    def _handlers_by_action(self) -> dict[str, Callable[..., Answer]]:
        return {
            "ping": lambda: ({}, {}),
            "enter": self._start_session_for_rater,
            "leave": self._end_session,
            "begin": lambda: self._payload_to_resume_session(self._require_session()),
            "next": lambda held=(), n=AHEAD: self._next_questions_payload(
                self._require_session(), held, n
            ),
            "answer": self._record_answer,
            "answer_page": self._record_page,
            "withdraw_page": self._withdraw_page,
            "withdraw": self._withdraw_answer,
            "aside": self._set_question_aside,
        }

    def _require_session(self) -> PageSession:
        if self._session is None:
            raise LabellingError("Nobody has given a name yet.", "Give one on the screen.")
        return self._session

    def _start_session_for_rater(self, rater: str) -> Answer:
        assert self._tasks is not None
        self._session = PageSession(self._tasks, self._store, str(rater))
        return self._payload_to_resume_session(self._session)

    def _end_session(self) -> Answer:
        if self._session is not None:
            self._session.release_held_questions()
        self._session = None
        return {}, {}

    def _record_answer(
        self,
        rater: str,
        question: str,
        choice: str,
        key: str,
        seconds: float | None = None,
        shown: str = "",
        answered: str = "",
        sent: str = "",
        details: dict[str, Any] | None = None,
        held: Sequence[str] = (),
    ) -> Answer:
        session = self._require_session_of_rater(rater)
        session.answer(
            str(question), str(choice), str(key), details=details,
            seconds=None if seconds is None else float(seconds),
            shown=str(shown), answered=str(answered), sent=str(sent),
        )  # fmt: skip
        return self._next_questions_payload(session, held)

    def _withdraw_answer(
        self, rater: str, question: str, of: str = "", held: Sequence[str] = ()
    ) -> Answer:
        session = self._require_session_of_rater(rater)
        session.withdraw(str(question), str(of))
        return self._next_questions_payload(session, held)

    def _record_page(
        self,
        rater: str,
        page: str,
        answers: Sequence[Sequence[str]],
        seconds: float | None = None,
        shown: str = "",
        answered: str = "",
        sent: str = "",
        held: Sequence[str] = (),
        n: int = AHEAD,
    ) -> Answer:
        session = self._require_session_of_rater(rater)
        session.answer_page(
            str(page), [(str(question), str(choice)) for question, choice in answers],
            seconds=None if seconds is None else float(seconds),
            shown=str(shown), answered=str(answered), sent=str(sent),
        )  # fmt: skip
        return self._next_questions_payload(session, held, n)

    def _withdraw_page(
        self,
        rater: str,
        answers: Sequence[Sequence[str]],
        held: Sequence[str] = (),
        n: int = AHEAD,
    ) -> Answer:
        session = self._require_session_of_rater(rater)
        session.withdraw_page([(str(question), str(key)) for question, key in answers])
        return self._next_questions_payload(session, held, n)

    def _set_question_aside(
        self, rater: str, question: str, later: bool = True, held: Sequence[str] = ()
    ) -> Answer:
        session = self._require_session_of_rater(rater)
        session.set_question_aside(str(question), later=bool(later))
        return self._next_questions_payload(session, held)

    def _require_session_of_rater(self, rater: str) -> PageSession:
        """Return the session of whoever gave the answer: never another's who sat down since."""
        session = self._require_session()
        if session.rater != clean_rater_name(str(rater)):
            raise LabellingError(
                f"This answer was given by {rater!r}, and {session.rater!r} is here now.",
                "It is kept on the page until they come back.",
            )
        return session

    # -- without a front end --------------------------------------------------------------

    def __repr__(self) -> str:
        """Say what is labelled, for where no screen can be drawn."""
        if self._tasks is None:
            problem = self.pack["problem"]
            return f"No labelling screen: {problem['message']} {problem['hint']}".strip()
        tasks = self._tasks
        lines = [
            f"Labelling of {tasks.name}: {tasks.count_questions_by_kind()['ask']} "
            f"{what_is_asked(tasks)}, {tasks.overlap} answers each",
            f"Answers go to {self._store.address} as {tasks.task}",
            "The screen needs JupyterLab, Notebook 7 or Voila: circuitz serve --tasks PACK.",
        ]
        return "\n".join(lines)

    def _repr_mimebundle_(self, **kwargs: dict[str, Any]) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if isinstance(data, dict):
            data["text/plain"] = repr(self)
        return bundle


class _LabellingUnavailable(Labelling):
    """The screen that says why there is none."""

    def __init__(self, error: CircuitzError) -> None:
        self._tasks = None
        self._session = None
        self._lock = threading.RLock()
        anywidget.AnyWidget.__init__(
            self, pack=labelling_payload.unavailable_screen_payload(error), first=None
        )
        self.on_msg(self._answer_screen_message)


def labelling_from_environment() -> Labelling:
    """Return the screen that the environment asks for; what is wrong with it is on the screen.

    ``CIRCUITZ_TASKS`` names the task pack, ``CIRCUITZ_STORE`` the store (``PACK.sqlite`` beside
    the pack by default), ``CIRCUITZ_RATER`` who answers (asked on the screen when empty).
    """
    try:
        place = os.environ.get("CIRCUITZ_TASKS", "")
        if not place:
            raise LabellingError(
                "No task pack was named.", "circuitz serve --tasks PACK names one."
            )
        store = os.environ.get("CIRCUITZ_STORE", "").strip() or default_store_path(place)
        return Labelling(place, store, rater=os.environ.get("CIRCUITZ_RATER", ""))
    except CircuitzError as error:
        return _LabellingUnavailable(error)


def default_store_path(tasks: str | os.PathLike[str]) -> str:
    """Return where answers to a pack go when nobody says: beside it."""
    path = Path(tasks).absolute()
    return str(path.with_name(f"{path.name.removesuffix('.zip')}.sqlite"))


def _failure_reply(code: str, message: str, hint: str = "") -> dict[str, Any]:
    return {"ok": False, "code": code, "message": message, "hint": hint}
