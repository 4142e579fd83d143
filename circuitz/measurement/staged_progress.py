"""One progress bar over several stages."""

from __future__ import annotations

from collections.abc import Callable, Mapping

_STEPS = 1000


class Stages:
    """Turns progress within a stage into progress of the whole.

    Parameters
    ----------
    progress
        Called with steps done and steps in all, never backwards; ``None`` for silence.
    weights
        Stages in order, and how long each takes relative to the others.
    """

    def __init__(
        self, progress: Callable[[int, int], None] | None, weights: Mapping[str, float]
    ) -> None:
        self._progress = progress
        self._weights = dict(weights)
        self._done = 0

    def advance(self, stage: str, done: float, total: float) -> None:
        """Say that ``done`` of ``total`` of a stage is done."""
        names = list(self._weights)
        before = sum(self._weights[n] for n in names[: names.index(stage)])
        share = min(1.0, done / total) if total else 1.0
        whole = (before + share * self._weights[stage]) / sum(self._weights.values())
        self._report_progress(int(_STEPS * whole))

    def finish(self) -> None:
        """Say that everything is done."""
        self._report_progress(_STEPS)

    def _report_progress(self, done: int) -> None:
        if self._progress is not None and done > self._done:
            self._done = done
            self._progress(done, _STEPS)
