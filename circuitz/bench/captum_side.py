"""captum's ablation of units, as its users call it, timed on a sample where it is slow."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from circuitz.models.run.restore_state import temporary_forward_hooks

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]


class CaptumAblation:
    """Ablation of a few units of one layer for one class, with ``LayerFeatureAblation``.

    Units outside the sample form one more feature, so that a call makes ``len(units) + 1``
    evaluations beside the one of the whole network.

    Parameters
    ----------
    net
        The network in eval mode; maps ``(n, u, h, w)`` at the layer.
    layer
        Name of the layer.
    x
        Prepared inputs.
    units
        The sample.
    """

    def __init__(self, net: nn.Module, layer: str, x: torch.Tensor, units: I64) -> None:
        from captum.attr import LayerFeatureAblation  # noqa: PLC0415

        self._x, self._units = x, units
        module = net.get_submodule(layer)
        self._ablation: Any = LayerFeatureAblation(net, module)
        seen: list[torch.Tensor] = []

        def capture_output(_module: nn.Module, _args: Any, out: torch.Tensor) -> None:
            seen.append(out)

        with temporary_forward_hooks({module: capture_output}), torch.no_grad():
            net(x[:1])
        shape = seen[0].shape[1:]
        features = torch.full((shape[0],), len(units))
        features[torch.from_numpy(units)] = torch.arange(len(units))
        self._mask = features.view(1, -1, *[1] * (len(shape) - 1)).expand(1, *shape)
        self.size = int(shape[0])
        # The rest of the layer is one feature, unless there is none.
        self.features = len(units) + (len(units) < self.size)
        self.perturbations_per_eval = 1

    def tune_perturbations_per_eval(self, choices: Sequence[int] = (1, 4, 16)) -> int:
        """Find and keep the fastest ``perturbations_per_eval``."""
        taken: dict[int, float] = {}
        for many in [c for c in choices if c <= self.features] or [1]:
            self.perturbations_per_eval = many
            start = time.perf_counter()
            self(0)
            taken[many] = time.perf_counter() - start
        self.perturbations_per_eval = min(taken, key=lambda many: taken[many])
        return self.perturbations_per_eval

    def __call__(self, target: int) -> F32:
        """Return ``(n, units)`` drops of one class."""
        found = self._ablation.attribute(
            self._x,
            target=target,
            layer_mask=self._mask,
            perturbations_per_eval=self.perturbations_per_eval,
        )
        return found[:, torch.from_numpy(self._units)].flatten(2)[:, :, 0].numpy()

    def ablate_all_classes(self, classes: int) -> F32:
        """Return ``(n, units, k)`` from one call that is given no target.

        Not what captum documents for a class, but it works with one perturbation at a time.
        """
        found = self._ablation.attribute(
            self._x, layer_mask=self._mask, perturbations_per_eval=1
        ).flatten(2)[:, torch.from_numpy(self._units), 0]
        return found.view(len(self._x), classes, -1).transpose(1, 2).numpy()
