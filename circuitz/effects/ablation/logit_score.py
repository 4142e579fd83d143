"""What is read of a network's output where units are ablated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from circuitz.models.run.runtime import Runtime

Score = Callable[[torch.Tensor], torch.Tensor]


class LogitScore:
    """What is read of a network's output.

    Parameters
    ----------
    runtime
        The network.
    score
        Made of logits ``(n, k)``; the logits themselves by default.
    """

    def __init__(self, runtime: Runtime, score: Score | None = None) -> None:
        self._runtime, self._score = runtime, score

    def __call__(self, out: Any) -> torch.Tensor:
        """Return float32 scores ``(n, m)`` of what the network returned."""
        return self.score_logits(self._runtime.to_logits(out))

    def score_logits(self, logits: torch.Tensor) -> torch.Tensor:
        """Return float32 scores ``(n, m)`` of logits."""
        logits = logits.float()
        return logits if self._score is None else self._score(logits)
