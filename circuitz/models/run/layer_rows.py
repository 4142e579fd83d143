"""What a layer's rows are where they are not inputs, by what it put out in several runs."""

from __future__ import annotations

import torch

from circuitz.errors import LayerError

# Differences that are no rounding, as shares of the largest value. The same batch, run again; one
# input beside another than before; one by itself, for which torch may take other kernels.
AGAIN, BESIDE, ALONE = 1e-5, 1e-4, 1e-2
_COARSE = 2e-2  # of any of them in half precision


def results_differ(a: torch.Tensor, b: torch.Tensor, tolerance: float) -> bool:
    """Whether two results differ by more than rounding; what is not finite in both is no difference."""
    if a.shape != b.shape:
        return True
    if not a.is_floating_point():
        return not torch.equal(a, b)
    if a.dtype not in (torch.float32, torch.float64):
        tolerance = _COARSE
    one, two = a.detach().double().nan_to_num(), b.detach().double().nan_to_num()
    size = max(float(one.abs().max()), float(two.abs().max())) if a.numel() else 0.0
    return bool(((one - two).abs() > tolerance * size).any())


def problem_with_layer(
    name: str, whole: torch.Tensor, again: torch.Tensor, beside: torch.Tensor, alone: torch.Tensor
) -> LayerError | None:
    """Return what is wrong with a layer's rows in four runs; None where nothing is."""
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
    if results_differ(whole, again, AGAIN):
        return random_layer_error(name)
    if results_differ(whole[:1], beside[:1], BESIDE) or results_differ(whole[:1], alone, ALONE):
        return dependent_layer_error(name)
    return None


def random_layer_error(name: str) -> LayerError:
    """Return that a layer is random."""
    return LayerError(
        f"Layer {name!r} is random: the same inputs give other values when it is run again.",
        "Choose another, or take out what draws numbers in eval mode.",
    )


def dependent_layer_error(name: str) -> LayerError:
    """Return that a layer depends on the batch."""
    return LayerError(
        f"What layer {name!r} puts out for an input depends on what else is in the batch.",
        "Choose another, or give the normalisation before it running statistics.",
    )


_OTHER_LAYER = "Choose a layer that puts out (inputs, ...), one row an input."
