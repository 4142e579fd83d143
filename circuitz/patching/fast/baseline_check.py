"""Whether a traced network, with nothing changed, puts out what running the network does."""

from __future__ import annotations

from typing import Any

import torch

from circuitz.models.run.runtime import Runtime


def equals_full_run(runtime: Runtime, output: Any, x: torch.Tensor) -> bool:
    """Whether a trace's output for all inputs is that of the network; zeros alone prove nothing."""
    with torch.no_grad():
        right, ours = runtime.forward(x).float(), runtime.to_logits(output).detach().float()
    if right.shape != ours.shape:
        return False
    size = float(right.abs().max())
    tolerance = 1e-4 if runtime.dtype in (torch.float32, torch.float64) else 2e-2
    return size > 0 and float((right - ours).abs().max()) <= tolerance * size
