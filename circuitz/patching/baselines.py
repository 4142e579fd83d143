"""What a unit becomes when it is ablated: nothing, its mean, or what it is on another input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch

from circuitz.errors import InputsError
from circuitz.models.run.runtime import Runtime

Fill = Literal["zero", "mean", "resample"]


def check_ablation_inputs(x: torch.Tensor, fill: str, donors: torch.Tensor | None) -> None:
    """Refuse inputs, a fill and donors that do not go together.

    Raises
    ------
    InputsError
        If so.
    """
    if x.ndim < 2 or not len(x):
        raise InputsError(
            f"There are no inputs to ablate on: shape {tuple(x.shape)}.",
            "Pass prepared inputs, the batch axis first.",
        )
    if x.is_floating_point() and not bool(torch.isfinite(x).all()):
        raise InputsError(
            "Inputs hold NaN or infinite values.",
            "Look at where they are read and prepared: no effect can be told on them.",
        )
    if fill not in ("zero", "mean", "resample"):
        raise InputsError(f"There is no fill {fill!r}.", "Use zero, mean or resample.")
    if (fill == "resample") != (donors is not None):
        raise InputsError(
            "Donors are inputs that lend values when units are resampled, and only then.",
            "Pass fill='resample' and donors of the same shape as the inputs.",
        )
    if donors is not None and donors.shape != x.shape:
        raise InputsError(
            f"Donors have shape {tuple(donors.shape)}, inputs {tuple(x.shape)}.",
            "Pass one donor an input.",
        )


def mean_layer_outputs(
    runtime: Runtime, x: torch.Tensor, names: Sequence[str], batch: int
) -> dict[str, torch.Tensor]:
    """Return what layers put out on average over inputs, ``(1, ...)`` each."""
    sums: dict[str, torch.Tensor] = {}
    for i in range(0, len(x), batch):
        acts, _ = runtime.run(x[i : i + batch], names)
        for name, act in acts.items():
            total = act.double().sum(0, keepdim=True)
            sums[name] = sums[name] + total if name in sums else total
    return {name: (total / len(x)).to(runtime.dtype) for name, total in sums.items()}


def replacement_outputs_by_layer(
    runtime: Runtime,
    names: Sequence[str],
    x: torch.Tensor,
    donors: torch.Tensor | None,
    means: dict[str, torch.Tensor] | None,
) -> dict[str, torch.Tensor]:
    """Return the outputs units take their values from, by layer; none of zeros.

    Parameters
    ----------
    runtime, names, x
        The network, its layers, and the inputs that are ablated.
    donors
        Inputs that lend.
    means
        See :func:`mean_layer_outputs`.
    """
    if means is not None:
        return {name: mean.expand(len(x), *mean.shape[1:]) for name, mean in means.items()}
    return runtime.run(donors, names)[0] if donors is not None else {}
