"""What a network's outputs are by their values: logits, or probabilities that nobody should subtract."""

from __future__ import annotations

from typing import Any, Final, Literal

import torch
from torch import nn

from circuitz.errors import ProbabilitiesError
from circuitz.models.run.restore_state import eval_mode

OutputValues = Literal["logits", "log-probabilities", "within 0 and 1", "sigmoid", "softmax"]

LOG_PROBABILITIES: Final = (
    "The network returns log-probabilities (their exponentials sum to 1 in every row): differences "
    "between classes are those of logits, so nothing is lost."
)
WITHIN_0_AND_1: Final = (
    "All outputs lie within 0 and 1: if they are probabilities, effects are measured on a squeezed "
    "scale. Return what goes into the sigmoid or softmax (torch.logit and torch.log undo them)."
)
#: So few outputs may lie within 0 and 1 by chance.
_FEW = 48
#: So far from their sum rows of probabilities may be, in single precision.
_FINE = 1e-3
#: Steps that only lay values out anew, as autograd names them.
_LAYOUT = (
    "View", "Reshape", "Squeeze", "Unsqueeze", "Select", "Slice", "Cat", "Stack", "Clone",
    "Transpose", "Permute", "ToCopy", "Alias", "Expand", "TBackward",
)  # fmt: skip


def output_values(out: torch.Tensor) -> OutputValues:
    """Return what outputs ``(n, classes)`` or ``(n,)`` are, by their values and by what made them.

    ``softmax`` also where rows sum to another constant (100 for percentages); ``sigmoid`` where
    autograd saw one, ``within 0 and 1`` where values alone speak for it.
    """
    if not out.is_floating_point() or out.ndim not in (1, 2):
        return "logits"
    values = out.detach().float().reshape(len(out), -1)
    if not values.numel() or not bool(torch.isfinite(values).all()):
        return "logits"
    tolerance = _FINE if out.dtype in (torch.float32, torch.float64) else 2e-2
    if values.shape[1] > 1:
        if _sum_of_shares(values, tolerance):
            return "softmax"
        if float(values.max()) <= 0 and _rows_sum_to_one(values.exp(), tolerance):
            return "log-probabilities"
    if float(values.min()) < 0 or float(values.max()) > 1:
        return "logits"
    if _made_by_sigmoid(out.grad_fn):
        return "sigmoid"
    return "within 0 and 1" if values.numel() >= _FEW else "logits"


def refuse_probabilities(out: torch.Tensor) -> str:
    """Refuse outputs that are probabilities.

    Parameters
    ----------
    out
        ``(n, classes)`` or ``(n,)``, as the network returned it; with gradient where there is one.

    Returns
    -------
    What has to be said of them all the same; empty where they are logits.

    Raises
    ------
    ProbabilitiesError
        If they are.
    """
    values = output_values(out)
    if values == "softmax":
        total = float(f"{float(out.detach().double().sum(1).mean()):.3g}")
        kind = "percentages" if total == 100 else "probabilities"
        raise ProbabilitiesError(
            f"The network's outputs are {kind}: all lie within 0 and {total:g}, and every row sums "
            f"to {total:g}, as after a softmax{'' if total == 1 else f' times {total:g}'}.",
            f"Return what goes into the softmax, or torch.log of the {kind}: effects are "
            "differences of logits.",
        )
    if values == "sigmoid":
        raise ProbabilitiesError(
            "The network's outputs are probabilities: its last step is a sigmoid.",
            "Return what goes into the sigmoid, or torch.logit of the probabilities: effects are "
            "differences of logits.",
        )
    if values == "log-probabilities":
        return LOG_PROBABILITIES
    return WITHIN_0_AND_1 if values == "within 0 and 1" else ""


def outputs_with_gradient(net: nn.Module, x: torch.Tensor) -> Any:
    """Return what a network returns, with the steps that made it where autograd can follow them."""
    with eval_mode(net), torch.enable_grad():
        # Multiplied, since some networks write into their input, which a leaf forbids.
        return net(x.detach().clone().requires_grad_() * 1 if x.is_floating_point() else x)


def is_computed_from(later: torch.Tensor, earlier: torch.Tensor) -> bool:
    """Whether autograd came through one output on its way to another."""
    if later.grad_fn is None or earlier.grad_fn is None:
        return False
    wanted, seen, todo = earlier.grad_fn, set[Any](), [later.grad_fn]
    while todo:
        step = todo.pop()
        if step is wanted and step is not later.grad_fn:
            return True
        if step in seen:
            continue
        seen.add(step)
        todo += [before for before, _ in step.next_functions if before is not None]
    return False


def _rows_sum_to_one(values: torch.Tensor, tolerance: float) -> bool:
    return bool(((values.sum(1) - 1).abs() <= tolerance).all())


def _sum_of_shares(values: torch.Tensor, tolerance: float) -> float:
    """Return the constant that rows of shares sum to; 0 where they are none."""
    sums = values.sum(1)
    total, off = float(sums.mean()), float((sums - sums.mean()).abs().max())
    if float(values.min()) < 0 or total <= 0:
        return 0.0
    for usual in (1.0, 100.0):
        if bool(((sums / usual - 1).abs() <= tolerance).all()):
            return usual
    # Another constant must be met to rounding, by rows that are not nearly the same by themselves.
    differ = float((values - values[:1]).abs().max())
    coarse = tolerance > _FINE
    return total if not coarse and off <= 1e-5 * total and differ > 1e-3 * total else 0.0


def _made_by_sigmoid(step: Any) -> bool:
    """Whether the last step but for layout is a sigmoid."""
    todo, found = [step], False
    while todo:
        step = todo.pop()
        if step is None:
            continue
        name = type(step).__name__
        if name.startswith("Sigmoid"):
            found = True
        elif name.startswith(_LAYOUT):
            todo += [before for before, _ in step.next_functions]
        else:
            return False
    return found
