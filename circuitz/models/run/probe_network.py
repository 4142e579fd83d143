"""What a row of a network's outputs is, found out by running it a few times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from circuitz.errors import (
    BatchDependenceError,
    CircuitzError,
    LayerError,
    NetworkError,
    RandomNetworkError,
)
from circuitz.models.run.restore_state import random_state_and_buffers_kept

if TYPE_CHECKING:
    from circuitz.models.run.runtime import Runtime

# Differences that are no rounding, as shares of the largest value. The same batch, run again; one
# input beside another than before; one by itself, for which torch may take other kernels.
_AGAIN, _BESIDE, _ALONE = 1e-5, 1e-4, 1e-2
_COARSE = 2e-2  # of any of them in half precision

Outputs = tuple[dict[str, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class NetworkProbe:
    """What running a network told.

    Parameters
    ----------
    acts
        Outputs of the layers for two inputs.
    logits
        ``(2, k)``.
    unusable
        Layers whose rows are not inputs, or not the same every time, and why.
    """

    acts: dict[str, torch.Tensor]
    logits: torch.Tensor
    unusable: dict[str, LayerError] = field(default_factory=dict)

    def check_layers_usable(self) -> None:
        """Raise what is wrong with the first layer with which something is."""
        for problem in self.unusable.values():
            raise problem


def probe_network(runtime: Runtime, x: torch.Tensor, layers: Sequence[str] = ()) -> NetworkProbe:
    """Run a network on two inputs, again, beside another input, and on one.

    Four passes over one or two inputs. The network, its buffers and the state of random number
    generators are left as they were.

    Parameters
    ----------
    runtime
        The network.
    x
        Prepared inputs ``(n, ...)``, at least one; the first three are used. Where there are fewer,
        others are made of them.
    layers
        Layers to look at, each called once.

    Raises
    ------
    RandomNetworkError
        If the same inputs do not give the same logits twice.
    BatchDependenceError
        If an input's logits depend on what else is in the batch.
    NetworkError
        If there is not one row of logits an input, or the network fails.
    LayerError
        If a layer does not exist, is not called exactly once, or gives no tensor.
    """
    first, second, third = _three_inputs(runtime.cast_inputs(x))
    pair = torch.cat([first, second])
    with random_state_and_buffers_kept(runtime.module):
        whole = _run_and_copy(runtime, pair, layers)
        again = _run_and_copy(runtime, pair, layers)
        beside = _run_and_copy(runtime, torch.cat([first, third]), layers)
        try:
            alone = _run_and_copy(runtime, first, layers)
        except CircuitzError as problem:
            raise BatchDependenceError(
                f"The network runs two inputs but not one by itself: {problem.message}",
                "What it makes of an input must not depend on others: give normalisations running "
                "statistics, and keep the batch axis where outputs are squeezed.",
            ) from (problem.__cause__ or problem)
    _check_row_per_input(whole[1], alone[1])
    if _differ(whole[1], again[1], _AGAIN):
        raise _random_network_error(runtime)
    if _differ(whole[1][:1], beside[1][:1], _BESIDE) or _differ(whole[1][:1], alone[1], _ALONE):
        raise _batch_dependence_error(runtime)
    unusable: dict[str, LayerError] = {}
    for name in layers:
        runs = (one[0][name] for one in (whole, again, beside, alone))
        problem = _problem_with_layer(name, *runs)
        if problem is not None:
            unusable[name] = problem
    return NetworkProbe(whole[0], whole[1], unusable)


def _three_inputs(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return three inputs ``(1, ...)``, the second and third unlike each other."""
    first = x[:1]
    second = x[1:2] if len(x) > 1 else _other_input(first)
    third = x[2:3] if len(x) > 2 else _other_input(second)
    if torch.equal(second, third):
        third = _other_input(second)
    return first, second, third


def _other_input(x: torch.Tensor) -> torch.Tensor:
    """Return an input like this one, but another."""
    if x.is_floating_point():
        # Smaller and the other way round: pictures stay within what a network may take.
        return x.flip(-1) * 0.7 if bool(x.any()) else x + 0.1
    other = x.flip(-1)
    return other if not torch.equal(other, x) else x.roll(1, -1)


def _run_and_copy(runtime: Runtime, x: torch.Tensor, layers: Sequence[str]) -> Outputs:
    acts, logits = runtime.run(x, layers)
    # Without copies one run could write over what another returned.
    return {name: act.clone() for name, act in acts.items()}, logits.clone()


def _differ(a: torch.Tensor, b: torch.Tensor, tolerance: float) -> bool:
    """Whether two results differ by more than rounding; what is not finite in both is no difference."""
    if a.shape != b.shape:
        return True
    if not a.is_floating_point():
        return not torch.equal(a, b)
    if a.dtype not in (torch.float32, torch.float64):
        tolerance = _COARSE
    one, two = a.double().nan_to_num(), b.double().nan_to_num()
    size = max(float(one.abs().max()), float(two.abs().max())) if a.numel() else 0.0
    return bool(((one - two).abs() > tolerance * size).any())


def _check_row_per_input(two: torch.Tensor, one: torch.Tensor) -> None:
    if (len(one), len(two)) != (1, 2):
        raise NetworkError(
            f"The network returns {len(one)} rows for one input and {len(two)} for two, not one row "
            "an input.",
            "Wrap it in a module that returns one row of class scores an input (the mean over crops "
            "or frames, say).",
        )


def _random_network_error(runtime: Runtime) -> RandomNetworkError:
    names = _names_of_kinds(runtime, ("Dropout", "DropPath", "Noise", "Stochastic"))
    return RandomNetworkError(
        "The network is random: the same inputs give other logits when it is run again.",
        "Take out what draws numbers in eval mode, such as functional.dropout without "
        "training=self.training" + (f" (it has {names})." if names else "."),
    )


def _batch_dependence_error(runtime: Runtime) -> BatchDependenceError:
    names = _names_of_kinds(runtime, ("BatchNorm",), without_statistics=True)
    return BatchDependenceError(
        "What the network makes of an input depends on what else is in the batch.",
        "Its normalisation must use running statistics (track_running_stats=True), and nothing may "
        "attend or be averaged over the batch axis (of torch's attention: batch_first=True)"
        + (f"; look at {names}." if names else "."),
    )


def _names_of_kinds(
    runtime: Runtime, kinds: tuple[str, ...], without_statistics: bool = False
) -> str:
    """Return up to three names of modules whose class has one of these words in its name."""
    found = [
        name
        for name, module in runtime.module.named_modules()
        if any(kind in type(module).__name__ for kind in kinds)
        and not (without_statistics and getattr(module, "running_mean", None) is not None)
    ]
    return ", ".join(repr(name) for name in found[:3]) + (" and others" if len(found) > 3 else "")


def _problem_with_layer(
    name: str, whole: torch.Tensor, again: torch.Tensor, beside: torch.Tensor, alone: torch.Tensor
) -> LayerError | None:
    two, one = tuple(whole.shape), tuple(alone.shape)
    shapes = f"it puts out {one} for one input and {two} for two"
    if len(one) != len(two):
        return LayerError(f"Layer {name!r} has no axis of inputs: {shapes}.", _OTHER_LAYER)
    changed = [i for i in range(len(two)) if one[i] != two[i]]
    if not changed:
        return LayerError(
            f"Layer {name!r} says nothing about an input: {shapes}.",
            "Choose a layer whose output is computed from the input.",
        )
    if changed != [0] and len(changed) == 1 and one[changed[0]] == 1:
        return LayerError(
            f"Layer {name!r} has its inputs on axis {changed[0]}, not first: {shapes}.",
            "Choose a layer before or behind it that puts inputs first, or build the network with "
            "batch_first=True.",
        )
    if changed == [0] and one[0] > 1 and two[0] == 2 * one[0]:
        return LayerError(
            f"Layer {name!r} puts out {one[0]} rows an input, as windows or frames do that are "
            f"folded into the batch: {shapes}.",
            "Choose the block around it, which puts out one row an input.",
        )
    if changed != [0] or one[0] != 1:
        return LayerError(
            f"Layer {name!r} does not put out one row an input: {shapes}.", _OTHER_LAYER
        )
    if _differ(whole, again, _AGAIN):
        return LayerError(
            f"Layer {name!r} is random: the same inputs give other values when it is run again.",
            "Choose another, or take out what draws numbers in eval mode.",
        )
    if _differ(whole[:1], beside[:1], _BESIDE) or _differ(whole[:1], alone, _ALONE):
        return LayerError(
            f"What layer {name!r} puts out for an input depends on what else is in the batch.",
            "Choose another, or give the normalisation before it running statistics.",
        )
    return None


_OTHER_LAYER = "Choose a layer that puts out (inputs, ...), one row an input."
