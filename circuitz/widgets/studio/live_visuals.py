"""Feature visualisation while somebody watches: a thread at work, previews, and a way to stop it.

The work goes on in a thread of its own, so that the screen can ask how far it is and cancel it. It
holds the desk's lock step by step: between two steps whatever else the screen asks is answered,
and two things never run the network at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from circuitz.errors import CircuitzError, InputsError, MeasurementError
from circuitz.widgets.studio import sprite_sheets
from circuitz.widgets.studio.live_network import import_torch_module
from circuitz.z.unit import Unit
from circuitz.z.visuals import VisualisationRun, visuals_of, with_visualisation_run

if TYPE_CHECKING:
    from circuitz.widgets.studio.editing_session import EditingSession
    from circuitz.z.model import AnnotatedModel

Answer = tuple[dict[str, Any], dict[str, bytes]]
U8 = npt.NDArray[np.uint8]

MOST_STEPS, MOST_PICTURES = 1024, 8
# Long enough for whoever waits for the lock to get it.
_BREATH = 0.002
_log = logging.getLogger(__name__)


class Cancelled(Exception):  # noqa: N818 (not an error: somebody asked for it)
    """Somebody does not want to wait any longer."""


class VisualisationWorker:
    """At most one visualisation at a time, for one desk.

    Parameters
    ----------
    session
        Whose z; the result is kept there.
    on_done
        Called when a result was kept, as the screen next asks: what speaks to a front end is left
        to the thread that heard from it.
    """

    def __init__(self, session: EditingSession, on_done: Callable[[], None]) -> None:
        self._session = session
        self._on_done = on_done
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._facts: dict[str, Any] = {"state": "idle", "unit": "", "done": 0, "turn": 0}
        self._picture = b""
        self._result_unannounced = False

    def start(
        self, unit: str, each: int, negative: bool, parametrisation: str, steps: int
    ) -> Answer:
        """Begin; answers at once.

        Raises
        ------
        CircuitzError
            If one is at work already, a setting is out of range, or there is nothing to run.
        """
        if self._thread is not None and self._thread.is_alive():
            raise InputsError(
                f"{self._facts['unit']} is being optimised already.", "Wait for it, or cancel it."
            )
        if not (1 <= each <= MOST_PICTURES and 1 <= steps <= MOST_STEPS):
            raise InputsError(
                f"{each} pictures in {steps} steps cannot be made.",
                f"Up to {MOST_PICTURES} pictures and {MOST_STEPS} steps.",
            )
        z = self._session.z
        if z.measurements is None:
            raise MeasurementError(
                "There is nothing to keep pictures with.", "Measure first: cz.measure(z, images)."
            )
        if z.preprocessing.is_tokens:
            raise InputsError("Tokens cannot be optimised.", "Look at contexts instead.")
        visualise = import_torch_module("circuitz.responses.optimised.visualise").visualise
        run = import_torch_module("circuitz.models.run.open_runtime").runtime(z)
        parsed = Unit.parse(unit)
        name = f"{parsed.layer}@{parsed.basis}" if parsed.basis else parsed.layer
        place = import_torch_module("circuitz.models.run.basis_space").resolve_unit_space(z, name)
        settings = VisualisationRun((), parametrisation, steps, negative)
        self._stop = threading.Event()
        self._picture = b""
        turn = self._facts["turn"] + 1
        self._facts = {
            "state": "running", "unit": unit, "done": 0, "turn": turn, "each": each,
            "steps": steps, "step": 0,
        }  # fmt: skip

        def render(progress: Any, preview: Any) -> U8:
            made: U8 = visualise(
                run, place, [parsed.index], each=each, negative=negative, method=parametrisation,
                steps=steps, progress=progress, preview=preview,
            )  # fmt: skip
            return made.reshape(each, *made.shape[-3:])

        self._thread = threading.Thread(
            target=self._render_and_keep_pictures,
            args=(render, unit, settings),
            name="circuitz-optimise",
            daemon=True,
        )
        self._thread.start()
        return self.progress_report(0)

    def progress_report(self, seen_stamp: int) -> Answer:
        """Say how far it is, with the pictures so far when they are newer than ``seen_stamp``."""
        if self._result_unannounced:
            self._result_unannounced = False
            self._on_done()
        facts = dict(self._facts)
        stamp = int(facts.get("stamp", 0))
        fresh = self._picture and stamp > seen_stamp
        return facts, {"preview": self._picture} if fresh else {}

    def request_cancellation(self) -> Answer:
        """Ask it to stop; it does with the step it is at."""
        self._stop.set()
        return dict(self._facts), {}

    def wait_until_idle(self, seconds: float) -> None:
        """Wait until nothing is at work; never with the desk's lock held."""
        if self._thread is not None:
            self._thread.join(seconds)

    # -- in the thread --------------------------------------------------------------------

    def _render_and_keep_pictures(
        self, work: Callable[..., U8], unit: str, settings: VisualisationRun
    ) -> None:
        lock = self._session.lock
        with lock:
            try:
                made = work(self._count_step_and_release_lock_briefly, self._preview_first_unit)
                self._set_preview(made)
                pngs = [sprite_sheets.encode_png(picture) for picture in made]
                self._session.apply_and_save_edit(
                    lambda z: with_visualisation_run(z, unit, pngs, settings)
                )
                self._result_unannounced = True
                self._facts = {**self._facts, "state": "done", "done": 1.0}
            except Cancelled:
                self._facts = {**self._facts, "state": "cancelled"}
            except CircuitzError as error:
                self._set_failure(error.code, error.message, error.hint)
            except Exception as error:
                _log.exception("Optimising %s failed", unit)
                said = f"{type(error).__name__}: {error}"
                self._set_failure("unexpected", said, "The kernel's log has the traceback.")

    def _set_failure(self, code: str, message: str, hint: str) -> None:
        failure = {"code": code, "message": message, "hint": hint}
        self._facts = {**self._facts, "state": "failed", "failure": failure}

    def _count_step_and_release_lock_briefly(self, _done: int, _total: int) -> None:
        """After each step: say how far it is, stop when asked to, and let others have the lock."""
        # Told in pictures, of which there are few: what a person waits for are the steps.
        step = self._facts["step"] + 1
        self._facts = {**self._facts, "step": step, "done": min(1.0, step / self._facts["steps"])}
        self._session.lock.release()
        try:
            time.sleep(_BREATH)
        finally:
            self._session.lock.acquire()
        if self._stop.is_set():
            raise Cancelled

    def _preview_first_unit(self, _units: Sequence[int], pictures: U8) -> None:
        self._set_preview(pictures[0])

    def _set_preview(self, pictures: U8) -> None:
        strip, size = sprite_sheets.encode_picture_strip(pictures, range(len(pictures)))
        self._picture = strip
        stamp = int(self._facts.get("stamp", 0)) + 1
        self._facts = {**self._facts, "stamp": stamp, "size": list(size)}


def visualisation_records_of_unit(z: AnnotatedModel, unit: str) -> list[dict[str, Any]]:
    """Return the runs kept of a unit, for the inspector: pictures by hash, and settings."""
    return [
        {
            "pictures": list(made.pictures),
            "how": made.how,
            "steps": made.steps,
            "negative": made.negative,
        }
        for made in visuals_of(z, unit)
    ]
